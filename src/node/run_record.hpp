// What is written down of a run for people and programs, without its secrets.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "node/run.hpp"

namespace runctl::node {

// What stands for a secret's text.
inline constexpr std::string_view redacted = "(redacted)";

// Whether a variable or an option of that name holds what must not be written down: one of its
// words (between '_', '-' and '.', in any case) ends in KEY, KEYS, PASS, PWD, AUTH, COOKIE or DSN,
// or it contains TOKEN, SECRET, PASSWORD, PASSWD, PASSPHRASE or CREDENTIAL. These are the words
// that CI systems and secret scanners go by (detect-secrets' keyword plugin, Sentry's data
// scrubber). MONKEY is redacted as well: too much costs a look at the program, too little a key.
[[nodiscard]] bool is_secret_name(std::string_view name);

// The arguments without the values of options of such names (--api-token X, --password=X), and
// without the passwords in addresses (scheme://user:password@host). Pure.
[[nodiscard]] std::vector<std::string> without_secrets(const std::vector<std::string>& argv);

// A command as a person would type it: quoted only where it must be, and not endless. Secrets are
// left out.
[[nodiscard]] std::string command_in_short(const std::vector<std::string>& argv);

// For lists of runs; a few hundred bytes.
[[nodiscard]] boost::json::object short_record(const RunSpec& spec);

// All that is known of the run before it starts: arguments, environment, directory. Texts above 300
// bytes are cut, and lists above 60 entries, so that it fits SSM's 24,000 characters.
[[nodiscard]] boost::json::object full_record(const RunSpec& spec);

}  // namespace runctl::node
