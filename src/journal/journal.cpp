#include "journal/journal.hpp"

#include <sys/stat.h>
#include <system_error>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "io/file.hpp"

namespace runctl::journal {
namespace {

// Raised when an older runctl could not read the tables any more.
constexpr SqliteFormat format{
    .what = "an operations journal of runctl",
    .application_id = 0x72637470,  // "rctp"
    .version = 1,
    .schema =
        "CREATE TABLE operations (id TEXT PRIMARY KEY, kind TEXT NOT NULL, place TEXT NOT NULL,"
        " subjects TEXT NOT NULL, plan TEXT NOT NULL, pid INTEGER NOT NULL,"
        " process_start INTEGER NOT NULL, boot TEXT NOT NULL, host TEXT NOT NULL,"
        " begun INTEGER NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL, ended INTEGER);"
        "CREATE INDEX operations_open ON operations (state, begun);"
        "CREATE TABLE steps (operation TEXT NOT NULL REFERENCES operations (id),"
        " number INTEGER NOT NULL, action TEXT NOT NULL, request TEXT NOT NULL,"
        " sent INTEGER NOT NULL, outcome TEXT NOT NULL, answer TEXT NOT NULL,"
        " PRIMARY KEY (operation, number)) WITHOUT ROWID;",
    // FULL: the intent is on the disk before the request is sent.
    .setup = "PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL;"};

std::int64_t milliseconds(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp timestamp(std::int64_t count) { return Timestamp{std::chrono::milliseconds{count}}; }

std::string subjects_text(const std::vector<std::string>& subjects) {
  boost::json::array array;
  for (const std::string& subject : subjects) array.emplace_back(subject);
  return to_text(array);
}

Result<std::vector<std::string>> subjects_from(const std::string& text) {
  RUNCTL_TRY_LET(const auto value, parse_json(text));
  std::vector<std::string> subjects;
  if (!value.is_array()) return subjects;
  for (const auto& item : value.get_array()) {
    if (item.is_string()) subjects.emplace_back(item.get_string());
  }
  return subjects;
}

constexpr std::string_view columns =
    "id, kind, place, subjects, plan, pid, process_start, boot, host, begun, state, message, ended";

Result<Operation> operation_from(const SqliteStatement& row) {
  Operation operation{.id = row.text(0),
                      .kind = row.text(1),
                      .place = row.text(2),
                      .plan = row.text(4),
                      .owner = {.pid = static_cast<int>(row.number(5)),
                                .start = static_cast<std::uint64_t>(row.number(6)),
                                .boot = row.text(7),
                                .host = row.text(8)},
                      .begun = timestamp(row.number(9)),
                      .message = row.text(11)};
  RUNCTL_TRY_LET(operation.subjects, subjects_from(row.text(3)));
  RUNCTL_TRY_LET(operation.state, parse_state(row.text(10)));
  if (!row.is_null(12)) operation.ended = timestamp(row.number(12));
  return operation;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  if (error) return fail_errno(error.value(), "make", path.parent_path());
  const bool is_new = !std::filesystem::exists(path, error);
  RUNCTL_TRY_LET(auto file, Sqlite::open(path, format));
  if (is_new) {
    // It names machines and volumes, which are nobody else's business.
    if (chmod(path.c_str(), 0600) != 0) return fail_errno(errno, "protect", path);
    RUNCTL_TRY(sync_directory(path.parent_path()));
  }
  return std::unique_ptr<Journal>{new Journal{std::move(file)}};
}

Result<std::unique_ptr<Journal>> Journal::open_existing(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return nullptr;
  RUNCTL_TRY_LET(auto file, Sqlite::open(path, format));
  return std::unique_ptr<Journal>{new Journal{std::move(file)}};
}

Result<void> Journal::write(const Operation& operation) {
  return file_->transaction([&]() -> Result<void> {
    RUNCTL_TRY_LET(auto row, file_->prepare("INSERT OR REPLACE INTO operations VALUES"
                                            " (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    row.bind(1, operation.id).bind(2, operation.kind).bind(3, operation.place);
    row.bind(4, subjects_text(operation.subjects)).bind(5, operation.plan);
    row.bind(6, operation.owner.pid).bind(7, static_cast<std::int64_t>(operation.owner.start));
    row.bind(8, operation.owner.boot).bind(9, operation.owner.host);
    row.bind(10, milliseconds(operation.begun)).bind(11, name_of(operation.state));
    row.bind(12, operation.message);
    if (operation.ended) row.bind(13, milliseconds(*operation.ended));
    RUNCTL_TRY(row.step());
    for (std::size_t i = 0; i < operation.steps.size(); ++i) {
      const Step& step = operation.steps[i];
      RUNCTL_TRY_LET(auto line,
                     file_->prepare("INSERT OR REPLACE INTO steps VALUES (?,?,?,?,?,?,?)"));
      line.bind(1, operation.id).bind(2, static_cast<std::int64_t>(i)).bind(3, step.action);
      line.bind(4, step.request).bind(5, milliseconds(step.sent));
      line.bind(6, name_of(step.outcome)).bind(7, step.answer);
      RUNCTL_TRY(line.step());
    }
    return {};
  });
}

Result<Operation> Journal::read(const std::string& id) {
  RUNCTL_TRY_LET(auto rows,
                 file_->prepare(fmt::format("SELECT {} FROM operations WHERE id = ?", columns)));
  rows.bind(1, id);
  RUNCTL_TRY_LET(const bool found, rows.step());
  if (!found) return fail(Errc::not_found, fmt::format("the journal has no operation '{}'", id));
  RUNCTL_TRY_LET(Operation operation, operation_from(rows));
  RUNCTL_TRY_LET(auto lines,
                 file_->prepare("SELECT action, request, sent, outcome, answer FROM steps"
                                " WHERE operation = ? ORDER BY number"));
  lines.bind(1, id);
  while (true) {
    RUNCTL_TRY_LET(const bool more, lines.step());
    if (!more) return operation;
    Step step{.action = lines.text(0),
              .request = lines.text(1),
              .sent = timestamp(lines.number(2)),
              .answer = lines.text(4)};
    RUNCTL_TRY_LET(step.outcome, parse_outcome(lines.text(3)));
    operation.steps.push_back(std::move(step));
  }
}

Result<std::vector<Operation>> Journal::list(const Query& query) {
  // A subject is matched as the JSON string that it is in the column: ids need no escapes.
  RUNCTL_TRY_LET(auto rows, file_->prepare("SELECT id FROM operations WHERE (?1 = '' OR place = ?1)"
                                           " AND (?2 = '' OR instr(subjects, '\"' || ?2 || '\"'))"
                                           " AND (?3 = 0 OR state = 'open')"
                                           " ORDER BY begun DESC, id LIMIT ?4"));
  rows.bind(1, query.place).bind(2, query.subject);
  rows.bind(3, query.only_open ? 1 : 0).bind(4, query.limit);
  std::vector<Operation> operations;
  while (true) {
    RUNCTL_TRY_LET(const bool more, rows.step());
    if (!more) return operations;
    RUNCTL_TRY_LET(auto operation, read(rows.text(0)));
    operations.push_back(std::move(operation));
  }
}

Result<Operation> Journal::find(std::string_view id) {
  RUNCTL_TRY_LET(auto rows,
                 file_->prepare("SELECT id FROM operations WHERE substr(id, 1, length(?1)) = ?1"
                                " ORDER BY id = ?1 DESC LIMIT 2"));
  rows.bind(1, id);
  RUNCTL_TRY_LET(const bool found, rows.step());
  const std::string first = found ? rows.text(0) : std::string{id};
  if (found && first != id) {
    RUNCTL_TRY_LET(const bool another, rows.step());
    if (another) {
      return fail(Errc::conflict, fmt::format("several operations begin with '{}': {}, {}", id,
                                              first, rows.text(0)));
    }
  }
  return read(first);
}

}  // namespace runctl::journal
