#include "cli/s3/customer_keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "io/file.hpp"

namespace runctl::cli {
namespace {

using aws::s3::CustomerKey;

// More than any way to write a key needs.
constexpr std::uint64_t largest_file = 4'096;

constexpr std::string_view how_to_make_one =
    "openssl rand 32 > ssec.key makes one, which is then named: fileb://ssec.key.";

// The two options of one key.
struct Names {
  std::string_view algorithm;
  std::string_view key;
};

std::optional<std::string_view> after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  return text.substr(prefix.size());
}

Result<std::string> read_key_file(std::string_view option, std::string_view path) {
  auto text = read_file(std::string{path}, largest_file);
  if (text) return text;
  return usage_error(std::move(text.error().message), fmt::format("It is the file of {}.", option));
}

Result<CustomerKey> key_in_base64(std::string_view text, std::string_view place) {
  const auto bytes = base64_decode(trim(text));
  if (!bytes)
    return usage_error(fmt::format("{} is not in base64", place), std::string{how_to_make_one});
  auto key = CustomerKey::of(*bytes);
  if (!key) {
    return usage_error(fmt::format("{}: {}", place, key.error().message),
                       std::string{how_to_make_one});
  }
  return key;
}

Result<CustomerKey> key_in_file(std::string_view option, std::string_view path) {
  RUNCTL_TRY_LET(const std::string bytes, read_key_file(option, path));
  auto key = CustomerKey::of(bytes);
  if (key) return key;
  const bool is_text = key_in_base64(bytes, "").has_value();
  return usage_error(fmt::format("{} {}: {}", option, path, key.error().message),
                     is_text ? fmt::format("It is a key in base64: file://{}.", path)
                             : std::string{how_to_make_one});
}

Result<CustomerKey> key_named(Context& context, std::string_view option, std::string_view named) {
  if (const auto path = after(named, "fileb://")) return key_in_file(option, *path);
  if (const auto path = after(named, "file://")) {
    RUNCTL_TRY_LET(const std::string text, read_key_file(option, *path));
    return key_in_base64(text, fmt::format("{} {}", option, *path));
  }
  if (const auto name = after(named, "env://")) {
    const auto text = context.environment.get(*name);
    if (text) return key_in_base64(*text, fmt::format("the variable that {} names", option));
    return usage_error(fmt::format("there is no variable that {} names", option),
                       "env://NAME is a variable of the environment, with the key in base64.");
  }
  RUNCTL_TRY_LET(auto key, key_in_base64(named, fmt::format("what {} says", option)));
  note(context, fmt::format("Note: others on this machine can see the key of {} in the list of "
                            "processes. fileb://FILE and env://NAME hide it.",
                            option));
  return key;
}

Result<std::optional<CustomerKey>> parse_key(const Arguments& arguments, Context& context,
                                             const Names& names) {
  const auto algorithm = arguments.get(names.algorithm);
  const auto key = arguments.get(names.key);
  if (!algorithm && !key) return std::nullopt;
  if (algorithm && !algorithm->empty() && *algorithm != CustomerKey::algorithm) {
    return fail(Errc::invalid_argument,
                fmt::format("{} is AES256 and nothing else", names.algorithm));
  }
  if (!key) {
    return usage_error(fmt::format("{} needs a key", names.algorithm),
                       fmt::format("Add {} fileb://FILE.", names.key));
  }
  RUNCTL_TRY_LET(auto read, key_named(context, names.key, *key));
  return std::optional{std::move(read)};
}

}  // namespace

Result<aws::s3::CustomerKeys> parse_customer_keys(const Arguments& arguments, Context& context) {
  aws::s3::CustomerKeys keys;
  RUNCTL_TRY_LET(keys.object, parse_key(arguments, context, {"--sse-c", "--sse-c-key"}));
  RUNCTL_TRY_LET(keys.copy_source,
                 parse_key(arguments, context, {"--sse-c-copy-source", "--sse-c-copy-source-key"}));
  if (keys.object && arguments.has("--sse")) {
    return usage_error("--sse and --sse-c-key exclude each other",
                       "An object is encrypted with a key of S3's, of KMS or of yours.");
  }
  return keys;
}

}  // namespace runctl::cli
