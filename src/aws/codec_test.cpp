#include "aws/codec.hpp"

#include <gtest/gtest.h>

#include "aws/ec2/instance.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/ssm/shapes.hpp"
#include "aws/sts/shapes.hpp"

namespace runctl::aws {
namespace {

using namespace std::chrono_literals;

template <class Operation>
Result<typename Operation::Request> request_round_trip(const typename Operation::Request& request) {
  const std::string body = write_request(Operation::info, writing(request));
  typename Operation::Request read{};
  RUNCTL_TRY(read_request(Operation::info, body, reading(read)));
  return read;
}

TEST(QueryCodec, WritesListsFlattenedAndNamesCapitalised) {
  const ec2::DescribeVolumesRequest request{
      .volume_ids = {"vol-1", "vol-2"},
      .filters = {{.name = "status", .values = {"available", "in-use"}}},
      .max_results = 5};
  EXPECT_EQ(
      write_request(ec2::DescribeVolumes::info, writing(request)),
      "Action=DescribeVolumes&Version=2016-11-15&VolumeId.1=vol-1&VolumeId.2=vol-2"
      "&Filter.1.Name=status&Filter.1.Value.1=available&Filter.1.Value.2=in-use&MaxResults=5");
}

TEST(QueryCodec, ReadsBackWhatItWrote) {
  const ec2::CreateVolumeRequest request{
      .availability_zone = "us-east-1a",
      .size = 8,
      .volume_type = "gp3",
      .encrypted = true,
      .tag_specifications = {{.resource_type = "volume",
                              .tags = {{.key = "Name", .value = "a b&c=ü+%"},
                                       {.key = "empty", .value = ""}}}},
      .client_token = "t"};
  const auto read = request_round_trip<ec2::CreateVolume>(request);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->size, 8);
  EXPECT_EQ(read->encrypted, true);
  ASSERT_EQ(read->tag_specifications.size(), 1U);
  EXPECT_EQ(read->tag_specifications[0].tags[0].value, "a b&c=ü+%");
  EXPECT_EQ(read->tag_specifications[0].tags[1].value, "");
}

TEST(QueryCodec, RefusesParametersThatNobodyKnows) {
  ec2::AttachVolumeRequest request;
  const auto read = read_request(ec2::AttachVolume::info,
                                 "Action=AttachVolume&Version=2016-11-15&VolumeId=vol-1&Colour=red",
                                 reading(request));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().remote->code, "UnknownParameter");
  EXPECT_NE(read.error().message.find("Colour"), std::string::npos);
}

TEST(QueryCodec, RefusesValuesOfAWrongType) {
  for (const std::string_view body :
       {"Size=eight", "Size=8.5", "Size=99999999999999999999", "Encrypted=yes", "Size=8&Size=9"}) {
    ec2::CreateVolumeRequest request;
    const auto read = read_request(ec2::CreateVolume::info, body, reading(request));
    ASSERT_FALSE(read.has_value()) << body;
    EXPECT_EQ(read.error().remote->code, "InvalidParameterValue") << body;
  }
}

TEST(XmlCodec, ReadsBackWhatItWrote) {
  ec2::DescribeVolumesResult result;
  result.volumes.push_back({.volume_id = "vol-1",
                            .size = 8,
                            .snapshot_id = "",
                            .state = "in-use",
                            .create_time = std::chrono::sys_days{2026y / 1 / 31} + 250ms,
                            .attachments = {{.volume_id = "vol-1",
                                             .instance_id = "i-1",
                                             .device = "/dev/sdf",
                                             .state = "attached"}},
                            .tags = {{.key = "Name", .value = " <a> & \"b\"\n"}},
                            .multi_attach_enabled = false});
  result.next_token = "more";
  const std::string body = write_response(ec2::DescribeVolumes::info, "req-1", writing(result));
  ec2::DescribeVolumesResult read;
  ASSERT_TRUE(read_response(ec2::DescribeVolumes::info, body, reading(read)).has_value());
  ASSERT_EQ(read.volumes.size(), 1U);
  EXPECT_EQ(read.volumes[0].create_time, result.volumes[0].create_time);
  EXPECT_EQ(read.volumes[0].snapshot_id, "");
  EXPECT_EQ(read.volumes[0].attachments[0].device, "/dev/sdf");
  EXPECT_EQ(read.volumes[0].tags[0].value, " <a> & \"b\"\n");
  EXPECT_EQ(read.volumes[0].multi_attach_enabled, false);
  EXPECT_FALSE(read.volumes[0].encrypted.has_value());
  EXPECT_EQ(read.next_token, "more");
}

TEST(XmlCodec, PassesOverWhatItDoesNotKnow) {
  ec2::DescribeVolumesResult read;
  const auto result =
      read_response(ec2::DescribeVolumes::info,
                    "<DescribeVolumesResponse><requestId>x</requestId><volumeSet><item>"
                    "<volumeId>vol-1</volumeId><colour>red</colour></item></volumeSet>"
                    "</DescribeVolumesResponse>",
                    reading(read));
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(read.volumes[0].volume_id, "vol-1");
}

TEST(XmlCodec, CallsCorruptWhatIsNoAnswer) {
  for (const std::string_view body :
       {"", "<html><body>502 Bad Gateway</body></html>",
        "<DescribeVolumesResponse><volumeSet><item>", "{\"a\":1}",
        "<DescribeVolumesResponse><volumeSet><item><size>big</size></item></volumeSet>"
        "</DescribeVolumesResponse>"}) {
    ec2::DescribeVolumesResult read;
    const auto result = read_response(ec2::DescribeVolumes::info, body, reading(read));
    ASSERT_FALSE(result.has_value()) << body;
    EXPECT_EQ(result.error().code, Errc::corrupt) << body;
  }
}

TEST(XmlCodec, WrapsQueryAnswersInTheirResult) {
  const sts::GetCallerIdentityResponse identity{
      .user_id = "u", .account = "123456789012", .arn = "a"};
  const std::string body = write_response(sts::GetCallerIdentity::info, "r", writing(identity));
  EXPECT_NE(body.find("<GetCallerIdentityResult><UserId>u</UserId>"), std::string::npos) << body;
  sts::GetCallerIdentityResponse read;
  ASSERT_TRUE(read_response(sts::GetCallerIdentity::info, body, reading(read)).has_value());
  EXPECT_EQ(read.account, "123456789012");
}

TEST(JsonCodec, ReadsBackWhatItWrote) {
  const ssm::SendCommandRequest request{
      .instance_ids = {"i-1"},
      .document_name = "AWS-RunShellScript",
      .timeout_seconds = 30,
      .parameters = {{"commands", {"echo \"a\"\n", "true"}}, {"executionTimeout", {"60"}}}};
  const auto read = request_round_trip<ssm::SendCommand>(request);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->parameters, request.parameters);
  EXPECT_EQ(read->timeout_seconds, 30);
}

TEST(JsonCodec, WritesTimesAsSeconds) {
  ssm::SendCommandResult result{.command = ssm::Command{}};
  result.command->requested_date_time = Timestamp{1'500ms};
  const std::string body = write_response(ssm::SendCommand::info, "r", writing(result));
  EXPECT_NE(body.find("\"RequestedDateTime\":1.5E0"), std::string::npos) << body;
}

TEST(JsonCodec, RefusesMembersThatNobodyKnows) {
  ssm::SendCommandRequest request;
  const auto read = read_request(ssm::SendCommand::info, R"({"DocumentName":"x","Colour":"red"})",
                                 reading(request));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().remote->code, "SerializationException");
}

TEST(JsonCodec, RefusesValuesOfAWrongType) {
  for (const std::string_view body :
       {R"({"DocumentName":5})", R"({"InstanceIds":"i-1"})", R"({"Parameters":[]})", "[]",
        "nonsense", R"({"TimeoutSeconds":"5"})"}) {
    ssm::SendCommandRequest request;
    EXPECT_FALSE(read_request(ssm::SendCommand::info, body, reading(request)).has_value()) << body;
  }
}

TEST(ErrorCodec, ReadsEachProtocolsErrors) {
  const WireError error{.code = "VolumeInUse", .message = "vol-1 <is> in use", .request_id = "r-1"};
  for (const Protocol protocol : {Protocol::ec2, Protocol::query}) {
    const WireError read = read_error(protocol, write_error(protocol, error));
    EXPECT_EQ(read.code, error.code);
    EXPECT_EQ(read.message, error.message);
    EXPECT_EQ(read.request_id, "r-1");
  }
  EXPECT_EQ(read_error(Protocol::json, write_error(Protocol::json, error)).code, "VolumeInUse");
  EXPECT_EQ(read_error(Protocol::json, R"({"__type":"com.amazonaws.ssm#InvalidInstanceId"})").code,
            "InvalidInstanceId");
  EXPECT_EQ(read_error(Protocol::ec2, "<html/>").code, "");
  EXPECT_EQ(read_error(Protocol::json, "").code, "");
}

}  // namespace
}  // namespace runctl::aws
