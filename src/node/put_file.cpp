#include "node/put_file.hpp"

#include <utility>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "base/units.hpp"
#include "node/gzip.hpp"

namespace runctl::node {
namespace {

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

std::size_t put_file_limit_of(const RemoteShell& shell) {
  constexpr std::size_t long_script = std::size_t{1} << 20U;
  return shell.text_limit() >= long_script ? put_file_limit_of_long_scripts : put_file_limit;
}

Result<PutFile> put_file(const Machine& machine, const std::string& target, FileMode mode,
                         std::string_view content, Packing packing) {
  if (!target.starts_with('/') || target.ends_with('/')) {
    return fail(Errc::invalid_argument,
                fmt::format("'{}' is not the absolute path of a file", to_utf8(target)));
  }
  std::string zipped;
  if (packing == Packing::gzip) {
    RUNCTL_TRY_LET(zipped, gzip(content));
  }
  const std::string_view packed = packing == Packing::gzip ? std::string_view{zipped} : content;
  const std::size_t limit = put_file_limit_of(machine.shell);
  if (packed.size() > limit) {
    return fail(
        Errc::invalid_argument,
        fmt::format(
            "{} has {} once compressed, above the {} that can be sent to instance {} as commands",
            to_utf8(target), bytes_in_words(packed.size()), bytes_in_words(limit),
            machine.instance));
  }
  Script script{.name = "put_file",
                .parameters = {{"TARGET", target},
                               {"SHA256", hex(sha256(content))},
                               {"MODE", std::string{octal(mode)}},
                               {"OFFSET", std::to_string(packed.size())},
                               {"LAST", "yes"},
                               {"PIECE", ""},
                               {"PACKING", packing == Packing::gzip ? "gzip" : "none"}}};
  const std::size_t frame = assemble(script).size();
  constexpr std::size_t least_room = 4'096;
  if (frame + least_room > machine.shell.text_limit()) {
    return fail(Errc::invalid_argument,
                fmt::format("the path of {} bytes is too long", target.size()));
  }
  // Base64 makes four of three.
  const std::size_t piece_size = (machine.shell.text_limit() - frame) / 4 * 3;
  PutFile done;
  while (done.sent_bytes < packed.size()) {
    const std::string_view piece = packed.substr(done.sent_bytes, piece_size);
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
