// Where the emulator's state outlives it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace runctl::emulator {

struct RowKey {
  std::string place;  // "123456789012/us-east-1"
  std::string kind;   // "volume"
  std::string id;
};

struct Row {
  RowKey key;
  std::string json;
};

// A row to write, or with no content to delete.
struct RowChange {
  RowKey key;
  std::optional<std::string> json;
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) = delete;
  Store& operator=(Store&&) = delete;
  virtual ~Store() = default;

  [[nodiscard]] virtual Result<std::vector<Row>> load() = 0;

  // All changes or none; they outlive this process on return.
  // Errors: internal, a full disk among it.
  [[nodiscard]] virtual Result<void> apply(std::span<const RowChange> changes) = 0;
};

// SQLite in write-ahead mode. A crash of the emulator loses nothing; a crash of the whole machine
// may lose the last changes, never more than those. Errors: corrupt for a file that is not ours, is
// damaged, or was written by a newer version: it is left alone. Thread safety: one caller at a
// time.
[[nodiscard]] Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& path);

}  // namespace runctl::emulator
