#include "emulator/s3/post_form.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::s3 {
namespace {

constexpr std::size_t piece_size = std::size_t{256} << 10U;
// Source: "The form data and boundaries (excluding the contents of the file) cannot exceed 20 KB"
// in "POST Object" of the Amazon S3 API Reference.
constexpr std::size_t most_before_file = 20'480;

std::unexpected<Error> malformed() {
  return refuse("MalformedPOSTRequest",
                "The body of your POST request is not well-formed multipart/form-data.");
}

struct Disposition {
  std::string name = {};
  std::string file_name = {};
};

// The value behind `name=`, in quotes or without; a backslash takes a quote's meaning away.
std::string parameter(std::string_view line, std::string_view name) {
  std::string wanted = fmt::format(";{}=", name);
  std::string squeezed;
  bool in_quotes = false;
  // Blanks between parameters are of no meaning.
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (in_quotes && line[i] == '\\' && i + 1 < line.size()) {
      squeezed.append(line.substr(i, 2));
      ++i;
      continue;
    }
    if (line[i] == '"') in_quotes = !in_quotes;
    if (in_quotes || (line[i] != ' ' && line[i] != '\t')) squeezed += line[i];
  }
  const auto at = squeezed.find(wanted);
  if (at == std::string::npos) return {};
  std::string_view rest = std::string_view{squeezed}.substr(at + wanted.size());
  if (!rest.starts_with('"')) return std::string{rest.substr(0, rest.find(';'))};
  std::string value;
  for (std::size_t i = 1; i < rest.size() && rest[i] != '"'; ++i) {
    if (rest[i] == '\\' && i + 1 < rest.size()) ++i;
    value += rest[i];
  }
  return value;
}

Disposition disposition_in(std::string_view headers) {
  constexpr std::string_view header = "content-disposition:";
  while (!headers.empty()) {
    const auto end = headers.find("\r\n");
    const std::string_view line = headers.substr(0, end);
    if (lower(line.substr(0, header.size())) == header) {
      return {.name = lower(parameter(line, "name")), .file_name = parameter(line, "filename")};
    }
    headers = end == std::string_view::npos ? std::string_view{} : headers.substr(end + 2);
  }
  return {};
}

}  // namespace

std::optional<std::string> form_boundary(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (!same_ignoring_case(type, "multipart/form-data")) return std::nullopt;
  std::string boundary = parameter(content_type, "boundary");
  if (boundary.empty()) return std::nullopt;
  return boundary;
}

PostForm::PostForm(RequestBody& wire, std::string_view boundary)
    : wire_{wire}, delimiter_{fmt::format("\r\n--{}", boundary)} {}

Result<bool> PostForm::fill() {
  if (at_ > 0) {
    held_.erase(0, at_);
    searched_ -= std::min(searched_, at_);
    at_ = 0;
  }
  const std::size_t before = held_.size();
  held_.resize(before + piece_size);
  auto got = wire_.read(std::as_writable_bytes(std::span{held_}).subspan(before));
  held_.resize(before + got.value_or(0));
  if (!got) return std::unexpected{std::move(got).error()};
  return *got > 0;
}

Result<std::string> PostForm::take_until(std::string_view mark) {
  while (true) {
    const auto found = held_.find(mark, at_);
    const std::size_t length = (found == std::string::npos ? held_.size() : found) - at_;
    if (before_file_ + length > most_before_file) {
      return refuse("MaxPostPreDataLengthExceeded",
                    "Your POST request fields preceding the upload file were too large.");
    }
    if (found != std::string::npos) {
      std::string taken = held_.substr(at_, length);
      at_ = found + mark.size();
      before_file_ += length + mark.size();
      return taken;
    }
    RUNCTL_TRY_LET(const bool more, fill());
    if (!more) return malformed();
  }
}

Result<PostFields> PostForm::read_fields() {
  PostFields form;
  RUNCTL_TRY_LET(const std::string before, take_until(delimiter_));
  if (!before.empty()) return malformed();
  while (true) {
    RUNCTL_TRY_LET(const std::string rest_of_line, take_until("\r\n"));
    if (rest_of_line.starts_with("--")) {
      return refuse("InvalidArgument", "POST requires exactly one file upload per request.");
    }
    RUNCTL_TRY_LET(const std::string headers, take_until("\r\n\r\n"));
    Disposition part = disposition_in(headers);
    if (part.name.empty()) return malformed();
    if (part.name == "file") {
      form.file_name = std::move(part.file_name);
      searched_ = at_;
      return form;
    }
    RUNCTL_TRY_LET(std::string value, take_until(delimiter_));
    form.fields.push_back({.name = std::move(part.name), .value = std::move(value)});
  }
}

Result<void> PostForm::finish() {
  is_over_ = true;
  while (true) {
    at_ = held_.size();
    RUNCTL_TRY_LET(const bool more, fill());
    if (!more) return {};
  }
}

Result<std::size_t> PostForm::read(std::span<std::byte> into) {
  while (!is_over_) {
    const auto found = held_.find(delimiter_, searched_);
    const bool ends = found != std::string::npos;
    // The last bytes may be the beginning of a delimiter.
    const std::size_t safe =
        ends ? found : held_.size() - std::min(held_.size(), delimiter_.size() - 1);
    if (ends && safe <= at_) {
      RUNCTL_TRY(finish());
      break;
    }
    searched_ = std::max(searched_, std::min(safe, held_.size()));
    if (safe > at_) {
      const std::size_t count = std::min(into.size(), safe - at_);
      std::memcpy(into.data(), held_.data() + at_, count);
      at_ += count;
      return count;
    }
    RUNCTL_TRY_LET(const bool more, fill());
    if (!more) return malformed();
  }
  return std::size_t{0};
}

}  // namespace runctl::emulator::s3
