// What the engine asks of S3, in its own terms: one request each, except for lists. The engine does
// the retrying, the cutting into parts and the checking; so it can be tested on a store in memory
// that fails as a seed says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/crc.hpp"
#include "base/result.hpp"
#include "base/time_text.hpp"
#include "transfer/job.hpp"

namespace runctl::transfer {

// Where the bytes of a request come from. May be read again from any offset.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  ByteSource(ByteSource&&) = delete;
  ByteSource& operator=(ByteSource&&) = delete;
  virtual ~ByteSource() = default;

  [[nodiscard]] virtual std::uint64_t size() const = 0;
  // Fills `into` from `offset`; fewer bytes than that only at the end. Its errors end the request
  // and come back from it as they are.
  [[nodiscard]] virtual Result<std::size_t> read(std::uint64_t offset,
                                                 std::span<std::byte> into) = 0;
};

// An object's checksum as S3 tells it.
struct Checksum {
  std::string algorithm = {};  // "CRC64NVME", "CRC32C", "CRC32", "SHA256", "SHA1"
  std::string value = {};      // base64 of the bytes, big-endian; without a composite's "-COUNT"
  bool full_object = true;     // else: of the checksums of `parts` parts
  unsigned parts = 0;
};

struct ObjectFacts {
  std::uint64_t size = 0;  // of the whole object
  std::string etag = {};   // with its quotes
  std::string version_id = {};
  Timestamp last_modified{};
  Attributes attributes =
      {};                  // what a copy of it would have to carry; metadata without "x-amz-meta-"
  std::uint64_t tags = 0;  // how many it has; what they say is another request's to tell
  std::optional<Checksum> checksum = {};
  bool etag_is_md5 = false;  // neither multipart nor encrypted with a key of KMS or the customer's
  // Encrypted with such a key: no ETag, of the whole or of parts, says anything of the bytes.
  bool etag_is_opaque = false;
};

// Where the bytes of an object go.
class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  ByteSink(ByteSink&&) = delete;
  ByteSink& operator=(ByteSink&&) = delete;
  virtual ~ByteSink() = default;

  // Before the first byte; once more, from the beginning, should the request be sent anew.
  [[nodiscard]] virtual Result<void> begin(const ObjectFacts& facts) = 0;
  // Errors of both end the request and come back from it as they are.
  [[nodiscard]] virtual Result<void> write(std::span<const std::byte> bytes) = 0;
};

struct GetRequest {
  ObjectName source = {};
  std::uint64_t first = 0;
  std::optional<std::uint64_t> length = {};  // absent: the whole object, and no range is asked for
  std::string if_match = {};                 // an ETag; precondition when the object has another
};

// What S3 says of an object, or a part, that it has taken.
struct Stored {
  std::string etag = {};
  std::string version_id = {};
  std::optional<Checksum> checksum = {};
};

struct PutRequest {
  ObjectName target = {};
  TargetCondition condition = {};
  Attributes attributes = {};
  CrcKind checksum = CrcKind::crc64nvme;
  // Absent: known only after one pass over the bytes, and sent behind them.
  std::optional<std::uint64_t> crc = {};
};

struct CreateRequest {
  ObjectName target = {};
  Attributes attributes = {};
  CrcKind checksum = CrcKind::crc64nvme;
};

// One part of one multipart upload.
struct PartName {
  ObjectName target = {};
  std::string upload_id = {};
  unsigned number = 0;  // from 1
};

struct PartRequest {
  PartName part = {};
  CrcKind checksum = CrcKind::crc64nvme;
  std::optional<std::uint64_t> crc = {};  // as in PutRequest
};

// A part that S3 has.
struct Part {
  unsigned number = 0;
  std::uint64_t size = 0;
  std::string etag = {};
  std::optional<Checksum> checksum = {};
};

struct CompleteRequest {
  ObjectName target = {};
  std::string upload_id = {};
  TargetCondition condition = {};
  std::vector<Part> parts = {};
  std::uint64_t size = 0;
  CrcKind checksum = CrcKind::crc64nvme;
  std::optional<std::uint64_t> crc = {};  // of the whole object: S3 refuses another
};

struct CopyRequest {
  ObjectName source = {};
  std::string source_if_match = {};
  ObjectName target = {};
  TargetCondition condition = {};
  Attributes attributes = {};  // as Copy's
  bool replaces_headers = false;
};

struct PartCopyRequest {
  ObjectName source = {};
  std::string source_if_match = {};
  PartName part = {};
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

struct Removal {
  ObjectName target = {};
  std::optional<Error> error = {};  // absent: it is gone
};

// Errors of every call: not_found, conflict, precondition, denied, throttled, unavailable,
// deadline_exceeded, corrupt (the answer, or a checksum), cancelled; `remote` says S3's code.
// Thread safety: everything may be called from several threads at once.
class ObjectStore {
 public:
  ObjectStore() = default;
  ObjectStore(const ObjectStore&) = delete;
  ObjectStore& operator=(const ObjectStore&) = delete;
  ObjectStore(ObjectStore&&) = delete;
  ObjectStore& operator=(ObjectStore&&) = delete;
  virtual ~ObjectStore() = default;

  // What tells this S3 from another with the same bucket's name: its endpoint.
  [[nodiscard]] virtual std::string place() const = 0;
  // Which key the store encrypts what it writes with (CustomerKey::print), "" for none of the
  // customer's. An upload that was begun with one key cannot be ended with another.
  [[nodiscard]] virtual std::string key_print() const { return {}; }
  // Whether a request's checksum may be left for the end of its body. Where it may not, the engine
  // reads the bytes twice: once to know their checksum.
  [[nodiscard]] virtual bool takes_checksum_behind() const = 0;

  // Whether what comes is to be compared with anything that the store says of it.
  [[nodiscard]] virtual bool checks_answers() const { return true; }

  [[nodiscard]] virtual Result<ObjectFacts> head(const ObjectName& name,
                                                 const std::stop_token& stop) = 0;
  // Of an object that a copy is made of, which may have another key than the copy.
  [[nodiscard]] virtual Result<ObjectFacts> head_source(const ObjectName& name,
                                                        const std::stop_token& stop) {
    return head(name, stop);
  }
  // The size of one part, from 1, of an object that was uploaded in parts.
  [[nodiscard]] virtual Result<std::uint64_t> part_size(const ObjectName& name, unsigned number,
                                                        const std::string& if_match,
                                                        const std::stop_token& stop) = 0;
  [[nodiscard]] virtual Result<ObjectFacts> get(const GetRequest& request, ByteSink& sink,
                                                const std::stop_token& stop) = 0;
  [[nodiscard]] virtual Result<Stored> put(const PutRequest& request, ByteSource& source,
                                           const std::stop_token& stop) = 0;

  [[nodiscard]] virtual Result<std::string> create_upload(const CreateRequest& request,
                                                          const std::stop_token& stop) = 0;
  [[nodiscard]] virtual Result<Stored> upload_part(const PartRequest& request, ByteSource& source,
                                                   const std::stop_token& stop) = 0;
  [[nodiscard]] virtual Result<Stored> copy_part(const PartCopyRequest& request,
                                                 const std::stop_token& stop) = 0;
  // All parts of an upload, in order. Errors: not_found when there is no such upload.
  [[nodiscard]] virtual Result<std::vector<Part>> list_parts(const ObjectName& target,
                                                             const std::string& upload_id,
                                                             const std::stop_token& stop) = 0;
  // The upload ids that are open for that very key.
  [[nodiscard]] virtual Result<std::vector<std::string>> list_uploads(
      const ObjectName& target, const std::stop_token& stop) = 0;
  [[nodiscard]] virtual Result<Stored> complete_upload(const CompleteRequest& request,
                                                       const std::stop_token& stop) = 0;
  // An upload that is not there any more is a success.
  [[nodiscard]] virtual Result<void> abort_upload(const ObjectName& target,
                                                  const std::string& upload_id,
                                                  const std::stop_token& stop) = 0;

  [[nodiscard]] virtual Result<Stored> copy(const CopyRequest& request,
                                            const std::stop_token& stop) = 0;
  // Deletes up to `greatest_removal` objects of one bucket in one request; the answer has one entry
  // each, in the order asked. An object that is not there is a success.
  [[nodiscard]] virtual Result<std::vector<Removal>> remove(std::span<const ObjectName> names,
                                                            const std::stop_token& stop) = 0;
};

}  // namespace runctl::transfer
