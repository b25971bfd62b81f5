#include "io/sqlite.hpp"

#include <utility>

#include <fmt/format.h>
#include <sqlite3.h>

namespace runctl {
namespace {

// Another process's transaction is over in milliseconds; one that is not belongs to a machine in
// trouble.
constexpr int patience_ms = 30'000;

std::unexpected<Error> problem(sqlite3* database, std::string_view doing,
                               const std::filesystem::path& path) {
  const int status = sqlite3_errcode(database);
  const bool damaged = status == SQLITE_CORRUPT || status == SQLITE_NOTADB;
  return fail(damaged ? Errc::corrupt : Errc::internal,
              fmt::format("cannot {} {}: {}", doing, path.string(), sqlite3_errmsg(database)));
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Sqlite::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

SqliteStatement& SqliteStatement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text(statement_.get(), parameter, text.data(), static_cast<int>(text.size()),
                    SQLITE_TRANSIENT);
  return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), parameter, number);
  return *this;
}

SqliteStatement& SqliteStatement::bind_bytes(int parameter, std::string_view bytes) {
  // With a null pointer it would be NULL, which is no blob.
  const char* const data = bytes.empty() ? "" : bytes.data();
  sqlite3_bind_blob(statement_.get(), parameter, data, static_cast<int>(bytes.size()),
                    SQLITE_TRANSIENT);
  return *this;
}

void SqliteStatement::reset() {
  // Its result is that of the last step, which has been told.
  (void)sqlite3_reset(statement_.get());
}

Result<bool> SqliteStatement::step() {
  const int status = sqlite3_step(statement_.get());
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) return false;
  return problem(sqlite3_db_handle(statement_.get()), "use", *path_);
}

std::string SqliteStatement::text(int column) const {
  const unsigned char* const bytes = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return bytes == nullptr ? std::string{} : std::string{reinterpret_cast<const char*>(bytes), size};
}

std::string SqliteStatement::bytes(int column) const {
  const auto* const data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data == nullptr ? std::string{} : std::string{data, size};
}

std::int64_t SqliteStatement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Result<std::unique_ptr<Sqlite>> Sqlite::open(const std::filesystem::path& path,
                                             const SqliteFormat& format) {
  sqlite3* raw = nullptr;
  const int status =
      sqlite3_open_v2(path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<Sqlite> opened{new Sqlite{raw, path}};
  if (status != SQLITE_OK) {
    return fail(Errc::internal,
                fmt::format("cannot open {}: {}", path.string(), sqlite3_errstr(status)));
  }
  sqlite3_busy_timeout(raw, patience_ms);
  RUNCTL_TRY(opened->execute(std::string{format.setup}));
  RUNCTL_TRY(opened->recognise(format));
  return opened;
}

// Two processes may find the same new file empty: who makes the tables is decided in a transaction.
Result<void> Sqlite::recognise(const SqliteFormat& format) {
  RUNCTL_TRY_LET(const auto tables, number("SELECT count(*) FROM sqlite_master"));
  if (tables == 0) {
    RUNCTL_TRY(transaction([&]() -> Result<void> {
      RUNCTL_TRY_LET(const auto now, number("SELECT count(*) FROM sqlite_master"));
      if (now != 0) return {};
      return execute(fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; {}",
                                 format.application_id, format.version, format.schema));
    }));
  }
  RUNCTL_TRY_LET(const auto owner, number("PRAGMA application_id"));
  if (owner != format.application_id) {
    return fail(Errc::corrupt, fmt::format("{} is not {}", path_.string(), format.what));
  }
  RUNCTL_TRY_LET(const auto version, number("PRAGMA user_version"));
  if (version != format.version) {
    return fail(Errc::corrupt,
                fmt::format("{} was written by another version of runctl (format {}, not {})",
                            path_.string(), version, format.version));
  }
  return {};
}

Result<void> Sqlite::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return problem(database_.get(), "use", path_);
}

Result<SqliteStatement> Sqlite::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()), &statement,
                         nullptr) != SQLITE_OK) {
    return problem(database_.get(), "read", path_);
  }
  return SqliteStatement{statement, path_};
}

Result<std::int64_t> Sqlite::number(std::string_view sql) {
  RUNCTL_TRY_LET(auto query, prepare(sql));
  RUNCTL_TRY_LET(const bool found, query.step());
  return found ? query.number(0) : 0;
}

Result<void> Sqlite::transaction(const std::function<Result<void>()>& act) {
  RUNCTL_TRY(execute("BEGIN IMMEDIATE"));
  auto done = act();
  if (done) done = execute("COMMIT");
  // A full disk makes SQLite roll back by itself, and this a harmless error.
  if (!done) sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

}  // namespace runctl
