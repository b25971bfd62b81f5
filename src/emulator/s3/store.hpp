// Buckets, objects and uploads on disk: an index in SQLite, and the bytes in files beside it.
//
// An object is there from the moment its row is: its files are complete by then, and nothing else
// refers to them. So a process that is killed leaves files that nobody refers to, which the next
// start removes, and never half an object.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "emulator/s3/blobs.hpp"
#include "emulator/s3/records.hpp"
#include "io/sqlite.hpp"

namespace runctl::emulator::s3 {

// Which keys of a bucket, in the order of their bytes.
struct Selection {
  std::string prefix = {};
  std::string delimiter = {};
  std::string from = {};   // the first key that may come
  std::string after = {};  // neither it nor what it rolls up comes
  std::size_t most = 1'000;
};

struct Listing {
  struct Entry {
    ObjectRecord object = {};
    bool is_prefix = false;  // `object.key` is a common prefix, and nothing else is there
  };
  std::vector<Entry> entries = {};  // keys and common prefixes, mixed, in order
  bool is_truncated = false;
  std::string next = {};  // the `from` of the page that follows
};

struct Found {
  ObjectRecord object;
  std::shared_ptr<PinnedSegments> bytes;
};

// Whether a change may be made, from what is there just before it; its error is the change's.
using Guard = std::function<Result<void>(const ObjectRecord* existing)>;

// A change outlives the process when it returns; a crash of the whole machine may lose or damage
// what the last seconds brought. Errors of all: internal (a full disk among it), corrupt for an
// index that is damaged. Thread safety: may be used from several threads at once.
class Store {
 public:
  // The index is `directory`/s3.sqlite, the files are below `directory`/s3.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(const std::filesystem::path& directory);

  [[nodiscard]] Result<std::vector<BucketRecord>> buckets();
  [[nodiscard]] Result<std::optional<BucketRecord>> bucket(std::string_view name);
  [[nodiscard]] Result<void> put_bucket(const BucketRecord& bucket);
  // Removes uploads with it. False, and nothing done, while objects are in it.
  [[nodiscard]] Result<bool> remove_bucket(std::string_view name);

  [[nodiscard]] Result<std::optional<ObjectRecord>> head(std::string_view bucket,
                                                         std::string_view key);
  // With the bytes held, whatever becomes of the object.
  [[nodiscard]] Result<std::optional<Found>> get(std::string_view bucket, std::string_view key);
  // Replaces what is there. The segments are the store's from then on, unless this fails.
  [[nodiscard]] Result<void> put(std::string_view bucket, const ObjectRecord& object,
                                 const Guard& guard);
  // Also when it is not there.
  [[nodiscard]] Result<void> remove(std::string_view bucket, std::string_view key,
                                    const Guard& guard);
  // Lets `change` work on what comes back with the object. False when there is none.
  [[nodiscard]] Result<bool> change_headers(std::string_view bucket, std::string_view key,
                                            const std::function<void(StoredHeaders&)>& change);
  // The entries have no headers and no segments.
  [[nodiscard]] Result<Listing> list(std::string_view bucket, const Selection& selection);

  [[nodiscard]] Result<void> put_upload(const UploadRecord& upload);
  [[nodiscard]] Result<std::optional<UploadRecord>> upload(std::string_view bucket,
                                                           std::string_view key,
                                                           std::string_view id);
  // By key, then id, those after (`key`, `id`); an empty id is after all of that key.
  [[nodiscard]] Result<std::vector<UploadRecord>> uploads(std::string_view bucket,
                                                          std::string_view key, std::string_view id,
                                                          std::size_t most);
  // Replaces a part of that number. False, and nothing done, when the upload has gone meanwhile.
  [[nodiscard]] Result<bool> put_part(std::string_view upload, const PartRecord& part);
  // By number, those after `number`.
  [[nodiscard]] Result<std::vector<PartRecord>> parts(std::string_view upload, std::uint32_t number,
                                                      std::size_t most);
  // Makes `object` of the upload's parts, and removes the parts that it does not have. False when
  // the upload, or a part as the object has it, has gone meanwhile.
  [[nodiscard]] Result<bool> complete(const UploadRecord& upload, const ObjectRecord& object,
                                      const Guard& guard);
  // Removes the upload and its parts.
  [[nodiscard]] Result<void> abort(std::string_view upload);

  [[nodiscard]] Blobs& blobs() { return *blobs_; }

 private:
  struct Statements;
  Store();

 public:
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  Store(Store&&) = delete;
  Store& operator=(Store&&) = delete;
  ~Store();

 private:
  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<std::optional<ObjectRecord>> find(std::string_view bucket,
                                                         std::string_view key);
  [[nodiscard]] Result<void> write_object(std::string_view bucket, const ObjectRecord& object);
  [[nodiscard]] Result<void> drop_upload(std::string_view upload);
  [[nodiscard]] Result<std::vector<PartRecord>> find_parts(std::string_view upload,
                                                           std::uint32_t number, std::size_t most);
  [[nodiscard]] Result<std::vector<UploadRecord>> find_uploads(std::string_view bucket,
                                                               std::string_view key,
                                                               std::string_view id,
                                                               std::size_t most);
  [[nodiscard]] Result<bool> has_no_object(std::string_view bucket);
  [[nodiscard]] Result<bool> has_upload(std::string_view upload);

  std::mutex mutex_;  // over the index
  std::unique_ptr<Sqlite> index_;
  std::unique_ptr<Statements> sql_;  // before the index goes
  std::unique_ptr<Blobs> blobs_;
};

// The first text after all that begin with `prefix`; empty when there is none.
[[nodiscard]] std::string after_prefix(std::string prefix);

}  // namespace runctl::emulator::s3
