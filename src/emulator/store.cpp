#include "emulator/store.hpp"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace runctl::emulator {
namespace {

// Raised with every change of the rows' JSON that older versions cannot read.
constexpr int schema_version = 1;
// "rctl": tells our files from other people's.
constexpr int application_id = 0x7263746c;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class SqliteStore final : public Store {
 public:
  SqliteStore(std::filesystem::path path, Database database)
      : path_{std::move(path)}, database_{std::move(database)} {}

  // Brings a new file into shape, or checks that an old one is ours.
  Result<void> prepare() {
    RUNCTL_TRY_LET(const int tables, number("SELECT count(*) FROM sqlite_master"));
    if (tables == 0) {
      RUNCTL_TRY(execute("PRAGMA journal_mode = WAL"));
      RUNCTL_TRY(
          execute(fmt::format("BEGIN; PRAGMA application_id = {}; PRAGMA user_version = {};"
                              "CREATE TABLE records (place TEXT, kind TEXT, id TEXT,"
                              " json TEXT NOT NULL, PRIMARY KEY (place, kind, id))"
                              " WITHOUT ROWID; COMMIT",
                              application_id, schema_version)));
    } else {
      RUNCTL_TRY_LET(const int owner, number("PRAGMA application_id"));
      RUNCTL_TRY_LET(const int version, number("PRAGMA user_version"));
      if (owner != application_id) {
        return fail(Errc::corrupt,
                    fmt::format("{} is not a state file of the emulator", path_.string()));
      }
      if (version != schema_version) {
        return fail(
            Errc::corrupt,
            fmt::format("{} was written by another version of the emulator (format {}, not {})",
                        path_.string(), version, schema_version));
      }
    }
    // Each commit is in the log file before it returns, which is enough to outlive this process.
    RUNCTL_TRY(execute("PRAGMA synchronous = NORMAL"));
    RUNCTL_TRY_LET(put_, prepared("INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3, ?4)"));
    RUNCTL_TRY_LET(drop_,
                   prepared("DELETE FROM records WHERE place = ?1 AND kind = ?2 AND id = ?3"));
    return {};
  }

  Result<std::vector<Row>> load() override {
    RUNCTL_TRY_LET(const Statement query, prepared("SELECT place, kind, id, json FROM records"));
    std::vector<Row> rows;
    int status = SQLITE_ROW;
    while ((status = sqlite3_step(query.get())) == SQLITE_ROW) {
      rows.push_back(
          {.key = {.place = text(query, 0), .kind = text(query, 1), .id = text(query, 2)},
           .json = text(query, 3)});
    }
    if (status != SQLITE_DONE) return problem("read");
    return rows;
  }

  Result<void> apply(std::span<const RowChange> changes) override {
    if (changes.empty()) return {};
    RUNCTL_TRY(execute("BEGIN IMMEDIATE"));
    for (const RowChange& change : changes) {
      if (auto written = write(change); !written) {
        // A full disk makes SQLite roll back by itself, and this a harmless error.
        sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
        return written;
      }
    }
    auto committed = execute("COMMIT");
    if (!committed) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    return committed;
  }

 private:
  static std::string text(const Statement& statement, int column) {
    const unsigned char* const bytes = sqlite3_column_text(statement.get(), column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), column));
    return bytes == nullptr ? std::string{}
                            : std::string{reinterpret_cast<const char*>(bytes), size};
  }

  [[nodiscard]] std::unexpected<Error> problem(std::string_view doing) const {
    const int status = sqlite3_errcode(database_.get());
    const bool damaged = status == SQLITE_CORRUPT || status == SQLITE_NOTADB;
    return fail(
        damaged ? Errc::corrupt : Errc::internal,
        fmt::format("cannot {} {}: {}", doing, path_.string(), sqlite3_errmsg(database_.get())));
  }

  Result<void> execute(const std::string& sql) {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
      return problem("write");
    }
    return {};
  }

  Result<Statement> prepared(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_.get(), sql, -1, &statement, nullptr) != SQLITE_OK) {
      return problem("read");
    }
    return Statement{statement};
  }

  Result<int> number(const char* sql) {
    RUNCTL_TRY_LET(const Statement query, prepared(sql));
    if (sqlite3_step(query.get()) != SQLITE_ROW) return problem("read");
    return sqlite3_column_int(query.get(), 0);
  }

  Result<void> write(const RowChange& change) {
    const Statement& statement = change.json ? put_ : drop_;
    const auto bind = [&](int at, const std::string& value) {
      sqlite3_bind_text(statement.get(), at, value.data(), static_cast<int>(value.size()),
                        SQLITE_STATIC);
    };
    bind(1, change.key.place);
    bind(2, change.key.kind);
    bind(3, change.key.id);
    if (change.json) bind(4, *change.json);
    const int status = sqlite3_step(statement.get());
    auto result = status == SQLITE_DONE ? Result<void>{} : Result<void>{problem("write")};
    sqlite3_reset(statement.get());
    sqlite3_clear_bindings(statement.get());
    return result;
  }

  std::filesystem::path path_;
  Database database_;  // before the statements, which must go first
  Statement put_;
  Statement drop_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite_store(const std::filesystem::path& path) {
  sqlite3* raw = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  Database database{raw};
  if (status != SQLITE_OK) {
    return fail(Errc::internal,
                fmt::format("cannot open {}: {}", path.string(), sqlite3_errstr(status)));
  }
  auto store = std::make_unique<SqliteStore>(path, std::move(database));
  if (auto prepared = store->prepare(); !prepared) {
    auto& error = prepared.error();
    if (error.code == Errc::corrupt) {
      error.hint = "Nothing in it was changed. Move it away, or use another --state directory.";
    }
    return std::unexpected{std::move(error)};
  }
  return store;
}

}  // namespace runctl::emulator
