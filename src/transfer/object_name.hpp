// Which keys can be files, and which files can be objects: the names that go both ways unchanged.
//
// A key is any 1,024 bytes of UTF-8. A file's name is less: what would leave the directory it
// belongs to, what a file system cannot hold, and what could not come back under the same name is
// refused by both directions alike, and reported, so that a tree that went up comes down as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace runctl::transfer {

// Bytes. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
inline constexpr std::size_t greatest_key = 1'024;
// Bytes of one component of a path: NAME_MAX of ext4, XFS, btrfs and tmpfs. Source: limits.h.
inline constexpr std::size_t greatest_component = 255;

// Why a name, relative to the folder or directory it was found in, cannot go the way.
enum class NameFault : std::uint8_t {
  none,
  folder_marker,      // it is empty or ends in '/': tools make such objects to show a folder
  absolute,           // it begins with '/'
  empty_component,    // "a//b"
  dot_component,      // "." or ".." between slashes
  control_character,  // NUL, a line end, an escape: bytes 0 to 31, and 127
  not_utf8,
  component_too_long,  // over greatest_component
  key_too_long,        // over greatest_key, with the folder it would go to
  reserved,            // a name that unfinished downloads have here
};

// "it begins with '/'", to stand behind the name and a colon.
[[nodiscard]] std::string_view in_words(NameFault fault);
// "absolute", for programs: a stable name.
[[nodiscard]] std::string_view name_of(NameFault fault);

// The fault of a key below a folder, without the folder, as the name of a file below a directory;
// and of a file's relative path as what stands behind a folder's `folder_size` bytes in a key. Only
// key_too_long differs. Names that `none` is said of are relative, and have neither an empty
// component nor one that leads upwards: joined to a directory they are in it.
[[nodiscard]] NameFault fault_of_name(std::string_view relative, std::size_t folder_size = 0);

// Valid UTF-8 by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

// For people: control characters, U+0080 to U+009F and what is not UTF-8 as \xNN, the backslash as
// itself. What a terminal shows of it is what stands there.
[[nodiscard]] std::string printable(std::string_view name);

// Two files where one must be a directory: "a" and "a/b" are both fine as keys. Names are told in
// the order of their bytes; memory is bounded by the depth of a name.
class ShadowedNames {
 public:
  // Whether a name told before is a file where this one needs a directory. One that is, is not
  // remembered.
  [[nodiscard]] bool is_shadowed(std::string_view name);

 private:
  std::vector<std::string> open_;  // each a proper prefix of the next
};

}  // namespace runctl::transfer
