// The answer side of the query protocols: XML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <pugixml.hpp>

#include "aws/shape.hpp"

namespace runctl::aws {

// Appends members to `out` as elements; items of lists are <item> (EC2) or <member> (query).
class XmlWriter final : public ShapeWriter {
 public:
  XmlWriter(std::string& out, std::string_view item) : out_{out}, item_{item} {}
  void scalar(const FieldNames& names, Scalar kind, std::string_view text) override;
  void begin(const FieldNames& names, Group group) override;
  void end() override;

 private:
  struct Level {
    std::string name;
    bool is_list = false;
  };
  [[nodiscard]] std::string_view name_of(const FieldNames& names) const;

  std::string& out_;
  std::string_view item_;
  std::vector<Level> levels_;
};

// Reads members from below `root`, which must outlive it. Elements that nobody asks for are passed
// over.
class XmlReader final : public ShapeReader {
 public:
  XmlReader(pugi::xml_node root, std::string_view item) : item_{item}, levels_{{.node = root}} {}
  std::optional<std::string> scalar(const FieldNames& names, Scalar kind) override;
  bool enter(const FieldNames& names) override;
  void leave() override;
  bool enter_list(const FieldNames& names) override;
  bool next() override;
  std::vector<std::string> keys(const FieldNames& names) override;
  void complain(const FieldNames& names, std::string_view what) override;

  // What the first complaint was about; empty without one.
  [[nodiscard]] const std::string& complaint() const { return complaint_; }

 private:
  struct Level {
    pugi::xml_node node;
    bool is_list = false;
    pugi::xml_node item = {};
    bool started = false;
  };
  [[nodiscard]] pugi::xml_node child(const FieldNames& names) const;

  std::string item_;
  std::vector<Level> levels_;
  std::string complaint_;
};

// `text` with what XML reserves escaped; characters that XML 1.0 cannot hold become U+FFFD.
[[nodiscard]] std::string xml_escape(std::string_view text);

}  // namespace runctl::aws
