#include "base/hasher.hpp"

#include <string_view>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl {
namespace {

std::string in_pieces(HashKind kind, std::string_view text, std::size_t size) {
  Hasher hasher{kind};
  while (!text.empty()) {
    hasher.update(std::as_bytes(std::span{text.substr(0, size)}));
    text.remove_prefix(std::min(size, text.size()));
  }
  return hex(std::string_view{hasher.digest()});
}

// Source: RFC 1321 A.5; FIPS 180-2, appendices A.1 and B.1.
TEST(Hasher, GivesThePublishedDigests) {
  EXPECT_EQ(in_pieces(HashKind::md5, "", 1), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(in_pieces(HashKind::md5, "message digest", 3), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(in_pieces(HashKind::sha1, "abc", 1), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(in_pieces(HashKind::sha256, "abc", 2),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hasher, GoesOnAfterADigest) {
  Hasher hasher{HashKind::sha256};
  hasher.update(std::as_bytes(std::span{std::string_view{"first"}}));
  EXPECT_EQ(hasher.digest(), sha256("first"));
  hasher.update(std::as_bytes(std::span{std::string_view{"second"}}));
  EXPECT_EQ(hasher.digest(), sha256("firstsecond"));
}

}  // namespace
}  // namespace runctl
