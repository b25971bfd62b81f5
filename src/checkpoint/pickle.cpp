#include "checkpoint/pickle.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace runctl::checkpoint {
namespace {

constexpr std::size_t kept_text = 128;
constexpr std::size_t longest_line = std::size_t{64} << 10U;  // of a protocol 0 instruction

using Index = std::uint32_t;

// All instructions are in this one class, and the file as long as there are many: they share one
// stack, and each is a line or two.
class Machine {
 public:
  Machine(Source& source, std::uint64_t offset) : in_{source, offset} {}

  Result<Pickle> run() {
    for (std::uint64_t done = 0; !stopped_; ++done) {
      if (done == most_pickle_instructions) return beyond("the pickle has too many instructions");
      at_ = in_.offset();
      RUNCTL_TRY_LET(const std::uint8_t code, in_.byte());
      RUNCTL_TRY(step(code));
      if (references_ > most_pickle_references || stack_.size() > most_pickle_references ||
          memo_.size() > most_pickle_names) {
        return beyond("the pickle refers to too many values");
      }
    }
    pickle_.end = in_.offset();
    return std::move(pickle_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    return damaged(fmt::format("the pickle is damaged at byte {}: {}", at_, what));
  }

  Result<void> step(std::uint8_t code) {
    for (const auto group : {&Machine::number, &Machine::text, &Machine::container,
                             &Machine::memory, &Machine::call, &Machine::other}) {
      RUNCTL_TRY_LET(const bool known, (this->*group)(code));
      if (known) return {};
    }
    return wrong(fmt::format("there is no instruction {:#04x}", code));
  }

  Result<Index> add(PickleValue value) {
    if (pickle_.values.size() == most_pickle_values)
      return beyond("the pickle has too many values");
    text_ += value.text.size();
    if (text_ > most_pickle_text) return beyond("the pickle has too much text");
    pickle_.values.push_back(std::move(value));
    return static_cast<Index>(pickle_.values.size() - 1);
  }

  Result<bool> push(PickleValue value) {
    RUNCTL_TRY_LET(const Index index, add(std::move(value)));
    stack_.push_back(index);
    return true;
  }

  Result<Index> pop() {
    if (stack_.size() <= floor()) return wrong("it takes more than there is");
    const Index top = stack_.back();
    stack_.pop_back();
    return top;
  }

  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  // What stands behind the last mark.
  Result<std::vector<Index>> pop_mark() {
    if (marks_.empty()) return wrong("there is no mark");
    const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Index> items{from, stack_.end()};
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return items;
  }

  Result<void> extend(const std::vector<Index>& items) {
    if (stack_.size() <= floor()) return wrong("there is nothing to add to");
    PickleValue& target = pickle_.values[stack_.back()];
    // A set or a list that a call would have made keeps no items: only names are looked for.
    target.items.insert(target.items.end(), items.begin(), items.end());
    references_ += items.size();
    return {};
  }

  Result<bool> push_integer(std::uint64_t bits, std::size_t bytes) {
    const std::size_t shift = 64 - bytes * 8;  // the sign of the highest byte
    const auto value = shift == 0 ? static_cast<std::int64_t>(bits)
                                  : static_cast<std::int64_t>(bits << shift) >> shift;
    return push({.kind = PickleKind::integer, .integer = value});
  }

  Result<bool> push_long(std::uint64_t size) {
    RUNCTL_TRY_LET(std::string bytes, in_.text(size, kept_text));
    if (size > 8) return push({.kind = PickleKind::big_integer, .text = std::move(bytes)});
    if (size == 0) return push({.kind = PickleKind::integer});
    return push_integer(little_endian(bytes, 0, bytes.size()), bytes.size());
  }

  Result<bool> push_integer_line(bool with_booleans) {
    RUNCTL_TRY_LET(std::string line, in_.line(longest_line));
    if (with_booleans && (line == "00" || line == "01")) {
      return push({.kind = PickleKind::boolean, .integer = line == "01" ? 1 : 0});
    }
    if (line.ends_with('L')) line.pop_back();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error == std::errc::result_out_of_range) return push({.kind = PickleKind::big_integer});
    if (error != std::errc{} || end != line.data() + line.size()) return wrong("that is no number");
    return push({.kind = PickleKind::integer, .integer = value});
  }

  Result<bool> push_real_line() {
    RUNCTL_TRY_LET(const std::string line, in_.line(longest_line));
    double value = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
    if (error == std::errc::invalid_argument || end != line.data() + line.size()) {
      return wrong("that is no number");
    }
    return push({.kind = PickleKind::real, .real = value});
  }

  Result<bool> push_real() {
    RUNCTL_TRY_LET(const std::string bytes, in_.text(8, 8));
    return push({.kind = PickleKind::real, .real = std::bit_cast<double>(big_endian(bytes, 0, 8))});
  }

  Result<bool> push_sized_integer(std::size_t size, bool is_signed) {
    RUNCTL_TRY_LET(const std::uint64_t bits, in_.number(size));
    if (is_signed) return push_integer(bits, size);
    return push({.kind = PickleKind::integer, .integer = static_cast<std::int64_t>(bits)});
  }

  Result<bool> number(std::uint8_t code) {
    switch (code) {
      case 'I':
        return push_integer_line(true);
      case 'L':
        return push_integer_line(false);
      case 'F':
        return push_real_line();
      case 'J':
        return push_sized_integer(4, true);
      case 'K':
        return push_sized_integer(1, false);
      case 'M':
        return push_sized_integer(2, false);
      case 'G':
        return push_real();
      case 'N':
        return push({.kind = PickleKind::none});
      case 0x88:
      case 0x89:
        return push({.kind = PickleKind::boolean, .integer = code == 0x88 ? 1 : 0});
      case 0x8a: {
        RUNCTL_TRY_LET(const std::uint64_t size, in_.number(1));
        return push_long(size);
      }
      case 0x8b: {
        RUNCTL_TRY_LET(const std::uint64_t size, in_.number(4));
        return push_long(size);
      }
      default:
        return false;
    }
  }

  Result<bool> push_text(PickleKind kind, std::size_t size_bytes) {
    RUNCTL_TRY_LET(const std::uint64_t size, in_.number(size_bytes));
    RUNCTL_TRY_LET(std::string text, in_.text(size, kept_text));
    return push({.kind = kind, .text = std::move(text)});
  }

  Result<bool> push_text_line(bool quoted) {
    RUNCTL_TRY_LET(std::string line, in_.line(longest_line));
    const bool has_quotes = line.size() >= 2 && line.front() == line.back() &&
                            (line.front() == '\'' || line.front() == '"');
    if (quoted && !has_quotes) return wrong("that is no text");
    if (quoted) line = line.substr(1, line.size() - 2);
    if (line.size() > kept_text) line.resize(kept_text);
    return push({.kind = PickleKind::text, .text = std::move(line)});
  }

  Result<bool> text(std::uint8_t code) {
    switch (code) {
      case 'S':
        return push_text_line(true);
      case 'V':
        return push_text_line(false);
      case 'T':
      case 'X':
        return push_text(PickleKind::text, 4);
      case 'U':
      case 0x8c:
        return push_text(PickleKind::text, 1);
      case 0x8d:
        return push_text(PickleKind::text, 8);
      case 'B':
        return push_text(PickleKind::bytes, 4);
      case 'C':
        return push_text(PickleKind::bytes, 1);
      case 0x8e:
      case 0x96:
        return push_text(PickleKind::bytes, 8);
      default:
        return false;
    }
  }

  Result<bool> push_marked(PickleKind kind) {
    RUNCTL_TRY_LET(std::vector<Index> items, pop_mark());
    if (kind == PickleKind::mapping && items.size() % 2 != 0) return wrong("a key has no value");
    references_ += items.size();
    return push({.kind = kind, .items = std::move(items)});
  }

  Result<bool> push_tuple(std::size_t size) {
    std::vector<Index> items(size);
    for (std::size_t i = size; i-- > 0;) {
      RUNCTL_TRY_LET(items[i], pop());
    }
    references_ += size;
    return push({.kind = PickleKind::sequence, .items = std::move(items)});
  }

  Result<bool> extend_marked(bool pairs) {
    RUNCTL_TRY_LET(const std::vector<Index> items, pop_mark());
    if (pairs && items.size() % 2 != 0) return wrong("a key has no value");
    RUNCTL_TRY(extend(items));
    return true;
  }

  Result<bool> extend_by(std::size_t count) {
    std::vector<Index> items(count);
    for (std::size_t i = count; i-- > 0;) {
      RUNCTL_TRY_LET(items[i], pop());
    }
    RUNCTL_TRY(extend(items));
    return true;
  }

  Result<bool> container(std::uint8_t code) {
    switch (code) {
      case '(':
        marks_.push_back(stack_.size());
        if (marks_.size() > most_pickle_references) return beyond("the pickle has too many marks");
        return true;
      case ']':
      case ')':
      case 0x8f:
        return push({.kind = PickleKind::sequence});
      case '}':
        return push({.kind = PickleKind::mapping});
      case 'l':
      case 't':
      case 0x91:
        return push_marked(PickleKind::sequence);
      case 'd':
        return push_marked(PickleKind::mapping);
      case 0x85:
      case 0x86:
      case 0x87:
        return push_tuple(code - std::size_t{0x84});
      case 'a':
        return extend_by(1);
      case 's':
        return extend_by(2);
      case 'e':
      case 0x90:
        return extend_marked(false);
      case 'u':
        return extend_marked(true);
      default:
        return false;
    }
  }

  Result<bool> remember(std::uint64_t key) {
    if (stack_.size() <= floor()) return wrong("there is nothing to remember");
    memo_.insert_or_assign(key, stack_.back());
    return true;
  }

  Result<bool> recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) return wrong("it recalls what was not remembered");
    stack_.push_back(found->second);
    return true;
  }

  Result<std::uint64_t> key_in(std::size_t bytes) {
    if (bytes > 0) return in_.number(bytes);
    RUNCTL_TRY_LET(const std::string line, in_.line(longest_line));
    std::uint64_t key = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), key);
    if (error != std::errc{} || end != line.data() + line.size()) return wrong("that is no number");
    return key;
  }

  Result<bool> memory(std::uint8_t code) {
    switch (code) {
      case 'p':
      case 'q':
      case 'r': {
        RUNCTL_TRY_LET(const std::uint64_t key, key_in(code == 'p' ? 0 : code == 'q' ? 1 : 4));
        return remember(key);
      }
      case 'g':
      case 'h':
      case 'j': {
        RUNCTL_TRY_LET(const std::uint64_t key, key_in(code == 'g' ? 0 : code == 'h' ? 1 : 4));
        return recall(key);
      }
      case 0x94:
        return remember(memo_.size());
      default:
        return false;
    }
  }

  Result<bool> push_global() {
    RUNCTL_TRY_LET(std::string module, in_.line(longest_line));
    RUNCTL_TRY_LET(const std::string name, in_.line(longest_line));
    module += '.';
    module += name;
    if (module.size() > kept_text) module.resize(kept_text);
    return push({.kind = PickleKind::global, .text = std::move(module)});
  }

  Result<bool> push_stack_global() {
    RUNCTL_TRY_LET(const Index name, pop());
    RUNCTL_TRY_LET(const Index module, pop());
    std::string text = fmt::format("{}.{}", pickle_.values[module].text, pickle_.values[name].text);
    return push({.kind = PickleKind::global, .text = std::move(text)});
  }

  // Takes `count` values and leaves what a call of them would have made.
  Result<bool> make(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) RUNCTL_TRY(pop());
    return push({.kind = PickleKind::made});
  }

  Result<bool> make_marked() {
    RUNCTL_TRY(pop_mark());
    return push({.kind = PickleKind::made});
  }

  Result<bool> call(std::uint8_t code) {
    switch (code) {
      case 'c':
        return push_global();
      case 0x93:
        return push_stack_global();
      case 'R':
      case 0x81:
        return make(2);
      case 0x92:
        return make(3);
      case 'o':
        return make_marked();
      case 'i':
        RUNCTL_TRY(in_.line(longest_line));
        RUNCTL_TRY(in_.line(longest_line));
        return make_marked();
      case 'b':  // the state is taken, and what it would have changed stays
        RUNCTL_TRY(pop());
        if (stack_.size() <= floor()) return wrong("there is nothing to build");
        return true;
      case 0x82:
      case 0x83:
      case 0x84:
        RUNCTL_TRY(in_.skip(code == 0x82 ? 1 : code == 0x83 ? 2 : 4));
        return push({.kind = PickleKind::global});
      case 'P':
        RUNCTL_TRY(in_.line(longest_line));
        return push({.kind = PickleKind::persistent});
      case 'Q':
        return refer();
      default:
        return false;
    }
  }

  // ('storage', type, key, location, count, …) is PyTorch's; anything else is somebody's.
  Result<bool> refer() {
    RUNCTL_TRY_LET(const Index id, pop());
    const auto& values = pickle_.values;
    const std::vector<Index>& items = values[id].items;
    const bool is_storage = values[id].kind == PickleKind::sequence && items.size() >= 5 &&
                            values[items[0]].text == "storage" &&
                            values[items[2]].kind == PickleKind::text &&
                            values[items[4]].kind == PickleKind::integer;
    if (is_storage) {
      const std::int64_t count = values[items[4]].integer;
      if (count < 0) return wrong("a tensor has fewer than no numbers");
      const std::string& key = values[items[2]].text;
      if (keys_.insert(key).second) {
        pickle_.storages.push_back({.key = key,
                                    .type = values[items[1]].text,
                                    .count = static_cast<std::uint64_t>(count)});
      }
    }
    return push({.kind = PickleKind::persistent});
  }

  Result<bool> other(std::uint8_t code) {
    switch (code) {
      case '.': {
        RUNCTL_TRY_LET(pickle_.root, pop());
        if (!stack_.empty() || !marks_.empty()) return wrong("it stops with values left over");
        stopped_ = true;
        return true;
      }
      case '0':
        // Of a mark, the mark.
        if (!marks_.empty() && stack_.size() == marks_.back()) {
          marks_.pop_back();
          return true;
        }
        RUNCTL_TRY(pop());
        return true;
      case '1':
        RUNCTL_TRY(pop_mark());
        return true;
      case '2':
        if (stack_.size() <= floor()) return wrong("there is nothing to double");
        stack_.push_back(stack_.back());
        return true;
      case 0x80: {
        RUNCTL_TRY_LET(const std::uint8_t protocol, in_.byte());
        if (protocol > 5) return wrong(fmt::format("there is no protocol {}", protocol));
        return true;
      }
      case 0x95: {
        RUNCTL_TRY_LET(const std::uint64_t size, in_.number(8));
        if (size > in_.left()) return wrong("a frame ends behind the file");
        return true;
      }
      case 0x97:
        return push({.kind = PickleKind::persistent});
      case 0x98:
        return stack_.size() > floor() ? Result<bool>{true} : wrong("there is no buffer");
      default:
        return false;
    }
  }

  Stream in_;
  std::uint64_t at_ = 0;  // of the instruction
  bool stopped_ = false;
  Pickle pickle_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Index> memo_;
  std::unordered_set<std::string> keys_;  // of storages
  std::size_t references_ = 0;
  std::size_t text_ = 0;
};

std::optional<double> number_of(const PickleValue& value) {
  if (value.kind == PickleKind::integer) return static_cast<double>(value.integer);
  if (value.kind == PickleKind::real) return value.real;
  return std::nullopt;
}

bool is_dict(const PickleValue& value) {
  return value.kind == PickleKind::mapping || value.kind == PickleKind::made;
}

}  // namespace

Result<Pickle> read_pickle(Source& source, std::uint64_t offset) {
  return Machine{source, offset}.run();
}

Facts facts_of(const Pickle& pickle) {
  Facts facts;
  const auto note_items = [&](const PickleValue& dict) {
    for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
      const PickleValue& key = pickle.values[dict.items[i]];
      const auto value = number_of(pickle.values[dict.items[i + 1]]);
      if (key.kind == PickleKind::text && value) note(facts, key.text, *value);
    }
  };
  const PickleValue& top = pickle.top();
  if (!is_dict(top)) return facts;
  note_items(top);
  for (std::size_t i = 0; i + 1 < top.items.size(); i += 2) {
    const std::string& key = pickle.values[top.items[i]].text;
    const PickleValue& value = pickle.values[top.items[i + 1]];
    if ((key == "metrics" || key == "logs") && is_dict(value)) note_items(value);
  }
  return facts;
}

std::uint64_t element_size(std::string_view type) {
  // Source: torch's StorageType classes, and aten/src/ATen/dtype sizes.
  struct Row {
    std::string_view name;
    std::uint64_t size;
  };
  constexpr std::array<Row, 17> rows{{{"DoubleStorage", 8},
                                      {"FloatStorage", 4},
                                      {"HalfStorage", 2},
                                      {"BFloat16Storage", 2},
                                      {"LongStorage", 8},
                                      {"IntStorage", 4},
                                      {"ShortStorage", 2},
                                      {"CharStorage", 1},
                                      {"ByteStorage", 1},
                                      {"BoolStorage", 1},
                                      {"UntypedStorage", 1},
                                      {"ComplexDoubleStorage", 16},
                                      {"ComplexFloatStorage", 8},
                                      {"QInt8Storage", 1},
                                      {"QUInt8Storage", 1},
                                      {"QInt32Storage", 4},
                                      {"QUInt4x2Storage", 1}}};
  const auto dot = type.rfind('.');
  const std::string_view name = dot == std::string_view::npos ? type : type.substr(dot + 1);
  for (const Row& row : rows) {
    if (row.name == name) return row.size;
  }
  return 0;
}

}  // namespace runctl::checkpoint
