// What is in a bucket, page by page: the next page is on its way while this one is worked on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "aws/s3/list.hpp"
#include "base/result.hpp"
#include "cli/s3/session.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

struct ListedObject {
  std::string key = {};
  std::uint64_t size = 0;
  Timestamp last_modified{};
  std::string etag = {};  // with its quotes
  std::string storage_class = {};
};

// Objects whose keys begin with a prefix, in the order in which S3 lists them (the bytes of their
// keys, but in directory buckets). Memory: two pages of 1,000 objects.
class ObjectListing {
 public:
  ObjectListing(S3Session& session, std::string bucket, std::string prefix);
  ObjectListing(const ObjectListing&) = delete;
  ObjectListing& operator=(const ObjectListing&) = delete;
  ObjectListing(ObjectListing&&) = delete;
  ObjectListing& operator=(ObjectListing&&) = delete;
  // Waits for the page that is on its way.
  ~ObjectListing() = default;

  // The next, nothing after the last. Errors: those of S3; not_found for a bucket that is not
  // there.
  [[nodiscard]] Result<std::optional<ListedObject>> next();

 private:
  using Page = Result<aws::s3::ListObjectsV2Output>;
  void fetch(std::string token);

  S3Session& session_;
  std::string bucket_;
  std::string prefix_;
  aws::s3::ListObjectsV2Output page_;
  std::size_t at_ = 0;
  bool has_more_ = true;
  std::optional<Page> coming_;  // written by fetching_, read when that has ended
  std::jthread fetching_;
};

// One page, decoded. `delimiter` "/" gives the folders directly below the prefix.
struct PageRequest {
  std::string bucket = {};
  std::string prefix = {};
  std::string delimiter = {};
  std::string token = {};
  std::optional<std::int64_t> most = {};
};
[[nodiscard]] Result<aws::s3::ListObjectsV2Output> list_page(S3Session& session,
                                                             const PageRequest& request);

// What `object` says, without surprises.
[[nodiscard]] ListedObject to_listed(aws::s3::Object object);

// The object itself, if it is there. One request.
[[nodiscard]] Result<std::optional<ListedObject>> find_object(S3Session& session,
                                                              const transfer::S3Uri& uri);

// Whether something is below the folder that `uri` would be. One request.
[[nodiscard]] Result<bool> is_folder(S3Session& session, const transfer::S3Uri& uri);

}  // namespace runctl::cli
