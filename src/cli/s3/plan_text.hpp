// A plan of many objects: the first of them, and how many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

class ObjectPlan {
 public:
  // Lines beyond `listed` are only counted.
  explicit ObjectPlan(std::size_t listed = 20) : listed_{listed} {}
  // "upload a to s3://b/a", as it may be shown.
  void add(std::string line, std::uint64_t bytes);

  // Another plan's, behind this one's.
  void add_all(const ObjectPlan& other);

  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] std::uint64_t objects() const { return objects_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  // The first lines with "  - " before each, and one for the rest.
  [[nodiscard]] std::string text() const;
  // For --dry-run: "It would:", the lines, the sum. Without a line `nothing` is said.
  ExitCode show(Context& context, std::string_view nothing) const;

 private:
  std::size_t listed_;
  std::vector<std::string> lines_;
  std::uint64_t objects_ = 0;
  std::uint64_t bytes_ = 0;
};

// Where -v lists every line.
[[nodiscard]] ObjectPlan make_plan(const Arguments& arguments);

}  // namespace runctl::cli
