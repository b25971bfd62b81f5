#include "transfer/content.hpp"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "io/scratch_directory.hpp"
#include "transfer/fake_store.hpp"

namespace runctl::transfer {
namespace {

const ObjectName name{.bucket = "b", .key = "k"};

class CompareContent : public testing::Test {
 protected:
  RandomAccessFile file(const std::string& content) {
    std::ofstream{scratch_.path() / "f", std::ios::binary} << content;
    auto opened = RandomAccessFile::open(scratch_.path() / "f", AtLink::refuse);
    if (!opened) throw std::runtime_error{opened.error().message};
    return *std::move(opened);
  }
  Likeness compare(const std::string& content) {
    const auto facts = store_.head(name, {});
    const auto likeness = compare_content(store_, name, *facts, file(content), {});
    if (!likeness) throw std::runtime_error{likeness.error().message};
    return *likeness;
  }
  // A facts-only comparison, for what no store of ours makes.
  Likeness compare(const ObjectFacts& facts, const std::string& content) {
    return *compare_content(store_, name, facts, file(content), {});
  }
  FakeStore store_;

 private:
  ScratchDirectory scratch_;
};

std::string content(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 31 + i / 253);
  return out;
}

TEST_F(CompareContent, ByTheChecksumOfTheWholeObject) {
  const std::string bytes = content(3'000'000);
  store_.set(name, bytes);
  EXPECT_EQ(compare(bytes), Likeness::same);
  std::string other = bytes;
  other[2'999'999] ^= 1;
  EXPECT_EQ(compare(other), Likeness::different);
  EXPECT_EQ(compare(bytes + "x"), Likeness::different);
}

TEST_F(CompareContent, ByTheChecksumOfItsParts) {
  const std::string bytes = content(2'500'000);
  store_.set_composite(name, bytes, {1'200'000, 1'200'000, 100'000});
  EXPECT_EQ(compare(bytes), Likeness::same);
  std::string other = bytes;
  other[1'200'000] ^= 1;
  EXPECT_EQ(compare(other), Likeness::different);
}

TEST_F(CompareContent, ByAnEtag) {
  const std::string bytes = content(100);
  const ObjectFacts plain{.size = 100, .etag = '"' + hex(md5(bytes)) + '"', .etag_is_md5 = true};
  EXPECT_EQ(compare(plain, bytes), Likeness::same);
  EXPECT_EQ(compare(plain, content(99) + "?"), Likeness::different);
  // Encrypted with a key of KMS: it looks like an MD5, and is none.
  ObjectFacts encrypted = plain;
  encrypted.etag_is_md5 = false;
  EXPECT_EQ(compare(encrypted, bytes), Likeness::unknown);
  // As a multipart upload without checksums leaves it.
  store_.set_composite(name, bytes, {60, 40});
  ObjectFacts parts{.size = 100};
  parts.etag = store_.find(name)->etag;
  store_.change(name, [](FakeStore::Object& object) { object.checksum.reset(); });
  const std::string sum = md5(md5(bytes.substr(0, 60)) + md5(bytes.substr(60)));
  parts.etag = '"' + hex(sum) + "-2\"";
  store_.change(name, [&](FakeStore::Object& object) { object.etag = parts.etag; });
  EXPECT_EQ(compare(parts, bytes), Likeness::same);
  EXPECT_EQ(compare(parts, content(99) + "?"), Likeness::different);
  // Encrypted with a key of KMS's or the customer's: those of the parts are none either.
  parts.etag_is_opaque = true;
  EXPECT_EQ(compare(parts, bytes), Likeness::unknown);
  EXPECT_EQ(compare(parts, content(99) + "?"), Likeness::unknown);
}

TEST_F(CompareContent, WithNothingToCompareItSaysSo) {
  EXPECT_EQ(compare({.size = 3, .etag = "\"opaque\""}, "abc"), Likeness::unknown);
  EXPECT_EQ(compare({.size = 4, .etag = "\"opaque\""}, "abc"), Likeness::different);
}

TEST_F(CompareContent, AnEmptyFileIsLikeAnEmptyObject) {
  store_.set(name, "");
  EXPECT_EQ(compare(""), Likeness::same);
}

TEST(CompareObjects, ByWhatBothHave) {
  const Checksum a{.algorithm = "CRC64NVME", .value = "a"};
  const Checksum b{.algorithm = "CRC64NVME", .value = "b"};
  const Checksum parts{.algorithm = "CRC64NVME", .value = "a", .full_object = false, .parts = 2};
  const Checksum other_parts{
      .algorithm = "CRC64NVME", .value = "b", .full_object = false, .parts = 2};
  using Facts = ObjectFacts;
  EXPECT_EQ(compare_objects(Facts{.size = 1, .checksum = a}, Facts{.size = 1, .checksum = a}),
            Likeness::same);
  EXPECT_EQ(compare_objects(Facts{.size = 1, .checksum = a}, Facts{.size = 1, .checksum = b}),
            Likeness::different);
  EXPECT_EQ(compare_objects(Facts{.size = 1, .checksum = a}, Facts{.size = 2, .checksum = a}),
            Likeness::different);
  EXPECT_EQ(
      compare_objects(Facts{.size = 1, .checksum = parts}, Facts{.size = 1, .checksum = parts}),
      Likeness::same);
  EXPECT_EQ(compare_objects(Facts{.size = 1, .checksum = parts},
                            Facts{.size = 1, .checksum = other_parts}),
            Likeness::unknown);
  EXPECT_EQ(compare_objects(Facts{.size = 1, .etag = "\"x\"", .checksum = parts},
                            Facts{.size = 1, .etag = "\"x\"", .checksum = a}),
            Likeness::same);
  EXPECT_EQ(compare_objects(Facts{.size = 1, .etag = "\"x\"", .etag_is_md5 = true},
                            Facts{.size = 1, .etag = "\"y\"", .etag_is_md5 = true}),
            Likeness::different);
  EXPECT_EQ(compare_objects(Facts{.size = 1, .etag = "\"x\"", .etag_is_md5 = true},
                            Facts{.size = 1, .etag = "\"y-2\""}),
            Likeness::unknown);
}

}  // namespace
}  // namespace runctl::transfer
