#include "aws/codec_xml.hpp"

#include <fmt/format.h>

namespace runctl::aws {

std::string xml_escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\r':
        out += "&#xD;";
        break;
      case '\n':
      case '\t':
        out += c;
        break;
      default:
        if (c >= 0 && c < ' ') {
          out += "\xEF\xBF\xBD";
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string_view XmlWriter::name_of(const FieldNames& names) const {
  return !levels_.empty() && levels_.back().is_list ? item_ : names.location;
}

void XmlWriter::scalar(const FieldNames& names, Scalar, std::string_view text) {
  const std::string_view name = name_of(names);
  out_ += fmt::format("<{}>{}</{}>", name, xml_escape(text), name);
}

void XmlWriter::begin(const FieldNames& names, Group group) {
  std::string name{name_of(names)};
  out_ += fmt::format("<{}>", name);
  levels_.push_back({.name = std::move(name), .is_list = group == Group::list});
}

void XmlWriter::end() {
  out_ += fmt::format("</{}>", levels_.back().name);
  levels_.pop_back();
}

pugi::xml_node XmlReader::child(const FieldNames& names) const {
  const Level& level = levels_.back();
  if (level.is_list) return level.item;
  return level.node.child(std::string{names.location}.c_str());
}

std::optional<std::string> XmlReader::scalar(const FieldNames& names, Scalar) {
  const pugi::xml_node node = child(names);
  if (!node) return std::nullopt;
  return std::string{node.text().get()};
}

bool XmlReader::enter(const FieldNames& names) {
  const pugi::xml_node node = child(names);
  if (!node) return false;
  levels_.push_back({.node = node});
  return true;
}

void XmlReader::leave() { levels_.pop_back(); }

bool XmlReader::enter_list(const FieldNames& names) {
  const pugi::xml_node node = child(names);
  if (!node) return false;
  levels_.push_back({.node = node, .is_list = true});
  return true;
}

bool XmlReader::next() {
  Level& level = levels_.back();
  level.item =
      level.started ? level.item.next_sibling(item_.c_str()) : level.node.child(item_.c_str());
  level.started = true;
  return !level.item.empty();
}

std::vector<std::string> XmlReader::keys(const FieldNames&) { return {}; }

void XmlReader::complain(const FieldNames& names, std::string_view what) {
  if (complaint_.empty()) complaint_ = fmt::format("<{}> is '{}'", names.location, what);
}

}  // namespace runctl::aws
