// Digests of bytes that come piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace runctl {

// MD5 and SHA-1 are broken as hashes: only where another's format has them (S3's ETag).
enum class HashKind : std::uint8_t { md5, sha1, sha256 };

class Hasher {
 public:
  explicit Hasher(HashKind kind);
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes);
  // The raw digest of everything so far; 16, 20 or 32 bytes. More may follow after it.
  [[nodiscard]] std::string digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace runctl
