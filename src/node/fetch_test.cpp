// Filling a volume with objects, from a server that misbehaves on demand, on real devices.
#include "node/fetch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "io/file.hpp"
#include "io/real_clock.hpp"
#include "node/block_machine_fixture.hpp"
#include "node/files_machine.hpp"

namespace runctl::node {
namespace {

using testing::code_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::volume;
namespace fs = std::filesystem;

// Serves the files of a folder. What a name begins with says what goes wrong with it; `log` has the
// requests. As S3 does it answers ranges, compares If-Match, and asks for the header that was
// signed.
constexpr std::string_view server_text = R"(
import base64, hashlib, http.server, os, sys, time, urllib.parse
folder = sys.argv[1]
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self):
        name = urllib.parse.unquote(self.path.split("?")[0][1:])
        with open(folder + "/log", "a") as log: log.write(name + " " + self.headers.get("Range", "-") + "\n")
        with open(folder + "/log") as log: tries = sum(1 for line in log if line.startswith(name + " "))
        if "secret=" not in self.path or self.headers.get("x-amz-checksum-mode") != "ENABLED": return self.say(403)
        for status in (403, 404, 500):
            if name.startswith(f"{status}-"): return self.say(status)
        if name.startswith("503once-") and tries == 1: return self.say(503)
        with open(folder + "/" + hashlib.sha1(name.encode()).hexdigest(), "rb") as file: body = file.read()
        etag = '"' + hashlib.md5(body).hexdigest() + '"'
        if name.startswith(("kms-", "sha-")): etag = '"' + "0" * 32 + '"'
        if name.startswith("changed-"): etag = '"' + "1" * 32 + '"'
        if self.headers.get("If-Match", etag) != etag: return self.say(412)
        start, status = 0, 200
        if "Range" in self.headers and not name.startswith("norange-"):
            start, status = int(self.headers["Range"][6:-1]), 206
            if start >= len(body): return self.say(416)
        part, sha = body[start:], base64.b64encode(hashlib.sha256(body).digest()).decode()
        if name.startswith("flip-") or name.startswith("fliponce-") and tries == 1 or name.startswith("sha-flip"):
            part = bytes([part[0] ^ 1]) + part[1:]
        if name.startswith("short-"): part = part[:-3]
        if name.startswith("long-"): part += b"more"
        self.send_response(status)
        self.send_header("Content-Length", str(len(part)))
        if name.startswith(("kms-", "sha-")): self.send_header("x-amz-server-side-encryption", "aws:kms")
        if name.startswith("sha-") and status == 200: self.send_header("x-amz-checksum-sha256", sha)
        self.end_headers()
        if name.startswith("torn-") and tries < 4:
            self.wfile.write(part[:len(part) // 2]); self.wfile.flush(); self.connection.close(); self.close_connection = True
            return
        if name.startswith("slow-"):
            for at in range(0, len(part), 65536):
                self.wfile.write(part[at:at + 65536]); time.sleep(0.1)
            return
        self.wfile.write(part)
    def say(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "5"); self.end_headers(); self.wfile.write(b"error")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
with open(folder + "/port.new", "w") as file: file.write(str(server.server_port))
os.rename(folder + "/port.new", folder + "/port")
server.serve_forever()
)";

// The machine's words, or "" for a success.
std::string said_of(const Result<Fetched>& result) {
  return result ? "" : code_of(result) + ": " + result.error().message;
}

constexpr auto modified = Timestamp{std::chrono::seconds{1'700'000'000}};

class fetching : public testing::OnBlockMachine {
 protected:
  void SetUp() override {
    OnBlockMachine::SetUp();
    if (IsSkipped()) return;
    std::ofstream{folder_.path() / "server.py"} << server_text;
    server_.emplace(fmt::format("exec /usr/bin/python3 {0}/server.py {0} 2>/dev/null",
                                folder_.path().string()));
    ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/port ]", folder_.path().string())));
    std::ifstream{folder_.path() / "port"} >> port_;
  }

  // An object on the server, as S3 lists it.
  FetchFile object(const std::string& path, const std::string& content) {
    std::ofstream{folder_.path() / testing::said_by(fmt::format(
                                       "printf %s {} | sha1sum | cut -c 1-40", shell_quote(path)))}
        << content;
    const auto md5 =
        testing::said_by(fmt::format("printf %s {} | md5sum | cut -c 1-32", shell_quote(content)));
    return {.path = path,
            .size = content.size(),
            .modified = modified,
            .etag = fmt::format("\"{}\"", path.starts_with("kms-") || path.starts_with("sha-")
                                              ? std::string(32, '0')
                                              : md5),
            .url = Secret{fmt::format("http://127.0.0.1:{}/{}?secret={}", port_,
                                      percent_encode(path, "/"), secret_)}};
  }
  // One that is too long for a command's words.
  FetchFile long_object(const std::string& path, std::uint64_t size) {
    auto file = object(path, "");
    const auto name =
        folder_.path() /
        testing::said_by(fmt::format("printf %s {} | sha1sum | cut -c 1-40", shell_quote(path)));
    testing::said_by(fmt::format("head -c {} /dev/urandom >{}", size, name.string()));
    file.size = size;
    file.etag = fmt::format(
        "\"{}\"", testing::said_by(fmt::format("md5sum <{} | cut -c 1-32", name.string())));
    return file;
  }
  Result<Fetched> fetch_all(const std::vector<FetchFile>& files, FetchOptions options = {},
                            std::chrono::seconds patience = std::chrono::seconds{60}) {
    options.list_directory = (bed_->folder() / "lists").string();
    return fetch(bed_->machine(), {.volume = volume}, files,
                 {.clock = clock_, .deadline = clock_.ticks() + patience}, options);
  }
  std::string at(const std::string& path) const { return bed_->mount_point() + "/" + path; }
  std::string content(const std::string& path) const { return read_file(at(path)).value_or(""); }
  // Everything on the volume but what mkfs has made.
  std::string names() {
    return testing::said_by(
        fmt::format("cd {} && find . -mindepth 1 ! -name lost+found | LC_ALL=C sort | tr '\\n' ' '",
                    shell_quote(bed_->mount_point())));
  }
  std::string requests() {
    return testing::said_by(fmt::format("cat {}/log 2>/dev/null", folder_.path().string()));
  }
  static std::vector<std::pair<std::size_t, FetchFault>> faults(const Fetched& fetched) {
    std::vector<std::pair<std::size_t, FetchFault>> found;
    for (const auto& failure : fetched.failures) found.emplace_back(failure.index, failure.fault);
    return found;
  }
  static std::pair<std::size_t, FetchFault> fault(std::size_t index, FetchFault what) {
    return {index, what};
  }

  RealClock clock_;
  testing::TempFolder folder_;
  std::optional<testing::Background> server_;
  int port_ = 0;
  std::string secret_ = "hidden-from-others";
};

TEST_F(fetching, files_arrive_whole_with_their_times_and_are_not_fetched_twice) {
  make_mounted();
  const std::vector<FetchFile> files{object("a", "one"), object("folder/deep/b", "two"),
                                     object("empty", ""), long_object("long", 9U << 20U)};
  const auto first = fetch_all(files, {.is_last = true});
  ASSERT_EQ(said_of(first), "");
  EXPECT_THAT(first->failures, IsEmpty());
  EXPECT_EQ(first->files, 4U);
  EXPECT_EQ(first->bytes, 6U + (9U << 20U));
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(content("folder/deep/b"), "two");
  EXPECT_EQ(names(), "./a ./empty ./folder ./folder/deep ./folder/deep/b ./long ");
  EXPECT_EQ(testing::said_by(fmt::format("stat -c %Y:%a {}", at("a"))), "1700000000:644");
  const auto asked = requests();
  const auto second = fetch_all(files);
  ASSERT_EQ(said_of(second), "");
  EXPECT_EQ(second->already, 4U);
  EXPECT_EQ(second->files, 0U);
  EXPECT_EQ(requests(), asked);
  // A file that was changed is another one.
  testing::said_by(fmt::format("echo more >{}", at("a")));
  ASSERT_EQ(code_of(fetch_all(files)), "");
  EXPECT_EQ(content("a"), "one");
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(fetching, each_program_does_it) {
  make_mounted();
  for (const std::string program : {"curl", "wget", "python3"}) {
    const std::vector<FetchFile> files{
        object(program + "/plain", "content of " + program), object(program + "/empty", ""),
        object("torn-" + program, std::string(50'000, 'x')), object("403-" + program, "no"),
        long_object("torn-long-" + program, 9U << 20U)};
    const auto fetched = fetch_all(files, {.program = program});
    ASSERT_EQ(said_of(fetched), "") << program;
    EXPECT_THAT(faults(*fetched), ElementsAre(fault(3, FetchFault::http))) << program;
    EXPECT_EQ(fetched->failures.front().status, 403);
    EXPECT_EQ(content(program + "/plain"), "content of " + program);
    EXPECT_EQ(content("torn-" + program), std::string(50'000, 'x'));
    // What had arrived was not asked for again.
    EXPECT_THAT(requests(), HasSubstr(fmt::format("torn-long-{} bytes=", program)));
  }
  EXPECT_THAT(names(), ::testing::Not(HasSubstr(".runctl-fetch")));
}

TEST_F(fetching, hostile_names_stay_below_the_volume) {
  make_mounted();
  const std::vector<std::string> paths{
      "-rf",     "--help",      "with blank ",  " ",  "q'uo\"te",   "$(touch x)",
      "`x`",     "back\\slash", "tab\\tno tab", "#1", "[a-z]{1,2}", "umlaut-\xC3\xA4",
      "a;b|c&d", "%41",         "..a/b..",      "~/x"};
  std::vector<FetchFile> files;
  for (const auto& path : paths) files.push_back(object(path, "content of " + path));
  const auto fetched = fetch_all(files);
  ASSERT_EQ(said_of(fetched), "");
  EXPECT_THAT(fetched->failures, IsEmpty());
  for (const auto& path : paths) EXPECT_EQ(content(path), "content of " + path);
}

TEST_F(fetching, no_link_on_the_volume_is_gone_through) {
  make_mounted();
  const testing::TempFolder outside;
  testing::said_by(fmt::format("ln -s {0} {1}; ln -s {0}/victim {2}; mkdir {3} {4}; echo x >{5}",
                               outside.path().string(), at("link"), at("file"), at("directory"),
                               at("sound"), at("plain")));
  const std::vector<FetchFile> files{object("link/a", "1"),      object("link/b/c", "2"),
                                     object("file", "3"),        object("directory", "4"),
                                     object("plain/below", "5"), object("sound/d", "6")};
  const auto fetched = fetch_all(files);
  ASSERT_EQ(said_of(fetched), "");
  EXPECT_THAT(faults(*fetched),
              ElementsAre(fault(0, FetchFault::behind_link), fault(1, FetchFault::behind_link),
                          fault(3, FetchFault::is_directory), fault(4, FetchFault::no_directory)));
  EXPECT_TRUE(fs::is_empty(outside.path()));
  // The link itself is replaced, not what it leads to.
  EXPECT_FALSE(fs::is_symlink(at("file")));
  EXPECT_EQ(content("file"), "3");
  EXPECT_EQ(content("sound/d"), "6");
}

TEST_F(fetching, what_is_not_as_listed_gets_no_name) {
  make_mounted();
  std::vector<FetchFile> files{
      object("403-a", "x"),        object("404-a", "x"),       object("500-a", "x"),
      object("503once-a", "late"), object("flip-a", "abcdef"), object("fliponce-a", "abcdef"),
      object("short-a", "abcdef"), object("long-a", "abcdef"), object("changed-a", "x"),
      object("kms-a", "of KMS"),   object("sha-a", "right"),   object("sha-flip", "wrong"),
      object("norange-torn", "y"), object("good", "good")};
  files.back().etag = "\"0123456789abcdef0123456789abcdef-3\"";  // of several parts
  files.push_back(object("nobody", "x"));
  files.back().url = Secret{"http://127.0.0.1:1/nobody?secret=" + secret_};
  const auto fetched = fetch_all(files);
  ASSERT_EQ(said_of(fetched), "");
  EXPECT_THAT(faults(*fetched),
              ElementsAre(fault(0, FetchFault::http), fault(1, FetchFault::http),
                          fault(2, FetchFault::http), fault(4, FetchFault::wrong_content),
                          fault(6, FetchFault::wrong_size), fault(7, FetchFault::wrong_size),
                          fault(8, FetchFault::changed), fault(11, FetchFault::wrong_content),
                          fault(13, FetchFault::changed), fault(14, FetchFault::no_answer)));
  EXPECT_EQ(fetched->failures[2].status, 500);
  EXPECT_EQ(names(), "./503once-a ./fliponce-a ./kms-a ./norange-torn ./sha-a ");
  EXPECT_EQ(content("fliponce-a"), "abcdef");
  EXPECT_EQ(fetched->said.find(secret_), std::string::npos) << fetched->said;
}

TEST_F(fetching, one_that_was_ended_goes_on_where_it_was) {
  make_mounted();
  const std::vector<FetchFile> files{object("quick", "done"), long_object("slow-a", 8U << 20U)};
  const auto cut_off = fetch_all(files, {}, std::chrono::seconds{4});
  ASSERT_FALSE(cut_off.has_value());
  EXPECT_EQ(cut_off.error().code, Errc::deadline_exceeded);
  EXPECT_FALSE(fs::exists(at("slow-a"))) << "partial under its name";
  const auto fetched = fetch_all(files, {.is_last = true});
  ASSERT_EQ(said_of(fetched), "");
  EXPECT_THAT(fetched->failures, IsEmpty());
  EXPECT_THAT(requests(), HasSubstr("slow-a bytes="));
  EXPECT_EQ(fs::file_size(at("slow-a")), 8U << 20U);
  EXPECT_EQ(names(), "./quick ./slow-a ");
  EXPECT_EQ(code_of(unmount_it()), "");
}

TEST_F(fetching, nobody_else_sees_the_urls) {
  make_mounted();
  std::optional<Result<Fetched>> fetched;
  const std::vector<FetchFile> files{long_object("slow-a", 3U << 20U)};
  std::jthread fetcher{[&] { fetched.emplace(fetch_all(files)); }};
  ASSERT_TRUE(testing::eventually(fmt::format("grep -q slow-a {}/log", folder_.path().string())));
  // In no command line of any process; what looks has to leave itself out.
  EXPECT_EQ(testing::said_by("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c "
                             "'[h]idden-from-others'"),
            "0");
  const auto readable = [&] {
    return testing::said_by(fmt::format(
        "find {} -type f -perm /077 -exec grep -l '[h]idden-from-others' {{}} + 2>/dev/null | "
        "while read -r f; do d=$f; while [ $d != {} ]; do d=${{d%/*}}; [ $(stat -c %a $d) != 700 ] "
        "|| continue 2; done; echo $f; done",
        bed_->folder().string(), bed_->folder().string()));
  };
  EXPECT_EQ(readable(), "");
  fetcher.join();
  ASSERT_EQ(said_of(*fetched), "");
  EXPECT_EQ(testing::said_by(fmt::format("ls -A {}", (bed_->folder() / "lists").string())), "");
}

TEST_F(fetching, what_does_not_fit_is_not_begun) {
  add_volume(64);
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  ASSERT_EQ(code_of(mount_it()), "");
  auto huge = object("huge", "x");
  huge.size = 1U << 30U;
  EXPECT_EQ(code_of(fetch_all({huge, object("small", "y")})), "no_space");
  EXPECT_THAT(requests(), IsEmpty());
  EXPECT_EQ(names(), "");
}

TEST_F(fetching, a_disk_that_fills_up_meanwhile_is_named) {
  add_volume(64);
  ASSERT_EQ(code_of(format_as(FilesystemType::ext4)), "");
  ASSERT_EQ(code_of(mount_it()), "");
  std::optional<Result<Fetched>> fetched;
  const std::vector<FetchFile> files{long_object("slow-a", 16U << 20U), object("small", "y")};
  std::jthread fetcher{[&] { fetched.emplace(fetch_all(files)); }};
  ASSERT_TRUE(testing::eventually(fmt::format("grep -q slow-a {}/log", folder_.path().string())));
  testing::said_by(fmt::format("head -c 64M /dev/zero >{}", at("filler")));
  fetcher.join();
  ASSERT_EQ(said_of(*fetched), "");
  EXPECT_THAT(faults(**fetched), ::testing::Contains(fault(0, FetchFault::disk_full)));
  EXPECT_FALSE(fs::exists(at("slow-a")));
  fs::remove(at("filler"));
  const auto again = fetch_all(files, {.is_last = true});
  ASSERT_EQ(said_of(again), "");
  EXPECT_THAT(again->failures, IsEmpty());
}

TEST_F(fetching, a_volume_that_is_not_mounted_to_be_written_is_refused) {
  add_volume();
  ASSERT_EQ(code_of(format_as(FilesystemType::xfs)), "");
  EXPECT_EQ(code_of(fetch_all({object("a", "x")})), "not_mounted");
  ASSERT_EQ(code_of(mount_it(Access::read_only)), "");
  EXPECT_EQ(code_of(fetch_all({object("a", "x")})), "read_only_device");
}

TEST_F(fetching, many_small_ones_arrive) {
  make_mounted();
  std::vector<FetchFile> files;
  auto one = object("many/0", "content");
  for (int i = 0; i < 1'500; ++i) {
    files.push_back(one);
    files.back().path = fmt::format("many/{}/{}", i % 7, i);
  }
  const auto fetched = fetch_all(files);
  ASSERT_EQ(said_of(fetched), "");
  EXPECT_THAT(fetched->failures, IsEmpty());
  EXPECT_EQ(fetched->files, 1'500U);
  files.push_back(one);
  EXPECT_EQ(fetch_all(files).error().code, Errc::invalid_argument);
}

TEST(fetching_directories, fills_one_too) {
  testing::FilesMachine bed;
  bed.add(volume);
  RealClock clock;
  const FetchFile file{.path = "a", .size = 0, .url = Secret{"http://127.0.0.1:1/a"}};
  const auto fetched =
      fetch(bed.machine(), {.volume = volume}, std::vector{file},
            {.clock = clock, .deadline = clock.ticks() + std::chrono::seconds{10}});
  EXPECT_EQ(code_of(fetched), "not_mounted");
}

TEST(a_list_of_objects, says_what_can_be_compared) {
  const auto fields = [](std::string etag) {
    const FetchFile file{.path = "a b",
                         .size = 7,
                         .modified = modified + std::chrono::milliseconds{999},
                         .etag = std::move(etag),
                         .url = Secret{"https://x/"}};
    const std::string line = list_of(std::vector{file});
    return line.substr(0, 2) + line.substr(line.find("\t7\t"));
  };
  const std::string md5 = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(fields("\"" + md5 + "\""),
            "0\t\t7\t1700000000\t" + md5 + "\t\"" + md5 + "\"\thttps://x/\ta b\n");
  EXPECT_EQ(fields("\"" + md5 + "-2\""),
            "0\t\t7\t1700000000\t-\t\"" + md5 + "-2\"\thttps://x/\ta b\n");
  EXPECT_EQ(fields(""), "0\t\t7\t1700000000\t-\t-\thttps://x/\ta b\n");
  EXPECT_EQ(fields("\"a\tb\""), "0\t\t7\t1700000000\t-\t-\thttps://x/\ta b\n");
}

}  // namespace
}  // namespace runctl::node
