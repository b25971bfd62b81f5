// The objects that a volume is filled with: looked over before anything is rented, and signed batch
// by batch for the machine that downloads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "base/units.hpp"
#include "cli/s3/listing.hpp"
#include "cli/s3/session.hpp"
#include "node/fetch.hpp"
#include "transfer/object_name.hpp"
#include "transfer/uri.hpp"
#include "volume/session.hpp"

namespace runctl::cli {

// "1 object", "20 objects".
[[nodiscard]] std::string objects_in_words(std::uint64_t count);

// An object that does not get onto the volume.
struct LeftObject {
  std::string key;  // as it is; any bytes
  std::string why;  // a sentence's second half
};

struct Survey {
  transfer::S3Uri source;
  std::uint64_t objects = 0;  // that can be files
  std::uint64_t bytes = 0;
  std::vector<LeftObject> refused = {};  // whose names cannot be files on the volume
};

// Lists all that is below `source`, in bounded memory but for what is refused. Markers of folders
// are passed over. Errors: not_found when nothing is below it; those of S3.
[[nodiscard]] Result<Survey> survey(S3Session& s3, const transfer::S3Uri& source);

// What stands against it that can be known before: more bytes than the volume has. Pure. Errors:
// conflict.
[[nodiscard]] Result<void> check_room(const Survey& survey, GiB size, std::string_view volume);

struct FillTarget {
  InstanceId machine;
  node::FetchTarget place;
};

struct FillReport {
  std::string directory = {};  // on the machine
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t already = 0;
  std::uint64_t already_bytes = 0;
  std::vector<LeftObject> failed = {};
  std::string said = {};  // by the machine's program, of a failure
};

// Lists it again and has the machine download it to `target`, batch by batch. Each is signed
// when it is sent; what only a new signature or another try can mend is tried once more. Counts on
// in `report` also when it fails half-way. Errors: those of node::fetch, of S3 and of signing.
[[nodiscard]] Result<void> fill(S3Session& s3, const volume::Session& session,
                                const FillTarget& target, const Survey& survey, FillReport& report);

// The fault of a key's part below the folder as a file of the volume: also what the volume keeps
// for itself.
[[nodiscard]] transfer::NameFault fault_on_volume(std::string_view relative);

}  // namespace runctl::cli
