#include "node/run_record.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "node/script.hpp"

namespace runctl::node {
namespace {

constexpr std::size_t text_limit = 300;
constexpr std::size_t count_limit = 60;
// Of all texts together; what stands around them is less than as much again.
constexpr std::size_t sum_limit = 8'000;

std::string cut(std::string_view text) {
  return text.size() > text_limit ? to_utf8(text.substr(0, text_limit)) + "…" : to_utf8(text);
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"_-./=:,@%+()"}.contains(c);
}

// "https://user:secret@host" keeps its user.
std::string without_password(const std::string& text) {
  const auto scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const auto start = scheme + 3;
  const auto end = std::min(text.find_first_of("/?# ", start), text.size());
  const auto at = text.rfind('@', end == 0 ? 0 : end - 1);
  if (at == std::string::npos || at < start) return text;
  const auto colon = text.find(':', start);
  if (colon == std::string::npos || colon > at) return text;
  return fmt::format("{}{}{}", text.substr(0, colon + 1), redacted, text.substr(at));
}

class Bounded {
 public:
  // Whether there is room for one more.
  bool takes(std::string_view text) {
    sum_ += std::min(text.size(), text_limit);
    return ++count_ <= count_limit && sum_ <= sum_limit;
  }

 private:
  std::size_t count_ = 0;
  std::size_t sum_ = 0;
};

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::string text = lower(name);
  constexpr std::array<std::string_view, 6> anywhere{"token",  "secret",     "password",
                                                     "passwd", "passphrase", "credential"};
  constexpr std::array<std::string_view, 7> endings{"key",  "keys",   "pass", "pwd",
                                                    "auth", "cookie", "dsn"};
  if (std::ranges::any_of(anywhere, [&](std::string_view word) { return text.contains(word); })) {
    return true;
  }
  std::string words = text;
  std::ranges::replace_if(words, [](char c) { return c == '-' || c == '.'; }, '_');
  return std::ranges::any_of(split(words, '_'), [&](std::string_view word) {
    return std::ranges::any_of(endings,
                               [&](std::string_view ending) { return word.ends_with(ending); });
  });
}

std::vector<std::string> without_secrets(const std::vector<std::string>& argv) {
  std::vector<std::string> out;
  bool next_is_secret = false;
  for (const std::string& argument : argv) {
    const bool is_option = argument.starts_with('-') && argument.size() > 1;
    const auto equals = argument.find('=');
    if (next_is_secret && !is_option) {
      out.emplace_back(redacted);
      next_is_secret = false;
      continue;
    }
    // NAME=value as well, which is how `env` and Hydra take them.
    if (equals != std::string::npos && is_secret_name(argument.substr(0, equals))) {
      out.push_back(fmt::format("{}={}", argument.substr(0, equals), redacted));
    } else {
      out.push_back(without_password(argument));
    }
    next_is_secret = is_option && equals == std::string::npos && is_secret_name(argument);
  }
  return out;
}

std::string command_in_short(const std::vector<std::string>& argv) {
  std::string text;
  for (const std::string& argument : without_secrets(argv)) {
    const bool plain = !argument.empty() && std::ranges::all_of(argument, is_plain);
    text += fmt::format("{}{}", text.empty() ? "" : " ", plain ? argument : shell_quote(argument));
    if (text.size() > text_limit) break;
  }
  return cut(text);
}

boost::json::object short_record(const RunSpec& spec) {
  boost::json::object record{{"command", command_in_short(spec.argv)},
                             {"checkpoint_directory", to_utf8(spec.checkpoint_directory)}};
  if (!spec.git_commit.empty()) record["git_commit"] = cut(spec.git_commit);
  return record;
}

boost::json::object full_record(const RunSpec& spec) {
  boost::json::array arguments;
  Bounded bounded_arguments;
  const auto argv = without_secrets(spec.argv);
  for (const std::string& argument : argv) {
    if (!bounded_arguments.takes(argument)) break;
    arguments.emplace_back(cut(argument));
  }
  boost::json::object environment;
  Bounded bounded_environment;
  for (const auto& [name, value] : spec.environment) {
    if (!bounded_environment.takes(value)) break;
    environment[cut(name)] =
        is_secret_name(name) ? std::string{redacted} : cut(without_password(value));
  }
  const bool all = arguments.size() == argv.size() && environment.size() == spec.environment.size();
  boost::json::object record{{"arguments", std::move(arguments)},
                             {"environment", std::move(environment)},
                             {"working_directory", to_utf8(spec.working_directory)},
                             {"git_commit", cut(spec.git_commit)},
                             {"complete", all}};
  if (spec.packages) record["packages"] = cut(spec.packages->from);
  if (spec.upload) record["output_s3"] = cut(spec.upload->target);
  return record;
}

}  // namespace runctl::node
