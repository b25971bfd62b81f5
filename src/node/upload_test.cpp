// Uploading what runs on this machine write, to a server that misbehaves on demand.
#include "node/upload.hpp"

#include <chrono>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "node/run_fixture.hpp"

namespace runctl::node::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// Takes forms as S3 does, and compares what comes with its SHA-256. The file `fail` says how many
// of the next requests fail, with which status and code; `slow` how many seconds each takes.
constexpr std::string_view server_text = R"py(
import base64, hashlib, http.server, os, re, sys, threading, time, urllib.parse
folder = sys.argv[1]
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        mark = b"--" + re.search(r'boundary="?([^";]+)', self.headers["Content-Type"]).group(1).encode()
        fields, content = {}, None
        for part in (b"\r\n" + body).split(b"\r\n" + mark)[1:-1]:
            head, _, value = part.partition(b"\r\n\r\n")
            name = re.search(rb' name="([^"]*)"', head).group(1).decode()
            if name == "file": content = value
            else: fields[name] = value.decode()
        key = fields["key"]
        with lock:
            status, code = self.judge(fields, key, content)
            with open(folder + "/log", "a") as log: log.write(f"{status} {key}\n")
            if status == 204:
                path = folder + "/objects/" + urllib.parse.quote(key, safe="")
                with open(path + ".new", "wb") as out: out.write(content)
                os.rename(path + ".new", path)
        if os.path.exists(folder + "/slow"):
            with open(folder + "/slow") as file: time.sleep(float(file.read()))
        self.say(status, code)
    def judge(self, fields, key, content):
        if fields.get("policy") != "signed" or not key.startswith("folder/r/"): return 403, "AccessDenied"
        if os.path.exists(folder + "/fail"):
            with open(folder + "/fail") as file: left, status, code = file.read().split()
            if int(left) > 0:
                with open(folder + "/fail", "w") as file: file.write(f"{int(left) - 1} {status} {code}")
                return int(status), code
        if "forbidden" in key: return 403, "AccessDenied"
        sha = base64.b64encode(hashlib.sha256(content).digest()).decode()
        return (204, "") if fields.get("x-amz-checksum-sha256") == sha else (400, "BadDigest")
    def say(self, status, code):
        text = f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode() if code else b""
        self.send_response(status)
        if status != 204: self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)
os.makedirs(folder + "/objects", exist_ok=True)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(folder + "/port.new", "w") as file: file.write(str(server.server_port))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
)py";

class uploading : public RunFixture {
 protected:
  void SetUp() override {
    std::ofstream{folder_.path() / "server.py"} << server_text;
    server_.emplace(fmt::format("exec /usr/bin/python3 {0}/server.py {0} 2>/dev/null",
                                folder_.path().string()));
    ASSERT_TRUE(in_time(fmt::format("[ -e {}/port ]", folder_.path().string())));
    std::ifstream{folder_.path() / "port"} >> port_;
  }

  // A run of this script with both directories. It goes on where it waits for `go`.
  RunSpec run_of(const std::string& script) {
    RunSpec spec = shell_run("r", script);
    spec.checkpoint_directory = bed_.root() / "checkpoints";
    spec.environment.push_back({.name = "GO", .value = bed_.root() / "go"});
    spec.upload = UploadSpec{
        .url = fmt::format("http://127.0.0.1:{}/bkt", port_),
        .form = {{.name = "policy", .value = "signed"}, {.name = "x-amz-signature", .value = "1"}},
        .key_prefix = "folder/r/",
        .target = "s3://bkt/folder/r/",
        .expires = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) +
                   std::chrono::hours{1},
        .interval = std::chrono::seconds{1}};
    return spec;
  }
  void start(const RunSpec& spec) {
    bed_.said_by(fmt::format("mkdir -p {0}/checkpoints {0}/runs", bed_.root().string()));
    const auto report = start_run(bed_.machine(), spec);
    ASSERT_EQ(code_of(report), "");
    directory_ = report->directory;
  }
  // When the run has ended, and what uploads is done.
  RunReport when_over(int patience_s = 60) {
    RunReport report = when_ended(id("r"), patience_s).run;
    for (int tries = 0; tries < patience_s * 20 && !report.upload.value().is_over(); ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
      report = run_status(bed_.machine(), id("r"), 0).value().run;
    }
    return report;
  }
  std::string ask(const std::string& command) {
    return said_by(fmt::format("cd {} && {}", folder_.path().string(), command));
  }
  // "name=content-hash" of all objects, below the prefix.
  std::string objects() {
    return ask("LC_ALL=C ls objects | sed 's/^folder%2Fr%2F//; s/%2F/\\//g' | tr '\\n' ' '");
  }
  std::string object(const std::string& name) {
    return ask(fmt::format("cat {}", shell_quote("objects/" + percent_encode("folder/r/" + name))));
  }
  std::string requests() { return ask("cat log 2>/dev/null"); }
  void let_go() { bed_.said_by(fmt::format("touch {}/go", bed_.root().string())); }
  // For a minute: the machine may have much to do.
  static bool in_time(const std::string& condition) {
    for (int tries = 0; tries < 12; ++tries) {
      if (eventually(condition)) return true;
    }
    return false;
  }
  void server_says(const std::string& fail) { ask(fmt::format("echo {} >fail", fail)); }

  TempFolder folder_;
  std::optional<Background> server_;
  int port_ = 0;
  std::string directory_;
};

TEST_F(uploading, what_a_run_writes_is_there_when_it_is_over) {
  bed_.said_by(fmt::format("mkdir -p {0}/checkpoints && echo old >{0}/checkpoints/old.pt",
                           bed_.root().string()));
  start(run_of(R"sh(
    cd "$RUNCTL_OUTPUT_DIR" && echo one >"a b" && mkdir -p deep/er && : >deep/er/empty && printf 2 >'ü "q" \x $HOME'
    cd "$RUNCTL_CHECKPOINT_DIR" && echo 1 >step_1.pt && echo t >step_2.pt.tmp && echo l >x.lock && exit 3)sh"));
  const auto over = when_over();
  EXPECT_EQ(over.state, RunState::failed);
  EXPECT_EQ(over.exit_status, 3);
  EXPECT_TRUE(over.upload->is_whole()) << over.upload->trouble;
  EXPECT_EQ(over.upload->uploaded, 4U);
  EXPECT_EQ(over.upload->target, "s3://bkt/folder/r/");
  EXPECT_EQ(objects(),
            "checkpoints/step_1.pt output/%C3%BC%20%22q%22%20%5Cx%20%24HOME output/a%20b "
            "output/deep/er/empty ");
  EXPECT_EQ(object("output/a b"), "one");
  EXPECT_EQ(object("output/ü \"q\" \\x $HOME"), "2");
  // Whoever has the form can upload: nobody else reads it.
  EXPECT_EQ(bed_.said_by(fmt::format("stat -c %a {}/upload.sh", directory_)), "600");
  EXPECT_EQ(std::string{run_details(bed_.machine(), id("r"))->record.at("output_s3").as_string()},
            "s3://bkt/folder/r/");
}

TEST_F(uploading, it_is_sent_while_the_run_goes_on_and_once) {
  start(run_of(R"sh(
    cd "$RUNCTL_OUTPUT_DIR"; echo one >stays; echo renamed >.tmp-x; sleep 0.1; mv .tmp-x renamed
    (while sleep 0.2; do echo more >>grows; done) & writer=$!
    until [ -e "$GO" ]; do sleep 0.1; done
    kill $writer; wait $writer 2>/dev/null; touch stays; echo 2 >>renamed; rm gone 2>/dev/null; echo end)sh"));
  ASSERT_TRUE(
      in_time(fmt::format("ls {0}/objects | grep -q stays && ls {0}/objects | grep -q renamed",
                          folder_.path().string())));
  EXPECT_THAT(objects(), Not(HasSubstr("grows")));
  let_go();
  const auto over = when_over();
  EXPECT_TRUE(over.upload->is_whole());
  EXPECT_EQ(object("output/renamed"), "renamed\n2");
  EXPECT_EQ(object("output/grows"), bed_.said_by(fmt::format("cat {}/output/grows", directory_)));
  // What was touched has the same content; what was changed is sent anew.
  EXPECT_EQ(ask("grep -c stays log"), "1");
  EXPECT_EQ(ask("grep -c renamed log"), "2");
  EXPECT_EQ(ask("grep -c grows log"), "1");
}

TEST_F(uploading, each_program_does_it) {
  for (const std::string program : {"curl", "python3", "wget"}) {
    SCOPED_TRACE(program);
    ask("rm -rf objects/* log");
    RunSpec spec = run_of(
        R"sh(cd "$RUNCTL_OUTPUT_DIR"; echo 1 >"a \"b"; : >empty; head -c 9000000 /dev/urandom >long; echo x >forbidden)sh");
    spec.id = id("r-" + program);
    spec.checkpoint_directory.clear();
    start(spec);
    // As if the machine had just this one.
    (void)when_ended(spec.id);
    ASSERT_TRUE(in_time(fmt::format("grep -q '\"finished\":true' {}/upload_status", directory_)));
    ASSERT_TRUE(in_time(fmt::format("flock -n {}/upload_lock true", directory_)));
    const auto first = run_status(bed_.machine(), spec.id, 0)->run.upload;
    EXPECT_EQ(first->uploaded, 3U);
    EXPECT_THAT(first->failed, SizeIs(1));
    ask("rm -rf objects/* log");
    bed_.said_by(
        fmt::format("cd {} && rm upload_known upload_status && : >upload_known && "
                    "UPLOAD_WITH={} sh ./upload.sh watch",
                    directory_, program));
    const auto again = run_status(bed_.machine(), spec.id, 0)->run.upload;
    EXPECT_EQ(again->uploaded, 3U) << again->trouble;
    EXPECT_EQ(ask("cat objects/*long | sha256sum"),
              bed_.said_by(fmt::format("sha256sum <{}/output/long", directory_)));
    EXPECT_EQ(object("output/a \"b"), "1");
    ASSERT_THAT(again->failed, SizeIs(1));
    EXPECT_EQ(again->failed[0].path, "output/forbidden");
    EXPECT_THAT(again->failed[0].why, HasSubstr("403 (AccessDenied"));
  }
}

TEST_F(uploading, names_that_cannot_be_keys_are_named_and_not_sent) {
  start(run_of(
      R"sh(cd "$RUNCTL_OUTPUT_DIR"; echo 1 >"$(printf 'line\nbreak')"; echo 1 >"$(printf 'bad\377')"
    echo 1 >'${filename}'; echo 1 >good; ln -s /etc/passwd link; mkfifo pipe)sh"));
  const auto over = when_over();
  EXPECT_EQ(objects(), "output/good ");
  EXPECT_TRUE(over.upload->is_finished);
  EXPECT_FALSE(over.upload->is_whole());
  EXPECT_EQ(over.upload->failed_count, 3U);
  std::vector<std::string> said;
  for (const auto& one : over.upload->failed) said.push_back(one.path + ": " + one.why);
  EXPECT_THAT(said, Contains("output/line?break: its name has control characters"));
  EXPECT_THAT(said, Contains("output/bad?: its name is no UTF-8"));
  EXPECT_THAT(said, Contains("output/${filename}: its name has ${filename}, which S3 replaces"));
}

TEST_F(uploading, a_server_that_fails_for_a_while_gets_everything_in_the_end) {
  server_says("4 503 SlowDown");
  start(run_of(R"sh(cd "$RUNCTL_OUTPUT_DIR"; for i in 1 2 3; do echo $i >f$i; done)sh"));
  const auto over = when_over();
  EXPECT_TRUE(over.upload->is_whole()) << over.upload->trouble;
  EXPECT_EQ(objects(), "output/f1 output/f2 output/f3 ");
  EXPECT_THAT(requests(), HasSubstr("503 folder/r/output/f"));
}

TEST_F(uploading, one_that_is_killed_begins_again_and_sends_nothing_twice) {
  start(run_of(
      R"sh(cd "$RUNCTL_OUTPUT_DIR"; echo 1 >first; until [ -e "$GO" ]; do sleep 0.1; done; echo 2 >second)sh"));
  ASSERT_TRUE(in_time(fmt::format("ls {}/objects | grep -q first", folder_.path().string())));
  ASSERT_TRUE(in_time(fmt::format("grep -q '^u.*first' {}/upload_known", directory_)));
  // The worker, and then what starts it again as well.
  const std::string find = fmt::format(
      "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = {} ] && tr '\\0' ' ' <$p/cmdline | "
      "grep -q 'upload.sh' && echo "
      "${{p#/proc/}}; done; true",
      directory_);
  bed_.said_by(fmt::format("kill -9 $({})", find));
  ASSERT_TRUE(in_time(fmt::format("[ -z \"$({})\" ]", find)));
  let_go();
  const auto over = when_over();
  EXPECT_EQ(over.state, RunState::succeeded);
  EXPECT_TRUE(over.upload->is_whole());
  EXPECT_EQ(requests(), "204 folder/r/output/first\n204 folder/r/output/second");
}

TEST_F(uploading, the_worker_alone_is_started_again_while_the_run_goes_on) {
  start(run_of(
      R"sh(cd "$RUNCTL_OUTPUT_DIR"; echo 1 >first; until [ -e "$GO" ]; do sleep 0.1; done)sh"));
  ASSERT_TRUE(in_time(fmt::format("ls {}/objects | grep -q first", folder_.path().string())));
  bed_.said_by(
      fmt::format("for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = {0} ] && tr '\\0' ' ' "
                  "<$p/cmdline | grep -q 'upload.sh work' && kill "
                  "-9 ${{p#/proc/}}; done; echo 2 >{0}/output/second",
                  directory_));
  EXPECT_TRUE(in_time(fmt::format("ls {}/objects | grep -q second", folder_.path().string())));
  let_go();
  EXPECT_TRUE(when_over().upload->is_whole());
}

TEST_F(uploading, a_stopped_run_uploads_what_it_has_and_lets_go_of_its_directory) {
  ask("echo 5 >slow");
  start(run_of(R"sh(trap 'echo saved >"$RUNCTL_CHECKPOINT_DIR/last.pt"; exit 9' TERM
    echo up; while :; do sleep 0.1; done)sh"));
  ASSERT_TRUE(in_time(fmt::format("grep -q up {}/log", directory_)));
  const auto stopped =
      stop_run(bed_.machine(), id("r"),
               {.by = "me@here", .kill = KillAll::no, .wait = std::chrono::seconds{20}});
  ASSERT_EQ(code_of(stopped), "");
  EXPECT_EQ(stopped->run.state, RunState::stopped);
  // What uploads is no process of the run.
  EXPECT_EQ(stopped->left_count, 0U);
  // The next run may have the directory at once.
  EXPECT_TRUE(
      in_time(fmt::format("flock -n {}/checkpoints/.runctl.lock true", bed_.root().string())));
  EXPECT_FALSE(run_status(bed_.machine(), id("r"), 0)->run.upload->is_over());
  const auto over = when_over();
  EXPECT_EQ(over.state, RunState::stopped);
  EXPECT_TRUE(over.upload->is_whole());
  EXPECT_EQ(objects(), "checkpoints/last.pt ");
}

TEST_F(uploading, a_run_that_is_killed_with_its_wrapper_is_uploaded_all_the_same) {
  start(run_of(R"sh(echo 1 >"$RUNCTL_OUTPUT_DIR/a"; echo up; exec sleep 100)sh"));
  ASSERT_TRUE(in_time(fmt::format("grep -q up {}/log", directory_)));
  bed_.said_by(fmt::format("kill -9 $(cut -d ' ' -f 3 {0}/started) $(cut -d ' ' -f 1 {0}/program)",
                           directory_));
  const auto over = when_over();
  EXPECT_EQ(over.state, RunState::lost);
  EXPECT_TRUE(over.upload->is_whole());
  EXPECT_EQ(objects(), "output/a ");
}

// As the kernel does for want of memory: nothing says of its files what became of them.
TEST_F(uploading, what_a_killed_part_had_to_send_is_sent_again) {
  ask("echo 3 >slow");
  start(run_of(
      R"sh(cd "$RUNCTL_OUTPUT_DIR"; for i in 1 2 3; do echo $i >f$i; done; until [ -e "$GO" ]; do sleep 0.1; done
    for i in 4 5 6; do echo $i >f$i; done)sh"));
  ASSERT_TRUE(in_time(fmt::format("grep -q f3 {}/log", folder_.path().string())));
  let_go();
  ASSERT_TRUE(in_time(fmt::format("grep -q f4 {}/log", folder_.path().string())));
  bed_.said_by(fmt::format(
      "for p in /proc/[0-9]*; do [ \"$(readlink $p/cwd)\" = {0} ] && tr '\\0' ' ' "
      "<$p/cmdline | grep -q -e 'upload.sh task' -e '^curl' && kill -9 ${{p#/proc/}}; done",
      directory_));
  const auto over = when_over();
  EXPECT_TRUE(over.upload->is_whole()) << over.upload->trouble;
  EXPECT_EQ(objects(), "output/f1 output/f2 output/f3 output/f4 output/f5 output/f6 ");
}

// A volume that is unmounted under it: its files are not what the run has removed.
TEST_F(uploading, what_goes_with_its_directory_was_not_uploaded) {
  ask("echo 3 >slow");
  start(run_of(R"sh(cd "$RUNCTL_CHECKPOINT_DIR"; for i in 1 2 3; do echo $i >step_$i.pt; done)sh"));
  ASSERT_TRUE(in_time(fmt::format("grep -q step_ {}/log", folder_.path().string())));
  bed_.said_by(fmt::format("mv {0}/checkpoints {0}/unmounted", bed_.root().string()));
  const auto over = when_over();
  EXPECT_TRUE(over.upload->is_finished);
  EXPECT_FALSE(over.upload->is_whole());
  EXPECT_GT(over.upload->failed_count, 0U);
  std::string said;
  for (const auto& one : over.upload->failed) said += one.path + ": " + one.why + "\n";
  EXPECT_THAT(said, HasSubstr("/checkpoints: the directory is not there any more"));
}

TEST_F(uploading, a_folder_that_cannot_be_looked_into_is_named) {
  start(run_of(
      R"sh(cd "$RUNCTL_OUTPUT_DIR"; mkdir shut; echo 1 >shut/in; echo 1 >out; chmod 0 shut)sh"));
  const auto over = when_over();
  bed_.said_by(fmt::format("chmod 700 {}/output/shut", directory_));
  EXPECT_EQ(objects(), "output/out ");
  EXPECT_TRUE(over.upload->is_finished);
  EXPECT_FALSE(over.upload->is_whole());
  ASSERT_THAT(over.upload->failed, SizeIs(1));
  EXPECT_THAT(over.upload->failed[0].path, HasSubstr("/output/shut"));
}

// Hugging Face's Trainer writes it last, and that is how a reader knows that the rest is there.
TEST_F(uploading, the_file_that_says_that_a_checkpoint_is_whole_is_sent_last) {
  start(run_of(
      R"sh(cd "$RUNCTL_CHECKPOINT_DIR"; mkdir .tmp-1; cd .tmp-1; echo small >training_args.bin
    head -c 100000 /dev/zero >trainer_state.json; head -c 9000000 /dev/zero >model.safetensors
    cd ..; mv .tmp-1 checkpoint-500)sh"));
  EXPECT_TRUE(when_over().upload->is_whole());
  EXPECT_EQ(ask("tail -n 1 log"), "204 folder/r/checkpoints/checkpoint-500/trainer_state.json");
}

TEST_F(uploading, after_the_form_has_expired_it_says_so) {
  RunSpec spec = run_of(R"sh(cd "$RUNCTL_OUTPUT_DIR"; echo 1 >late)sh");
  spec.upload->expires =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) -
      std::chrono::seconds{1};
  start(spec);
  const auto over = when_over();
  EXPECT_TRUE(over.upload->is_finished);
  EXPECT_TRUE(over.upload->is_expired);
  ASSERT_THAT(over.upload->failed, SizeIs(1));
  EXPECT_EQ(over.upload->failed[0].why, "the permission to upload has expired");
  EXPECT_THAT(requests(), IsEmpty());
}

}  // namespace
}  // namespace runctl::node::testing
