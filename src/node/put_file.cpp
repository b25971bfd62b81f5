#include "node/put_file.hpp"

#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <zlib.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "base/units.hpp"

namespace runctl::node {
namespace {

// Errors: internal when there is no memory for it, invalid_argument for more than zlib can be told
// of.
Result<std::string> gzip(std::string_view content) {
  if (content.size() > (std::size_t{1} << 31U)) {
    return fail(Errc::invalid_argument,
                fmt::format("{} are too much for one file", bytes_in_words(content.size())));
  }
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;  // source: zlib.h, deflateInit2: 16 asks for a gzip header
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return fail(Errc::internal, "cannot start to compress a file");
  }
  std::string out(deflateBound(&stream, content.size()), '\0');
  // zlib's type for input has no const; it does not write to it.
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) return fail(Errc::internal, "cannot compress a file");
  return out;
}

std::string_view octal(FileMode mode) {
  switch (mode) {
    case FileMode::owner_only:
      return "0600";
    case FileMode::readable:
      return "0644";
    case FileMode::executable:
      return "0755";
  }
  std::unreachable();
}

}  // namespace

Result<PutFile> put_file(const Machine& machine, const std::string& target, FileMode mode,
                         std::string_view content) {
  if (!target.starts_with('/') || target.ends_with('/')) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is not the absolute path of a file", to_utf8(target)));
  }
  RUNCTL_TRY_LET(const std::string packed, gzip(content));
  if (packed.size() > put_file_limit) {
    return fail(
        Errc::invalid_argument,
        fmt::format(
            "{} has {} once compressed, above the {} that can be sent to instance {} as commands",
            to_utf8(target), bytes_in_words(packed.size()), bytes_in_words(put_file_limit),
            machine.instance));
  }
  Script script{.name = "put_file",
                .parameters = {{"TARGET", target},
                               {"SHA256", hex(sha256(content))},
                               {"MODE", std::string{octal(mode)}},
                               {"OFFSET", std::to_string(packed.size())},
                               {"LAST", "yes"},
                               {"PIECE", ""}}};
  const std::size_t frame = assemble(script).size();
  constexpr std::size_t least_room = 4'096;
  if (frame + least_room > script_limit) {
    return fail(Errc::invalid_argument,
                fmt::format("the path of {} bytes is too long", target.size()));
  }
  // Base64 makes four of three.
  const std::size_t piece_size = (script_limit - frame) / 4 * 3;
  PutFile done;
  while (done.sent_bytes < packed.size()) {
    const std::string_view piece = std::string_view{packed}.substr(done.sent_bytes, piece_size);
    const bool last = done.sent_bytes + piece.size() == packed.size();
    script.parameters[3].value = std::to_string(done.sent_bytes);
    script.parameters[4].value = last ? "yes" : "no";
    script.parameters[5].value = base64(piece);
    RUNCTL_TRY_LET(const auto record, run_script(machine, script));
    done.sent_bytes += piece.size();
    ++done.pieces;
    if (boolean_at(record, "done").value_or(false)) {
      done.already = boolean_at(record, "already").value_or(false);
      done.path = string_at(record, "path").value_or(target);
      return done;
    }
  }
  return fail(Errc::corrupt, fmt::format("instance {} did not say that {} is in place",
                                         machine.instance, to_utf8(target)));
}

}  // namespace runctl::node
