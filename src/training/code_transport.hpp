// How an archive of code gets to a machine.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::training {

// A bucket through which larger archives go. The machine needs no credentials for it.
class CodeBucket {
 public:
  CodeBucket() = default;
  CodeBucket(const CodeBucket&) = delete;
  CodeBucket& operator=(const CodeBucket&) = delete;
  CodeBucket(CodeBucket&&) = delete;
  CodeBucket& operator=(CodeBucket&&) = delete;
  virtual ~CodeBucket() = default;

  [[nodiscard]] virtual const std::string& name() const = 0;
  // Writes the object and returns a URL by which it can be read for an hour. Errors: those of
  // aws::s3::S3Client.
  [[nodiscard]] virtual Result<std::string> put(const std::string& key, std::string_view bytes) = 0;
  // Errors: as put.
  [[nodiscard]] virtual Result<void> remove(const std::string& key) = 0;
};

}  // namespace runctl::training
