#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/text.hpp"
#include "base/time_text.hpp"

namespace runctl {
namespace {

rc::Gen<std::string> any_bytes() { return rc::gen::arbitrary<std::string>(); }

// Text as a hostile file name has it: every character that means something to a shell comes up
// often.
rc::Gen<std::string> shell_text() {
  return rc::gen::container<std::string>(
      rc::gen::oneOf(rc::gen::nonZero<char>(),
                     rc::gen::elementOf(std::string{"'\"\\$`!*?~#&|;<>(){}[] \t\n-=%"})));
}

// A file name of its own, removed with its owner.
class ScratchFile {
 public:
  ScratchFile() : path_{testing::TempDir() + "text-property-XXXXXX"} {
    const int fd = mkstemp(path_.data());
    if (fd >= 0) fclose(fdopen(fd, "w"));
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ScratchFile(ScratchFile&&) = delete;
  ScratchFile& operator=(ScratchFile&&) = delete;
  ~ScratchFile() { std::remove(path_.c_str()); }

  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& text) const { std::ofstream{path_, std::ios::binary} << text; }
  [[nodiscard]] std::string read() const {
    std::ifstream in{path_, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }

 private:
  std::string path_;
};

// What `command` prints. Not by io/process.hpp: tests of this module can build on nothing above it.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
  std::string out;
  for (int c = fgetc(pipe.get()); c != EOF; c = fgetc(pipe.get())) out += static_cast<char>(c);
  return out;
}

RC_GTEST_PROP(PercentEncode, IsUndoneByDecoding, ()) {
  const auto text = *any_bytes();
  RC_ASSERT(percent_decode(percent_encode(text)) == text);
  RC_ASSERT(percent_decode(percent_encode(text, "/")) == text);
}

RC_GTEST_PROP(Base64, IsUndoneByDecoding, ()) {
  const auto bytes = *any_bytes();
  const auto decoded = base64_decode(base64(bytes));
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(*decoded == bytes);
}

RC_GTEST_PROP(Base64Decode, TakesOnlyWhatEncodingGives, ()) {
  const auto groups = *rc::gen::container<std::vector<std::string>>(
      rc::gen::container<std::string>(4, rc::gen::elementOf(std::string{"AQgw/+9=\n"})));
  const auto text = join(groups, "");
  const auto decoded = base64_decode(text);
  RC_CLASSIFY(decoded.has_value());
  if (decoded) RC_ASSERT(base64(*decoded) == text);
}

RC_GTEST_PROP(Split, IsUndoneByJoining, ()) {
  const auto text = *rc::gen::container<std::string>(rc::gen::elementOf(std::string{"ab,"}));
  std::vector<std::string> pieces;
  for (const std::string_view piece : split(text, ',')) pieces.emplace_back(piece);
  RC_ASSERT(join(pieces, ",") == text);
}

RC_GTEST_PROP(Iso8601, IsUndoneByParsing, ()) {
  // From year 0 to 9999, the years that four digits can say.
  const auto moment = Timestamp{std::chrono::milliseconds{
      *rc::gen::inRange<std::int64_t>(-62'167'219'200'000, 253'402'300'800'000)}};
  const auto parsed = parse_iso8601(iso8601(moment));
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(*parsed == moment);
}

// A hundred words in one run of the shell: starting one for each would take most of the time.
TEST(ShellQuote, IsReadBackByARealShell) {
  const ScratchFile script;
  rc::check("every word comes out of /bin/sh as it went in", [&] {
    const auto words = *rc::gen::container<std::vector<std::string>>(20, shell_text());
    std::string expected;
    std::string text;
    for (const std::string& word : words) {
      text += "printf '%s\\0' " + shell_quote(word) + '\n';
      expected += word;
      expected += '\0';
    }
    script.write(text);
    RC_ASSERT(output_of("LC_ALL=C /bin/sh " + script.path()) == expected);
  });
}

TEST(Base64, AgreesWithCoreutils) {
  const ScratchFile file;
  for (std::size_t size = 0; size < 64; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>((i * 151U + size * 7U) & 0xFFU);
    file.write(bytes);
    const auto text = output_of("base64 -w 0 " + file.path());
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(base64_decode(text), bytes);
  }
}

}  // namespace
}  // namespace runctl
