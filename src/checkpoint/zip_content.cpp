// What is in a zip archive's members.
#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <zlib.h>

#include "base/crc.hpp"
#include "checkpoint/zip.hpp"

namespace runctl::checkpoint {
namespace {

constexpr std::size_t window = std::size_t{1} << 20U;

// Takes a piece of the content; false ends the reading.
using Take = std::function<bool(std::span<const std::byte>)>;

std::unexpected<Error> wrong(const ZipMember& member, std::string_view what) {
  std::string name;
  for (const char c : member.name.substr(0, 80)) name += c < ' ' || c == '\x7f' ? '?' : c;
  return damaged(fmt::format("its member {} (bytes {} to {}) {}", name, member.data,
                             member.data + member.packed, what));
}

Result<void> read_stored(Source& source, const ZipMember& member, std::size_t piece,
                         const Take& take) {
  std::string buffer(std::min<std::uint64_t>(piece, member.packed), '\0');
  for (std::uint64_t done = 0; done < member.packed;) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), member.packed - done));
    RUNCTL_TRY_LET(
        const std::size_t got,
        source.read_at(member.data + done, std::as_writable_bytes(std::span{buffer}.first(size))));
    if (got == 0) return wrong(member, "is cut off");
    done += got;
    if (!take(std::as_bytes(std::span{buffer}.first(got)))) return {};
  }
  return {};
}

// zlib's state, ended with its owner.
class Inflater {
 public:
  Inflater() { ready_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }  // raw, as a zip has it
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  Inflater(Inflater&&) = delete;
  Inflater& operator=(Inflater&&) = delete;
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

Result<void> read_deflated(Source& source, const ZipMember& member, std::size_t piece,
                           const Take& take) {
  Inflater inflater;
  if (!inflater.is_ready()) return fail(Errc::internal, "cannot start to unpack a file");
  z_stream& stream = inflater.stream();
  std::string in(std::min<std::uint64_t>(piece, std::max<std::uint64_t>(member.packed, 1)), '\0');
  std::string out(piece, '\0');
  std::uint64_t taken = 0;
  std::uint64_t given = 0;
  int outcome = Z_OK;
  while (outcome != Z_STREAM_END) {
    if (stream.avail_in == 0 && taken < member.packed) {
      const auto size =
          static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), member.packed - taken));
      RUNCTL_TRY_LET(
          const std::size_t got,
          source.read_at(member.data + taken, std::as_writable_bytes(std::span{in}.first(size))));
      if (got == 0) return wrong(member, "is cut off");
      taken += got;
      stream.next_in = reinterpret_cast<Bytef*>(in.data());
      stream.avail_in = static_cast<uInt>(got);
    }
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    outcome = inflate(&stream, Z_NO_FLUSH);
    // Z_BUF_ERROR: nothing could be done, since the packed bytes are at their end too early.
    if (outcome != Z_OK && outcome != Z_STREAM_END) return wrong(member, "cannot be unpacked");
    const std::size_t made = out.size() - stream.avail_out;
    given += made;
    if (given > member.size) return wrong(member, "unpacks to more than its size");
    if (made > 0 && !take(std::as_bytes(std::span{out}.first(made)))) return {};
  }
  if (taken != member.packed || stream.avail_in != 0)
    return wrong(member, "ends before its packed bytes do");
  if (given != member.size) return wrong(member, "unpacks to less than its size");
  return {};
}

Result<void> read(Source& source, const ZipMember& member, std::size_t piece, const Take& take) {
  return member.method == 0 ? read_stored(source, member, piece, take)
                            : read_deflated(source, member, piece, take);
}

}  // namespace

Result<void> check_content(Source& source, const ZipMember& member) {
  Crc crc{CrcKind::crc32};
  RUNCTL_TRY(read(source, member, window, [&](std::span<const std::byte> bytes) {
    crc.update(bytes);
    return true;
  }));
  if (crc.value() != member.crc) {
    return wrong(member, fmt::format("has the checksum {:08x}, and {:08x} was written", crc.value(),
                                     member.crc));
  }
  return {};
}

Result<std::string> read_content(Source& source, const ZipMember& member, std::size_t most) {
  std::string content;
  const std::size_t piece = std::clamp<std::size_t>(most, 1, window);
  RUNCTL_TRY(read(source, member, piece, [&](std::span<const std::byte> bytes) {
    const std::size_t wanted = std::min(bytes.size(), most - content.size());
    content.append(reinterpret_cast<const char*>(bytes.data()), wanted);
    return content.size() < most;
  }));
  return content;
}

}  // namespace runctl::checkpoint
