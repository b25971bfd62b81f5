// Holding back the writes to a volume for the moment in which it is copied.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "base/strong_id.hpp"
#include "node/script.hpp"
#include "node/volume_on_machine.hpp"

namespace runctl::node {

enum class Stillness : std::uint8_t {
  frozen,        // until thaw(), or for as long as was asked
  not_mounted,   // on this machine nothing writes to it
  in_use,        // not mounted, and held: its partitions, LVM, md; nothing is held back
  read_only,     // mounted, and not to write
  written_back,  // volumes are directories here: nothing holds writes back
};

struct FreezeRequest {
  VolumeId volume;
  std::string token;  // letters, digits, '-': tells this freeze from another
  // After this the machine thaws by itself, whatever has become of us.
  std::chrono::seconds dead_man{20};
};

struct Frozen {
  Stillness state = Stillness::written_back;
  std::string mount_point = {};
  Journal journal = Journal::unknown;  // of one that is not mounted
};

// Writes the volume back and freezes its filesystem, with a process on the machine armed before
// that thaws it. While it is frozen, writers wait, and no other operation on the volume is begun on
// that machine. Errors (`remote->code`): conflict (locked, not_possible: the machine itself runs on
// it), precondition (no_device), internal (freeze_failed: frozen by somebody else, or too slow;
// start_failed), and nothing stays frozen; as run_script.
[[nodiscard]] Result<Frozen> freeze(const Machine& machine, const FreezeRequest& request);

struct Thawed {
  // It stood still from freeze() until now. Otherwise the machine had thawed it before, or there
  // was nothing frozen under that token.
  bool held = false;
  std::chrono::milliseconds frozen{0};  // for how long, as the machine counts
};

// Thaws. May be repeated. Errors: as run_script.
[[nodiscard]] Result<Thawed> thaw(const Machine& machine, const VolumeId& volume,
                                  const std::string& token);

}  // namespace runctl::node
