#include "cli/s3/listing.hpp"

#include <algorithm>

namespace runctl::cli {

using aws::s3::ListObjectsV2;
using aws::s3::ListObjectsV2Output;

Result<ListObjectsV2Output> list_page(S3Session& session, const PageRequest& request) {
  return session.client().call<ListObjectsV2>({.bucket = request.bucket,
                                               .delimiter = request.delimiter,
                                               .max_keys = request.most,
                                               .prefix = request.prefix,
                                               .continuation_token = request.token,
                                               .request_payer = std::string{session.payer()}},
                                              session.options());
}

ListedObject to_listed(aws::s3::Object object) {
  return {.key = std::move(object.key),
          .size = static_cast<std::uint64_t>(std::max<std::int64_t>(object.size.value_or(0), 0)),
          .last_modified = object.last_modified.value_or(Timestamp{}),
          .etag = std::move(object.etag),
          .storage_class = std::move(object.storage_class)};
}

ObjectListing::ObjectListing(S3Session& session, std::string bucket, std::string prefix)
    : session_{session}, bucket_{std::move(bucket)}, prefix_{std::move(prefix)} {
  fetch({});
}

void ObjectListing::fetch(std::string token) {
  fetching_ = std::jthread{[this, token = std::move(token)] {
    coming_ = list_page(session_, {.bucket = bucket_, .prefix = prefix_, .token = token});
  }};
}

Result<std::optional<ListedObject>> ObjectListing::next() {
  while (at_ == page_.contents.size()) {
    if (!has_more_) return std::nullopt;
    if (fetching_.joinable()) fetching_.join();
    if (!coming_) return fail(Errc::internal, "a list of objects went on behind its end");
    Page page = *std::exchange(coming_, std::nullopt);
    has_more_ = false;
    if (!page) return std::unexpected{std::move(page).error()};
    page_ = *std::move(page);
    at_ = 0;
    has_more_ = page_.is_truncated.value_or(false);
    if (has_more_ && page_.next_continuation_token.empty()) {
      return fail(Errc::corrupt, "the server cut its list and does not say where it goes on");
    }
    if (has_more_) fetch(page_.next_continuation_token);
  }
  return to_listed(std::move(page_.contents[at_++]));
}

Result<std::optional<ListedObject>> find_object(S3Session& session, const transfer::S3Uri& uri) {
  // The object's own key is the first that begins with it.
  RUNCTL_TRY_LET(auto page,
                 list_page(session, {.bucket = uri.bucket, .prefix = uri.key, .most = 1}));
  if (page.contents.empty() || page.contents.front().key != uri.key) return std::nullopt;
  return to_listed(std::move(page.contents.front()));
}

Result<bool> is_folder(S3Session& session, const transfer::S3Uri& uri) {
  RUNCTL_TRY_LET(
      const auto page,
      list_page(session, {.bucket = uri.bucket, .prefix = transfer::folder_of(uri), .most = 1}));
  return !page.contents.empty();
}

}  // namespace runctl::cli
