#include "base/digest.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

namespace runctl {
namespace {

using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// Looked up once: OpenSSL 3 does so in each call otherwise.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return method;
}

// OpenSSL speaks of bytes as unsigned char; these two casts are the whole border.
const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

template <std::size_t size>
std::string text(const std::array<unsigned char, size>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Of both, one after the other.
std::string sha256_of(std::string_view first, std::string_view second) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free};
  Digest digest{};
  if (EVP_DigestInit_ex2(context.get(), sha256_method(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), first.data(), first.size()) != 1 ||
      EVP_DigestUpdate(context.get(), second.data(), second.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    throw std::runtime_error{"OpenSSL has no SHA-256"};
  }
  return text(digest);
}

}  // namespace

std::string sha256(std::string_view bytes) { return sha256_of(bytes, {}); }

// RFC 2104. OpenSSL's own looks its parts up by name in each call, under locks, which takes several
// times as long as the hashing of what a signature is made of.
std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  constexpr std::size_t block_size = 64;
  std::string block = key.size() > block_size ? sha256(key) : std::string{key};
  block.resize(block_size, '\0');
  constexpr auto inner = '\x36';
  constexpr auto outer = '\x5c';
  for (char& c : block) c = static_cast<char>(c ^ inner);
  const std::string inside = sha256_of(block, bytes);
  for (char& c : block) c = static_cast<char>(c ^ inner ^ outer);
  return sha256_of(block, inside);
}

std::string md5(std::string_view bytes) {
  std::array<unsigned char, MD5_DIGEST_LENGTH> digest{};
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error{"OpenSSL has no MD5"};
  }
  return text(digest);
}

std::string sha1(std::string_view bytes) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(octets(bytes), bytes.size(), digest.data());
  return text(digest);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace runctl
