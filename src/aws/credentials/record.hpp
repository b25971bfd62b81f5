// Credentials as the JSON records in which others hand them over.
#pragma once

#include <optional>
#include <string_view>

#include <boost/json/value.hpp>

#include "aws/credentials.hpp"
#include "base/result.hpp"
#include "base/time_text.hpp"

namespace runctl::aws {

// The members' names in one kind of record.
struct CredentialNames {
  std::string_view id = "AccessKeyId";
  std::string_view secret = "SecretAccessKey";
  std::string_view token = "Token";
  std::string_view expires = "Expiration";
};

// The end is a time in text, or milliseconds since 1970. Errors: denied, `from` named, when the id
// or the secret is missing or the end is no time.
[[nodiscard]] Result<Credentials> credentials_from(const boost::json::value& json,
                                                   const CredentialNames& names,
                                                   std::string_view from);

// A time of UTC in each of the ways that AWS's tools have written it: "…Z", "…+00:00", "…UTC".
// Errors: invalid_argument.
[[nodiscard]] Result<Timestamp> parse_utc(std::string_view text);

}  // namespace runctl::aws
