#include "cli/s3/options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/ebs/options.hpp"
#include "io/file.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

Result<CrcKind> parse_checksum(std::string_view text) {
  const std::string kind = lower(text);
  if (kind == "crc64nvme") return CrcKind::crc64nvme;
  if (kind == "crc32c") return CrcKind::crc32c;
  if (kind == "crc32") return CrcKind::crc32;
  return fail(Errc::invalid_argument,
              fmt::format("--checksum-algorithm is CRC64NVME, CRC32C or CRC32, not '{}'", text));
}

bool is_everything(std::string_view pattern) {
  return pattern == "*" || pattern == "**" || pattern == "/*" || pattern == "/**";
}

}  // namespace

std::unexpected<Error> usage_error(std::string message, std::string hint) {
  auto error = fail(Errc::invalid_argument, std::move(message));
  error.error().hint = std::move(hint);
  return error;
}

Result<std::uint64_t> parse_size(std::string_view option, std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const std::string letters =
      lower(trim(std::string_view{rest, static_cast<std::size_t>(end - rest)}));
  std::string_view unit = letters;
  for (const std::string_view ending : {"/s", "ib", "b"}) {
    if (unit.ends_with(ending)) unit.remove_suffix(ending.size());
  }
  constexpr std::string_view units = "kmgt";
  const auto power = unit.empty() ? 0 : units.find(unit) + 1;
  const bool known = unit.empty() || (unit.size() == 1 && units.contains(unit));
  for (std::size_t i = 0; known && i < power; ++i) number *= 1024;
  constexpr double most = 1e15;
  if (error != std::errc{} || !known || !(number >= 1) || number > most) {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes a size such as 16MiB, not '{}'", option, text));
  }
  return static_cast<std::uint64_t>(number);
}

Result<transfer::NameFilter> parse_filter(const Arguments& arguments) {
  transfer::NameFilter filter;
  for (const std::string& pattern : arguments.all("--include")) filter.include.add(pattern);
  for (const std::string& pattern : arguments.all("--exclude")) {
    if (is_everything(pattern) && !filter.include.empty()) {
      return usage_error(fmt::format("--exclude '{}' would leave nothing", pattern),
                         "--include alone takes only what matches it: leave the --exclude out.");
    }
    filter.exclude.add(pattern);
  }
  for (const std::string& path : arguments.all("--exclude-from")) {
    auto text = read_file(path);
    if (!text)
      return usage_error(std::move(text.error().message), "It is the file of --exclude-from.");
    filter.exclude.add_lines(*text);
  }
  return filter;
}

Result<transfer::Options> parse_transfer_options(const Arguments& arguments,
                                                 const Context& context) {
  transfer::Options options;
  if (const auto concurrency = arguments.get("--concurrency")) {
    RUNCTL_TRY_LET(const auto number, parse_number("--concurrency", *concurrency, 1'000));
    if (number == 0)
      return usage_error("--concurrency is at least 1", "Leave it out: it is measured.");
    options.concurrency = static_cast<unsigned>(number);
  }
  if (const auto size = arguments.get("--part-size")) {
    RUNCTL_TRY_LET(options.part_size, parse_size("--part-size", *size));
    if (options.part_size < transfer::least_part || options.part_size > transfer::greatest_part) {
      return usage_error(fmt::format("S3 takes no parts of {}", *size),
                         "--part-size is from 5MiB to 5GiB.");
    }
    options.multipart_threshold = options.part_size;
  }
  if (const auto rate = arguments.get("--bandwidth-limit")) {
    RUNCTL_TRY_LET(options.bandwidth, parse_size("--bandwidth-limit", *rate));
  }
  if (arguments.has("--no-fsync")) options.durability = transfer::Durability::kernel;
  const std::string interrupted = arguments.get("--on-interrupt").value_or("keep");
  if (interrupted != "keep" && interrupted != "abort") {
    return fail(Errc::invalid_argument,
                fmt::format("--on-interrupt is keep or abort, not '{}'", interrupted));
  }
  if (interrupted == "abort") options.interrupted = transfer::Interrupted::abort;
  if (const auto kind = arguments.get("--checksum-algorithm")) {
    RUNCTL_TRY_LET(options.checksum, parse_checksum(*kind));
  }
  options.resume_directory = journal_path(context).parent_path() / "uploads";
  return options;
}

Result<transfer::Attributes> parse_attributes(const Arguments& arguments) {
  const auto text = [&](std::string_view name) { return arguments.get(name).value_or(""); };
  transfer::Attributes attributes{.content_type = text("--content-type"),
                                  .content_encoding = text("--content-encoding"),
                                  .cache_control = text("--cache-control"),
                                  .storage_class = text("--storage-class"),
                                  .server_side_encryption = text("--sse"),
                                  .kms_key_id = text("--sse-kms-key-id"),
                                  .acl = text("--acl")};
  constexpr std::array<std::string_view, 4> kinds{"", "AES256", "aws:kms", "aws:kms:dsse"};
  if (std::ranges::find(kinds, attributes.server_side_encryption) == kinds.end()) {
    return fail(Errc::invalid_argument,
                fmt::format("--sse is AES256, aws:kms or aws:kms:dsse, not '{}'",
                            attributes.server_side_encryption));
  }
  if (!attributes.kms_key_id.empty() && !attributes.server_side_encryption.starts_with("aws:")) {
    return usage_error("--sse-kms-key-id is for --sse aws:kms", "Add --sse aws:kms.");
  }
  for (const std::string& pair : arguments.all("--metadata")) {
    const auto equals = pair.find('=');
    std::string name = lower(pair.substr(0, equals));
    const bool is_token =
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == std::string::npos;
    if (equals == std::string::npos || name.empty() || !is_token) {
      return fail(Errc::invalid_argument,
                  fmt::format("--metadata takes NAME=VALUE, not '{}'", pair));
    }
    attributes.metadata.emplace_back(std::move(name), pair.substr(equals + 1));
  }
  return attributes;
}

bool replaces_headers(const Arguments& arguments) {
  constexpr std::array<std::string_view, 4> replacing{"--content-type", "--content-encoding",
                                                      "--cache-control", "--metadata"};
  return std::ranges::any_of(replacing, [&](auto name) { return arguments.has(name); });
}

transfer::TargetCondition parse_condition(const Arguments& arguments) {
  return {.absent = arguments.has("--if-none-match")};
}

Result<transfer::S3Uri> parse_uri(const Arguments& arguments, std::string_view name) {
  return transfer::parse_s3_uri(arguments.positional(name));
}

Result<transfer::S3Uri> parse_object_uri(const Arguments& arguments, std::string_view name,
                                         std::string_view verb) {
  RUNCTL_TRY_LET(auto uri, parse_uri(arguments, name));
  if (uri.key.empty() || uri.key.ends_with('/')) {
    return usage_error(fmt::format("'{}' is a {}, not an object", transfer::printable(to_text(uri)),
                                   uri.key.empty() ? "bucket" : "folder"),
                       fmt::format("To {} everything in it: --recursive.", verb));
  }
  return uri;
}

std::string_view last_component(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string counted(std::uint64_t count, std::string_view noun) {
  const std::string digits = std::to_string(count);
  std::string grouped;
  for (std::size_t at = 0; at < digits.size(); ++at) {
    if (at > 0 && (digits.size() - at) % 3 == 0) grouped += ',';
    grouped += digits[at];
  }
  return fmt::format("{} {}{}", grouped, noun, count == 1 ? "" : "s");
}

}  // namespace runctl::cli
