// Records by id, changed in transactions.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace runctl::emulator {

// A change is kept by `commit` or undone by `roll_back`, at the price of the records that it
// touched. Ids whose row on disk is behind memory are remembered until `saved`. Thread safety:
// none.
template <class Id, class Record>
class Table {
 public:
  [[nodiscard]] const std::map<Id, Record>& all() const { return records_; }

  // Null pointer when there is none. Valid until the record is erased.
  [[nodiscard]] const Record* find(const Id& id) const {
    const auto at = records_.find(id);
    return at == records_.end() ? nullptr : &at->second;
  }

  // The record must be there.
  Record& edit(const Id& id) {
    const auto at = records_.find(id);
    if (at == records_.end()) throw std::logic_error{"Table::edit of a record that is not there"};
    before_.try_emplace(id, at->second);
    return at->second;
  }

  void put(const Id& id, Record record) {
    const auto at = records_.find(id);
    before_.try_emplace(id, at == records_.end() ? std::nullopt : std::optional{at->second});
    records_.insert_or_assign(id, std::move(record));
  }

  void erase(const Id& id) {
    const auto at = records_.find(id);
    if (at == records_.end()) return;
    before_.try_emplace(id, std::move(at->second));
    records_.erase(at);
  }

  // Without a transaction: for loading what is on disk.
  void load(const Id& id, Record record) { records_.insert_or_assign(id, std::move(record)); }

  // What the records that were touched held at the start of the transaction.
  [[nodiscard]] const std::map<Id, std::optional<Record>>& before() const { return before_; }

  // Ids whose rows are to be written.
  [[nodiscard]] std::set<Id> unsaved() const {
    std::set<Id> ids = unsaved_;
    for (const auto& [id, record] : before_) ids.insert(id);
    return ids;
  }

  void commit() {
    for (const auto& [id, record] : before_) unsaved_.insert(id);
    before_.clear();
  }

  void saved() { unsaved_.clear(); }

  void roll_back() {
    for (auto& [id, record] : before_) {
      if (record) {
        records_.insert_or_assign(id, *std::move(record));
      } else {
        records_.erase(id);
      }
    }
    before_.clear();
  }

 private:
  std::map<Id, Record> records_;
  std::map<Id, std::optional<Record>> before_;
  std::set<Id> unsaved_;
};

}  // namespace runctl::emulator
