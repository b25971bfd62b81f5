// Running one of our own scripts on a machine: put together, sent, and its record read.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/remote_shell.hpp"

namespace runctl::node {

// Where and how long. Borrows the shell; lives as long as one call.
struct Machine {
  RemoteShell& shell;
  InstanceId instance;
  std::chrono::seconds timeout{60};
  std::stop_token stop = {};
};

struct ScriptParameter {
  std::string_view name;  // a shell variable's, ours
  std::string value;      // anything
};

struct Script {
  std::string_view name;  // of a file in scripts/, without ".sh"
  std::vector<ScriptParameter> parameters = {};
};

// The text of scripts/<name>.sh as it is sent, without the lines that are comments: a fifth of it.
// Empty when there is no such script.
[[nodiscard]] std::string script_text(std::string_view name);
// A file of scripts/ as it is, by its whole name.
[[nodiscard]] std::string_view embedded_file(std::string_view file);

// The whole text: the parameters as quoted assignments, what the script is built on, the script.
// The script must exist.
[[nodiscard]] std::string assemble(const Script& script);
// The same with its comments, for who reads it.
[[nodiscard]] std::string annotated(const Script& script);

// Runs it and returns its record, which says "ok":true.
// A script's refusal becomes an error that carries the script's code in `remote->code` ("busy") and
// the users or mounts in the way as details. Errors: conflict for what must not be done in the
// present state, precondition when the machine is not as expected (no_device, wrong_device),
// not_found (no_run), invalid_argument (also for a text above the shell's text_limit), internal
// when a program on the machine failed, corrupt when the output is no record (effect unknown);
// those of RemoteShell.
[[nodiscard]] Result<boost::json::value> run_script(const Machine& machine, const Script& script);

// The same for an outcome that is already there. Pure.
[[nodiscard]] Result<boost::json::value> read_record(std::string_view script_name,
                                                     const InstanceId& instance,
                                                     const ShellOutcome& outcome);

// With '?' for every byte that is not part of valid UTF-8: names of files and processes may be any
// bytes.
[[nodiscard]] std::string to_utf8(std::string_view bytes);

}  // namespace runctl::node
