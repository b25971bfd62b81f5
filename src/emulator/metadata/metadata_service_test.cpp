#include "emulator/metadata/metadata_service.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace runctl::emulator {
namespace {

class MetadataServiceTest : public testing::Test {
 protected:
  HttpResponse ask(const std::string& method, const std::string& path,
                   std::vector<HttpHeader> headers = {}) const {
    return answer_metadata({.method = method, .url = path, .headers = std::move(headers)}, path,
                           subject, "secret", now);
  }
  [[nodiscard]] std::string token(const std::string& seconds = "60") const {
    return ask("PUT", "/latest/api/token",
               {{.name = "x-aws-ec2-metadata-token-ttl-seconds", .value = seconds}})
        .body;
  }
  HttpResponse get(const std::string& path, const std::string& with) const {
    return ask("GET", path, {{.name = "x-aws-ec2-metadata-token", .value = with}});
  }

  MetadataSubject subject{
      .instance = {.instance_id = "i-0123456789abcdef0",
                   .image_id = "ami-01234567",
                   .instance_type = "g5.xlarge",
                   .launch_time = Timestamp{std::chrono::seconds{1'750'000'000}},
                   .placement = aws::ec2::Placement{.availability_zone = "eu-central-1b",
                                                    .availability_zone_id = "euc1-az2"},
                   .private_ip_address = "172.31.20.7",
                   .private_dns_name = "ip-172-31-20-7.ec2.internal",
                   .security_groups = {{.group_id = "sg-1", .group_name = "default"}},
                   .architecture = "x86_64"},
      .place = {.account = "123456789012", .region = "eu-central-1"}};
  Timestamp now{std::chrono::seconds{1'760'000'000}};
};

TEST_F(MetadataServiceTest, TellsNothingWithoutAValidToken) {
  EXPECT_EQ(ask("GET", "/latest/meta-data/instance-id").status, 401);
  EXPECT_EQ(get("/latest/meta-data/instance-id", "made up").status, 401);
  const std::string valid = token("60");
  EXPECT_EQ(get("/latest/meta-data/instance-id", valid).body, "i-0123456789abcdef0");
  now += std::chrono::seconds{60};
  EXPECT_EQ(get("/latest/meta-data/instance-id", valid).status, 401) << "it has expired";
  const std::string later = token();
  subject.instance.instance_id = "i-0fedcba9876543210";
  EXPECT_EQ(get("/latest/meta-data/instance-id", later).status, 401) << "another machine's";
}

TEST_F(MetadataServiceTest, GivesTokensForASecondToSixHours) {
  for (const char* const bad : {"", "0", "21601", "-1", "6h"}) {
    EXPECT_EQ(ask("PUT", "/latest/api/token",
                  {{.name = "x-aws-ec2-metadata-token-ttl-seconds", .value = bad}})
                  .status,
              400)
        << bad;
  }
  EXPECT_EQ(token("21600").size(), 56U);
  EXPECT_EQ(ask("GET", "/latest/api/token").status, 405);
  EXPECT_EQ(ask("POST", "/latest/meta-data/").status, 405);
  EXPECT_EQ(ask("PUT", "/latest/api/token",
                {{.name = "x-aws-ec2-metadata-token-ttl-seconds", .value = "60"},
                 {.name = "x-forwarded-for", .value = "192.0.2.1"}})
                .status,
            403);
}

TEST_F(MetadataServiceTest, ListsItsFolders) {
  EXPECT_EQ(get("/latest/", token()).body, "dynamic/\nmeta-data/");
  EXPECT_EQ(get("/latest/meta-data/placement/", token()).body,
            "availability-zone\navailability-zone-id\nregion");
  EXPECT_EQ(get("/latest/meta-data/placement/region", token()).body, "eu-central-1");
  EXPECT_EQ(get("/latest/meta-data/local-ipv4", token()).body, "172.31.20.7");
  for (const char* const absent :
       {"/latest/meta-data/spot/instance-action", "/latest/meta-data/iam/security-credentials/",
        "/latest/user-data", "/2021-07-15/meta-data/", "/latest/meta-data/instance-idx"}) {
    EXPECT_EQ(get(absent, token()).status, 404) << absent;
  }
}

TEST_F(MetadataServiceTest, TellsASpotInstanceOfItsInterruption) {
  const std::string action = "/latest/meta-data/spot/instance-action";
  const std::string ends = "/latest/meta-data/spot/termination-time";
  EXPECT_EQ(get("/latest/meta-data/instance-life-cycle", token()).body, "on-demand");
  subject.instance.instance_lifecycle = "spot";
  EXPECT_EQ(get("/latest/meta-data/instance-life-cycle", token()).body, "spot");
  EXPECT_EQ(get(action, token()).status, 404);
  EXPECT_EQ(get(ends, token()).status, 404);
  const Timestamp time = now + std::chrono::milliseconds{120'999};
  subject.notice = ec2::SpotNotice{.action = ec2::InterruptionBehavior::terminate, .time = time};
  EXPECT_EQ(get(action, token()).body,
            R"({"action": "terminate", "time": "2025-10-09T08:55:20Z"})");
  EXPECT_EQ(get(ends, token()).body, "2025-10-09T08:55:20Z");
  EXPECT_EQ(get("/latest/meta-data/spot/", token()).body, "instance-action\ntermination-time");
  subject.notice->action = ec2::InterruptionBehavior::stop;
  EXPECT_EQ(get(action, token()).body, R"({"action": "stop", "time": "2025-10-09T08:55:20Z"})");
  EXPECT_EQ(get(ends, token()).status, 404) << "it does not end";
  subject.notice->action = ec2::InterruptionBehavior::hibernate;
  EXPECT_EQ(get(action, token()).body,
            R"({"action": "hibernate", "time": "2025-10-09T08:55:20Z"})");
}

TEST_F(MetadataServiceTest, TellsWhoItIsInADocument) {
  const auto document =
      parse_json(get("/latest/dynamic/instance-identity/document", token()).body).value();
  EXPECT_EQ(string_at(document, "accountId"), "123456789012");
  EXPECT_EQ(string_at(document, "availabilityZone"), "eu-central-1b");
  EXPECT_EQ(string_at(document, "instanceType"), "g5.xlarge");
  EXPECT_EQ(string_at(document, "region"), "eu-central-1");
}

TEST(MetadataTarget, IsAMachinesPath) {
  const auto target = metadata_target(
      "http://127.0.0.1:4599/_runctl/machines/i-0123456789abcdef0/latest/api/token");
  ASSERT_TRUE(target.has_value());
  EXPECT_EQ(target->instance, "i-0123456789abcdef0");
  EXPECT_EQ(target->path, "/latest/api/token");
  EXPECT_FALSE(metadata_target("http://127.0.0.1:4599/").has_value());
  EXPECT_FALSE(metadata_target("http://127.0.0.1:4599/_runctl/status").has_value());
  EXPECT_EQ(metadata_target("/_runctl/machines/")->instance, "");
}

}  // namespace
}  // namespace runctl::emulator
