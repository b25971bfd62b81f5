#include "transfer/content.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/crc.hpp"
#include "base/hasher.hpp"
#include "base/text.hpp"

namespace runctl::transfer {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 20U;

// One kind of sum over bytes, of any that S3 has.
class Sum {
 public:
  static std::optional<Sum> of(std::string_view algorithm) {
    if (algorithm == "CRC64NVME") return Sum{Crc{CrcKind::crc64nvme}};
    if (algorithm == "CRC32C") return Sum{Crc{CrcKind::crc32c}};
    if (algorithm == "CRC32") return Sum{Crc{CrcKind::crc32}};
    if (algorithm == "SHA256") return Sum{Hasher{HashKind::sha256}};
    if (algorithm == "SHA1") return Sum{Hasher{HashKind::sha1}};
    if (algorithm == "MD5") return Sum{Hasher{HashKind::md5}};
    return std::nullopt;
  }

  void update(std::span<const std::byte> bytes) {
    std::visit([&](auto& sum) { sum.update(bytes); }, sum_);
  }

  // The raw bytes, the most significant first.
  [[nodiscard]] std::string finish() {
    if (auto* const crc = std::get_if<Crc>(&sum_)) {
      return base64_decode(crc_text(crc->kind(), crc->value())).value_or("");
    }
    return std::get<Hasher>(sum_).digest();
  }

 private:
  explicit Sum(std::variant<Crc, Hasher> sum) : sum_{std::move(sum)} {}
  std::variant<Crc, Hasher> sum_;
};

// What a file is to be compared with.
struct Wanted {
  std::string algorithm = {};
  std::string raw = {};  // the bytes of the sum
  bool of_parts = false;
};

// "\"d41d8…-3\"" is the MD5 of three MD5s; without the number it is the MD5 of the content, if the
// store says so.
std::optional<Wanted> wanted_etag(const ObjectFacts& facts) {
  std::string_view etag = facts.etag;
  if (etag.size() > 2 && etag.starts_with('"')) etag = etag.substr(1, etag.size() - 2);
  const auto dash = etag.find('-');
  const std::string_view digits = etag.substr(0, dash);
  const bool of_parts = dash != std::string_view::npos;
  if (facts.etag_is_opaque || digits.size() != 32 || (!of_parts && !facts.etag_is_md5))
    return std::nullopt;
  Wanted wanted{.algorithm = "MD5", .of_parts = of_parts};
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(digits.data() + at, digits.data() + at + 2, byte, 16);
    if (error != std::errc{} || end != digits.data() + at + 2) return std::nullopt;
    wanted.raw += static_cast<char>(byte);
  }
  return wanted;
}

std::optional<Wanted> wanted_of(const ObjectFacts& facts) {
  if (facts.checksum && Sum::of(facts.checksum->algorithm)) {
    // Some servers give the number of parts with the value.
    const std::string_view text =
        std::string_view{facts.checksum->value}.substr(0, facts.checksum->value.find('-'));
    if (auto raw = base64_decode(text)) {
      return Wanted{.algorithm = facts.checksum->algorithm,
                    .raw = *std::move(raw),
                    .of_parts = !facts.checksum->full_object};
    }
  }
  return wanted_etag(facts);
}

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

// The file's sum, or the sum of the sums of its parts of `part_size` bytes.
Result<std::string> sum_of(const RandomAccessFile& file, std::uint64_t size, const Wanted& wanted,
                           std::uint64_t part_size, const std::stop_token& stop) {
  std::vector<std::byte> piece(piece_size);
  Sum whole = *Sum::of(wanted.algorithm);
  Sum part = *Sum::of(wanted.algorithm);
  std::uint64_t in_part = 0;
  for (std::uint64_t offset = 0; offset < size;) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped while a file was compared");
    std::size_t wish = static_cast<std::size_t>(std::min<std::uint64_t>(piece_size, size - offset));
    if (wanted.of_parts) {
      wish = static_cast<std::size_t>(std::min<std::uint64_t>(wish, part_size - in_part));
    }
    RUNCTL_TRY_LET(const std::size_t got, file.read_at(offset, std::span{piece}.first(wish)));
    if (got == 0) return fail(Errc::precondition, "the file shrank while it was compared");
    const auto bytes = std::span<const std::byte>{piece}.first(got);
    offset += got;
    if (!wanted.of_parts) {
      whole.update(bytes);
      continue;
    }
    part.update(bytes);
    in_part += got;
    if (in_part == part_size || offset == size) {
      whole.update(as_bytes(part.finish()));
      part = *Sum::of(wanted.algorithm);
      in_part = 0;
    }
  }
  return whole.finish();
}

}  // namespace

Result<Likeness> compare_content(ObjectStore& store, const ObjectName& name,
                                 const ObjectFacts& facts, const RandomAccessFile& file,
                                 const std::stop_token& stop) {
  RUNCTL_TRY_LET(const FileState state, file.state());
  if (state.size != facts.size) return Likeness::different;
  const auto wanted = wanted_of(facts);
  if (!wanted) return Likeness::unknown;
  std::uint64_t part_size = 0;
  if (wanted->of_parts) {
    RUNCTL_TRY_LET(part_size, store.part_size(name, 1, facts.etag, stop));
    if (part_size == 0) return Likeness::unknown;
  }
  RUNCTL_TRY_LET(const std::string sum, sum_of(file, facts.size, *wanted, part_size, stop));
  return sum == wanted->raw ? Likeness::same : Likeness::different;
}

Likeness compare_objects(const ObjectFacts& one, const ObjectFacts& other) {
  if (one.size != other.size) return Likeness::different;
  if (one.checksum && other.checksum && one.checksum->algorithm == other.checksum->algorithm &&
      one.checksum->full_object == other.checksum->full_object) {
    if (one.checksum->value == other.checksum->value) return Likeness::same;
    return one.checksum->full_object ? Likeness::different : Likeness::unknown;
  }
  if (!one.etag.empty() && one.etag == other.etag) return Likeness::same;
  return one.etag_is_md5 && other.etag_is_md5 ? Likeness::different : Likeness::unknown;
}

}  // namespace runctl::transfer
