#include "aws/service_error.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "aws/service_error_table.hpp"

namespace runctl::aws {
namespace {

// "com.amazonaws.ssm#ThrottlingException:http://…" is how some JSON services write
// "ThrottlingException".
std::string_view bare(std::string_view code) {
  code = code.substr(0, code.find(':'));
  return code.substr(code.rfind('#') + 1);
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// "Invalid id", "A volume", not "CreateVolume" or "EC2": names keep their capitals.
bool begins_with_a_word(std::string_view text) {
  const std::string_view first = text.substr(0, text.find(' '));
  return !first.empty() && is_upper(first.front()) &&
         std::ranges::none_of(first.substr(1), [](char c) { return is_upper(c) || c == ':'; });
}

// AWS's sentence in the style of Error::message. What follows "The Canonical String" in an answer
// to a bad signature repeats the request's headers, the session token among them.
std::string in_our_style(std::string_view message) {
  message = message.substr(0, message.find("The Canonical String"));
  std::string out;
  for (const char c : message) {
    const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (out.ends_with(' ') || out.ends_with('.')) out.pop_back();
  if (begins_with_a_word(out)) out[0] = static_cast<char>(out[0] - 'A' + 'a');
  return out;
}

std::string message_of(const ServiceError& error) {
  std::string message = in_our_style(error.message);
  if (!message.empty()) return message;
  if (!error.code.empty()) return fmt::format("the service refused with {}", error.code);
  return fmt::format("the service answered HTTP {} without saying why", error.http_status);
}

Meaning meaning_by_status(int status) {
  if (status == 429) return {.errc = Errc::throttled};
  if (status >= 500) return {.errc = Errc::unavailable};
  if (status == 401 || status == 403) return {.errc = Errc::denied};
  if (status == 404) return {.errc = Errc::not_found};
  if (status == 409) return {.errc = Errc::conflict};
  if (status >= 400) return {.errc = Errc::invalid_argument};
  return {.errc = Errc::corrupt, .hint = check_endpoint};
}

// A page that is no AWS error says nothing about what was asked for: a 404 may come from a proxy.
Meaning meaning_without_code(int status) {
  Meaning meaning = meaning_by_status(status);
  if (meaning.errc == Errc::not_found || meaning.errc == Errc::conflict ||
      meaning.errc == Errc::invalid_argument) {
    meaning.errc = Errc::corrupt;
  }
  if (meaning.errc != Errc::throttled) meaning.hint = check_endpoint;
  return meaning;
}

Meaning meaning_of(const ServiceError& error) {
  const std::string_view code = bare(error.code);
  if (code.empty()) return meaning_without_code(error.http_status);
  if (const auto known = known_meaning(code)) return *known;
  return meaning_by_status(error.http_status);
}

Effect effect_of(const ServiceError& error, Acted acted) {
  if (acted == Acted::no) return Effect::not_applied;
  if (acted == Acted::perhaps || error.http_status >= 500) return Effect::unknown;
  return Effect::not_applied;
}

}  // namespace

Error error_from(const ServiceError& error) {
  const Meaning meaning = meaning_of(error);
  Error out;
  out.code = meaning.errc;
  out.message = message_of(error);
  out.hint = meaning.hint;
  out.remote = RemoteFault{
      .http_status = error.http_status, .code = error.code, .request_id = error.request_id};
  out.effect = effect_of(error, meaning.acted);
  return out;
}

}  // namespace runctl::aws
