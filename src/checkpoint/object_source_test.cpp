#include "checkpoint/object_source.hpp"

#include <gtest/gtest.h>

#include "checkpoint/fixtures.hpp"
#include "transfer/fake_store.hpp"

namespace runctl::checkpoint {
namespace {

const transfer::ObjectName name{.bucket = "b", .key = "epoch_1.pt"};

struct Store {
  explicit Store(const std::string& bytes) {
    fake.set(name, bytes);
    etag = fake.find(name)->etag;
  }
  transfer::FakeStore fake;
  std::string etag;
};

TEST(ObjectSource, reads_a_directory_without_the_contents) {
  // 32 MiB of contents, in two members.
  const std::string bytes =
      zip_of({{"a", std::string(16U << 20U, 'a')}, {"b", std::string(16U << 20U, 'b')}});
  Store store{bytes};
  ObjectSource source{store.fake, name, store.etag, bytes.size(), {}};
  const auto finding = inspect_file(source, "x.pt", Depth::structure);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->verdict, Verdict::complete);
  EXPECT_LT(store.fake.bytes_out(), 1U << 20U);
  EXPECT_EQ(store.fake.unguarded_ranges(), 0);
}

TEST(ObjectSource, reads_contents_once_and_in_few_requests) {
  const std::string bytes = zip_of({{"a", std::string(40U << 20U, 'a')}});
  Store store{bytes};
  ObjectSource source{store.fake, name, store.etag, bytes.size(), {}};
  const auto finding = inspect_file(source, "x.pt", Depth::contents);
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->verdict, Verdict::sound) << finding->why;
  EXPECT_LT(store.fake.bytes_out(), (42U << 20U));
  EXPECT_LT(store.fake.calls("get"), 20);
}

TEST(ObjectSource, reads_one_object_or_none) {
  const std::string bytes = zip_of({{"a", std::string(1U << 20U, 'a')}});
  Store store{bytes};
  ObjectSource source{store.fake, name, store.etag, bytes.size(), {}};
  std::string begin(16, '\0');
  ASSERT_TRUE(source.read_at(0, std::as_writable_bytes(std::span{begin})));
  store.fake.set(name, zip_of({{"a", std::string(1U << 20U, 'b')}}));
  const auto later = source.read_at(1U << 19U, std::as_writable_bytes(std::span{begin}));
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Errc::precondition);
}

TEST(ObjectSource, does_not_take_a_broken_answer_for_a_broken_object) {
  const std::string bytes = zip_of({{"a", std::string(1U << 20U, 'a')}});
  Store store{bytes};
  store.fake.faults.cut_body = 1000;
  ObjectSource source{store.fake, name, store.etag, bytes.size(), {}};
  const auto finding = inspect_file(source, "x.pt", Depth::contents);
  ASSERT_FALSE(finding);
  EXPECT_NE(finding.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace runctl::checkpoint
