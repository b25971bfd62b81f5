#include "training/code_reader.hpp"

#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "training/test_project.hpp"

namespace runctl::training {
namespace {

std::vector<std::size_t> all_of(const CodeTree& tree) {
  std::vector<std::size_t> all(tree.entries.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class code_reader : public ::testing::Test {
 protected:
  code_reader() { project_.write("train.py", "print()"); }
  testing::Project project_;
};

TEST_F(code_reader, many_files_come_in_order_each_with_the_hash_of_what_was_read) {
  for (int i = 0; i < 400; ++i)
    project_.write(std::to_string(i), std::string(static_cast<std::size_t>(i * 10), 'x'));
  project_.write("large", std::string(3'000'000, 'y'));
  auto tree = project_.collect();
  ASSERT_TRUE(tree.has_value());
  std::vector<std::string> order;
  std::string content;
  const auto read =
      read_entries(*tree, all_of(*tree),
                   {.begin = [&](const CodeEntry& entry, std::uint64_t) -> Result<void> {
                      order.push_back(entry.path);
                      return {};
                    },
                    .write = [&](std::span<const std::byte> bytes) -> Result<void> {
                      content += text_of(bytes);
                      return {};
                    }},
                   {});
  ASSERT_TRUE(read.has_value()) << read.error().message;
  std::string wanted;
  for (std::size_t i = 0; i < tree->entries.size(); ++i) {
    const CodeEntry& entry = tree->entries[i];
    EXPECT_EQ(order.at(i), entry.path);
    std::ifstream file{project_.root() / entry.path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_EQ(entry.hash, sha256(text)) << entry.path;
    wanted += text;
  }
  EXPECT_TRUE(content == wanted);
}

TEST_F(code_reader, a_file_that_changed_since_the_look_has_the_hash_of_what_is_sent) {
  auto tree = project_.collect();
  ASSERT_TRUE(tree.has_value());
  project_.write("train.py", "print('longer')");
  std::string content;
  std::uint64_t said = 0;
  ASSERT_TRUE(read_entries(*tree, all_of(*tree),
                           {.begin = [&](const CodeEntry&, std::uint64_t size) -> Result<void> {
                              said = size;
                              return {};
                            },
                            .write = [&](std::span<const std::byte> bytes) -> Result<void> {
                              content += text_of(bytes);
                              return {};
                            }},
                           {}));
  EXPECT_EQ(content, "print('longer')");
  EXPECT_EQ(said, content.size());
  EXPECT_EQ(tree->entries[0].hash, sha256(content));
  EXPECT_EQ(tree->entries[0].stamp.size, content.size());
}

TEST_F(code_reader, a_large_file_that_shrinks_meanwhile_is_named) {
  project_.write("large", std::string(4'000'000, 'y'));
  auto tree = project_.collect();
  ASSERT_TRUE(tree.has_value());
  const auto read = read_entries(
      *tree, all_of(*tree), {.begin = [&](const CodeEntry& entry, std::uint64_t) -> Result<void> {
        if (entry.path == "large")
          std::filesystem::resize_file(project_.root() / "large", 1'000'000);
        return {};
      }},
      {});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Errc::precondition);
  EXPECT_NE(read.error().message.find("large"), std::string::npos);
}

TEST_F(code_reader, a_file_that_is_gone_by_now_is_taken_out) {
  project_.write("a");
  project_.write("b");
  auto tree = project_.collect();
  ASSERT_TRUE(tree.has_value());
  std::filesystem::remove(project_.root() / "a");
  ASSERT_TRUE(read_entries(*tree, all_of(*tree), {}, {}));
  EXPECT_EQ(testing::paths_of(tree), (std::vector<std::string>{"b", "train.py"}));
}

TEST_F(code_reader, a_link_that_took_a_files_place_is_not_followed) {
  project_.write("a");
  auto tree = project_.collect();
  ASSERT_TRUE(tree.has_value());
  project_.run("ln -sf /etc/passwd a");
  EXPECT_FALSE(read_entries(*tree, all_of(*tree), {}, {}).has_value());
}

}  // namespace
}  // namespace runctl::training
