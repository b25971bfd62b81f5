#include "node/gzip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include "base/units.hpp"

namespace runctl::node {
namespace {

constexpr int gzip_window = 15 + 16;  // source: zlib.h, deflateInit2: 16 asks for a gzip header

}  // namespace

Result<std::string> gzip(std::string_view content) {
  if (content.size() > (std::size_t{1} << 31U)) {
    return fail(Errc::invalid_argument,
                fmt::format("{} are too much for one file", bytes_in_words(content.size())));
  }
  z_stream stream{};
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

Result<std::string> gunzip(std::string_view bytes, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window) != Z_OK) {
    return fail(Errc::internal, "cannot start to unpack what a machine sent");
  }
  // One more than may be: what fills it is too long.
  std::string out(limit + 1, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int outcome = inflate(&stream, Z_FINISH);
  const bool whole = outcome == Z_STREAM_END && stream.avail_in == 0 && stream.total_out <= limit;
  out.resize(stream.total_out);
  inflateEnd(&stream);
  if (!whole) return fail(Errc::corrupt, "what a machine sent is no whole gzip text");
  return out;
}

}  // namespace runctl::node
