#include "aws/codec_query.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::aws {
namespace {

std::string query_name(const FieldNames& names, Protocol protocol) {
  std::string name{names.location};
  const bool lower_case = !name.empty() && name.front() >= 'a' && name.front() <= 'z';
  if (protocol == Protocol::ec2 && lower_case) {
    name.front() = static_cast<char>(name.front() - 'a' + 'A');
  }
  return name;
}

std::string decode_form_text(std::string_view text) {
  std::string spaced{text};
  for (char& c : spaced) {
    if (c == '+') c = ' ';
  }
  return percent_decode(spaced);
}

std::unexpected<Error> refuse(std::string_view code, std::string message) {
  Error error{.code = Errc::invalid_argument, .message = std::move(message)};
  error.remote = RemoteFault{.http_status = 400, .code = std::string{code}};
  return std::unexpected{std::move(error)};
}

}  // namespace

Form parse_form(std::string_view body) {
  Form form;
  for (const std::string_view pair : split(body, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    form.emplace(decode_form_text(pair.substr(0, equals)), decode_form_text(value));
  }
  return form;
}

FormWriter::FormWriter(const OperationInfo& operation)
    : protocol_{operation.service.protocol},
      body_{fmt::format("Action={}&Version={}", operation.name, operation.service.api_version)} {}

std::string FormWriter::key_of(const FieldNames& names) {
  Level& level = levels_.back();
  if (level.is_list) return fmt::format("{}{}", level.prefix, ++level.items);
  return level.prefix + query_name(names, protocol_);
}

void FormWriter::scalar(const FieldNames& names, Scalar, std::string_view text) {
  body_ += fmt::format("&{}={}", percent_encode(key_of(names)), percent_encode(text));
}

void FormWriter::begin(const FieldNames& names, Group group) {
  std::string prefix = key_of(names) + '.';
  const bool is_list = group == Group::list;
  if (is_list && protocol_ == Protocol::query) prefix += "member.";
  levels_.push_back({.prefix = std::move(prefix), .is_list = is_list});
}

void FormWriter::end() { levels_.pop_back(); }

FormReader::FormReader(Protocol protocol, Form form) : protocol_{protocol}, form_{std::move(form)} {
  form_.erase("Action");
  form_.erase("Version");
}

std::string FormReader::key_of(const FieldNames& names) const {
  const Level& level = levels_.back();
  if (level.is_list) return fmt::format("{}{}", level.prefix, level.item);
  return level.prefix + query_name(names, protocol_);
}

bool FormReader::has_any(std::string_view prefix) const {
  const auto at = form_.lower_bound(prefix);
  return at != form_.end() && at->first.starts_with(prefix);
}

std::optional<std::string> FormReader::scalar(const FieldNames& names, Scalar) {
  const std::string key = key_of(names);
  const auto [first, last] = form_.equal_range(key);
  if (first == last) return std::nullopt;
  std::string value = first->second;
  if (std::next(first) != last && complaint_) {
    complaint_ = refuse("InvalidParameterValue",
                        fmt::format("The parameter {} is given more than once", key));
  }
  form_.erase(first, last);
  return value;
}

bool FormReader::enter(const FieldNames& names) {
  std::string prefix = key_of(names) + '.';
  if (!has_any(prefix)) return false;
  levels_.push_back({.prefix = std::move(prefix)});
  return true;
}

void FormReader::leave() { levels_.pop_back(); }

bool FormReader::enter_list(const FieldNames& names) {
  std::string prefix = key_of(names) + '.';
  if (protocol_ == Protocol::query) prefix += "member.";
  if (!has_any(prefix)) return false;
  levels_.push_back({.prefix = std::move(prefix), .is_list = true});
  return true;
}

bool FormReader::next() {
  Level& level = levels_.back();
  ++level.item;
  const std::string key = fmt::format("{}{}", level.prefix, level.item);
  return form_.contains(key) || has_any(key + '.');
}

std::vector<std::string> FormReader::keys(const FieldNames&) { return {}; }

void FormReader::complain(const FieldNames& names, std::string_view what) {
  if (!complaint_) return;
  complaint_ = refuse("InvalidParameterValue",
                      fmt::format("Invalid value '{}' for {}", what, query_name(names, protocol_)));
}

Result<void> FormReader::finish() {
  RUNCTL_TRY(complaint_);
  if (form_.empty()) return {};
  return refuse("UnknownParameter",
                fmt::format("The parameter {} is not recognized", form_.begin()->first));
}

}  // namespace runctl::aws
