// The AWS CLI's own cache of role sessions, ~/.aws/cli/cache: whoever has typed an MFA code for one
// of the two tools need not do so for the other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "base/time_text.hpp"
#include "io/environment.hpp"

namespace runctl::aws {

// "~/.aws/cli/cache/<sha1>.json"; empty when HOME is not set. `arguments` is the key as the AWS CLI
// writes it, text for text. Source: botocore 1.43 credentials.py, _create_cache_key.
[[nodiscard]] std::string session_cache_path(const Environment& environment,
                                             std::string_view arguments);

// Nothing when the file is not there, is none, or ends within 15 minutes.
[[nodiscard]] std::optional<Credentials> read_session(const std::string& path, Timestamp now);

// For the owner only. A cache that cannot be written is no failure: the session is good anyway.
void write_session(const std::string& path, const Credentials& session);

}  // namespace runctl::aws
