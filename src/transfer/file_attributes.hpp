// What a downloaded file takes from its object besides the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "io/random_access_file.hpp"
#include "transfer/object_store.hpp"
#include "transfer/options.hpp"

namespace runctl::transfer {

// Nanoseconds since 1970 from seconds as rclone ("1700000000.123456789") and s3fs ("1700000000")
// note them in x-amz-meta-mtime; nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_mtime(std::string_view text);

// Permission bits from x-amz-meta-mode: octal with a leading zero ("0644"), as this program writes
// them, or decimal with the file's type among them ("33188"), as s3fs does.
[[nodiscard]] std::optional<unsigned> parse_mode(std::string_view text);

// Sets the file's time and mode as the options say. Errors: as fail_errno.
[[nodiscard]] Result<void> set_file_attributes(const RandomAccessFile& file,
                                               const ObjectFacts& facts, const Options& options);

}  // namespace runctl::transfer
