#include "io/archive_writer.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "io/process.hpp"
#include "io/real_clock.hpp"
#include "io/scratch_directory.hpp"

namespace runctl {
namespace {

// What the system's tar makes of it: the other side of the border.
std::string unpacked(const std::filesystem::path& folder, const std::string& archive,
                     const std::string& program) {
  std::ofstream{folder / "archive", std::ios::binary} << archive;
  RealProcess process;
  const RealClock clock;
  const auto outcome = process.run(
      {.argv = {"/bin/sh", "-c",
                "cd \"$0\" && mkdir out && $1 -d -c archive | tar -x -C out -f - 2>/dev/null && "
                "cd out && find . -mindepth 1 -printf '%P|%y|%m|%s|%l;'",
                folder.string(), program},
       .environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"}},
      clock.ticks() + std::chrono::seconds{30}, {});
  return outcome ? outcome->out : outcome.error().message;
}

std::string written(Compression compression) {
  auto writer = ArchiveWriter::open(compression);
  EXPECT_TRUE(writer.has_value()) << writer.error().message;
  const std::string content = "content";
  EXPECT_TRUE(writer->begin_file(
      {.path = "d/it's \"q\"\n\xc3\xa4\xff", .size = content.size(), .executable = true}));
  EXPECT_TRUE(writer->write(std::as_bytes(std::span{content.data(), content.size()})));
  EXPECT_TRUE(writer->begin_file({.path = "-empty", .size = 0, .modified = 1'700'000'000}));
  EXPECT_TRUE(writer->add_link("link", "d/\xff"));
  auto bytes = writer->finish();
  EXPECT_TRUE(bytes.has_value());
  return bytes.value_or("");
}

TEST(archive_writer, hostile_names_modes_and_links_arrive_as_they_are) {
  for (const auto& [compression, program] :
       {std::pair{Compression::gzip, "gzip"}, std::pair{Compression::zstd, "zstd"}}) {
    const ScratchDirectory scratch;
    const std::string said = unpacked(scratch.path(), written(compression), program);
    if (said.empty() && compression == Compression::zstd) continue;  // no zstd on this machine
    EXPECT_NE(said.find("d/it's \"q\"\n\xc3\xa4\xff|f|755|7|;"), std::string::npos) << said;
    EXPECT_NE(said.find("-empty|f|644|0|;"), std::string::npos) << said;
    EXPECT_NE(said.find("link|l|777|3|d/\xff;"), std::string::npos) << said;
  }
}

TEST(archive_writer, more_content_than_was_said_is_an_error) {
  auto writer = ArchiveWriter::open(Compression::gzip);
  ASSERT_TRUE(writer.has_value());
  ASSERT_TRUE(writer->begin_file({.path = "f", .size = 2}));
  const std::string content = "longer";
  EXPECT_FALSE(writer->write(std::as_bytes(std::span{content.data(), content.size()})));
}

}  // namespace
}  // namespace runctl
