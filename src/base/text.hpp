// Small operations on text that the standard library of this compiler lacks.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace runctl {

// Pieces between `separator`s; "" gives one empty piece.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

[[nodiscard]] std::string join(std::span<const std::string> pieces, std::string_view separator);

// Without blanks, tabs and line ends on both sides.
[[nodiscard]] std::string_view trim(std::string_view text);

// ASCII only, as header names are.
[[nodiscard]] std::string lower(std::string_view text);

// As if both were in lower case; ASCII only.
[[nodiscard]] bool same_ignoring_case(std::string_view a, std::string_view b);

// RFC 3986: everything but unreserved characters becomes %XX (upper-case hex). `keep` are left as
// they are.
[[nodiscard]] std::string percent_encode(std::string_view text, std::string_view keep = "");

// The reverse; '+' stays '+'. A '%' that is not followed by two hex digits stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text);

[[nodiscard]] std::string hex(std::span<const std::byte> bytes);
[[nodiscard]] std::string hex(std::string_view bytes);

[[nodiscard]] std::string base64(std::string_view bytes);
// The reverse; nothing unless `text` is exactly what base64() gives for some bytes.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

// One word for a POSIX shell, whatever is in it: 'it'\''s'. NUL cannot be passed to a process and
// is dropped.
[[nodiscard]] std::string shell_quote(std::string_view text);

// Columns on the screen of UTF-8 text without wide characters.
[[nodiscard]] std::size_t columns_of(std::string_view text);

// The candidate nearest to `word` by edit distance, "" when none is near enough to be meant.
[[nodiscard]] std::string_view nearest(std::string_view word,
                                       std::span<const std::string_view> candidates);

}  // namespace runctl
