// Sealing a dataset volume: from then on it is read-only everywhere, and known by its checksums.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "node/manifest.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

struct SealPlan {
  bool already_sealed = false;
  std::optional<Error> refusal = {};
};

// Refuses a volume that several machines have (each could write it while it is read), one that is
// the cluster's, and one that was pulled off a machine and not checked since. Pure.
[[nodiscard]] SealPlan plan_seal(const VolumeFacts& volume);

struct Sealed {
  node::ManifestSummary manifest;
  std::optional<std::string> mounted_at = {};  // where it was mounted, and is again
};

// Unmounts the volume on the machine that has it (which refuses while anything uses it), reads all
// of it where no other process can see it, writes the manifest, unmounts it cleanly, and only then
// marks it as sealed. Where it was mounted it is mounted again, read-only; `mounted_before` is
// where it was before an interrupted seal. Errors: conflict naming the users; precondition when
// another machine has got it meanwhile; those of the machine and of EC2, which say that it was
// unmounted. Until the mark is set the volume is exclusive, as it was: it can be repeated.
[[nodiscard]] Result<Sealed> execute_seal(const Change& change, const VolumeFacts& volume,
                                          const InstanceFacts& holder,
                                          std::optional<std::string> mounted_before = {});

struct UnsealPlan {
  bool already_unsealed = false;
  std::optional<Error> refusal = {};
};

// Refuses while any machine has it: readers rely on it as it is. Pure.
[[nodiscard]] UnsealPlan plan_unseal(const VolumeFacts& volume);

// Takes the marks away. Errors: precondition when a machine has attached it meanwhile; EC2's own.
[[nodiscard]] Result<void> execute_unseal(const Change& change, const VolumeFacts& planned);

}  // namespace runctl::volume
