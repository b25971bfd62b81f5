// Uploads by POST: a form that lets whoever has it write objects below one prefix, without
// credentials, for a while. Made and checked by the same code. Pure.
// Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html,
// sigv4-post-example.html and RESTObjectPOST.html.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.hpp"
#include "aws/sigv4.hpp"
#include "base/secret.hpp"
#include "base/time_text.hpp"

namespace runctl::aws::s3 {

// What one POST can bring. Source: "POST Object" in the Amazon S3 API Reference: as a PUT.
inline constexpr std::uint64_t largest_post = std::uint64_t{5} << 30U;

struct FormField {
  std::string name;  // in lower case
  std::string value;
  auto operator<=>(const FormField&) const = default;
};

// What the holder of the form may write.
struct PostPermit {
  std::string bucket;
  std::string key_prefix;  // every key begins with it
  std::uint64_t largest = largest_post;
  std::vector<FormField> fixed = {};          // the form has these, with these values
  std::vector<std::string> free_fields = {};  // and these, with any
};

// What the policy says, as S3 reads it.
[[nodiscard]] std::string policy_document(const PostPermit& permit, const Credentials& credentials,
                                          std::string_view region, Timestamp now,
                                          Timestamp expires);

// The fields of the form but for `key`, the free ones and the file, which is the last. Good until
// `expires`, and no longer than the credentials. At most seven days, the life of a signing key.
[[nodiscard]] std::vector<FormField> sign_post(const PostPermit& permit,
                                               const Credentials& credentials,
                                               std::string_view region, Timestamp now,
                                               Timestamp expires);

// Why a form was refused; S3 has a code and words for each.
enum class PostFault : std::uint8_t {
  missing_field,    // `detail` names it
  malformed,        // a field is not of its form
  unknown_key,      // nobody has this access key id
  wrong_signature,  // made with another secret, or for another policy
  bad_document,     // the policy is none; `detail` says why
  expired,
  condition,    // one does not hold: `detail` is that one, as JSON
  extra_field,  // there is a field that no condition speaks of: `detail`
};

struct PostFailure {
  PostFault fault = PostFault::missing_field;
  std::string detail = {};
};

struct LengthRange {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
};

// Who signed the form, and how long the file may be: that is known only when it has come.
struct PostIdentity {
  std::string access_key_id;
  std::string region;
  std::optional<LengthRange> length = {};
};

// Checks the fields that came before the file; names in lower case. `bucket` is the request's.
// Without a policy and a signature it fails with missing_field.
[[nodiscard]] std::expected<PostIdentity, PostFailure> verify_post(
    std::span<const FormField> fields, std::string_view bucket, Timestamp now,
    const SecretLookup& secret_of);

// The field's value; null when there is none of that name.
[[nodiscard]] const std::string* find_field(std::span<const FormField> fields,
                                            std::string_view name);

}  // namespace runctl::aws::s3
