// The request side of the query protocols: parameters in a form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "aws/codec.hpp"

namespace runctl::aws {

// Writes members as "&Name.1.Inner=value".
// Source: "Amazon EC2 query request serialization" and "AWS query protocol", Smithy 2.0
// specification: EC2 flattens lists and capitalises locationNames; the query protocol puts
// ".member" before the index.
class FormWriter final : public ShapeWriter {
 public:
  explicit FormWriter(const OperationInfo& operation);
  void scalar(const FieldNames& names, Scalar kind, std::string_view text) override;
  void begin(const FieldNames& names, Group group) override;
  void end() override;
  [[nodiscard]] std::string finish() && { return std::move(body_); }

 private:
  struct Level {
    std::string prefix;
    bool is_list = false;
    unsigned items = 0;
  };
  [[nodiscard]] std::string key_of(const FieldNames& names);

  Protocol protocol_;
  std::string body_;
  std::vector<Level> levels_{Level{}};
};

// Reads a form and remembers what nobody asked for.
class FormReader final : public ShapeReader {
 public:
  FormReader(Protocol protocol, Form form);
  std::optional<std::string> scalar(const FieldNames& names, Scalar kind) override;
  bool enter(const FieldNames& names) override;
  void leave() override;
  bool enter_list(const FieldNames& names) override;
  bool next() override;
  std::vector<std::string> keys(const FieldNames& names) override;
  void complain(const FieldNames& names, std::string_view what) override;

  // The first complaint, or the first parameter that was never read.
  [[nodiscard]] Result<void> finish();

 private:
  struct Level {
    std::string prefix;  // "Filter.2."; of a list, that of its items without the index
    bool is_list = false;
    unsigned item = 0;
  };
  [[nodiscard]] std::string key_of(const FieldNames& names) const;
  [[nodiscard]] bool has_any(std::string_view prefix) const;

  Protocol protocol_;
  Form form_;
  std::vector<Level> levels_{Level{}};
  Result<void> complaint_;
};

}  // namespace runctl::aws
