#include "aws/credentials/record.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::aws {

Result<Timestamp> parse_utc(std::string_view text) {
  for (const std::string_view zone : {"UTC", "+00:00"}) {
    if (!text.ends_with(zone)) continue;
    text.remove_suffix(zone.size());
    return parse_iso8601(std::string{text} + 'Z');
  }
  return parse_iso8601(text);
}

Result<Credentials> credentials_from(const boost::json::value& json, const CredentialNames& names,
                                     std::string_view from) {
  auto id = string_at(json, names.id);
  auto secret = string_at(json, names.secret);
  if (!id || !secret) {
    return fail(Errc::denied, fmt::format("{} gave no {}", from, id ? names.secret : names.id));
  }
  Credentials found{.access_key_id = *std::move(id),
                    .secret_access_key = Secret{*std::move(secret)}};
  if (auto token = string_at(json, names.token)) found.session_token = Secret{*std::move(token)};
  if (auto milliseconds = integer_at(json, names.expires)) {
    found.expires = Timestamp{std::chrono::milliseconds{*milliseconds}};
  }
  if (const auto text = string_at(json, names.expires)) {
    const auto expires = parse_utc(*text);
    if (!expires) {
      return fail(Errc::denied,
                  fmt::format("{} gave a time that is none: {} '{}'", from, names.expires, *text));
    }
    found.expires = *expires;
  }
  return found;
}

}  // namespace runctl::aws
