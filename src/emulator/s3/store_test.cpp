#include "emulator/s3/store.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "emulator/refusal.hpp"
#include "emulator/s3/memory_body.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::emulator::s3 {
namespace {

Result<void> always(const ObjectRecord* /*existing*/) { return {}; }

class S3StoreTest : public ::testing::Test {
 protected:
  S3StoreTest() { open(); }
  void open() {
    store_.reset();
    auto opened = Store::open(scratch_.path());
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store_ = *std::move(opened);
  }

  Segment written(std::string_view text) {
    BlobWriter writer = store_->blobs().create();
    EXPECT_TRUE(writer.write(std::as_bytes(std::span{text})));
    writer.keep();
    return writer.segment();
  }

  void put(const std::string& key, std::string_view text = "") {
    const ObjectRecord object{.key = key,
                              .size = text.size(),
                              .etag = "etag",
                              .headers = {{"content-type", "text/plain"}},
                              .segments = {written(text)}};
    EXPECT_TRUE(store_->put("bucket", object, always));
  }

  std::string text_of(const std::string& key) {
    auto found = store_->get("bucket", key);
    if (!found || !*found) return "<nothing>";
    return in_memory({HttpResponse{}, body_of((*found)->bytes, 0, (*found)->object.size)})
        .response.body;
  }

  // Keys, and common prefixes in brackets; page by page.
  std::vector<std::vector<std::string>> pages(Selection selection) {
    std::vector<std::vector<std::string>> all;
    while (all.size() < 100) {
      const auto listing = store_->list("bucket", selection);
      EXPECT_TRUE(listing.has_value());
      auto& page = all.emplace_back();
      for (const auto& entry : listing->entries) {
        page.push_back(entry.is_prefix ? "[" + entry.object.key + "]" : entry.object.key);
      }
      if (!listing->is_truncated) break;
      selection.from = listing->next;
      selection.after.clear();
    }
    return all;
  }

  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator{scratch_.path() / "s3"}) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }

  ScratchDirectory scratch_;
  std::unique_ptr<Store> store_;
};

TEST_F(S3StoreTest, KeepsObjectsAcrossAnEnd) {
  put("key", "some bytes");
  put(std::string{"odd\0\xff", 5}, "others");
  put("empty");
  open();
  EXPECT_EQ(text_of("key"), "some bytes");
  EXPECT_EQ(text_of(std::string{"odd\0\xff", 5}), "others");
  EXPECT_EQ(text_of("empty"), "");
  const auto head = store_->head("bucket", "key");
  EXPECT_EQ((*head)->headers.at("content-type"), "text/plain");
  EXPECT_EQ((*head)->etag, "etag");
  EXPECT_EQ(files(), 2U) << "nothing needs no file";
}

TEST_F(S3StoreTest, SweepsWhatNobodyRefersTo) {
  put("key", "bytes");
  (void)written("lost");
  EXPECT_EQ(files(), 2U);
  open();
  EXPECT_EQ(files(), 1U);
  put("other", "new");
  EXPECT_EQ(text_of("key"), "bytes") << "no number is used twice";
}

TEST_F(S3StoreTest, AWriterThatIsNotKeptLeavesNothing) {
  {
    BlobWriter writer = store_->blobs().create();
    EXPECT_TRUE(writer.write(std::as_bytes(std::span{std::string_view{"x"}})));
    EXPECT_EQ(files(), 1U);
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(S3StoreTest, AReaderKeepsTheFilesThatItReads) {
  put("key", "old");
  {
    const auto found = store_->get("bucket", "key");
    put("key", "new");
    EXPECT_EQ(files(), 2U);
    EXPECT_EQ(in_memory({HttpResponse{}, body_of((*found)->bytes, 0, 3)}).response.body, "old");
  }
  EXPECT_EQ(files(), 1U);
  EXPECT_TRUE(store_->remove("bucket", "key", always));
  EXPECT_EQ(files(), 0U);
}

TEST_F(S3StoreTest, AGuardStopsAChange) {
  put("key", "old");
  const auto never = [](const ObjectRecord* existing) -> Result<void> {
    EXPECT_NE(existing, nullptr);
    return refuse("PreconditionFailed", "no", 412);
  };
  EXPECT_FALSE(store_->put("bucket", {.key = "key"}, never));
  EXPECT_FALSE(store_->remove("bucket", "key", never));
  EXPECT_EQ(text_of("key"), "old");
}

TEST_F(S3StoreTest, ListsInTheOrderOfBytesPageByPage) {
  for (const char* const key : {"b", "a", "\xc3\xa9", "B", "a/1", "a/2", "a-", "\x01"}) put(key);
  using Pages = std::vector<std::vector<std::string>>;
  EXPECT_EQ(pages({.most = 3}),
            (Pages{{"\x01", "B", "a"}, {"a-", "a/1", "a/2"}, {"b", "\xc3\xa9"}}));
  EXPECT_EQ(pages({.delimiter = "/", .most = 3}),
            (Pages{{"\x01", "B", "a"}, {"a-", "[a/]", "b"}, {"\xc3\xa9"}}));
  EXPECT_EQ(pages({.delimiter = "/", .most = 5}),
            (Pages{{"\x01", "B", "a", "a-", "[a/]"}, {"b", "\xc3\xa9"}}))
      << "a page may end with a prefix";
  EXPECT_EQ(pages({.prefix = "a/"}), (Pages{{"a/1", "a/2"}}));
  EXPECT_EQ(pages({.prefix = "a", .from = "a-", .after = "a-"}), (Pages{{"a/1", "a/2"}}));
  EXPECT_EQ(pages({.delimiter = "/", .from = "a/", .after = "a/"}), (Pages{{"b", "\xc3\xa9"}}));
  EXPECT_EQ(pages({.prefix = "zz"}), (Pages{{}}));
  EXPECT_EQ(pages({.most = 8}).size(), 1U) << "a page that just holds all is the last";
}

TEST_F(S3StoreTest, StepsOverWhatIsRolledUp) {
  for (int i = 0; i < 300; ++i) put("d/" + std::to_string(i));
  put(std::string{"\xff\xff", 2});
  using Pages = std::vector<std::vector<std::string>>;
  EXPECT_EQ(pages({.delimiter = "/"}), (Pages{{"[d/]", "\xff\xff"}}));
  EXPECT_EQ(pages({.delimiter = "\xff"}).front().back(), "[\xff]");
}

TEST_F(S3StoreTest, AnUploadBecomesAnObjectOfItsParts) {
  EXPECT_TRUE(store_->put_upload({.id = "u", .bucket = "bucket", .key = "key"}));
  const PartRecord first{.number = 1, .etag = "1", .segment = written("first")};
  EXPECT_TRUE(*store_->put_part("u", {.number = 1, .etag = "0", .segment = written("replaced")}));
  EXPECT_TRUE(*store_->put_part("u", first));
  const PartRecord second{.number = 3, .etag = "3", .segment = written("second")};
  EXPECT_TRUE(*store_->put_part("u", second));
  EXPECT_TRUE(*store_->put_part("u", {.number = 4, .etag = "4", .segment = written("unused")}));
  EXPECT_FALSE(*store_->put_part("other", first));
  EXPECT_EQ(files(), 3U) << "a part that was sent again takes the place of the first";
  open();
  const auto upload = store_->upload("bucket", "key", "u");
  ASSERT_TRUE(upload && *upload);
  EXPECT_EQ(store_->parts("u", 1, 10)->size(), 2U);
  const ObjectRecord object{
      .key = "key", .size = 11, .segments = {first.segment, second.segment}, .is_multipart = true};
  EXPECT_TRUE(*store_->complete(**upload, object, always));
  EXPECT_EQ(text_of("key"), "firstsecond");
  EXPECT_EQ(files(), 2U) << "what the object does not have is gone";
  EXPECT_FALSE(*store_->complete(**upload, object, always));
}

TEST_F(S3StoreTest, AnAbortedUploadLeavesNothing) {
  EXPECT_TRUE(store_->put_upload({.id = "u", .bucket = "bucket", .key = "key"}));
  EXPECT_TRUE(*store_->put_part("u", {.number = 1, .segment = written("part")}));
  EXPECT_TRUE(store_->abort("u"));
  EXPECT_EQ(files(), 0U);
  EXPECT_FALSE(store_->upload("bucket", "key", "u")->has_value());
}

TEST_F(S3StoreTest, ABucketGoesWhenItIsEmpty) {
  EXPECT_TRUE(store_->put_bucket({.name = "bucket", .account = "1", .region = "us-east-1"}));
  put("key");
  EXPECT_FALSE(*store_->remove_bucket("bucket"));
  EXPECT_TRUE(store_->remove("bucket", "key", always));
  EXPECT_TRUE(store_->put_upload({.id = "u", .bucket = "bucket", .key = "key"}));
  EXPECT_TRUE(*store_->put_part("u", {.number = 1, .segment = written("part")}));
  EXPECT_TRUE(*store_->remove_bucket("bucket"));
  EXPECT_FALSE(store_->bucket("bucket")->has_value());
  EXPECT_EQ(files(), 0U) << "uploads go with it";
}

TEST_F(S3StoreTest, ADuplicateLivesLongerThanItsOriginal) {
  put("key", "bytes");
  const auto original = store_->head("bucket", "key");
  const auto copy = store_->blobs().duplicate((*original)->segments.front());
  ASSERT_TRUE(copy.has_value());
  EXPECT_TRUE(store_->put("bucket", {.key = "copy", .size = 5, .segments = {*copy}}, always));
  EXPECT_TRUE(store_->remove("bucket", "key", always));
  open();
  EXPECT_EQ(text_of("copy"), "bytes");
}

TEST_F(S3StoreTest, ReadsAnyStretchOfManyPieces) {
  const std::vector<Segment> segments{written("abc"), {}, written("defgh"), written("i")};
  EXPECT_TRUE(store_->put("bucket", {.key = "key", .size = 9, .segments = segments}, always));
  const std::string all = "abcdefghi";
  for (std::uint64_t offset = 0; offset <= 9; ++offset) {
    for (std::uint64_t length = 0; offset + length <= 9; ++length) {
      const auto found = store_->get("bucket", "key");
      const Reply reply = in_memory({HttpResponse{}, body_of((*found)->bytes, offset, length)});
      EXPECT_EQ(reply.response.body, all.substr(offset, length)) << offset << ' ' << length;
    }
  }
}

}  // namespace
}  // namespace runctl::emulator::s3
