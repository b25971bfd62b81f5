#include "training/s3_code_bucket.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "aws/s3/object.hpp"
#include "io/http_transport.hpp"

namespace runctl::training {
namespace {

class TextSource final : public BodySource {
 public:
  explicit TextSource(std::string_view text) : text_{text} {}
  [[nodiscard]] std::uint64_t size() const override { return text_.size(); }
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    const auto piece = text_.substr(std::min<std::uint64_t>(offset, text_.size()), into.size());
    std::memcpy(into.data(), piece.data(), piece.size());
    return piece.size();
  }

 private:
  std::string_view text_;
};

}  // namespace

Result<std::string> S3CodeBucket::put(const std::string& key, std::string_view bytes) {
  TextSource source{bytes};
  RUNCTL_TRY_LET(const auto stored, client_.put({.bucket = bucket_, .key = key}, source, options_));
  (void)stored;
  // As long as the slowest download of what is small enough to be code may take.
  constexpr std::chrono::hours life{1};
  return client_.presign<aws::s3::GetObject>({.bucket = bucket_, .key = key}, life, options_);
}

Result<void> S3CodeBucket::remove(const std::string& key) {
  const auto removed =
      client_.call<aws::s3::DeleteObject>({.bucket = bucket_, .key = key}, options_);
  if (!removed) return std::unexpected{removed.error()};
  return {};
}

}  // namespace runctl::training
