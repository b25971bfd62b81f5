// The configuration files: which are read, what may stand in them.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "io/environment.hpp"

namespace runctl::config {

// What the files say; nothing where they are silent. Flags and the environment come before it.
struct Settings {
  std::optional<std::string> region = {};
  std::optional<std::string> profile = {};
  // "emulator", or a URL. A project's file may only say "emulator": what a checked-out directory
  // says must not send credentials elsewhere.
  std::optional<std::string> endpoint = {};
  // How scripts reach machines: "ssm" (the default) or "ssh".
  std::optional<std::string> shell = {};
  // For ssh: the user (default: what the user's own ssh configuration says), and what is connected
  // to: "address" (the default: the public one, else the private one) or "id", for configurations
  // that have a `Host i-*`.
  std::optional<std::string> ssh_user = {};
  std::optional<std::string> ssh_host = {};
  // [s3] bucket: what more code than fits into commands goes through. Not a project's file's to
  // say: what is checked out must not send what is beside it elsewhere.
  std::optional<std::string> code_bucket = {};
  // Where each was found: "aws.region" at "/home/me/.runctl.toml:2".
  std::map<std::string, std::string, std::less<>> where = {};
  std::vector<std::string> files = {};  // those that were read
};

// Reads `.runctl.toml`, looked for from the working directory upward, and then
// `$XDG_CONFIG_HOME/runctl/config.toml` for what the first is silent on. `file` (--config) takes
// the place of both. Errors: invalid_argument with file, line and column for text that is not TOML,
// for an unknown key (with the nearest known one) and for a value of a wrong type; not_found for a
// `file` that is not there.
[[nodiscard]] Result<Settings> read_settings(const Environment& environment,
                                             const std::optional<std::string>& file);

// One file's text. `name` is used in messages; `is_project` applies the rule for project files.
enum class Origin : bool { user, project };
[[nodiscard]] Result<Settings> parse_settings(std::string_view text, const std::string& name,
                                              Origin origin);

}  // namespace runctl::config
