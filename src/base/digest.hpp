// SHA-256 and its keyed form, the two hashes that AWS's signatures are made of, SHA-1 and MD5.
#pragma once

#include <string>
#include <string_view>

namespace runctl {

// 32 raw bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view bytes);

// 16 raw bytes. Broken as a hash: what S3-compatible servers ask for with some requests.
[[nodiscard]] std::string md5(std::string_view bytes);

// 20 raw bytes. Broken as a hash: only for names that other tools have made with it.
[[nodiscard]] std::string sha1(std::string_view bytes);

// True when both are equal; takes the same time wherever they differ.
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace runctl
