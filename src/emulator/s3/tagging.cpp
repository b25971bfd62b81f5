#include "emulator/s3/tagging.hpp"

#include <set>

#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

// As x-amz-tagging has them: "a=1&b=2", percent-encoded.
constexpr const char* header_name = "x-amz-tagging";

Result<Reply> change(Call& call, const std::string& key, const std::string& tags) {
  RUNCTL_TRY_LET(const bool found,
                 call.store.change_headers(call.bucket.name, key, [&](StoredHeaders& headers) {
                   headers.erase(header_name);
                   if (!tags.empty()) headers[header_name] = tags;
                 }));
  if (!found) return refuse("NoSuchKey", "The specified key does not exist.", 404);
  return reply_with<PutObjectTagging>({});
}

}  // namespace

Result<Reply> get_object_tagging(Call& call, const TaggingRequest& request) {
  RUNCTL_TRY_LET(const auto object, call.store.head(call.bucket.name, request.key));
  if (!object) return refuse("NoSuchKey", "The specified key does not exist.", 404);
  Tagging tagging;
  if (const auto tags = object->headers.find(header_name); tags != object->headers.end()) {
    for (const std::string_view pair : split(tags->second, '&')) {
      const auto equals = pair.find('=');
      tagging.tag_set.push_back({.key = percent_decode(pair.substr(0, equals)),
                                 .value = equals == std::string_view::npos
                                              ? ""
                                              : percent_decode(pair.substr(equals + 1))});
    }
  }
  return reply_with<GetObjectTagging>(tagging);
}

Result<Reply> put_object_tagging(Call& call, const TaggingRequest& request) {
  // Source: "Categorizing your storage using tags" in the Amazon S3 User Guide.
  constexpr std::size_t most_tags = 10;
  if (!request.tagging) {
    return refuse("MalformedXML",
                  "The XML you provided was not well-formed or did not validate against our "
                  "published schema");
  }
  if (request.tagging->tag_set.size() > most_tags) {
    return refuse("BadRequest", "Object tags cannot be greater than 10");
  }
  std::set<std::string> keys;
  std::string tags;
  for (const Tag& tag : request.tagging->tag_set) {
    if (tag.key.empty() || !keys.insert(tag.key).second) {
      return refuse("InvalidTag", "Cannot provide multiple Tags with the same key");
    }
    tags += (tags.empty() ? "" : "&") + percent_encode(tag.key) + "=" +
            percent_encode(tag.value.value_or(""));
  }
  return change(call, request.key, tags);
}

Result<Reply> delete_object_tagging(Call& call, const TaggingRequest& request) {
  RUNCTL_TRY_LET(Reply reply, change(call, request.key, ""));
  reply.response.status = DeleteObjectTagging::info.status;
  return reply;
}

}  // namespace runctl::emulator::s3
