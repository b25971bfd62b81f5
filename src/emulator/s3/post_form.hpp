// The body of an upload by POST: a form (multipart/form-data) whose last field is the file, read as
// it comes.
// Source: RFC 7578, and https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/s3/post_policy.hpp"
#include "base/result.hpp"
#include "emulator/server/request_body.hpp"

namespace runctl::emulator::s3 {

// What stands before the file.
struct PostFields {
  std::vector<aws::s3::FormField> fields = {};  // names in lower case
  std::string file_name = {};                   // as the client calls the file
};

// First read_fields(), then read() for the file's bytes. What follows the file is read and dropped.
class PostForm final : public RequestBody {
 public:
  // `boundary` as content-type has it.
  PostForm(RequestBody& wire, std::string_view boundary);

  // Errors: those of `wire`; S3's MalformedPOSTRequest, MaxPostPreDataLengthExceeded (more than
  // 20 KB before the file), InvalidArgument (no file).
  [[nodiscard]] Result<PostFields> read_fields();

  // Only its end tells how long the file is.
  [[nodiscard]] std::optional<std::uint64_t> size() const override { return std::nullopt; }
  // Errors: those of `wire`; MalformedPOSTRequest for a form that is cut off.
  [[nodiscard]] Result<std::size_t> read(std::span<std::byte> into) override;

 private:
  // Brings more into `held_`; false at the end of the wire.
  [[nodiscard]] Result<bool> fill();
  // Up to `mark`, which is taken too.
  [[nodiscard]] Result<std::string> take_until(std::string_view mark);
  [[nodiscard]] Result<void> finish();

  RequestBody& wire_;
  std::string delimiter_;  // "\r\n--boundary"
  std::string held_ = "\r\n";
  std::size_t at_ = 0;        // in `held_`: what is before has been given out
  std::size_t searched_ = 0;  // no delimiter begins before
  std::size_t before_file_ = 0;
  bool is_over_ = false;
};

// "xyz" of `multipart/form-data; boundary="xyz"`; nothing for another type.
[[nodiscard]] std::optional<std::string> form_boundary(std::string_view content_type);

}  // namespace runctl::emulator::s3
