#include "transfer/download_verify.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/hasher.hpp"
#include "base/text.hpp"

namespace runctl::transfer {
namespace {

constexpr std::size_t buffer_size = std::size_t{256} << 10U;

std::optional<CrcKind> crc_kind(std::string_view algorithm) {
  for (const CrcKind kind : {CrcKind::crc32, CrcKind::crc32c, CrcKind::crc64nvme}) {
    if (crc_name(kind) == algorithm) return kind;
  }
  return std::nullopt;
}

std::optional<HashKind> hash_kind(std::string_view algorithm) {
  if (algorithm == "SHA256") return HashKind::sha256;
  if (algorithm == "SHA1") return HashKind::sha1;
  return std::nullopt;
}

Result<void> read_all(const RandomAccessFile& file, const Range& range, const std::stop_token& stop,
                      const std::function<void(std::span<const std::byte>)>& use) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(buffer_size, range.length));
  for (std::uint64_t at = 0; at < range.length;) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    const auto piece =
        std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), range.length - at));
    RUNCTL_TRY_LET(const std::size_t got, file.read_at(range.first + at, piece));
    if (got != piece.size()) {
      return fail(Errc::corrupt,
                  fmt::format("{} was cut short by somebody else", file.path().string()));
    }
    use(piece);
    at += got;
  }
  return {};
}

// The raw bytes of the range's checksum, by an algorithm of S3's.
Result<std::string> checksum_of(const RandomAccessFile& file, const Range& range,
                                std::string_view algorithm, const std::stop_token& stop) {
  if (const auto kind = crc_kind(algorithm)) {
    Crc crc{*kind};
    RUNCTL_TRY(read_all(file, range, stop, [&crc](auto bytes) { crc.update(bytes); }));
    std::vector<std::byte> raw;
    append_big_endian(*kind, crc.value(), raw);
    return std::string{reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  Hasher digest{hash_kind(algorithm).value_or(HashKind::sha256)};
  RUNCTL_TRY(read_all(file, range, stop, [&digest](auto bytes) { digest.update(bytes); }));
  return digest.digest();
}

std::unexpected<Error> fail_corrupt(const Arrived& arrived, std::string_view what,
                                    std::string_view theirs, std::string_view ours) {
  return fail(Errc::corrupt,
              fmt::format("what arrived of {} is not what is stored: its {} is {}, not {}",
                          to_text(arrived.source), what, ours, theirs));
}

// The parts may be of any size: asks S3 for each, and reads the file part by part.
Result<std::string> composite_by_parts(RunContext& run, const Arrived& arrived,
                                       const Checksum& checksum, const std::stop_token& stop) {
  Tally tally;
  std::string all;
  std::uint64_t first = 0;
  for (unsigned number = 1; number <= checksum.parts; ++number) {
    RUNCTL_TRY_LET(const std::uint64_t size, with_retries<std::uint64_t>(run, tally, stop, [&] {
                     return run.store.part_size(arrived.source, number, arrived.facts.etag, stop);
                   }));
    RUNCTL_TRY_LET(
        const std::string raw,
        checksum_of(arrived.file, {.first = first, .length = size}, checksum.algorithm, stop));
    all += raw;
    first += size;
  }
  if (const auto kind = crc_kind(checksum.algorithm)) {
    return crc_text(*kind, crc(*kind, std::as_bytes(std::span{all})));
  }
  Hasher digest{hash_kind(checksum.algorithm).value_or(HashKind::sha256)};
  digest.update(std::as_bytes(std::span{all}));
  return base64(digest.digest());
}

Result<Verified> verify_composite(RunContext& run, const Arrived& arrived, const Checksum& checksum,
                                  const std::stop_token& stop) {
  const auto kind = crc_kind(checksum.algorithm);
  if (kind && *kind == arrived.ranges.kind() &&
      arrived.ranges.composite(arrived.facts.size) == checksum.value) {
    return Verified::composite;
  }
  // Not equal: damaged, or the parts are not all as large as the first.
  RUNCTL_TRY_LET(const std::string ours, composite_by_parts(run, arrived, checksum, stop));
  if (ours == checksum.value) return Verified::composite;
  return fail_corrupt(arrived, checksum.algorithm, checksum.value, ours);
}

Result<Verified> verify_full(const Arrived& arrived, const Checksum& checksum,
                             const std::stop_token& stop) {
  const auto kind = crc_kind(checksum.algorithm);
  std::string ours;
  if (kind && *kind == arrived.ranges.kind()) {
    const auto crc = arrived.ranges.crc(arrived.facts.size);
    if (!crc) return fail(Errc::internal, "verified before all ranges had arrived");
    ours = crc_text(*kind, *crc);
  } else {
    RUNCTL_TRY_LET(const std::string raw,
                   checksum_of(arrived.file, {.first = 0, .length = arrived.facts.size},
                               checksum.algorithm, stop));
    ours = base64(raw);
  }
  if (ours == checksum.value) return Verified::full_object;
  return fail_corrupt(arrived, checksum.algorithm, checksum.value, ours);
}

}  // namespace

Result<Verified> verify(RunContext& run, const Arrived& arrived, const std::stop_token& stop) {
  const auto& checksum = arrived.facts.checksum;
  const bool known = checksum && (crc_kind(checksum->algorithm) || hash_kind(checksum->algorithm));
  if (known && (checksum->full_object || checksum->parts > 0)) {
    return checksum->full_object ? verify_full(arrived, *checksum, stop)
                                 : verify_composite(run, arrived, *checksum, stop);
  }
  if (!arrived.facts.etag_is_md5 || !run.store.checks_answers()) return Verified::no;
  Hasher md5{HashKind::md5};
  RUNCTL_TRY(read_all(arrived.file, {.first = 0, .length = arrived.facts.size}, stop,
                      [&md5](auto bytes) { md5.update(bytes); }));
  const std::string ours = '"' + hex(md5.digest()) + '"';
  if (ours == arrived.facts.etag) return Verified::etag_md5;
  return fail_corrupt(arrived, "MD5", arrived.facts.etag, ours);
}

}  // namespace runctl::transfer
