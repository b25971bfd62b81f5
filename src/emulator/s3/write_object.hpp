// What all actions do that bring or copy bytes: write them to a file, and judge conditions before
// and after.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "emulator/s3/call.hpp"
#include "emulator/s3/checksums.hpp"
#include "emulator/s3/conditions.hpp"
#include "emulator/s3/incoming.hpp"
#include "emulator/s3/store.hpp"

namespace runctl::emulator::s3 {

// If-Match and If-None-Match of a request that takes its time: judged when it comes, so that no
// body is sent in vain, and again when it is done.
class WriteGuard {
 public:
  explicit WriteGuard(Conditions conditions) : conditions_{std::move(conditions)} {}

  // Errors: those of check_write and the store.
  [[nodiscard]] Result<void> before(Call& call, std::string_view key);
  // For Store::put and Store::complete. ConditionalRequestConflict (409) when what was there at the
  // start has been removed meanwhile. It must not outlive this object.
  [[nodiscard]] Guard at_the_end() const;

 private:
  Conditions conditions_;
  bool was_there_ = false;
};

// Bytes that are on disk, and are no object's yet.
struct ReceivedBlob {
  BlobWriter file;
  std::string md5;  // 16 raw bytes
  Algorithm algorithm = default_algorithm;
  CheckedPart checked;  // of that algorithm
};

// Makes them an object's, whose headers are known. The file is still to be kept.
void take_bytes(const ReceivedBlob& received, ObjectRecord& object);

// The one that the request's body comes with, or the default.
[[nodiscard]] Algorithm algorithm_for(const Incoming& incoming);

// Errors: those of Incoming::receive and BlobWriter; EntityTooLarge,
// MissingContentLength.
[[nodiscard]] Result<ReceivedBlob> receive_blob(Call& call, Incoming& incoming,
                                                Algorithm algorithm);

// Copies bytes of other objects into a file of their own, and computes what is to be known of them.
[[nodiscard]] Result<ReceivedBlob> copy_blob(Call& call, ReplyBody& source, Algorithm algorithm);

}  // namespace runctl::emulator::s3
