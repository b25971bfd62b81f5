#include "aws/service_error_table.hpp"

#include <algorithm>
#include <array>

namespace runctl::aws {
namespace {

struct Row {
  std::string_view code;
  Errc errc;
  std::string_view hint = {};
  Acted acted = Acted::by_status;
};

constexpr std::string_view fix_keys =
    "Check the access key and its secret: `aws sts get-caller-identity` with the same profile.";
constexpr std::string_view fix_signature =
    "The secret belongs to another key, something on the way changes requests, or this machine's "
    "clock is off.";
constexpr std::string_view fix_token =
    "The temporary credentials have ended: get new ones (`aws sso login`, or assume the role "
    "again).";
constexpr std::string_view fix_clock =
    "Set this machine's clock: AWS takes no request that is minutes off.";
constexpr std::string_view fix_policy =
    "Ask for the permission, or choose another profile (--profile).";
constexpr std::string_view fix_name =
    "Check the id, the region (--region) and the account (--profile).";
constexpr std::string_view fix_object =
    "Check bucket and key: they differ by case, and by every slash.";
constexpr std::string_view fix_zone =
    "A volume can only be attached in its own zone: launch there, or restore a snapshot in the "
    "other zone.";
constexpr std::string_view fix_quota =
    "Delete what is not needed, or ask AWS for a higher quota (Service Quotas).";
constexpr std::string_view fix_slots =
    "Detach a volume that is not needed, or take a larger instance type.";
constexpr std::string_view fix_token_reuse =
    "Look for what the first request made, by its tags, before asking again.";

// Source of the EC2 rows: "Error codes for the Amazon EC2 API" in the EC2 API Reference; the ones
// that it does not list were met by users: CardAttachmentLimitExceeded ("Attach an Amazon EBS
// volume"), VolumeModificationRateExceeded (aws-ebs-csi-driver#2113). Of the others: "Common
// errors" of each service.
constexpr auto rows = std::to_array<Row>({
    // Who asks.
    {"AuthFailure", Errc::denied, fix_keys},
    {"InvalidClientTokenId", Errc::denied, fix_keys},
    {"InvalidAccessKeyId", Errc::denied, fix_keys},
    {"UnrecognizedClientException", Errc::denied, fix_keys},
    {"MissingAuthenticationToken", Errc::denied, fix_keys},
    {"MissingAuthenticationTokenException", Errc::denied, fix_keys},
    {"SignatureDoesNotMatch", Errc::denied, fix_signature},
    {"InvalidSignatureException", Errc::denied, fix_signature},
    {"IncompleteSignature", Errc::denied, fix_signature},
    {"IncompleteSignatureException", Errc::denied, fix_signature},
    {"ExpiredToken", Errc::denied, fix_token},
    {"ExpiredTokenException", Errc::denied, fix_token},
    {"InvalidToken", Errc::denied, fix_token},
    {"RequestExpired", Errc::denied, fix_clock},
    {"InvalidSecurity.RequestHasExpired", Errc::denied, fix_clock},
    {"RequestTimeTooSkewed", Errc::denied, fix_clock},
    {"UnauthorizedOperation", Errc::denied, fix_policy},
    {"AccessDenied", Errc::denied, fix_policy},
    {"AccessDeniedException", Errc::denied, fix_policy},
    {"NotAuthorized", Errc::denied, fix_policy},
    {"OperationNotPermitted", Errc::denied,
     "A permission is missing, or the resource is protected against this."},
    {"OptInRequired", Errc::denied,
     "Enable the region or the service for this account in AWS's console."},
    {"PendingVerification", Errc::denied,
     "AWS is still checking this account; it takes up to four hours."},
    {"Blocked", Errc::denied, "AWS has blocked this account; ask AWS Support."},
    {"CustomerKeyHasBeenRevoked", Errc::denied, "The KMS key of the volume may no longer be used."},

    // Told to slow down. EC2 sends RequestLimitExceeded with a 5xx status, and what it refused may
    // have run.
    {"RequestLimitExceeded", Errc::throttled, {}, Acted::perhaps},
    {"Throttling", Errc::throttled},
    {"ThrottlingException", Errc::throttled},
    {"ThrottledException", Errc::throttled},
    {"RequestThrottled", Errc::throttled},
    {"RequestThrottledException", Errc::throttled},
    {"TooManyRequestsException", Errc::throttled},
    {"BandwidthLimitExceeded", Errc::throttled},
    {"PriorRequestNotComplete", Errc::throttled},
    {"SlowDown", Errc::throttled, {}, Acted::no},
    {"ConcurrentTagAccess", Errc::throttled},

    // The service's own trouble.
    {"InternalError", Errc::unavailable, {}, Acted::perhaps},
    {"InternalFailure", Errc::unavailable, {}, Acted::perhaps},
    {"InternalServerError", Errc::unavailable, {}, Acted::perhaps},
    {"ServiceUnavailable", Errc::unavailable, {}, Acted::perhaps},
    {"ServiceUnavailableException", Errc::unavailable, {}, Acted::perhaps},
    {"Unavailable", Errc::unavailable, {}, Acted::perhaps},
    {"RequestTimeout", Errc::unavailable, {}, Acted::perhaps},
    {"RequestTimeoutException", Errc::unavailable, {}, Acted::perhaps},
    // These two come with a 5xx status, but the code itself says that nothing could be made.
    {"InsufficientVolumeCapacity", Errc::unavailable,
     "AWS has no room in this zone now: wait, or take another zone.", Acted::no},
    {"InsufficientInstanceCapacity", Errc::unavailable,
     "AWS has no such machine free in this zone now: wait, or take another zone or instance type.",
     Acted::no},

    // It is there, in a state that forbids this.
    {"VolumeInUse", Errc::conflict, "See who has it: `runctl aws ebs list`."},
    {"IncorrectState", Errc::conflict},
    {"IncorrectInstanceState", Errc::conflict, "Wait until the instance is running or stopped."},
    {"IncorrectSpotRequestState", Errc::conflict},
    {"InvalidState", Errc::conflict},
    {"InvalidState.Transition", Errc::conflict},
    {"DependencyViolation", Errc::conflict},
    {"ResourceInUse", Errc::conflict},
    {"AttachmentLimitExceeded", Errc::conflict, fix_slots},
    {"CardAttachmentLimitExceeded", Errc::conflict, fix_slots},
    {"IncorrectModificationState", Errc::conflict,
     "Another modification of the volume runs: wait for it."},
    {"VolumeModificationRateExceeded", Errc::conflict,
     "AWS allows four modifications of a volume in 24 hours: wait for the oldest to be that old."},
    {"SnapshotCreationPerVolumeRateExceeded", Errc::conflict,
     "AWS wants 15 s between two snapshots of one volume: wait, then try again."},
    {"InvalidSnapshot.InUse", Errc::conflict,
     "An image (AMI) is made of this snapshot: deregister it first."},
    {"CopyVolumesLimitExceeded", Errc::conflict,
     "A volume can be copied once at a time: wait for the other copy."},
    {"ConcurrentSnapshotLimitExceeded", Errc::conflict,
     "Too many snapshots are being made: wait for one to complete."},
    {"PendingSnapshotLimitExceeded", Errc::conflict,
     "Too many snapshots are being made: wait for one to complete."},
    {"IdempotentParameterMismatch", Errc::conflict, fix_token_reuse},
    {"InvalidClientToken", Errc::conflict, fix_token_reuse},
    {"VolumeLimitExceeded", Errc::conflict, fix_quota},
    {"SnapshotLimitExceeded", Errc::conflict, fix_quota},
    {"MaxIOPSLimitExceeded", Errc::conflict, fix_quota},
    {"VolumeIOPSLimit", Errc::conflict, fix_quota},
    {"VolumeModificationSizeLimitExceeded", Errc::conflict, fix_quota},
    {"InstanceLimitExceeded", Errc::conflict, fix_quota},
    {"VcpuLimitExceeded", Errc::conflict, fix_quota},
    {"MaxSpotInstanceCountExceeded", Errc::conflict, fix_quota},
    {"SpotMaxPriceTooLow", Errc::conflict,
     "The market asks more than your highest price: raise it, or set none and pay what it asks."},
    {"UnfulfillableCapacity", Errc::unavailable,
     "AWS has no such machine free in this zone now: wait, or take another zone or instance type.",
     Acted::no},
    {"TagLimitExceeded", Errc::conflict, "A resource has at most 50 tags: remove one."},
    {"InvalidInstanceId", Errc::conflict,
     "Systems Manager does not see the machine: it must run, with the SSM agent and an instance "
     "profile for it."},
    // The answer of a dry run that would have gone through; whoever asked for one looks at
    // Error::remote.
    {"DryRunOperation", Errc::conflict},

    // It can never succeed as written.
    {"InvalidVolume.ZoneMismatch", Errc::invalid_argument, fix_zone},
    {"InvalidVolumeID.ZoneMismatch", Errc::invalid_argument, fix_zone},
    {"InvalidVolumeID.Duplicate", Errc::invalid_argument},
    {"InvalidParameter", Errc::invalid_argument},
    {"InvalidParameterValue", Errc::invalid_argument},
    {"InvalidParameterCombination", Errc::invalid_argument},
    {"MissingParameter", Errc::invalid_argument},
    {"UnsupportedOperation", Errc::invalid_argument},
    {"UnsupportedOperationException", Errc::invalid_argument},
    {"EncryptedVolumesNotSupported", Errc::invalid_argument,
     "Take an instance type that can use encrypted volumes."},
    {"UnknownVolumeType", Errc::invalid_argument,
     "Volume types are gp2, gp3, io1, io2, st1, sc1 and standard."},
    {"VolumeTypeNotAvailableInZone", Errc::invalid_argument,
     "Take another volume type, or another zone."},
    {"SpotMaxPriceTooLow", Errc::invalid_argument, "Raise the maximum price, or leave it out."},

    // S3. Source: "Error responses" in the Amazon S3 API Reference. Of an answer to HEAD, which has
    // no body, the code is made from the status: NotFound, Forbidden.
    {"NotFound", Errc::not_found, fix_object},
    {"Forbidden", Errc::denied, fix_policy},
    {"NoSuchKey", Errc::not_found, fix_object},
    {"NoSuchVersion", Errc::not_found, fix_object},
    {"NoSuchBucket", Errc::not_found, "Check the bucket's name and the endpoint."},
    {"NoSuchUpload", Errc::not_found,
     "The multipart upload was completed or aborted: start the transfer again."},
    {"AllAccessDisabled", Errc::denied, "The owner or AWS has shut this bucket."},
    {"AccountProblem", Errc::denied, "Something is wrong with the account: ask AWS Support."},
    {"NotSignedUp", Errc::denied, "Enable S3 for this account in AWS's console."},
    {"BadDigest", Errc::unavailable, "The body was damaged on the way.", Acted::no},
    {"XAmzContentChecksumMismatch", Errc::unavailable, "The body was damaged on the way.",
     Acted::no},
    {"XAmzContentSHA256Mismatch", Errc::unavailable, "The body was damaged on the way.", Acted::no},
    {"IncompleteBody", Errc::unavailable, {}, Acted::no},
    {"PreconditionFailed", Errc::precondition, "The object is not as it was expected to be."},
    {"NotModified", Errc::precondition, "The object has not changed."},
    {"ConditionalRequestConflict", Errc::conflict,
     "Somebody else writes this object at the same time: try again."},
    {"OperationAborted", Errc::conflict, "Something else is being done to it: try again."},
    {"InvalidObjectState", Errc::conflict, "The object is archived: restore it first."},
    {"BucketAlreadyExists", Errc::conflict,
     "Bucket names belong to everybody: choose another one."},
    {"BucketAlreadyOwnedByYou", Errc::conflict},
    {"BucketNotEmpty", Errc::conflict, "Remove its objects, versions and multipart uploads first."},
    {"InvalidPart", Errc::conflict,
     "A part that was named is not there: start the transfer again."},
    {"InvalidPartOrder", Errc::invalid_argument},
    {"InvalidRange", Errc::invalid_argument, "The object is shorter than the range."},
    {"EntityTooLarge", Errc::invalid_argument,
     "One request takes 5 GiB at most: use a multipart upload."},
    {"EntityTooSmall", Errc::invalid_argument, "All parts but the last have at least 5 MiB."},
    {"PermanentRedirect", Errc::invalid_argument, "The bucket is in another region (--region)."},
    {"TemporaryRedirect", Errc::unavailable, {}, Acted::no},
    {"AuthorizationHeaderMalformed", Errc::invalid_argument,
     "The bucket is in another region (--region)."},
    {"IllegalLocationConstraintException", Errc::invalid_argument,
     "The bucket is in another region (--region)."},

    {"InvocationDoesNotExist", Errc::not_found},
    {"InvalidInstanceID", Errc::not_found, fix_name},
    {"InvalidDocument", Errc::not_found},
});

// Tried in order on codes that have no row.
constexpr auto endings = std::to_array<Row>({
    {".NotFound", Errc::not_found, fix_name},
    {"NotFoundException", Errc::not_found, fix_name},
    {"NotFound", Errc::not_found, fix_name},
    {"DoesNotExist", Errc::not_found, fix_name},
    {".Malformed", Errc::invalid_argument},
    {".InUse", Errc::conflict},
    {".Duplicate", Errc::conflict},
    {"AlreadyExists", Errc::conflict},
    {"RateExceeded", Errc::conflict},
    {"LimitExceeded", Errc::conflict, fix_quota},
    {"IncorrectState", Errc::conflict},
    {"InvalidState", Errc::conflict},
});

Meaning meaning_in(const Row& row) {
  return {.errc = row.errc, .hint = row.hint, .acted = row.acted};
}

}  // namespace

std::optional<Meaning> known_meaning(std::string_view code) {
  const auto* row = std::ranges::find(rows, code, &Row::code);
  if (row != rows.end()) return meaning_in(*row);
  const auto* ending = std::ranges::find_if(
      endings, [code](const Row& candidate) { return code.ends_with(candidate.code); });
  if (ending != endings.end()) return meaning_in(*ending);
  return std::nullopt;
}

}  // namespace runctl::aws
