// Who signs the requests.
#pragma once

#include <optional>
#include <string>

#include "aws/profile_file.hpp"
#include "base/secret.hpp"
#include "base/time_text.hpp"
#include "io/environment.hpp"

namespace runctl::aws {

struct Credentials {
  std::string access_key_id = {};
  Secret secret_access_key;
  std::optional<Secret> session_token = {};
  // Where they came from, in words: "environment variable AWS_ACCESS_KEY_ID", "profile 'x' in
  // /path".
  std::string origin = {};
  std::optional<Timestamp> expires = {};  // nothing when they stay good until they are revoked
};

// What one source says of the account to use; nothing where it is silent.
struct AccountChoice {
  std::optional<std::string> profile = {};
  std::optional<std::string> region = {};
  std::optional<std::string> endpoint_url = {};
};

// All that decides whose account, which region and which endpoint. Borrowed for the call.
struct AccountSources {
  const Environment& environment;
  const ProfileFiles& files;
  AccountChoice flags = {};     // the command line: before everything
  AccountChoice settings = {};  // runctl's own files: after the environment, before AWS's files
};

// The profile in effect. `origin` is empty when it is "default" because nobody named one.
struct ProfileChoice {
  std::string name = "default";
  std::string origin = {};
};
[[nodiscard]] ProfileChoice choose_profile(const AccountSources& sources);

}  // namespace runctl::aws
