#include "emulator/s3/aws_chunked.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "emulator/s3/memory_body.hpp"

namespace runctl::emulator::s3 {
namespace {

struct Decoded {
  std::string text = {};
  std::string code = {};  // of the error
  std::vector<HttpHeader> trailers = {};
};

Decoded decode(std::string_view wire, std::uint64_t length, std::size_t at_once,
               std::size_t buffer = 7) {
  MemoryBody body{wire, at_once};
  AwsChunkedBody chunks{body, {.length = length, .has_trailer = true}};
  Decoded decoded;
  std::string piece(buffer, '\0');
  while (true) {
    const auto got = chunks.read(std::as_writable_bytes(std::span{piece}));
    if (!got) {
      decoded.code = got.error().remote ? got.error().remote->code : got.error().message;
      return decoded;
    }
    if (*got == 0) break;
    decoded.text += piece.substr(0, *got);
  }
  decoded.trailers = chunks.trailers();
  return decoded;
}

TEST(AwsChunked, GivesWhatIsInTheChunksHoweverTheyCome) {
  const std::string wire =
      "5\r\nhello\r\n1\r\n \r\nb\r\nfrom chunks\r\n0\r\nX-Amz-Checksum-Crc32: AAAA\r\n\r\n";
  for (const std::size_t at_once : {1U, 2U, 3U, 1'000U}) {
    for (const std::size_t buffer : {1U, 4U, 100U}) {
      const Decoded decoded = decode(wire, 17, at_once, buffer);
      EXPECT_EQ(decoded.text, "hello from chunks") << at_once << ' ' << decoded.code;
      ASSERT_EQ(decoded.trailers.size(), 1U);
      EXPECT_EQ(decoded.trailers.front().name, "x-amz-checksum-crc32");
      EXPECT_EQ(decoded.trailers.front().value, "AAAA");
    }
  }
  EXPECT_EQ(decode("0\r\n\r\n", 0, 1).code, "");
  EXPECT_EQ(decode("0\r\n", 0, 1).code, "") << "some clients leave the last line end out";
}

TEST(AwsChunked, RefusesWhatIsNoneOfThat) {
  for (const std::string_view wire :
       {"", "5\r\nhel", "5\r\nhello", "5\r\nhelloo\r\n0\r\n\r\n", "z\r\n", "5\r\nhello\r\n",
        "6\r\nhello!\r\n0\r\n\r\n", "4\r\nhell\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n"}) {
    EXPECT_EQ(decode(wire, 5, 3).code, "IncompleteBody") << wire;
  }
  EXPECT_EQ(decode(std::string(100'000, '5'), 5, 1'000).code, "IncompleteBody")
      << "no line is long";
  EXPECT_EQ(decode("0\r\nno colon\r\n\r\n", 0, 3).code, "MalformedTrailerError");
}

}  // namespace
}  // namespace runctl::emulator::s3
