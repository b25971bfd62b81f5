// What the engine is asked to do: one object each, from a source that may be endless.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time_text.hpp"

namespace runctl::transfer {

// An object's name. `version_id` is empty for whatever is current.
struct ObjectName {
  std::string bucket = {};
  std::string key = {};
  std::string version_id = {};
  auto operator<=>(const ObjectName&) const = default;
};

// "s3://bucket/key", for messages.
[[nodiscard]] std::string to_text(const ObjectName& name);

// What must be true of the target object for it to be written; `etag` with its quotes, as S3 gives
// it. Both empty: whatever is there is replaced. Checked by S3 itself (If-None-Match: *, If-Match),
// so it holds against other writers too.
struct TargetCondition {
  bool absent = false;
  std::string etag = {};
};

// What a new object carries besides its bytes. Empty: S3's default.
struct Attributes {
  std::string content_type = {};
  std::string content_encoding = {};
  std::string content_disposition = {};
  std::string content_language = {};
  std::string cache_control = {};
  std::string expires = {};                 // a time, as HTTP writes it
  std::string storage_class = {};           // "STANDARD_IA"
  std::string server_side_encryption = {};  // "AES256", "aws:kms", "aws:kms:dsse"
  std::string kms_key_id = {};
  std::string acl = {};                                            // "bucket-owner-full-control"
  std::vector<std::pair<std::string, std::string>> metadata = {};  // x-amz-meta-NAME
  bool operator==(const Attributes&) const = default;
};

enum class FollowSymlink : bool { no, yes };

// The file `root`/`name` becomes an object. Unless links are followed, no component of `name` is
// one when it is opened, so that nothing outside of `root` is read whatever lies there. The file
// may change while it is read: that is an error of the job (precondition), and no object appears.
struct Upload {
  std::filesystem::path root = {};
  std::string name = {};
  ObjectName target = {};
  FollowSymlink follow = FollowSymlink::no;  // whether `name`, and directories of it, may be links
  TargetCondition condition = {};
  Attributes attributes = {};

  [[nodiscard]] std::filesystem::path path() const { return root / name; }
};

// An object becomes the file `root`/`name`. `name` is relative, has no empty, "." or ".."
// component, and is opened component by component without following a link below `root`, so that
// nothing is written outside of `root` whatever lies there. Missing directories are made.
struct Download {
  ObjectName source = {};
  std::filesystem::path root = {};
  std::string name = {};
  // What a listing has said already: saves a request for small objects. An object that was
  // replaced since is noticed and taken as it is then.
  std::optional<std::uint64_t> size = {};
  std::string etag = {};
  std::optional<Timestamp> last_modified = {};
};

// An object becomes another, inside S3.
struct Copy {
  ObjectName source = {};
  ObjectName target = {};
  std::optional<std::uint64_t> size = {};  // as a listing says; asked for when absent
  std::string etag = {};                   // of the source; a source that was replaced is noticed
  TargetCondition condition = {};
  // Storage class, encryption and ACL are always these, since S3 keeps none of the source's. The
  // rest (metadata, content type and other headers) is the source's, unless `replaces_headers`.
  Attributes attributes = {};
  bool replaces_headers = false;
};

// An object, or one version of it, is deleted.
struct Remove {
  ObjectName target = {};
  std::uint64_t size = 0;  // for the count of bytes only
};

using Job = std::variant<Upload, Download, Copy, Remove>;

// "upload of data/a.bin to s3://bucket/a.bin", for messages.
[[nodiscard]] std::string to_text(const Job& job);

// Where jobs come from. They are taken as they can be worked on, so that a million objects do not
// lie in memory. Called by one thread at a time, not always the same; may block, on a listing for
// example.
class JobSource {
 public:
  JobSource() = default;
  JobSource(const JobSource&) = delete;
  JobSource& operator=(const JobSource&) = delete;
  JobSource(JobSource&&) = delete;
  JobSource& operator=(JobSource&&) = delete;
  virtual ~JobSource() = default;

  // The next job, nothing after the last. An error ends the run: what has begun is finished, and
  // the error is the run's.
  [[nodiscard]] virtual Result<std::optional<Job>> next() = 0;
};

// Jobs that are known beforehand.
class JobList final : public JobSource {
 public:
  explicit JobList(std::vector<Job> jobs) : jobs_{std::move(jobs)} {}
  [[nodiscard]] Result<std::optional<Job>> next() override;

 private:
  std::vector<Job> jobs_;
  std::size_t at_ = 0;
};

}  // namespace runctl::transfer
