// Who signs the requests.
#pragma once

#include <optional>
#include <string>

#include "aws/profile_file.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "io/environment.hpp"

namespace runctl::aws {

struct Credentials {
  std::string access_key_id = {};
  Secret secret_access_key;
  std::optional<Secret> session_token = {};
  // Where they came from, in words: "environment variable AWS_ACCESS_KEY_ID", "profile 'x' in
  // /path".
  std::string origin = {};
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

// --profile, else the environment's keys, else the profile that AWS_PROFILE, the settings or nobody
// names. A profile's keys are looked for in the credentials file, then in the config file. Errors:
// denied when there are none (the hint lists what was looked at), when they are half set, or when
// the profile gets them in a way that is not supported (named with key and file); invalid_argument
// for a named profile that no file has. Source: botocore 1.43 credentials.py,
// create_credential_resolver and ProfileProviderBuilder.
[[nodiscard]] Result<Credentials> resolve_credentials(const AccountSources& sources);

}  // namespace runctl::aws
