#include "base/hasher.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>

namespace runctl {
namespace {

const EVP_MD* algorithm(HashKind kind) {
  switch (kind) {
    case HashKind::md5:
      return EVP_md5();
    case HashKind::sha1:
      return EVP_sha1();
    case HashKind::sha256:
      return EVP_sha256();
  }
  return nullptr;
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// OpenSSL fails here only without memory, or where a policy of the machine forbids MD5.
void require(bool done) {
  if (!done) throw std::runtime_error{"OpenSSL cannot compute this digest"};
}

}  // namespace

struct Hasher::State {
  Context context{EVP_MD_CTX_new()};
};

Hasher::Hasher(HashKind kind) : state_{std::make_unique<State>()} {
  require(state_->context != nullptr &&
          EVP_DigestInit_ex(state_->context.get(), algorithm(kind), nullptr) == 1);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

std::string Hasher::digest() const {
  const Context copy{EVP_MD_CTX_new()};
  require(copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), state_->context.get()) == 1);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(copy.get(), digest.data(), &size) == 1);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace runctl
