// What the options of S3's commands say, read and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "transfer/ignore_rules.hpp"
#include "transfer/job.hpp"
#include "transfer/options.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

// What the words ask for cannot be, and how to ask instead: invalid_argument.
[[nodiscard]] std::unexpected<Error> usage_error(std::string message, std::string hint);

// "64", "64K", "8MB", "8MiB", "1.5G": bytes, in units of 1,024. Errors: invalid_argument, which
// names the option.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view option, std::string_view text);

// Of filter_options. Errors: invalid_argument for a file that cannot be read, and for an
// `--exclude '*'` beside an `--include`, which AWS's tools need and which would leave nothing here.
[[nodiscard]] Result<transfer::NameFilter> parse_filter(const Arguments& arguments);

// Of speed_options and upload_options. Where unfinished uploads are noted: beside the journal.
[[nodiscard]] Result<transfer::Options> parse_transfer_options(const Arguments& arguments,
                                                               const Context& context);

// Of object_options.
[[nodiscard]] Result<transfer::Attributes> parse_attributes(const Arguments& arguments);
// Whether one of them is what an object says of itself, which a copy has from its source or all
// anew; not so storage class, encryption and ACL.
[[nodiscard]] bool replaces_headers(const Arguments& arguments);
[[nodiscard]] transfer::TargetCondition parse_condition(const Arguments& arguments);

// A positional that must be in S3. Errors: those of parse_s3_uri.
[[nodiscard]] Result<transfer::S3Uri> parse_uri(const Arguments& arguments, std::string_view name);

// The same, which must name an object: the folder's files are asked for with --recursive. Errors:
// invalid_argument.
[[nodiscard]] Result<transfer::S3Uri> parse_object_uri(const Arguments& arguments,
                                                       std::string_view name,
                                                       std::string_view verb);

// The last component of a key or a path, "" for what ends in '/'.
[[nodiscard]] std::string_view last_component(std::string_view path);

// "1 object", "2,345 objects"; "a" and "b" for other nouns.
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

}  // namespace runctl::cli
