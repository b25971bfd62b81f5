#include "base/crc.hpp"

#include <array>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/text.hpp"

namespace runctl {
namespace {

// A polynomial of degree `width`, reflected: the highest bit of the word is x^0. What is worked
// with are 64-bit words in the same order, so a check of 32 bits is shifted up by 32 for
// arithmetic.
struct Kind {
  std::uint64_t polynomial;  // in the order of the check itself
  int width;
};

constexpr Kind parameters(CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return {.polynomial = 0xedb88320U, .width = 32};
    case CrcKind::crc32c:
      return {.polynomial = 0x82f63b78U, .width = 32};
    case CrcKind::crc64nvme:
      return {.polynomial = 0x9a6c9329ac4bc9b5U, .width = 64};
  }
  std::unreachable();
}

constexpr std::uint64_t all_ones(Kind kind) { return ~std::uint64_t{0} >> (64 - kind.width); }

// a * x modulo the polynomial. The check's lowest bit is its highest power.
constexpr std::uint64_t times_x(std::uint64_t a, Kind kind) {
  return (a >> 1U) ^ ((a & 1U) != 0 ? kind.polynomial : 0);
}

constexpr std::uint64_t one(Kind kind) { return std::uint64_t{1} << (kind.width - 1); }

constexpr std::uint64_t multiply(std::uint64_t a, std::uint64_t b, Kind kind) {
  std::uint64_t product = 0;
  for (std::uint64_t bit = one(kind); bit != 0; bit >>= 1U) {
    if ((a & bit) != 0) product ^= b;
    b = times_x(b, kind);
  }
  return product;
}

// x^exponent modulo the polynomial.
constexpr std::uint64_t power_of_x(std::uint64_t exponent, Kind kind) {
  std::uint64_t square = times_x(one(kind), kind);
  std::uint64_t result = one(kind);
  for (; exponent != 0; exponent >>= 1U) {
    if ((exponent & 1U) != 0) result = multiply(result, square, kind);
    square = multiply(square, square, kind);
  }
  return result;
}

// Table k moves one byte past k more, so that eight bytes are looked up at once.
using Tables = std::array<std::array<std::uint64_t, 256>, 8>;

constexpr Tables tables_of(CrcKind which) {
  const Kind kind = parameters(which);
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value, kind);
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

constexpr Tables crc32_tables = tables_of(CrcKind::crc32);
constexpr Tables crc32c_tables = tables_of(CrcKind::crc32c);
constexpr Tables crc64nvme_tables = tables_of(CrcKind::crc64nvme);

constexpr const Tables& tables(CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return crc32_tables;
    case CrcKind::crc32c:
      return crc32c_tables;
    case CrcKind::crc64nvme:
      return crc64nvme_tables;
  }
  std::unreachable();
}

// The state of `bytes` after `state`. Assumes a little-endian machine, as all of ours are.
std::uint64_t by_table(const Tables& table, std::uint64_t state, std::span<const std::byte> bytes) {
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    word ^= state;
    state = 0;
    for (std::size_t k = 0; k < 8; ++k) state ^= table[7 - k][(word >> (8 * k)) & 0xffU];
    bytes = bytes.subspan(8);
  }
  for (const std::byte byte : bytes) {
    state = (state >> 8U) ^ table[0][(state ^ std::to_integer<std::uint64_t>(byte)) & 0xffU];
  }
  return state;
}

#if defined(__x86_64__)

// What takes 16 bytes of a message `bits` further on. The product of two reflected 64-bit words
// stands one power of x too high in 128 bits, hence the -1. Source: V. Gopal and others, "Fast CRC
// Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009.
struct Fold {
  std::uint64_t low;   // for the first eight bytes, which are 64 powers higher
  std::uint64_t high;  // for the other eight
};

constexpr Fold fold_by(std::uint64_t bits, CrcKind which) {
  const Kind kind = parameters(which);
  const auto up = static_cast<unsigned>(64 - kind.width);
  return {.low = power_of_x(bits + 63, kind) << up, .high = power_of_x(bits - 1, kind) << up};
}

constexpr std::size_t lanes = 8;  // as many multiplications are under way at once
constexpr std::size_t stride = lanes * 16;

struct Folds {
  Fold stride;  // by `lanes` blocks
  Fold block;   // by one block of 16 bytes
};

constexpr Folds folds_of(CrcKind kind) {
  return {.stride = fold_by(lanes * 128, kind), .block = fold_by(128, kind)};
}

constexpr Folds crc32_folds = folds_of(CrcKind::crc32);
constexpr Folds crc32c_folds = folds_of(CrcKind::crc32c);
constexpr Folds crc64nvme_folds = folds_of(CrcKind::crc64nvme);

constexpr const Folds& folds(CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return crc32_folds;
    case CrcKind::crc32c:
      return crc32c_folds;
    case CrcKind::crc64nvme:
      return crc64nvme_folds;
  }
  std::unreachable();
}

#define RUNCTL_PCLMUL __attribute__((target("pclmul,sse4.1")))

RUNCTL_PCLMUL inline __m128i load(const std::byte* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

RUNCTL_PCLMUL inline __m128i constants(const Fold& fold) {
  return _mm_set_epi64x(static_cast<std::int64_t>(fold.high), static_cast<std::int64_t>(fold.low));
}

// `block`, moved on, and the block that it meets there.
RUNCTL_PCLMUL inline __m128i folded(__m128i block, __m128i by, __m128i onto) {
  return _mm_xor_si128(
      _mm_xor_si128(_mm_clmulepi64_si128(block, by, 0x00), _mm_clmulepi64_si128(block, by, 0x11)),
      onto);
}

struct Lane {
  __m128i bits;  // no template argument by itself: it would lose its alignment
};

// At least `stride` bytes.
RUNCTL_PCLMUL std::uint64_t by_multiplication(CrcKind kind, std::uint64_t state,
                                              std::span<const std::byte> bytes) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size() - stride;
  std::array<Lane, lanes> lane{};
  for (std::size_t i = 0; i < lanes; ++i) lane[i].bits = load(at + 16 * i);
  at += stride;
  lane[0].bits = _mm_xor_si128(lane[0].bits, _mm_set_epi64x(0, static_cast<std::int64_t>(state)));

  const __m128i by_stride = constants(folds(kind).stride);
  for (; left >= stride; left -= stride, at += stride) {
    for (std::size_t i = 0; i < lanes; ++i) {
      lane[i].bits = folded(lane[i].bits, by_stride, load(at + 16 * i));
    }
  }
  const __m128i by_block = constants(folds(kind).block);
  __m128i all = lane[0].bits;
  for (std::size_t i = 1; i < lanes; ++i) all = folded(all, by_block, lane[i].bits);
  for (; left >= 16; left -= 16, at += 16) all = folded(all, by_block, load(at));

  alignas(16) std::array<std::byte, 16> rest{};
  _mm_store_si128(reinterpret_cast<__m128i*>(rest.data()), all);
  state = by_table(tables(kind), 0, rest);
  return by_table(tables(kind), state, {at, left});
}

bool can_multiply() {
  static const bool can =
      __builtin_cpu_supports("pclmul") != 0 && __builtin_cpu_supports("sse4.1") != 0;
  return can;
}

std::uint64_t advance(CrcKind kind, std::uint64_t state, std::span<const std::byte> bytes) {
  if (bytes.size() >= stride && can_multiply()) return by_multiplication(kind, state, bytes);
  return by_table(tables(kind), state, bytes);
}

#else

std::uint64_t advance(CrcKind kind, std::uint64_t state, std::span<const std::byte> bytes) {
  return by_table(tables(kind), state, bytes);
}

#endif

}  // namespace

Crc::Crc(CrcKind kind) : kind_{kind}, state_{all_ones(parameters(kind))} {}

void Crc::update(std::span<const std::byte> bytes) { state_ = advance(kind_, state_, bytes); }

std::uint64_t Crc::value() const { return state_ ^ all_ones(parameters(kind_)); }

std::uint64_t crc(CrcKind kind, std::span<const std::byte> bytes) {
  Crc check{kind};
  check.update(bytes);
  return check.value();
}

std::uint64_t crc_by_table(CrcKind kind, std::span<const std::byte> bytes) {
  const std::uint64_t ones = all_ones(parameters(kind));
  return by_table(tables(kind), ones, bytes) ^ ones;
}

std::uint64_t crc_combine(CrcKind kind, std::uint64_t a, std::uint64_t b, std::uint64_t length_b) {
  const Kind with = parameters(kind);
  // x^8 to the length: 8 * length may not fit.
  std::uint64_t square = power_of_x(8, with);
  std::uint64_t moved = a;
  for (; length_b != 0; length_b >>= 1U) {
    if ((length_b & 1U) != 0) moved = multiply(moved, square, with);
    square = multiply(square, square, with);
  }
  return moved ^ b;
}

std::string crc_text(CrcKind kind, std::uint64_t value) {
  std::string bytes;
  for (int bit = parameters(kind).width - 8; bit >= 0; bit -= 8) {
    bytes += static_cast<char>((value >> static_cast<unsigned>(bit)) & 0xffU);
  }
  return base64(bytes);
}

std::optional<std::uint64_t> parse_crc(CrcKind kind, std::string_view text) {
  const auto bytes = base64_decode(text);
  if (!bytes || bytes->size() != static_cast<std::size_t>(parameters(kind).width) / 8) {
    return std::nullopt;
  }
  std::uint64_t value = 0;
  for (const char c : *bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

std::string_view crc_name(CrcKind kind) {
  switch (kind) {
    case CrcKind::crc32:
      return "CRC32";
    case CrcKind::crc32c:
      return "CRC32C";
    case CrcKind::crc64nvme:
      return "CRC64NVME";
  }
  std::unreachable();
}

}  // namespace runctl
