// How results and errors look: text for people, JSON for programs, a bare id for scripts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

// One result in its three forms. Standard output gets exactly one of them.
struct Presentation {
  std::string text;  // lines, each ended
  boost::json::object record;
  std::string id = {};  // for --output id; a list's ids are lines
};

void present(Context& context, const Presentation& presentation);

// Columns as wide as their widest cell, two blanks between; the last row has a line end.
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] std::string text() const;

 private:
  struct Rows : std::vector<std::vector<std::string>> {
    explicit Rows(std::vector<std::string> head) { push_back(std::move(head)); }
  };
  Rows rows_;
};

// "key:  value" lines, aligned; empty values are left out.
[[nodiscard]] std::string key_values(const std::vector<std::pair<std::string, std::string>>& pairs);

// A line on standard error, unless --quiet.
void note(Context& context, std::string_view text);

// The error as people read it: "Error: …", what to do, what is known, the ways out, the
// documentation.
[[nodiscard]] std::string error_text(const Error& error);
[[nodiscard]] boost::json::object error_record(const Error& error);

// Prints the error where --output wants it: text on standard error, a record on standard output.
void report(Context& context, const Error& error);

// The line that is typed after `question`, which stands on standard error as it is; "" at the end
// of the input.
[[nodiscard]] std::string ask(Context& context, std::string_view question);

// Asks on the terminal; without one, `--yes` decides, and its absence is a refusal (exit 4).
// `question` is a full sentence. Errors: conflict when consent is not given.
[[nodiscard]] Result<void> ask_consent(Context& context, std::string_view question);

// Consent that `--yes` does not give: the user types `name`, or has passed it with `option`.
[[nodiscard]] Result<void> ask_for_name(Context& context, std::string_view question,
                                        std::string_view name, std::string_view option,
                                        const std::optional<std::string>& given);

}  // namespace runctl::cli
