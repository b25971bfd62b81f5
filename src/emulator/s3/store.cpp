#include "emulator/s3/store.hpp"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "emulator/s3/record_text.hpp"

namespace runctl::emulator::s3 {
namespace {

// Each commit is in the log file before it returns, which is enough to outlive this process.
constexpr SqliteFormat index_format{
    .what = "an S3 index of the emulator",
    .application_id = 0x72637333,  // "rcs3"
    .version = 1,
    .schema =
        "CREATE TABLE buckets (name TEXT PRIMARY KEY, account TEXT, region TEXT,"
        " created INTEGER, acl TEXT) WITHOUT ROWID;"
        "CREATE TABLE objects (bucket TEXT, key BLOB, size INTEGER, etag TEXT,"
        " modified INTEGER, storage_class TEXT, algorithm TEXT, type TEXT, value TEXT,"
        " multipart INTEGER, segments TEXT, headers TEXT, PRIMARY KEY (bucket, key))"
        " WITHOUT ROWID;"
        "CREATE TABLE uploads (bucket TEXT, key BLOB, id TEXT, initiated INTEGER,"
        " storage_class TEXT, algorithm TEXT, type TEXT, asks INTEGER, headers TEXT,"
        " PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;"
        "CREATE UNIQUE INDEX upload_ids ON uploads (id);"
        "CREATE TABLE parts (upload TEXT, number INTEGER, etag TEXT, modified INTEGER,"
        " value TEXT, segments TEXT, PRIMARY KEY (upload, number)) WITHOUT ROWID;",
    .setup =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "PRAGMA wal_autocheckpoint = 4000"};

constexpr std::string_view object_columns =
    "key, size, etag, modified, storage_class, algorithm, type, value, multipart";

// More than an upload can have.
constexpr std::size_t all_parts = 100'000;

std::int64_t number_of(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp time_of(std::int64_t number) { return Timestamp{std::chrono::milliseconds{number}}; }

// The columns above.
ObjectRecord object_in(const SqliteStatement& row) {
  return {.key = row.bytes(0),
          .size = static_cast<std::uint64_t>(row.number(1)),
          .etag = row.text(2),
          .modified = time_of(row.number(3)),
          .storage_class = row.text(4),
          .checksum = {.algorithm = row.text(5), .type = row.text(6), .value = row.text(7)},
          .is_multipart = row.number(8) != 0};
}

UploadRecord upload_in(const SqliteStatement& row) {
  return {.id = row.text(2),
          .bucket = row.text(0),
          .key = row.bytes(1),
          .initiated = time_of(row.number(3)),
          .storage_class = row.text(4),
          .checksum = {.algorithm = row.text(5), .type = row.text(6)},
          .asks_for_checksums = row.number(7) != 0,
          .headers = headers_from(row.text(8))};
}

Result<void> run(SqliteStatement& statement) {
  auto stepped = statement.step();
  statement.reset();
  if (!stepped) return std::unexpected{std::move(stepped).error()};
  return {};
}

// Resets a statement at the end of a scope, so that it holds no snapshot of the database open.
class Reset {
 public:
  explicit Reset(SqliteStatement& statement) : statement_{statement} {}
  Reset(const Reset&) = delete;
  Reset& operator=(const Reset&) = delete;
  Reset(Reset&&) = delete;
  Reset& operator=(Reset&&) = delete;
  ~Reset() { statement_.reset(); }

 private:
  SqliteStatement& statement_;
};

}  // namespace

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

struct Store::Statements {
  SqliteStatement find_object, put_object, drop_object, list_objects;
  SqliteStatement find_bucket, put_bucket, drop_bucket, any_in_bucket;
  SqliteStatement put_upload, find_upload, list_uploads, has_upload, drop_upload;
  SqliteStatement put_part, list_parts, drop_parts;
};

Store::Store() = default;
Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& directory) {
  std::unique_ptr<Store> store{new Store};
  RUNCTL_TRY_LET(store->index_, Sqlite::open(directory / "s3.sqlite", index_format));
  RUNCTL_TRY(store->prepare());
  std::set<std::uint64_t> in_use;
  for (const std::string_view table : {"objects", "parts"}) {
    RUNCTL_TRY_LET(auto query,
                   store->index_->prepare(fmt::format("SELECT segments FROM {}", table)));
    while (true) {
      RUNCTL_TRY_LET(const bool found, query.step());
      if (!found) break;
      RUNCTL_TRY_LET(const auto segments, segments_from(query.text(0)));
      for (const Segment& segment : segments) in_use.insert(segment.blob);
    }
  }
  std::error_code error;
  std::filesystem::create_directories(directory / "s3", error);
  if (error) return fail_errno(error.value(), "create", directory / "s3");
  RUNCTL_TRY_LET(store->blobs_, Blobs::open(directory / "s3", in_use));
  return store;
}

Result<void> Store::prepare() {
  const auto sql = [this](std::string_view text) { return index_->prepare(text); };
  const std::string columns{object_columns};
  RUNCTL_TRY_LET(auto find_object, sql("SELECT " + columns +
                                       ", segments, headers FROM objects"
                                       " WHERE bucket = ?1 AND key = ?2"));
  RUNCTL_TRY_LET(auto put_object, sql("INSERT OR REPLACE INTO objects VALUES"
                                      " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)"));
  RUNCTL_TRY_LET(auto drop_object, sql("DELETE FROM objects WHERE bucket = ?1 AND key = ?2"));
  RUNCTL_TRY_LET(auto list_objects, sql("SELECT " + columns +
                                        " FROM objects"
                                        " WHERE bucket = ?1 AND key >= ?2 ORDER BY key"));
  RUNCTL_TRY_LET(auto find_bucket, sql("SELECT name, account, region, created, acl FROM buckets"
                                       " WHERE name = ?1"));
  RUNCTL_TRY_LET(auto put_bucket, sql("INSERT OR REPLACE INTO buckets VALUES (?1,?2,?3,?4,?5)"));
  RUNCTL_TRY_LET(auto drop_bucket, sql("DELETE FROM buckets WHERE name = ?1"));
  RUNCTL_TRY_LET(auto any_in_bucket, sql("SELECT 1 FROM objects WHERE bucket = ?1 LIMIT 1"));
  RUNCTL_TRY_LET(auto put_upload, sql("INSERT INTO uploads VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)"));
  RUNCTL_TRY_LET(auto find_upload,
                 sql("SELECT * FROM uploads WHERE bucket = ?1 AND key = ?2 AND id = ?3"));
  RUNCTL_TRY_LET(auto list_uploads, sql("SELECT * FROM uploads WHERE bucket = ?1 AND (key, id) >"
                                        " (?2, ?3) ORDER BY key, id LIMIT ?4"));
  RUNCTL_TRY_LET(auto has_upload, sql("SELECT 1 FROM uploads WHERE id = ?1"));
  RUNCTL_TRY_LET(auto drop_upload, sql("DELETE FROM uploads WHERE id = ?1"));
  RUNCTL_TRY_LET(auto put_part, sql("INSERT OR REPLACE INTO parts VALUES (?1,?2,?3,?4,?5,?6)"));
  RUNCTL_TRY_LET(auto list_parts,
                 sql("SELECT number, etag, modified, value, segments FROM parts"
                     " WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3"));
  RUNCTL_TRY_LET(auto drop_parts, sql("DELETE FROM parts WHERE upload = ?1"));
  sql_ = std::make_unique<Statements>(Statements{
      std::move(find_object), std::move(put_object), std::move(drop_object),
      std::move(list_objects), std::move(find_bucket), std::move(put_bucket),
      std::move(drop_bucket), std::move(any_in_bucket), std::move(put_upload),
      std::move(find_upload), std::move(list_uploads), std::move(has_upload),
      std::move(drop_upload), std::move(put_part), std::move(list_parts), std::move(drop_parts)});
  return {};
}

namespace {

BucketRecord bucket_in(const SqliteStatement& row) {
  return {.name = row.text(0),
          .account = row.text(1),
          .region = row.text(2),
          .created = time_of(row.number(3)),
          .acl = row.text(4)};
}

}  // namespace

Result<std::vector<BucketRecord>> Store::buckets() {
  const std::lock_guard lock{mutex_};
  RUNCTL_TRY_LET(auto query, index_->prepare("SELECT name, account, region, created, acl"
                                             " FROM buckets ORDER BY name"));
  std::vector<BucketRecord> buckets;
  while (true) {
    RUNCTL_TRY_LET(const bool found, query.step());
    if (!found) return buckets;
    buckets.push_back(bucket_in(query));
  }
}

Result<std::optional<BucketRecord>> Store::bucket(std::string_view name) {
  const std::lock_guard lock{mutex_};
  SqliteStatement& query = sql_->find_bucket;
  const Reset reset{query};
  RUNCTL_TRY_LET(const bool found, query.bind(1, name).step());
  if (!found) return std::nullopt;
  return bucket_in(query);
}

Result<void> Store::put_bucket(const BucketRecord& bucket) {
  const std::lock_guard lock{mutex_};
  return run(sql_->put_bucket.bind(1, bucket.name)
                 .bind(2, bucket.account)
                 .bind(3, bucket.region)
                 .bind(4, number_of(bucket.created))
                 .bind(5, bucket.acl));
}

Result<bool> Store::remove_bucket(std::string_view name) {
  std::vector<Segment> gone;
  {
    const std::lock_guard lock{mutex_};
    RUNCTL_TRY_LET(const bool is_empty, has_no_object(name));
    if (!is_empty) return false;
    RUNCTL_TRY_LET(const auto uploads, find_uploads(name, "", "", SIZE_MAX >> 1U));
    for (const UploadRecord& upload : uploads) {
      RUNCTL_TRY_LET(const auto parts, find_parts(upload.id, 0, all_parts));
      for (const PartRecord& part : parts) gone.push_back(part.segment);
    }
    const auto change = [&]() -> Result<void> {
      for (const UploadRecord& upload : uploads) RUNCTL_TRY(drop_upload(upload.id));
      return run(sql_->drop_bucket.bind(1, name));
    };
    RUNCTL_TRY(index_->transaction(change));
  }
  blobs_->remove(gone);
  return true;
}

Result<bool> Store::has_no_object(std::string_view bucket) {
  SqliteStatement& query = sql_->any_in_bucket;
  const Reset reset{query};
  RUNCTL_TRY_LET(const bool found, query.bind(1, bucket).step());
  return !found;
}

Result<std::optional<ObjectRecord>> Store::find(std::string_view bucket, std::string_view key) {
  SqliteStatement& query = sql_->find_object;
  const Reset reset{query};
  RUNCTL_TRY_LET(const bool found, query.bind(1, bucket).bind_bytes(2, key).step());
  if (!found) return std::nullopt;
  ObjectRecord object = object_in(query);
  RUNCTL_TRY_LET(object.segments, segments_from(query.text(9)));
  object.headers = headers_from(query.text(10));
  return object;
}

Result<std::optional<ObjectRecord>> Store::head(std::string_view bucket, std::string_view key) {
  const std::lock_guard lock{mutex_};
  return find(bucket, key);
}

Result<std::optional<Found>> Store::get(std::string_view bucket, std::string_view key) {
  const std::lock_guard lock{mutex_};
  RUNCTL_TRY_LET(auto object, find(bucket, key));
  if (!object) return std::nullopt;
  auto bytes = blobs_->pin(object->segments);
  return Found{.object = *std::move(object), .bytes = std::move(bytes)};
}

Result<void> Store::write_object(std::string_view bucket, const ObjectRecord& object) {
  return run(sql_->put_object.bind(1, bucket)
                 .bind_bytes(2, object.key)
                 .bind(3, static_cast<std::int64_t>(object.size))
                 .bind(4, object.etag)
                 .bind(5, number_of(object.modified))
                 .bind(6, object.storage_class)
                 .bind(7, object.checksum.algorithm)
                 .bind(8, object.checksum.type)
                 .bind(9, object.checksum.value)
                 .bind(10, std::int64_t{object.is_multipart})
                 .bind(11, to_text(object.segments))
                 .bind(12, to_text(object.headers)));
}

Result<void> Store::put(std::string_view bucket, const ObjectRecord& object, const Guard& guard) {
  std::optional<ObjectRecord> old;
  {
    const std::lock_guard lock{mutex_};
    RUNCTL_TRY_LET(old, find(bucket, object.key));
    RUNCTL_TRY(guard(old ? &*old : nullptr));
    RUNCTL_TRY(write_object(bucket, object));
  }
  if (old) blobs_->remove(old->segments);
  return {};
}

Result<void> Store::remove(std::string_view bucket, std::string_view key, const Guard& guard) {
  std::optional<ObjectRecord> old;
  {
    const std::lock_guard lock{mutex_};
    RUNCTL_TRY_LET(old, find(bucket, key));
    RUNCTL_TRY(guard(old ? &*old : nullptr));
    if (!old) return {};
    RUNCTL_TRY(run(sql_->drop_object.bind(1, bucket).bind_bytes(2, key)));
  }
  blobs_->remove(old->segments);
  return {};
}

Result<bool> Store::change_headers(std::string_view bucket, std::string_view key,
                                   const std::function<void(StoredHeaders&)>& change) {
  const std::lock_guard lock{mutex_};
  RUNCTL_TRY_LET(auto object, find(bucket, key));
  if (!object) return false;
  change(object->headers);
  RUNCTL_TRY(write_object(bucket, *object));
  return true;
}

Result<Listing> Store::list(std::string_view bucket, const Selection& selection) {
  const std::lock_guard lock{mutex_};
  SqliteStatement& query = sql_->list_objects;
  const Reset reset{query};
  Listing listing;
  std::string from = std::max(selection.prefix, selection.from);
  query.reset();
  query.bind(1, bucket).bind_bytes(2, from);
  while (true) {
    RUNCTL_TRY_LET(const bool found, query.step());
    if (!found) return listing;
    ObjectRecord object = object_in(query);
    if (!object.key.starts_with(selection.prefix)) return listing;
    const auto at = selection.delimiter.empty()
                        ? std::string::npos
                        : object.key.find(selection.delimiter, selection.prefix.size());
    if (at != std::string::npos) {
      std::string prefix = object.key.substr(0, at + selection.delimiter.size());
      // Whatever else begins so is of no interest: however much there is, it is stepped over.
      from = after_prefix(prefix);
      if (prefix != selection.after) {
        if (listing.entries.size() == selection.most) {
          listing.is_truncated = true;
          return listing;
        }
        listing.entries.push_back({.object = {.key = std::move(prefix)}, .is_prefix = true});
        listing.next = from;
      }
      if (from.empty()) return listing;
      query.reset();
      query.bind_bytes(2, from);
      continue;
    }
    if (object.key == selection.after) continue;
    if (listing.entries.size() == selection.most) {
      listing.is_truncated = true;
      return listing;
    }
    listing.next = object.key + '\0';
    listing.entries.push_back({.object = std::move(object)});
  }
}

Result<void> Store::put_upload(const UploadRecord& upload) {
  const std::lock_guard lock{mutex_};
  return run(sql_->put_upload.bind(1, upload.bucket)
                 .bind_bytes(2, upload.key)
                 .bind(3, upload.id)
                 .bind(4, number_of(upload.initiated))
                 .bind(5, upload.storage_class)
                 .bind(6, upload.checksum.algorithm)
                 .bind(7, upload.checksum.type)
                 .bind(8, std::int64_t{upload.asks_for_checksums})
                 .bind(9, to_text(upload.headers)));
}

Result<std::optional<UploadRecord>> Store::upload(std::string_view bucket, std::string_view key,
                                                  std::string_view id) {
  const std::lock_guard lock{mutex_};
  SqliteStatement& query = sql_->find_upload;
  const Reset reset{query};
  RUNCTL_TRY_LET(const bool found, query.bind(1, bucket).bind_bytes(2, key).bind(3, id).step());
  if (!found) return std::nullopt;
  return upload_in(query);
}

Result<std::vector<UploadRecord>> Store::uploads(std::string_view bucket, std::string_view key,
                                                 std::string_view id, std::size_t most) {
  const std::lock_guard lock{mutex_};
  return find_uploads(bucket, key, id, most);
}

Result<std::vector<UploadRecord>> Store::find_uploads(std::string_view bucket, std::string_view key,
                                                      std::string_view id, std::size_t most) {
  SqliteStatement& query = sql_->list_uploads;
  const Reset reset{query};
  // An id is ASCII: what is greater than all of them stands for "after all of that key".
  const std::string_view last_id = key.empty() || !id.empty() ? id : std::string_view{"\x7f"};
  query.bind(1, bucket)
      .bind_bytes(2, key)
      .bind(3, last_id)
      .bind(4, static_cast<std::int64_t>(most));
  std::vector<UploadRecord> uploads;
  while (true) {
    RUNCTL_TRY_LET(const bool found, query.step());
    if (!found) return uploads;
    uploads.push_back(upload_in(query));
  }
}

Result<bool> Store::has_upload(std::string_view upload) {
  SqliteStatement& query = sql_->has_upload;
  const Reset reset{query};
  return query.bind(1, upload).step();
}

Result<std::vector<PartRecord>> Store::find_parts(std::string_view upload, std::uint32_t number,
                                                  std::size_t most) {
  SqliteStatement& query = sql_->list_parts;
  const Reset reset{query};
  query.bind(1, upload).bind(2, std::int64_t{number}).bind(3, static_cast<std::int64_t>(most));
  std::vector<PartRecord> parts;
  while (true) {
    RUNCTL_TRY_LET(const bool found, query.step());
    if (!found) return parts;
    RUNCTL_TRY_LET(const auto segments, segments_from(query.text(4)));
    parts.push_back({.number = static_cast<std::uint32_t>(query.number(0)),
                     .etag = query.text(1),
                     .modified = time_of(query.number(2)),
                     .checksum = query.text(3),
                     .segment = segments.empty() ? Segment{} : segments.front()});
  }
}

Result<bool> Store::put_part(std::string_view upload, const PartRecord& part) {
  std::vector<Segment> old;
  {
    const std::lock_guard lock{mutex_};
    RUNCTL_TRY_LET(const bool is_there, has_upload(upload));
    if (!is_there) return false;
    RUNCTL_TRY_LET(const auto before, find_parts(upload, part.number - 1, 1));
    if (!before.empty() && before.front().number == part.number) {
      old.push_back(before.front().segment);
    }
    RUNCTL_TRY(run(sql_->put_part.bind(1, upload)
                       .bind(2, std::int64_t{part.number})
                       .bind(3, part.etag)
                       .bind(4, number_of(part.modified))
                       .bind(5, part.checksum)
                       .bind(6, to_text(std::vector{part.segment}))));
  }
  blobs_->remove(old);
  return true;
}

Result<std::vector<PartRecord>> Store::parts(std::string_view upload, std::uint32_t number,
                                             std::size_t most) {
  const std::lock_guard lock{mutex_};
  return find_parts(upload, number, most);
}

Result<void> Store::drop_upload(std::string_view upload) {
  RUNCTL_TRY(run(sql_->drop_parts.bind(1, upload)));
  return run(sql_->drop_upload.bind(1, upload));
}

Result<bool> Store::complete(const UploadRecord& upload, const ObjectRecord& object,
                             const Guard& guard) {
  std::vector<Segment> gone;
  {
    const std::lock_guard lock{mutex_};
    RUNCTL_TRY_LET(const bool is_there, has_upload(upload.id));
    if (!is_there) return false;
    RUNCTL_TRY_LET(const auto parts, find_parts(upload.id, 0, all_parts));
    std::set<std::uint64_t> used;
    for (const Segment& segment : object.segments) used.insert(segment.blob);
    for (const PartRecord& part : parts) {
      if (used.erase(part.segment.blob) == 0) gone.push_back(part.segment);
    }
    used.erase(0);
    if (!used.empty()) return false;
    RUNCTL_TRY_LET(const auto old, find(upload.bucket, object.key));
    RUNCTL_TRY(guard(old ? &*old : nullptr));
    const auto change = [&]() -> Result<void> {
      RUNCTL_TRY(write_object(upload.bucket, object));
      return drop_upload(upload.id);
    };
    RUNCTL_TRY(index_->transaction(change));
    if (old) gone.insert(gone.end(), old->segments.begin(), old->segments.end());
  }
  blobs_->remove(gone);
  return true;
}

Result<void> Store::abort(std::string_view upload) {
  std::vector<Segment> gone;
  {
    const std::lock_guard lock{mutex_};
    RUNCTL_TRY_LET(const auto parts, find_parts(upload, 0, all_parts));
    for (const PartRecord& part : parts) gone.push_back(part.segment);
    RUNCTL_TRY(index_->transaction([&] { return drop_upload(upload); }));
  }
  blobs_->remove(gone);
  return {};
}

}  // namespace runctl::emulator::s3
