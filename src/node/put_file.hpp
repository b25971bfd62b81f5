// Putting a small file on a machine through its command channel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "node/script.hpp"

namespace runctl::node {

// Of the compressed content: about fifty of SSM's commands. Larger things go through S3.
inline constexpr std::size_t put_file_limit = std::size_t{2} << 20U;
// The same where a shell takes long scripts, as ssh does: about a hundred.
inline constexpr std::size_t put_file_limit_of_long_scripts = std::size_t{256} << 20U;
[[nodiscard]] std::size_t put_file_limit_of(const RemoteShell& shell);

enum class FileMode : std::uint8_t { owner_only, readable, executable };  // 0600, 0644, 0755

// How it travels; what is compressed already gains nothing by gzip but waiting.
enum class Packing : std::uint8_t { gzip, none };

struct PutFile {
  std::size_t sent_bytes = 0;  // compressed; less than the whole when the file was already there
  std::size_t pieces = 0;
  bool already = false;
  std::string path = {};  // by which the machine's processes find it
};

// Makes `target` (absolute; its directory is created) have exactly this content, or leaves it as it
// was: the pieces are gathered beside it, checked by SHA-256 and renamed into place. May be
// repeated. Errors: invalid_argument when the content is above put_file_limit_of once compressed,
// or the path is not absolute; corrupt when something else arrived; conflict (locked), precondition
// (gap) when another transfer of the same content to the same place interferes; as run_script.
[[nodiscard]] Result<PutFile> put_file(const Machine& machine, const std::string& target,
                                       FileMode mode, std::string_view content,
                                       Packing packing = Packing::gzip);

}  // namespace runctl::node
