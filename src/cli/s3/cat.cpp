// runctl s3 cat
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>

#include <fmt/format.h>

#include "base/crc.hpp"
#include "cli/commands.hpp"
#include "cli/s3/listing.hpp"
#include "cli/s3/options.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI", .help = "an object"},
}};
constexpr std::array<OptionSpec, 1> own_options{{
    {.name = "--range",
     .value = "FIRST-LAST",
     .help = "these bytes alone: 0-99; 100-; -100 for the last hundred"},
}};
constexpr auto options =
    joined(own_options, version_option, customer_key_options, connection_options);

std::string_view header(const HttpResponse& head, std::string_view name) {
  for (const HttpHeader& one : head.headers) {
    if (one.name == name) return one.value;
  }
  return {};
}

std::unexpected<Error> fail_damaged() {
  auto damaged = fail(Errc::corrupt, "what was written is not what S3 has: it came damaged");
  damaged.error().hint = "Do not use it, and read the object again.";
  return damaged;
}

// Gives an answer's body to standard output once, also when the request had to be sent again: what
// was written before is passed over, if it is still the same object, and the same bytes come again.
// S3Client compares the last answer alone with what S3 has, and what was written may be of others.
class ToOutput final : public BodySink {
 public:
  explicit ToOutput(std::ostream& out) : out_{out} {}

  Result<void> begin(const HttpResponse& head) override {
    const std::string etag{header(head, "etag")};
    if (written_ > 0 && etag != etag_) {
      return fail(Errc::precondition, "the object was replaced while it was read");
    }
    etag_ = etag;
    to_pass_over_ = written_;
    again_ = Crc{again_.kind()};
    return {};
  }

  Result<void> write(std::span<const std::byte> bytes) override {
    const auto known = std::min<std::uint64_t>(to_pass_over_, bytes.size());
    to_pass_over_ -= known;
    again_.update(bytes.first(known));
    if (known > 0 && to_pass_over_ == 0 && again_.value() != crc_.value()) return fail_damaged();
    bytes = bytes.subspan(known);
    crc_.update(bytes);
    out_.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    written_ += bytes.size();
    if (out_) return {};
    // A reader that had enough, or a full disk: main() tells them apart.
    return fail(Errc::cancelled, "standard output takes no more");
  }

  // Behind the last answer. Errors: corrupt when more was written than it had.
  [[nodiscard]] Result<void> check() const {
    if (to_pass_over_ > 0) return fail_damaged();
    return {};
  }

 private:
  std::ostream& out_;
  std::string etag_;
  Crc crc_{CrcKind::crc64nvme};    // of what was written
  Crc again_{CrcKind::crc64nvme};  // of what is passed over
  std::uint64_t written_ = 0;
  std::uint64_t to_pass_over_ = 0;
};

bool is_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end;
}

// As HTTP has it. Source: RFC 9110, 14.1.2.
Result<std::string> parse_range(std::string_view text) {
  const auto dash = text.find('-');
  const std::string_view first = text.substr(0, dash);
  const std::string_view last = dash == std::string_view::npos ? "" : text.substr(dash + 1);
  const bool good = dash != std::string_view::npos && (first.empty() || is_number(first)) &&
                    (last.empty() || is_number(last)) && !(first.empty() && last.empty());
  if (!good) {
    return fail(Errc::invalid_argument,
                fmt::format("--range takes FIRST-LAST, FIRST- or -COUNT, not '{}'", text));
  }
  return fmt::format("bytes={}", text);
}

Result<ExitCode> cat(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto uri, parse_object_uri(arguments, "S3URI", "download"));
  aws::s3::GetObjectRequest request{.bucket = uri.bucket, .key = uri.key};
  if (const auto range = arguments.get("--range")) {
    RUNCTL_TRY_LET(request.range, parse_range(*range));
  }
  request.version_id = arguments.get("--version-id").value_or("");
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  request.request_payer = session->payer();
  aws::s3::put_customer_key(session->keys().object, request);
  ToOutput sink{context.out};
  auto done = session->client().get(request, sink, session->options());
  context.out.flush();
  if (!context.out) return ExitCode::ok;
  if (done) {
    RUNCTL_TRY(sink.check());
    return ExitCode::ok;
  }
  if (done.error().code == Errc::not_found) {
    const auto folder = is_folder(*session, uri);
    if (folder && *folder) {
      done.error().hint =
          fmt::format("It is a folder: runctl s3 list {}", transfer::printable(to_text(uri)));
    }
  }
  return std::unexpected{std::move(done).error()};
}

}  // namespace

const CommandSpec s3_cat{.path = "s3 cat",
                         .summary = "write an object to standard output",
                         .positionals = positionals,
                         .options = options,
                         .run = cat};

}  // namespace runctl::cli
