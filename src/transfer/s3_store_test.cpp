#include "transfer/s3_store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "aws/s3/test_bed.hpp"

namespace runctl::transfer {
namespace {

using aws::s3::Bed;
using aws::s3::ok;

// Larger than what the client holds, so that its checksum would go behind it.
class SomeBytes final : public ByteSource {
 public:
  [[nodiscard]] std::uint64_t size() const override { return std::uint64_t{100} << 10U; }
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    const std::size_t count = std::min<std::uint64_t>(into.size(), size() - offset);
    std::ranges::fill(into.first(count), std::byte{'x'});
    return count;
  }
};

// A server that gives checksums of its own, whatever they are of.
Result<HttpResponse> answer(const HttpRequest& request, int) {
  if (request.url.contains("uploads")) {
    return ok(
        "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>");
  }
  if (request.method == "POST") {
    return ok(
        "<CompleteMultipartUploadResult><ETag>\"e\"</ETag>"
        "<ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></CompleteMultipartUploadResult>");
  }
  return ok({}, {{.name = "etag", .value = "\"e\""},
                 {.name = "x-amz-checksum-crc64nvme", .value = "AAAAAAAAAAA="}});
}

bool names_a_checksum(const HttpRequest& request) {
  return request.body.contains("Checksum") ||
         std::ranges::any_of(request.headers, [](const HttpHeader& header) {
           return header.name.contains("checksum") || header.name == "x-amz-trailer";
         });
}

TEST(S3StoreTest, SendsAndReadsNoChecksumWhereNoneIsWanted) {
  Bed bed{answer};
  bed.config.checksum.reset();
  bed.config.checksum_place = aws::s3::ChecksumPlace::header;
  aws::s3::S3Client client = bed.client();
  S3Store store{client};
  EXPECT_TRUE(store.takes_checksum_behind()) << "there is nothing to read a body twice for";
  const ObjectName target{.bucket = "bucket", .key = "key"};
  SomeBytes bytes;
  const auto put = store.put({.target = target, .crc = 7}, bytes, {});
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_FALSE(put->checksum);
  ASSERT_TRUE(store.put({.target = target}, bytes, {}));
  ASSERT_TRUE(store.create_upload({.target = target}, {}));
  const PartName part{.target = target, .upload_id = "id", .number = 1};
  const auto stored = store.upload_part({.part = part, .crc = 7}, bytes, {});
  ASSERT_TRUE(stored) << stored.error().message;
  EXPECT_FALSE(stored->checksum);
  const Part there{.number = 1,
                   .size = bytes.size(),
                   .etag = "\"e\"",
                   .checksum = Checksum{.algorithm = "CRC64NVME", .value = "AAAAAAAAAAA="}};
  const auto completed = store.complete_upload(
      {.target = target, .upload_id = "id", .parts = {there}, .size = bytes.size(), .crc = 7}, {});
  ASSERT_TRUE(completed) << completed.error().message;
  EXPECT_FALSE(completed->checksum);
  ASSERT_EQ(bed.sent(), 5U);
  for (const HttpRequest& request : bed.http.requests) {
    EXPECT_FALSE(names_a_checksum(request)) << request.method << ' ' << request.url;
  }
}

TEST(S3StoreTest, SendsAChecksumWithAllThatMakesAnObject) {
  Bed bed{answer};
  aws::s3::S3Client client = bed.client();
  S3Store store{client};
  const ObjectName target{.bucket = "bucket", .key = "key"};
  SomeBytes bytes;
  ASSERT_TRUE(store.put({.target = target, .crc = 0}, bytes, {}));
  ASSERT_TRUE(store.create_upload({.target = target}, {}));
  const auto completed = store.complete_upload(
      {.target = target, .upload_id = "id", .parts = {{.number = 1}}, .size = 1, .crc = 0}, {});
  ASSERT_TRUE(completed);
  EXPECT_TRUE(completed->checksum);
  for (const HttpRequest& request : bed.http.requests) {
    EXPECT_TRUE(names_a_checksum(request)) << request.method << ' ' << request.url;
  }
}

TEST(S3StoreTest, ACopyInPartsSaysOfItselfWhatItsSourceSays) {
  const std::vector<HttpHeader> said{{.name = "content-type", .value = "text/x"},
                                     {.name = "content-encoding", .value = "gzip"},
                                     {.name = "content-disposition", .value = "inline"},
                                     {.name = "content-language", .value = "de"},
                                     {.name = "cache-control", .value = "no-store"},
                                     {.name = "expires", .value = "Thu, 01 Dec 2033 16:00:00 GMT"},
                                     {.name = "x-amz-meta-owner", .value = "ann"}};
  Bed bed{[&](const HttpRequest& request, int number) {
    if (request.method != "HEAD") return answer(request, number);
    auto head = ok({}, said);
    head.headers.push_back({.name = "content-length", .value = "7"});
    head.headers.push_back({.name = "x-amz-tagging-count", .value = "2"});
    return Result<HttpResponse>{std::move(head)};
  }};
  aws::s3::S3Client client = bed.client();
  S3Store store{client};
  const auto facts = store.head({.bucket = "bucket", .key = "key"}, {});
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->tags, 2U);
  ASSERT_TRUE(store.create_upload(
      {.target = {.bucket = "bucket", .key = "copy"}, .attributes = facts->attributes}, {}));
  for (const HttpHeader& header : said) {
    EXPECT_EQ(aws::s3::header_of(bed.http.requests.back(), header.name), header.value)
        << header.name;
  }
}

}  // namespace
}  // namespace runctl::transfer
