// Python's pickles, read as data: nothing is imported, called or built.
//
// A pickle is a program for a stack machine. This reader knows all its instructions up to protocol
// 5 and what each does to the stack. Those that call something (REDUCE, BUILD, INST, OBJ, NEWOBJ)
// leave a value that says only that something would have been made there. Source: CPython's
// Lib/pickletools.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/finding.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  big_integer,  // of over 8 bytes: `text` has them, the least significant first
  real,
  text,
  bytes,
  sequence,  // list, tuple, set
  mapping,   // keys and values in turn
  global,    // `text` is "module.name"
  made,      // what a call would have made; items as of a mapping
  persistent,
};

// Of texts and bytes the first 128 are kept: names are not longer.
struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t integer = 0;
  double real = 0;
  std::string text = {};
  std::vector<std::uint32_t> items = {};  // indices of values
};

// Bounds, which no training's state comes near: a model of 10,000 tensors with its optimizer's
// state has about 600,000 values.
inline constexpr std::size_t most_pickle_values = 1'000'000;             // about 100 MB of them
inline constexpr std::size_t most_pickle_names = 1'000'000;              // in the memo
inline constexpr std::size_t most_pickle_references = 4'000'000;         // items, stack
inline constexpr std::size_t most_pickle_text = std::size_t{32} << 20U;  // bytes that are kept
inline constexpr std::uint64_t most_pickle_instructions = 50'000'000;    // a second or two

// PyTorch's raw numbers, which a pickle only refers to.
struct PickledStorage {
  std::string key = {};
  std::string type = {};  // "torch.FloatStorage"
  std::uint64_t count = 0;
};

struct Pickle {
  std::vector<PickleValue> values = {};
  std::uint32_t root = 0;
  std::vector<PickledStorage> storages = {};  // in the order of their first mention; each key once
  std::uint64_t end = 0;                      // where it stops in its source

  [[nodiscard]] const PickleValue& top() const { return values[root]; }
};

// Reads one pickle that begins at `offset`. Errors: corrupt for what is none, with the place;
// beyond() one of the bounds; those of the source.
[[nodiscard]] Result<Pickle> read_pickle(Source& source, std::uint64_t offset = 0);

// What the outermost dict says: its numbers that have names, and those of its dicts `metrics` and
// `logs`.
[[nodiscard]] Facts facts_of(const Pickle& pickle);

// Bytes of one number of a storage; 0 for types that are not known.
[[nodiscard]] std::uint64_t element_size(std::string_view storage_type);

}  // namespace runctl::checkpoint
