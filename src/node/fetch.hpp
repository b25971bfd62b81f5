// Filling a volume, or a folder, on a machine with objects of S3, by URLs: the machine needs no
// credentials and no tool of AWS's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/secret.hpp"
#include "base/strong_id.hpp"
#include "base/time_text.hpp"
#include "node/job.hpp"
#include "node/script.hpp"

namespace runctl::node {

// What one call takes: what it says of the failed ones has room in a job's record.
inline constexpr std::size_t fetch_limit = 1'500;

// Where objects go.
struct FetchTarget {
  std::optional<VolumeId> volume = {};  // mounted: to its root. Nothing: to the machine's own disk,
  std::string folder = {};  // below /var/lib/runctl/data; letters, digits, '.', '_' and '-'
  [[nodiscard]] const std::string& name() const { return volume ? volume->str() : folder; }
};

struct FetchFile {
  // Below the target's root, without control characters, and leading nowhere else: what
  // transfer::fault_of_name says nothing against.
  std::string path;
  std::uint64_t size = 0;
  Timestamp modified = {};  // the file gets it, in whole seconds
  std::string etag = {};    // with its quotes, or ""; one of a single part is taken for its MD5
  Secret url;               // for GET, with x-amz-checksum-mode: ENABLED among the signed headers
};

enum class FetchFault : std::uint8_t {
  http,           // the server's status says why
  no_answer,      // the connection could not be made, or broke
  wrong_size,     // what arrived has not the size that was listed
  wrong_content,  // nor its MD5 or SHA-256
  changed,        // it is another object by now
  disk_full,
  cannot_write,
  behind_link,   // a symbolic link on the volume is in its path
  no_directory,  // a file is where a directory of its path would be
  is_directory,  // a directory is where the file would be
  killed,        // whatever worked on it was ended
};

struct FetchFailure {
  std::size_t index = 0;  // in the list that was given
  FetchFault fault = FetchFault::killed;
  int status = 0;  // with `http`
};
// "the server answered 403", "what arrived has another size than S3 says".
[[nodiscard]] std::string in_words(const FetchFailure& failure);

struct Fetched {
  std::string directory = {};  // of the target, on the machine
  std::uint64_t files = 0;     // that were downloaded
  std::uint64_t bytes = 0;
  std::uint64_t already = 0;  // that were there with this size and time
  std::uint64_t already_bytes = 0;
  std::vector<FetchFailure> failures = {};
  std::string said = {};  // by the program that downloads, of a failure; without URLs
};

struct FetchOptions {
  bool is_last = false;      // what interrupted calls have left is removed from the volume
  std::string program = {};  // curl, wget or python3; empty: what the machine has, in this order
  // Where the list of URLs waits on the machine until the job takes it; its owner's only.
  std::string list_directory = "/run/runctl";
};

// Downloads what is not there yet, 12 objects at a time, each tried up to five times. A file has
// its name only once it is whole, compared (by size; by MD5 where the ETag is one, else by SHA-256
// where S3 has one) and written back; one that is there is replaced. What a call that was cut off
// has downloaded of an object is not downloaded again while the machine runs. A volume must be
// mounted read-write; nothing outside of the target is written, whatever links are on it. URLs are
// in no command line, and in no file that others can read. At most fetch_limit files. Errors
// (`remote->code`): conflict (not_mounted, read_only_device, no_space: nothing was downloaded;
// locked: see end_fetch), precondition (no_device, no_downloader), internal (io_error),
// invalid_argument for too many files; those of put_file and run_job.
[[nodiscard]] Result<Fetched> fetch(const Machine& machine, const FetchTarget& target,
                                    std::span<const FetchFile> files, const JobWatch& watch,
                                    const FetchOptions& options = {});

// Ends what another process may have left under way, so that fetch() can go on where it was.
// Errors: conflict when it cannot be ended; as stop_job.
[[nodiscard]] Result<void> end_fetch(const Machine& machine, const FetchTarget& target);

// The list that the machine gets. Pure.
[[nodiscard]] std::string list_of(std::span<const FetchFile> files);

}  // namespace runctl::node
