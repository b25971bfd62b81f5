#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/place.hpp"
#include "emulator/refusal.hpp"
#include "emulator/s3/actions.hpp"
#include "emulator/s3/address.hpp"
#include "emulator/s3/owner.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::string_view first_region = "us-east-1";

// Source: "LocationConstraint" of CreateBucket in the Amazon S3 API Reference: us-east-1's endpoint
// makes buckets anywhere, each other's only in its own region, and then wants it named.
Result<std::string> region_for(const Call& call, std::string_view constraint) {
  const bool anywhere = call.region == first_region;
  if (constraint.empty() && anywhere) return std::string{first_region};
  std::string wanted = constraint == "EU" ? "eu-west-1" : std::string{constraint};
  if (anywhere && wanted == first_region) {
    return refuse("InvalidLocationConstraint", "The specified location-constraint is not valid");
  }
  if (!anywhere && wanted != call.region) {
    return refuse("IllegalLocationConstraintException",
                  fmt::format("The {} location constraint is incompatible for the region specific "
                              "endpoint this request was sent to.",
                              constraint.empty() ? "unspecified" : constraint));
  }
  if (!is_region_name(wanted)) {
    return refuse("InvalidLocationConstraint", "The specified location-constraint is not valid");
  }
  return wanted;
}

}  // namespace

Result<Reply> list_buckets(Call& call, const wire::ListBucketsRequest& request) {
  constexpr std::int64_t most = 10'000;
  const std::int64_t wanted = request.max_buckets.value_or(most);
  if (wanted < 1 || wanted > most) {
    return refuse("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000");
  }
  const auto after = base64_decode(request.continuation_token);
  if (!after) return refuse("InvalidArgument", "The continuation token provided is incorrect");
  RUNCTL_TRY_LET(const auto all, call.store.buckets());
  wire::ListBucketsOutput output{.owner = owner_of(call.account), .prefix = request.prefix};
  for (const BucketRecord& bucket : all) {
    if (bucket.account != call.account || !bucket.name.starts_with(request.prefix)) continue;
    if (!request.bucket_region.empty() && bucket.region != request.bucket_region) continue;
    if (bucket.name <= *after) continue;
    if (std::cmp_equal(output.buckets.size(), wanted)) {
      output.continuation_token = base64(output.buckets.back().name);
      break;
    }
    output.buckets.push_back(
        {.name = bucket.name, .creation_date = bucket.created, .bucket_region = bucket.region});
  }
  return reply_with<wire::ListBuckets>(output);
}

Result<Reply> create_bucket(Call& call, const wire::CreateBucketRequest& request) {
  if (call.account.empty()) return refuse("AccessDenied", "Access Denied", 403);
  if (!is_bucket_name(request.bucket)) {
    return refuse("InvalidBucketName", "The specified bucket is not valid.");
  }
  const auto& configuration = request.create_bucket_configuration;
  RUNCTL_TRY_LET(const std::string region,
                 region_for(call, configuration ? configuration->location_constraint : ""));
  RUNCTL_TRY_LET(const auto existing, call.store.bucket(request.bucket));
  if (existing && existing->account != call.account) {
    return refuse("BucketAlreadyExists",
                  "The requested bucket name is not available. The bucket namespace is shared by "
                  "all users of the system. Please select a different name and try again.",
                  409);
  }
  // Source: "BucketAlreadyOwnedByYou" in "Error responses" of the Amazon S3 API Reference:
  // us-east-1 answers 200 there, for old times' sake.
  if (existing && (existing->region != first_region || region != first_region)) {
    return refuse("BucketAlreadyOwnedByYou",
                  "Your previous request to create the named bucket succeeded and you already own "
                  "it.",
                  409);
  }
  if (!existing) {
    RUNCTL_TRY(call.store.put_bucket({.name = request.bucket,
                                      .account = call.account,
                                      .region = region,
                                      .created = call.now,
                                      .acl = request.acl.empty() ? "private" : request.acl}));
  }
  return reply_with<wire::CreateBucket>({.location = "/" + request.bucket});
}

Result<Reply> delete_bucket(Call& call, const wire::DeleteBucketRequest& request) {
  RUNCTL_TRY_LET(const bool removed, call.store.remove_bucket(request.bucket));
  if (!removed) {
    return refuse("BucketNotEmpty", "The bucket you tried to delete is not empty", 409);
  }
  return reply_with<wire::DeleteBucket>({});
}

Result<Reply> head_bucket(Call& call, const wire::HeadBucketRequest&) {
  return reply_with<wire::HeadBucket>({.bucket_region = call.bucket.region});
}

Result<Reply> get_bucket_location(Call& call, const wire::GetBucketLocationRequest&) {
  // Source: GetBucketLocation in the Amazon S3 API Reference: of us-east-1 it is null.
  return reply_with<wire::GetBucketLocation>(
      {.location_constraint = call.bucket.region == first_region ? "" : call.bucket.region});
}

}  // namespace runctl::emulator::s3
