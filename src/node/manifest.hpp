// A volume's manifest: what is on it, with checksums, so that it can be told later whether it is
// all still there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/job.hpp"
#include "node/machine_facts.hpp"
#include "node/script.hpp"

namespace runctl::node {

struct ManifestSummary {
  std::string digest;  // SHA-256 of the manifest file, in hexadecimal
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;  // of all files, holes among them
  // directory: the manifest was made, but a directory cannot be made read-only.
  StorageKind kind = StorageKind::block;
};

// Seals a volume that is not mounted: reads every file once, through a read-only mount that only
// this job sees, then writes `.runctl/manifest` (contents.sh describes it), unmounts, proves that
// the journal is clean and that nothing holds the device, and leaves the device read-only until
// it is detached or the machine restarts (mount() read-write refuses it: read_only_device). Nothing
// is written before all has been read. One that is sealed already and unchanged is not written to;
// sockets, pipes and devices are recorded by kind and not opened. Holds the volume's lock to its
// end. Errors (`remote->code`): conflict (mounted_elsewhere, busy, locked, no_filesystem,
// needs_recovery; no_space: the manifest does not fit; read_only_device: it is read-only and its
// manifest does not fit what is on it), internal (io_error: something cannot be read, named;
// not_clean), precondition (no_device, wrong_device); as run_job.
[[nodiscard]] Result<ManifestSummary> make_manifest(const Machine& machine, const VolumeId& volume,
                                                    const JobWatch& watch);

struct Verification {
  bool intact = false;
  std::string digest;       // of the manifest that was found
  std::uint64_t files = 0;  // that are there now
  std::uint64_t bytes = 0;
  std::uint64_t difference_count = 0;
  // The first 20, fewer when they are long: "changed PATH", "missing PATH", "unexpected PATH",
  // "unreadable PATH". In valid UTF-8;
  // '\' and control characters as '\' and three octal digits.
  std::vector<std::string> differences = {};
};

// Reads everything and compares it with the manifest on the volume. Where it is mounted, through
// that mount (what is written meanwhile may show as changed); where it is not, through a read-only
// mount that only this job sees, with the device read-only before it and again as it was after it.
// Holds the volume's lock to its end. An empty `expected_digest` stands for any. Errors
// (`remote->code`): not_found (no_manifest), corrupt (wrong_manifest: not of `expected_digest`, or
// damaged; said before anything else is read), conflict (locked, no_filesystem, needs_recovery,
// busy; mounted_elsewhere: only a part is mounted), precondition (no_device, wrong_device); as
// run_job.
[[nodiscard]] Result<Verification> verify_manifest(const Machine& machine, const VolumeId& volume,
                                                   const std::string& expected_digest,
                                                   const JobWatch& watch);

// A path as a manifest has it, for people: bytes above 126 as they are when they are valid UTF-8.
// Pure.
[[nodiscard]] std::string readable_path(std::string_view escaped);

}  // namespace runctl::node
