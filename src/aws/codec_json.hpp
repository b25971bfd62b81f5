// The JSON protocol, both ways.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "aws/shape.hpp"
#include "base/result.hpp"

namespace runctl::aws {

// Timestamps are seconds since the epoch, with a fraction. Source: AWS JSON 1.1 protocol,
// Smithy 2.0.
class JsonWriter final : public ShapeWriter {
 public:
  JsonWriter();
  void scalar(const FieldNames& names, Scalar kind, std::string_view text) override;
  void begin(const FieldNames& names, Group group) override;
  void end() override;
  [[nodiscard]] std::string finish() const;

 private:
  struct Level {
    std::string name;
    boost::json::value value;
  };
  void put(std::string_view name, boost::json::value value);

  std::vector<Level> levels_;
};

class JsonReader final : public ShapeReader {
 public:
  // `root` must outlive the reader.
  explicit JsonReader(const boost::json::value& root) : levels_{{.value = &root}} {}
  std::optional<std::string> scalar(const FieldNames& names, Scalar kind) override;
  bool enter(const FieldNames& names) override;
  void leave() override;
  bool enter_list(const FieldNames& names) override;
  bool next() override;
  std::vector<std::string> keys(const FieldNames& names) override;
  void complain(const FieldNames& names, std::string_view what) override;

  [[nodiscard]] const std::string& complaint() const { return complaint_; }
  // Members of the outermost object that nobody asked for; the service refuses none, the emulator
  // does.
  [[nodiscard]] std::string first_unread() const;

 private:
  struct Level {
    const boost::json::value* value = nullptr;
    bool is_list = false;
    std::size_t item = 0;  // one past the item that is being read
    std::vector<std::string> read = {};
  };
  [[nodiscard]] const boost::json::value* child(const FieldNames& names);

  std::vector<Level> levels_;
  std::string complaint_;
  std::string unread_;
};

}  // namespace runctl::aws
