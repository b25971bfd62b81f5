// Requests that arrive at the emulator: "METHOD target", header lines, an empty line, the body.
// None is accepted that was not signed with the secret, which nobody here knows; and what we sign
// ourselves, whatever it is, is accepted, and is not when its body has another byte.
#include "aws/sigv4.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace {

using namespace runctl;
using namespace runctl::aws;

// When the requests of the corpus were signed.
constexpr std::chrono::sys_days day{std::chrono::year{2026} / 1 / 31};
constexpr Timestamp now = day + std::chrono::hours{24} - std::chrono::seconds{1};

HttpRequest parsed(std::string_view text) {
  HttpRequest request;
  const auto body = text.find("\n\n");
  if (body != std::string_view::npos) request.body = text.substr(body + 2);
  const auto lines = split(text.substr(0, body), '\n');
  const auto blank = lines.front().find(' ');
  request.method = lines.front().substr(0, blank);
  request.url = blank == std::string_view::npos ? "/" : lines.front().substr(blank + 1);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.push_back({.name = lower(trim(lines[i].substr(0, colon))),
                               .value = std::string{trim(lines[i].substr(colon + 1))}});
  }
  return request;
}

std::optional<Secret> secret_of(std::string_view) { return Secret{"nobody knows this one"}; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const HttpRequest request = parsed({reinterpret_cast<const char*>(data), size});
  if (verify_v4(request, now, secret_of)) std::abort();

  // Ours: the bytes as the body of a request, and as a value in its query.
  HttpRequest ours{.method = "POST",
                   .url = "http://host/?x=" + percent_encode(request.url),
                   .headers = {{.name = "x-note", .value = percent_encode(request.method)}},
                   .body = request.body};
  const Credentials credentials{.access_key_id = "k",
                                .secret_access_key = Secret{"nobody knows this one"}};
  HttpRequest sent = sign_v4(ours, credentials, {.region = "r", .service = "ec2"}, now);
  if (!verify_v4(sent, now, secret_of)) std::abort();
  sent.body += 'x';
  if (verify_v4(sent, now, secret_of)) std::abort();
  return 0;
}
