#include "aws/service_error.hpp"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace runctl::aws {
namespace {

struct Case {
  std::string_view code;
  int status;
  Errc errc;
  Effect effect = Effect::not_applied;
};

Error error_of(std::string_view code, int status) {
  return error_from({.http_status = status,
                     .code = std::string{code},
                     .message = "Something happened.",
                     .request_id = "8c5f8a0e-0000-4000-8000-000000000000"});
}

// ebs-facts: every code of EC2's error table that a volume can meet.
TEST(ServiceErrorTest, KnowsTheCodesOfEbs) {
  const std::vector<Case> cases{
      {"VolumeInUse", 400, Errc::conflict},
      {"IncorrectState", 400, Errc::conflict},
      {"IncorrectInstanceState", 400, Errc::conflict},
      {"InvalidState", 400, Errc::conflict},
      {"InvalidAttachment.NotFound", 400, Errc::not_found},
      {"AttachmentLimitExceeded", 400, Errc::conflict},
      {"CardAttachmentLimitExceeded", 400, Errc::conflict},
      {"InvalidVolume.ZoneMismatch", 400, Errc::invalid_argument},
      {"InvalidVolumeID.ZoneMismatch", 400, Errc::invalid_argument},
      {"InvalidVolume.NotFound", 400, Errc::not_found},
      {"InvalidVolumeID.Malformed", 400, Errc::invalid_argument},
      {"InvalidVolumeID.Duplicate", 400, Errc::invalid_argument},
      {"InvalidInstanceID.NotFound", 400, Errc::not_found},
      {"InvalidInstanceID.Malformed", 400, Errc::invalid_argument},
      {"InvalidParameterValue", 400, Errc::invalid_argument},
      {"InvalidParameterCombination", 400, Errc::invalid_argument},
      {"InvalidParameter", 400, Errc::invalid_argument},
      {"MissingParameter", 400, Errc::invalid_argument},
      {"UnsupportedOperation", 400, Errc::invalid_argument},
      {"UnsupportedOperationException", 400, Errc::invalid_argument},
      {"OperationNotPermitted", 400, Errc::denied},
      {"UnauthorizedOperation", 403, Errc::denied},
      {"DryRunOperation", 412, Errc::conflict},
      {"EncryptedVolumesNotSupported", 400, Errc::invalid_argument},
      {"CustomerKeyHasBeenRevoked", 400, Errc::denied},
      {"InvalidKmsKey.NotFound", 400, Errc::not_found},
      {"InvalidKmsKey.InvalidState", 400, Errc::conflict},
      {"UnknownVolumeType", 400, Errc::invalid_argument},
      {"VolumeTypeNotAvailableInZone", 400, Errc::invalid_argument},
      {"VolumeLimitExceeded", 400, Errc::conflict},
      {"MaxIOPSLimitExceeded", 400, Errc::conflict},
      {"VolumeIOPSLimit", 400, Errc::conflict},
      {"InsufficientVolumeCapacity", 503, Errc::unavailable, Effect::not_applied},
      {"IncorrectModificationState", 400, Errc::conflict},
      {"VolumeModificationRateExceeded", 400, Errc::conflict},
      {"VolumeModificationSizeLimitExceeded", 400, Errc::conflict},
      {"InvalidVolumeModification.NotFound", 400, Errc::not_found},
      {"InvalidSnapshot.NotFound", 400, Errc::not_found},
      {"InvalidSnapshot.InUse", 400, Errc::conflict},
      {"SnapshotCreationPerVolumeRateExceeded", 400, Errc::conflict},
      {"ConcurrentSnapshotLimitExceeded", 400, Errc::conflict},
      {"PendingSnapshotLimitExceeded", 400, Errc::conflict},
      {"SnapshotLimitExceeded", 400, Errc::conflict},
      {"CopyVolumesLimitExceeded", 400, Errc::conflict},
      {"ConcurrentTagAccess", 400, Errc::throttled},
      {"TagLimitExceeded", 400, Errc::conflict},
      {"IdempotentParameterMismatch", 400, Errc::conflict},
      {"InvalidClientToken", 400, Errc::conflict},
      {"RequestLimitExceeded", 503, Errc::throttled, Effect::unknown},
      {"InternalError", 500, Errc::unavailable, Effect::unknown},
      {"InternalFailure", 500, Errc::unavailable, Effect::unknown},
      {"ServiceUnavailable", 503, Errc::unavailable, Effect::unknown},
      {"Unavailable", 503, Errc::unavailable, Effect::unknown},
      {"RequestExpired", 400, Errc::denied},
      {"InvalidSecurity.RequestHasExpired", 400, Errc::denied},
  };
  for (const Case& c : cases) {
    const Error error = error_of(c.code, c.status);
    EXPECT_EQ(error.code, c.errc) << c.code;
    EXPECT_EQ(error.effect, c.effect) << c.code;
  }
}

TEST(ServiceErrorTest, KnowsTheCodesOfAllServices) {
  const std::vector<Case> cases{
      {"AuthFailure", 401, Errc::denied},
      {"SignatureDoesNotMatch", 403, Errc::denied},
      {"InvalidClientTokenId", 403, Errc::denied},
      {"UnrecognizedClientException", 400, Errc::denied},
      {"InvalidSignatureException", 400, Errc::denied},
      {"ExpiredToken", 403, Errc::denied},
      {"ExpiredTokenException", 400, Errc::denied},
      {"AccessDeniedException", 400, Errc::denied},
      {"Throttling", 400, Errc::throttled},
      {"ThrottlingException", 400, Errc::throttled},
      {"com.amazonaws.ssm#ThrottlingException:http://internal.amazon.com/", 400, Errc::throttled},
      {"TooManyRequestsException", 429, Errc::throttled},
      {"Throttling", 503, Errc::throttled, Effect::unknown},
      {"RequestLimitExceeded", 400, Errc::throttled, Effect::unknown},
      {"InsufficientInstanceCapacity", 500, Errc::unavailable, Effect::not_applied},
      {"InvocationDoesNotExist", 400, Errc::not_found},
      {"InvalidInstanceId", 400, Errc::conflict},
      {"ResourceNotFoundException", 400, Errc::not_found},
      {"ParameterNotFound", 400, Errc::not_found},
      {"VpcLimitExceeded", 400, Errc::conflict},
      {"InvalidKeyPair.Duplicate", 400, Errc::conflict},
  };
  for (const Case& c : cases) {
    const Error error = error_of(c.code, c.status);
    EXPECT_EQ(error.code, c.errc) << c.code;
    EXPECT_EQ(error.effect, c.effect) << c.code;
  }
}

TEST(ServiceErrorTest, JudgesAnUnknownCodeByItsStatus) {
  const std::vector<Case> cases{
      {"NeverSeen", 400, Errc::invalid_argument},
      {"NeverSeen", 401, Errc::denied},
      {"NeverSeen", 403, Errc::denied},
      {"NeverSeen", 404, Errc::not_found},
      {"NeverSeen", 409, Errc::conflict},
      {"NeverSeen", 429, Errc::throttled},
      {"NeverSeen", 500, Errc::unavailable, Effect::unknown},
      {"NeverSeen", 503, Errc::unavailable, Effect::unknown},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(error_of(c.code, c.status).code, c.errc) << c.status;
    EXPECT_EQ(error_of(c.code, c.status).effect, c.effect) << c.status;
  }
}

TEST(ServiceErrorTest, NeverTakesAnAnswerWithoutCodeForNotFound) {
  const std::vector<Case> cases{
      {"", 404, Errc::corrupt},
      {"", 400, Errc::corrupt},
      {"", 301, Errc::corrupt},
      {"", 403, Errc::denied},
      {"", 502, Errc::unavailable, Effect::unknown},
  };
  for (const Case& c : cases) {
    const Error error = error_from({.http_status = c.status});
    EXPECT_EQ(error.code, c.errc) << c.status;
    EXPECT_EQ(error.effect, c.effect) << c.status;
    EXPECT_EQ(error.message,
              "the service answered HTTP " + std::to_string(c.status) + " without saying why");
    EXPECT_NE(error.hint, "") << c.status;
  }
}

// A mutation without client token must not be repeated after an answer that may hide its effect.
TEST(ServiceErrorTest, AllowsNoBlindRepetitionOfWhatMayHaveHappened) {
  for (const std::string_view code :
       {"RequestLimitExceeded", "InternalError", "ServiceUnavailable", "Unavailable"}) {
    const Error error = error_of(code, 503);
    EXPECT_FALSE(may_retry(error.code, error.effect, Idempotent::no)) << code;
    EXPECT_TRUE(may_retry(error.code, error.effect, Idempotent::yes)) << code;
  }
  const Error throttled = error_of("ThrottlingException", 400);
  EXPECT_TRUE(may_retry(throttled.code, throttled.effect, Idempotent::no));
}

TEST(ServiceErrorTest, KeepsTheServicesOwnWords) {
  const Error error = error_of("VolumeInUse", 400);
  ASSERT_TRUE(error.remote);
  EXPECT_EQ(error.remote->code, "VolumeInUse");
  EXPECT_EQ(error.remote->http_status, 400);
  EXPECT_EQ(error.remote->request_id, "8c5f8a0e-0000-4000-8000-000000000000");
  const Error prefixed = error_of("com.amazonaws.ssm#ThrottlingException", 400);
  EXPECT_EQ(prefixed.remote->code, "com.amazonaws.ssm#ThrottlingException");
}

TEST(ServiceErrorTest, WordsTheMessageAsWeDo) {
  struct Message {
    std::string_view theirs, ours;
  };
  const std::vector<Message> messages{
      {"The volume 'vol-1' does not exist.", "the volume 'vol-1' does not exist"},
      {"vol-1 is already attached to an instance", "vol-1 is already attached to an instance"},
      {"Two\n  lines.\n", "two lines"},
      {"A client error occurred.", "a client error occurred"},
      {"EC2 is busy.", "EC2 is busy"},
      {"CreateVolume is not for you", "CreateVolume is not for you"},
      {"", "the service refused with Code"},
      {"  ", "the service refused with Code"},
      {".", "the service refused with Code"},
  };
  for (const Message& message : messages) {
    EXPECT_EQ(
        error_from({.http_status = 400, .code = "Code", .message = std::string{message.theirs}})
            .message,
        message.ours);
  }
}

// AWS's answer to a bad signature quotes the headers that it saw.
TEST(ServiceErrorTest, DropsTheSessionTokenThatAwsRepeats) {
  const Error error =
      error_from({.http_status = 403,
                  .code = "SignatureDoesNotMatch",
                  .message = "The request signature we calculated does not match.\n\nThe Canonical "
                             "String for this request should have been\n'POST\n/\n\nhost:x\n"
                             "x-amz-security-token:SECRET\n'"});
  EXPECT_EQ(error.message, "the request signature we calculated does not match");
  EXPECT_NE(error.hint, "");
}

TEST(ServiceErrorTest, SaysWhatToDoWhereItIsKnown) {
  for (const std::string_view code :
       {"AuthFailure", "ExpiredToken", "RequestExpired", "InvalidVolume.ZoneMismatch",
        "AttachmentLimitExceeded", "UnauthorizedOperation", "VolumeLimitExceeded"}) {
    const Error error = error_of(code, 400);
    EXPECT_TRUE(error.hint.ends_with('.')) << code << ": " << error.hint;
  }
}

}  // namespace
}  // namespace runctl::aws
