#include "node/script.hpp"

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "node/block_machine.hpp"
#include "node/embedded_scripts.hpp"
#include "node/gzip.hpp"
#include "node/local_shell.hpp"

namespace runctl::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const InstanceId instance = InstanceId::parse("i-0123456789abcdef0").value();

Result<boost::json::value> read(int status, std::string out, std::string err = {}) {
  return read_record("mount", instance,
                     {.exit_status = status, .out = std::move(out), .err = std::move(err)});
}

TEST(a_record, is_the_last_line_whatever_stands_before_it) {
  const auto record = read(0, "noise {\"ok\":false}\n\n{\"ok\":true,\"path\":\"/a\"}\n");
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(string_at(*record, "path"), "/a");
}

TEST(a_record, that_is_garbage_cut_or_missing_is_corrupt_with_its_first_words) {
  for (const char* out : {"", "hello there", "{\"ok\":true,\"path\":\"/a", "[1,2]",
                          "{\"path\":\"/a\"}", "\xFF\xFE"}) {
    const auto record = read(0, out, "sh: mount: not found");
    ASSERT_FALSE(record.has_value()) << out;
    EXPECT_EQ(record.error().code, Errc::corrupt);
    EXPECT_EQ(record.error().effect, Effect::unknown);
  }
  EXPECT_THAT(read(0, "hello there").error().message, HasSubstr("hello there"));
  EXPECT_THAT(read(127, "", "sh: 1: blkid: not found").error().message,
              HasSubstr("blkid: not found"));
}

TEST(a_record, that_contradicts_the_exit_status_is_corrupt) {
  EXPECT_EQ(read(1, "{\"ok\":true}").error().code, Errc::corrupt);
  EXPECT_EQ(read(0, "{\"ok\":false,\"code\":\"busy\",\"error\":\"x\"}").error().code,
            Errc::corrupt);
}

TEST(a_refusal, carries_its_code_and_who_is_in_the_way) {
  const auto record =
      read(1, R"({"ok":false,"code":"busy","error":"vol-1 is in use","users":[)"
              R"({"pid":7,"command":"python3 train.py","what":["cwd","fd"]},)"
              R"({"pid":0,"command":"/dev/loop3","what":["loop"]}],"user_count":5})");
  ASSERT_FALSE(record.has_value());
  EXPECT_EQ(record.error().code, Errc::conflict);
  EXPECT_EQ(record.error().effect, Effect::not_applied);
  EXPECT_EQ(record.error().message, "vol-1 is in use");
  ASSERT_TRUE(record.error().remote.has_value());
  EXPECT_EQ(record.error().remote->code, "busy");
  EXPECT_THAT(record.error().details, ElementsAre("process 7 'python3 train.py': cwd, fd",
                                                  "/dev/loop3: loop", "and 3 more"));
}

TEST(a_refusal, has_the_error_code_of_what_the_caller_can_do) {
  const auto code = [](std::string_view word) {
    return read(1, fmt::format(R"({{"ok":false,"code":"{}","error":"x"}})", word)).error().code;
  };
  EXPECT_EQ(code("no_device"), Errc::precondition);
  EXPECT_EQ(code("wrong_device"), Errc::precondition);
  EXPECT_EQ(code("not_blank"), Errc::conflict);
  EXPECT_EQ(code("no_run"), Errc::not_found);
  EXPECT_EQ(code("io_error"), Errc::internal);
  EXPECT_EQ(code("never_heard_of"), Errc::corrupt);
}

// A code that C++ does not know would reach the user as `corrupt`.
TEST(a_refusal, of_every_script_has_a_known_code) {
  for (const EmbeddedText& script : embedded_scripts()) {
    const std::string text{script.text};
    for (auto at = text.find("die "); at != std::string::npos; at = text.find("die ", at + 1)) {
      const bool is_call = at == 0 || std::string_view{" \n;{("}.contains(text[at - 1]);
      const auto word = text.substr(at + 4, text.find_first_of(" \n;", at + 4) - at - 4);
      if (!is_call || word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") != std::string::npos)
        continue;
      const auto record = read(1, fmt::format(R"({{"ok":false,"code":"{}","error":"x"}})", word));
      if (word == "corrupt_content" || word == "wrong_manifest") continue;
      EXPECT_NE(record.error().code, Errc::corrupt) << script.name << ": " << word;
    }
  }
}

TEST(to_utf8, replaces_only_what_is_not_valid) {
  EXPECT_EQ(to_utf8("grün 日本 🙂"), "grün 日本 🙂");
  EXPECT_EQ(to_utf8("a\xFF"
                    "b\xC3"),
            "a?b?");
  EXPECT_EQ(to_utf8("\xC0\x80"), "??");            // overlong
  EXPECT_EQ(to_utf8("\xED\xA0\x80"), "???");       // a surrogate
  EXPECT_EQ(to_utf8("\xF4\x90\x80\x80"), "????");  // beyond Unicode
}

class in_the_shell : public ::testing::Test {
 protected:
  RealProcess process_;
  RealClock clock_;
  LocalShell shell_{process_, clock_, {"PATH=/usr/bin:/bin"}};
};

TEST_F(in_the_shell, any_parameter_comes_through_as_it_is_and_back_as_json) {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  for (const std::string& value : {std::string{"it's $(touch pwned) `x` \"q\" \\ \n end"}, all,
                                   std::string{"ü🙂"}, std::string{"-n"}, std::string{}}) {
    std::string text = fmt::format("VALUE={}\n", shell_quote(value));
    text += script_text("prelude");
    text += "quote \"$VALUE\"\nsucceed \"\\\"value\\\":$quoted\"\n";
    const auto outcome = shell_.run(instance, text, std::chrono::seconds{10}, {});
    ASSERT_TRUE(outcome.has_value());
    const auto record = read_record("test", instance, *outcome);
    ASSERT_TRUE(record.has_value()) << record.error().message;
    EXPECT_EQ(string_at(*record, "value"), value);
  }
}

TEST_F(in_the_shell, a_script_that_ends_early_still_says_so_in_a_record) {
  const std::string text =
      script_text("prelude") + "echo half\n: \"$unset_variable\"\nsucceed ''\n";
  const auto outcome = shell_.run(instance, text, std::chrono::seconds{10}, {});
  ASSERT_TRUE(outcome.has_value());
  const auto record = read_record("test", instance, *outcome);
  ASSERT_FALSE(record.has_value());
  EXPECT_EQ(record.error().remote->code, "script_failed");
}

TEST_F(in_the_shell, a_script_that_takes_too_long_has_an_unknown_effect) {
  const auto outcome = shell_.run(instance, "sleep 30", std::chrono::seconds{0}, {});
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().code, Errc::deadline_exceeded);
  EXPECT_EQ(outcome.error().effect, Effect::unknown);
}

TEST_F(in_the_shell, a_script_that_is_too_long_is_not_sent) {
  const auto record =
      run_script({.shell = shell_, .instance = instance},
                 {.name = "unmount", .parameters = {{"VOLUME_ID", std::string(60'000, 'x')}}});
  ASSERT_FALSE(record.has_value());
  EXPECT_EQ(record.error().code, Errc::invalid_argument);
}

// Each script as it is sent, so that what one part sets and another uses is seen together.
// A job's text is a parameter of the script that starts it, and quoted once more.
TEST(a_script, is_sent_without_its_comments) {
  const std::string sent = script_text("run_wrapper");
  EXPECT_TRUE(sent.starts_with("#!/bin/sh\n"));
  EXPECT_EQ(sent.find("\n#"), std::string::npos);
  const Script script{.name = "unmount", .parameters = {{"VOLUME_ID", "#!/bin/sh\n# kept\n"}}};
  EXPECT_NE(assemble(script).find("\n# kept\n"), std::string::npos);
  EXPECT_NE(annotated(script).find("# Unmounts a volume everywhere"), std::string::npos);
  for (const char* name : {"run_wrapper", "upload", "watch_run", "stop_run", "unmount", "fetch"}) {
    EXPECT_LT(script_text(name).size(), embedded_file(fmt::format("{}.sh", name)).size()) << name;
    const testing::TempFolder folder;
    std::ofstream{folder.path() / "script"} << script_text(name);
    EXPECT_EQ(testing::said_by(fmt::format("sh -n {} 2>&1", (folder.path() / "script").string())),
              "")
        << name;
  }
}

TEST(a_job, fits_into_one_command) {
  for (const char* name :
       {"make_manifest", "verify_manifest", "warm", "fetch", "choose_checkpoint"}) {
    Script job{.name = name,
               .parameters = {{"VOLUME_ID", "vol-0123456789abcdef0"},
                              {"EXPECTED_DIGEST", std::string(64, '0')}}};
    if (job.name == "fetch") {
      job.parameters.push_back({"WORKER", script_text("fetch_worker")});
      job.parameters.push_back({"LIST", std::string(300, '/')});
    }
    if (job.name == "choose_checkpoint") {
      job.parameters.push_back({"DIRECTORY", std::string(300, '/')});
      job.parameters.push_back(
          {"PROGRAM", base64(gzip(embedded_file("newest_checkpoint.py")).value())});
    }
    const std::string text = assemble(job);
    const Script start{.name = "start_job",
                       .parameters = {{"JOB", name},
                                      {"VOLUME_ID", "vol-0123456789abcdef0"},
                                      {"TEXT", text},
                                      {"WRAPPER", script_text("job_wrapper")},
                                      {"WAIT_TENTHS", "20"}}};
    EXPECT_LT(assemble(start).size(), script_limit) << name;
  }
}

TEST(shellcheck, finds_nothing_in_any_script) {
  if (testing::said_by("command -v shellcheck").empty())
    GTEST_SKIP() << "this machine has no shellcheck";
  const testing::TempFolder folder;
  const std::vector<std::string_view> names{
      "inspect",   "format",       "mount",          "unmount",         "sync",
      "put_file",  "start_run",    "run_status",     "list_runs",       "run_wrapper",
      "freeze",    "thaw",         "make_manifest",  "verify_manifest", "warm",
      "grow",      "start_job",    "job_status",     "stop_job",        "job_wrapper",
      "fetch",     "fetch_worker", "place_code",     "discard_code",    "stop_run",
      "processes", "keep_run",     "unfinished_runs"};
  for (const std::string_view name : names) {
    ASSERT_FALSE(script_text(name).empty()) << name;
    const auto file = folder.path() / fmt::format("{}.sh", name);
    Script script{.name = name};
    for (const char* parameter : {"VOLUME_ID",
                                  "WAIT_SECONDS",
                                  "FILESYSTEM",
                                  "FILESYSTEM_UUID",
                                  "CREATED_EMPTY",
                                  "MOUNT_POINT",
                                  "READ_ONLY",
                                  "RESTORED",
                                  "TARGET",
                                  "SHA256",
                                  "MODE",
                                  "OFFSET",
                                  "PIECE",
                                  "LAST",
                                  "RUN_ID",
                                  "COMMAND",
                                  "RECORD",
                                  "CHECKPOINT_DIRECTORY",
                                  "WRAPPER",
                                  "LOG_OFFSET",
                                  "MAX_BYTES",
                                  "COUNT",
                                  "JOB",
                                  "TEXT",
                                  "WAIT_TENTHS",
                                  "ID",
                                  "CHECK_FIRST",
                                  "EXPECTED_DIGEST",
                                  "SIZE_BYTES",
                                  "TOKEN",
                                  "LIST",
                                  "LIST_SHA256",
                                  "WORKER",
                                  "FETCH_WITH",
                                  "CLEAN",
                                  "DEAD_MAN_SECONDS",
                                  "PROJECT",
                                  "STATE",
                                  "RUN",
                                  "BASE",
                                  "ARCHIVE",
                                  "ARCHIVE_SHA256",
                                  "COMPRESSION",
                                  "URL",
                                  "NEEDED",
                                  "PACKING",
                                  "DETAILS",
                                  "ROOM",
                                  "SIGNAL",
                                  "SEND",
                                  "BY",
                                  "FORCE",
                                  "TENTHS"}) {
      script.parameters.push_back({.name = parameter, .value = "a b"});
    }
    std::ofstream{file} << (name.ends_with("_wrapper")
                                ? std::string{embedded_file(fmt::format("{}.sh", name))}
                                : annotated(script));
    // SC2034, a variable that only another script's part uses. SC2015, `a && b || die`: die ends
    // the script, so it is an if-then-else. SC2016 and SC2317 mistake texts for awk and functions
    // that a trap calls.
    EXPECT_EQ(testing::said_by(fmt::format(
                  "shellcheck -s sh -e SC2034,SC2015,SC2016,SC2317 {} 2>&1", file.string())),
              "")
        << name;
  }
}

TEST(shellcheck, can_fail) {
  if (testing::said_by("command -v shellcheck").empty())
    GTEST_SKIP() << "this machine has no shellcheck";
  EXPECT_NE(testing::said_by("printf 'rm -rf $1/*\\n' | shellcheck -s sh - 2>&1"), "");
}

}  // namespace
}  // namespace runctl::node
