#include "node/run_record.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"

namespace runctl::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

RunSpec spec_of(std::vector<std::string> argv, std::vector<RunAssignment> environment = {}) {
  return {.id = RunId::parse("r").value(),
          .argv = std::move(argv),
          .environment = std::move(environment),
          .working_directory = "/work",
          .git_commit = "0123abcd"};
}

TEST(run_record, names_of_secrets_are_known_in_every_spelling) {
  for (const char* name :
       {"HF_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "db_password", "MYSQL_PWD", "APIKEY",
        "Passphrase", "GOOGLE_APPLICATION_CREDENTIALS", "SENTRY_DSN", "--api-token",
        "session.cookie", "HTTP_AUTH", "SSH_KEYS"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
  }
  for (const char* name : {"PATH", "HOME", "EPOCHS", "KEYBOARD", "AUTHOR", "PASSES", "LR",
                           "RUNCTL_RUN_ID", "--keep-last", "COMPASS_DIR_X"}) {
    EXPECT_EQ(is_secret_name(name), std::string{name} == "COMPASS_DIR_X") << name;
  }
}

TEST(run_record, values_of_secret_options_are_left_out_of_the_command) {
  EXPECT_THAT(without_secrets({"train.py", "--api-token", "s3cr3t", "--lr", "0.1"}),
              ElementsAre("train.py", "--api-token", redacted, "--lr", "0.1"));
  EXPECT_THAT(without_secrets({"train.py", "--password=s3cr3t", "wandb.key=s3cr3t"}),
              ElementsAre("train.py", "--password=(redacted)", "wandb.key=(redacted)"));
  // An option that is only a switch takes nothing with it.
  EXPECT_THAT(without_secrets({"t", "--use-auth", "--epochs", "3"}),
              ElementsAre("t", "--use-auth", "--epochs", "3"));
  EXPECT_THAT(without_secrets({"t", "--token"}), ElementsAre("t", "--token"));
}

TEST(run_record, passwords_in_addresses_are_left_out) {
  EXPECT_THAT(without_secrets({"postgres://me:s3cr3t@db:5432/x", "https://host/a@b:c",
                               "https://me@host/", "http://a:b@c:1?x=http://u:p@h"}),
              ElementsAre("postgres://me:(redacted)@db:5432/x", "https://host/a@b:c",
                          "https://me@host/", "http://a:(redacted)@c:1?x=http://u:p@h"));
}

TEST(run_record, no_secret_is_in_what_is_written_down) {
  const auto spec = spec_of({"train.py", "--api-key", "s3cr3t-1"},
                            {{.name = "HF_TOKEN", .value = "s3cr3t-2"},
                             {.name = "DATABASE_URL", .value = "mysql://u:s3cr3t-3@h/d"},
                             {.name = "EPOCHS", .value = "7"}});
  const std::string text = to_text(short_record(spec)) + to_text(full_record(spec));
  EXPECT_THAT(text, Not(HasSubstr("s3cr3t")));
  EXPECT_THAT(text, HasSubstr(R"("EPOCHS":"7")"));
  EXPECT_THAT(text, HasSubstr(R"x("HF_TOKEN":"(redacted)")x"));
  EXPECT_THAT(text, HasSubstr("0123abcd"));
  EXPECT_THAT(text, HasSubstr(R"("complete":true)"));
}

TEST(run_record, the_full_record_is_bounded_and_says_so) {
  std::vector<RunAssignment> many;
  for (int i = 0; i < 500; ++i) {
    many.push_back({.name = "V" + std::to_string(i), .value = std::string(5'000, 'x')});
  }
  const auto record = full_record(spec_of(std::vector<std::string>(1'000, "argument"), many));
  EXPECT_LT(to_text(record).size(), 20'000U);
  EXPECT_EQ(boolean_at(record, "complete"), false);
}

}  // namespace
}  // namespace runctl::node
