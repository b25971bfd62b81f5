// SQLite files that are ours: opened, recognised, written in transactions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace runctl {

// What a kind of file looks like inside.
struct SqliteFormat {
  std::string_view what;         // "an operations journal of runctl", for messages
  int application_id = 0;        // tells our files from other people's
  int version = 0;               // raised with every change that older versions cannot read
  std::string_view schema = {};  // statements that make an empty file one of these
  std::string_view setup = {};   // pragmas, run at every opening before anything is read
};

class SqliteStatement {
 public:
  // Parameters count from 1. The text is copied.
  SqliteStatement& bind(int parameter, std::string_view text);
  SqliteStatement& bind(int parameter, std::int64_t number);
  // As a blob: any bytes, compared byte by byte.
  SqliteStatement& bind_bytes(int parameter, std::string_view bytes);
  // True when a row is there to be read. Errors: as Sqlite::execute.
  [[nodiscard]] Result<bool> step();
  // Ready to be stepped from the start again; what was bound stays.
  void reset();
  // Columns count from 0; NULL is "" and 0.
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::string bytes(int column) const;
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  friend class Sqlite;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(sqlite3_stmt* statement, const std::filesystem::path& path)
      : statement_{statement}, path_{&path} {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  const std::filesystem::path* path_;
};

// Thread safety: one caller at a time. Processes may share a file: each waits for the others.
class Sqlite {
 public:
  // Opens the file, or makes it. Errors: corrupt for a file that is not ours, is damaged, or was
  // written by a newer version (it is left alone); internal when it cannot be opened.
  [[nodiscard]] static Result<std::unique_ptr<Sqlite>> open(const std::filesystem::path& path,
                                                            const SqliteFormat& format);

  // Errors: corrupt for a damaged file, internal for everything else, a full disk among it.
  [[nodiscard]] Result<void> execute(const std::string& sql);
  // The statement must not outlive this object.
  [[nodiscard]] Result<SqliteStatement> prepare(std::string_view sql);

  // All that `act` writes, or nothing of it. What was written is as durable on return as the
  // format's `synchronous` makes it.
  [[nodiscard]] Result<void> transaction(const std::function<Result<void>()>& act);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  Sqlite(sqlite3* database, std::filesystem::path path)
      : path_{std::move(path)}, database_{database} {}
  [[nodiscard]] Result<std::int64_t> number(std::string_view sql);
  [[nodiscard]] Result<void> recognise(const SqliteFormat& format);

  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace runctl
