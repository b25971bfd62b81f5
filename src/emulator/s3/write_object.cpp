#include "emulator/s3/write_object.hpp"

#include <utility>

#include "emulator/refusal.hpp"
#include "emulator/s3/object_headers.hpp"

namespace runctl::emulator::s3 {
namespace {

std::unexpected<Error> too_large() {
  return refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
}

}  // namespace

Result<void> WriteGuard::before(Call& call, std::string_view key) {
  if (conditions_.if_match.empty() && conditions_.if_none_match.empty()) return {};
  RUNCTL_TRY_LET(const auto existing, call.store.head(call.bucket.name, key));
  was_there_ = existing.has_value();
  return check_write(conditions_, existing ? &*existing : nullptr);
}

Guard WriteGuard::at_the_end() const {
  return [this](const ObjectRecord* existing) -> Result<void> {
    if (was_there_ && existing == nullptr) {
      return refuse("ConditionalRequestConflict",
                    "The conditional request cannot succeed due to a conflicting operation against "
                    "this resource.",
                    409);
    }
    return check_write(conditions_, existing);
  };
}

void take_bytes(const ReceivedBlob& received, ObjectRecord& object) {
  object.size = received.checked.size;
  object.etag = etag_of(received.md5, object.headers);
  object.checksum = {.algorithm = std::string{name_of(received.algorithm)},
                     .type = "FULL_OBJECT",
                     .value = received.checked.checksum};
  object.segments = {received.file.segment()};
}

Algorithm algorithm_for(const Incoming& incoming) {
  return incoming.claimed() ? incoming.claimed()->algorithm : default_algorithm;
}

Result<ReceivedBlob> receive_blob(Call& call, Incoming& incoming, Algorithm algorithm) {
  if (!incoming.size()) {
    return refuse("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  }
  if (*incoming.size() > largest_put) return too_large();
  BlobWriter file = call.store.blobs().create();
  const auto take = [&](std::span<const std::byte> piece) { return file.write(piece); };
  RUNCTL_TRY_LET(const Digests digests, incoming.receive({algorithm}, take));
  return ReceivedBlob{.file = std::move(file),
                      .md5 = digests.md5(),
                      .algorithm = algorithm,
                      .checked = {.checksum = digests.checksum(algorithm), .size = digests.size()}};
}

Result<ReceivedBlob> copy_blob(Call& call, ReplyBody& source, Algorithm algorithm) {
  BlobWriter file = call.store.blobs().create();
  Digests digests{{algorithm}, false};
  RUNCTL_TRY(read_all(source, [&](std::span<const std::byte> piece) {
    digests.update(piece);
    return file.write(piece);
  }));
  return ReceivedBlob{.file = std::move(file),
                      .md5 = digests.md5(),
                      .algorithm = algorithm,
                      .checked = {.checksum = digests.checksum(algorithm), .size = digests.size()}};
}

}  // namespace runctl::emulator::s3
