#include "base/fold.hpp"

#include "base/text.hpp"

namespace runctl {
namespace {

class Page {
 public:
  explicit Page(std::size_t columns) : columns_{columns} {}

  void add(std::string_view line) {
    const bool is_fence = line.starts_with("```");
    const bool is_markup = is_fence || in_fence_ || line.starts_with('|') || line.starts_with('#');
    in_fence_ = in_fence_ != is_fence;
    if (line.empty() || is_markup) {
      add_as_is(line);
    } else if (line.starts_with(' ')) {
      add_row(line);
    } else {
      add_to_paragraph(line);
    }
  }

  [[nodiscard]] std::string end() {
    end_paragraph();
    return std::move(out_);
  }

 private:
  void end_paragraph() {
    if (at_ > 0) out_ += '\n';
    at_ = 0;
  }

  void add_as_is(std::string_view line) {
    end_paragraph();
    out_ += line;
    out_ += '\n';
  }

  void add_to_paragraph(std::string_view line) {
    if (line.starts_with("- ")) end_paragraph();
    set(line, 0);
  }

  // The left column of a table ends at two blanks.
  void add_row(std::string_view line) {
    const auto gap = line.find("  ", line.find_first_not_of(' '));
    const auto right = line.find_first_not_of(' ', gap);
    if (gap == std::string_view::npos || right == std::string_view::npos ||
        columns_of(line) <= columns_) {
      add_as_is(line);
      return;
    }
    end_paragraph();
    out_ += line.substr(0, right);
    at_ = columns_of(line.substr(0, right));
    set(line.substr(right), at_);
    end_paragraph();
  }

  void set(std::string_view words, std::size_t indent) {
    for (const std::string_view word : split(words, ' ')) {
      if (word.empty()) continue;
      const std::size_t wide = columns_of(word);
      if (at_ > indent && at_ + 1 + wide > columns_) {
        out_ += '\n' + std::string(indent, ' ');
        at_ = indent;
      }
      if (at_ > indent) {
        out_ += ' ';
        ++at_;
      }
      out_ += word;
      at_ += wide;
    }
  }

  std::size_t columns_;
  std::string out_;
  std::size_t at_ = 0;  // how far the line has come; 0 between paragraphs
  bool in_fence_ = false;
};

}  // namespace

std::string fold(std::string_view text, std::size_t columns) {
  const bool ends_line = text.ends_with('\n');
  if (ends_line) text.remove_suffix(1);
  Page page{columns};
  for (const std::string_view line : split(text, '\n')) page.add(line);
  std::string out = page.end();
  if (!ends_line && out.ends_with('\n')) out.pop_back();
  return out;
}

}  // namespace runctl
