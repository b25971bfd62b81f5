// CodeBucket over S3 itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "aws/client.hpp"
#include "aws/s3/client.hpp"
#include "training/code_transport.hpp"

namespace runctl::training {

// Borrows the client.
class S3CodeBucket final : public CodeBucket {
 public:
  S3CodeBucket(aws::s3::S3Client& client, std::string bucket, aws::CallOptions options)
      : client_{client}, bucket_{std::move(bucket)}, options_{std::move(options)} {}

  [[nodiscard]] const std::string& name() const override { return bucket_; }
  [[nodiscard]] Result<std::string> put(const std::string& key, std::string_view bytes) override;
  [[nodiscard]] Result<void> remove(const std::string& key) override;

 private:
  aws::s3::S3Client& client_;
  std::string bucket_;
  aws::CallOptions options_;
};

}  // namespace runctl::training
