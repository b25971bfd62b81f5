#include "base/crc.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <zlib.h>

namespace runctl {
namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span{text}); }

constexpr std::array kinds{CrcKind::crc32, CrcKind::crc32c, CrcKind::crc64nvme};

std::string noise(std::size_t size) {
  std::string out(size, '\0');
  std::uint32_t state = 12345;
  for (char& c : out) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24U);
  }
  return out;
}

std::uint64_t zlib_crc32(std::string_view text) {
  return ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
}

// Source: the catalogue of parametrised CRC algorithms, "check" of CRC-32/ISO-HDLC, CRC-32/ISCSI
// and CRC-64/NVME.
TEST(Crc, HasTheKnownChecks) {
  EXPECT_EQ(crc(CrcKind::crc32, bytes("123456789")), 0xcbf43926U);
  EXPECT_EQ(crc(CrcKind::crc32c, bytes("123456789")), 0xe3069283U);
  EXPECT_EQ(crc(CrcKind::crc64nvme, bytes("123456789")), 0xae8b14860a799888U);
  for (const CrcKind kind : kinds) EXPECT_EQ(crc(kind, {}), 0U);
}

// Source: RFC 3720, B.4; NVM Command Set Specification 1.0, 5.2.1.3.4 (4 KiB of zeros and of ones).
TEST(Crc, HasTheChecksOfTheStandards) {
  EXPECT_EQ(crc(CrcKind::crc32c, bytes(std::string(32, '\0'))), 0x8a9136aaU);
  EXPECT_EQ(crc(CrcKind::crc32c, bytes(std::string(32, '\xff'))), 0x62a8ab43U);
  EXPECT_EQ(crc(CrcKind::crc64nvme, bytes(std::string(4096, '\0'))), 0x6482d367eb22b64eU);
  EXPECT_EQ(crc(CrcKind::crc64nvme, bytes(std::string(4096, '\xff'))), 0xc0ddba7302eca3acU);
}

// Every length around the borders between the ways in which it is computed, at every alignment.
TEST(Crc, IsTheSameByTableAndByMultiplication) {
  const std::string text = noise(1500);
  for (const CrcKind kind : kinds) {
    for (std::size_t size = 0; size < 600; ++size) {
      for (std::size_t start = 0; start < 16; start += 5) {
        const auto piece = bytes(text).subspan(start, size);
        ASSERT_EQ(crc(kind, piece), crc_by_table(kind, piece))
            << crc_name(kind) << " of " << size << " from " << start;
      }
    }
  }
}

TEST(Crc, IsZlibs) {
  for (const std::size_t size : {1UL, 127UL, 128UL, 129UL, 4097UL, 1'000'003UL}) {
    const std::string text = noise(size);
    EXPECT_EQ(crc(CrcKind::crc32, bytes(text)), zlib_crc32(text)) << size;
  }
}

RC_GTEST_PROP(Crc, OfPiecesIsThatOfTheWhole, ()) {
  const auto kind = *rc::gen::elementOf(std::vector<CrcKind>{kinds.begin(), kinds.end()});
  const auto sizes = *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange(0UL, 700UL));
  std::size_t total = 0;
  for (const std::size_t size : sizes) total += size;
  const std::string text = noise(total);
  Crc pieces{kind};
  std::uint64_t combined = 0;
  std::size_t done = 0;
  for (const std::size_t size : sizes) {
    const auto piece = bytes(text).subspan(done, size);
    pieces.update(piece);
    combined = crc_combine(kind, combined, crc(kind, piece), size);
    done += size;
  }
  RC_ASSERT(pieces.value() == crc(kind, bytes(text)));
  RC_ASSERT(combined == crc(kind, bytes(text)));
}

// An object of 5 TiB in two parts.
TEST(Crc, CombinesOverLengthsThatNobodyReads) {
  const std::uint64_t a = crc(CrcKind::crc32, bytes("abc"));
  for (const std::uint64_t length : {1ULL, 1ULL << 31U, 5ULL << 40U}) {
    EXPECT_EQ(crc_combine(CrcKind::crc32, a, 0x12345678, length),
              ::crc32_combine(a, 0x12345678, static_cast<z_off_t>(length)))
        << length;
  }
}

// Source: "Checking object integrity" in the Amazon S3 User Guide: big-endian, base64.
TEST(Crc, IsWrittenAsInHeaders) {
  EXPECT_EQ(crc_text(CrcKind::crc32, 0xcbf43926U), "y/Q5Jg==");
  EXPECT_EQ(crc_text(CrcKind::crc64nvme, 0xae8b14860a799888U), "rosUhgp5mIg=");
  for (const CrcKind kind : kinds) {
    const std::uint64_t value = crc(kind, bytes("x"));
    EXPECT_EQ(parse_crc(kind, crc_text(kind, value)), value);
  }
  EXPECT_EQ(parse_crc(CrcKind::crc32, "y/Q5Jg==-3"), std::nullopt);  // of three parts
  EXPECT_EQ(parse_crc(CrcKind::crc32, "rosUhgp5mIg="), std::nullopt);
  EXPECT_EQ(parse_crc(CrcKind::crc32, "?"), std::nullopt);
}

}  // namespace
}  // namespace runctl
