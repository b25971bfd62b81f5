// A project's code on a machine: one copy that syncs bring up to date, and one for each run.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "node/run.hpp"
#include "node/script.hpp"

namespace runctl::node {

// What is to be there. All hashes are SHA-256 in hexadecimal digits.
struct CodeWish {
  std::string project;         // names the copy: letters, digits, '-', '_', '.'
  std::string state = {};      // the manifest's hash; "" only asks what is there
  const RunId* run = nullptr;  // gets a copy of its own; nothing: nothing is changed
  std::string base = {};       // what the archive builds upon; "" on nothing
  std::string archive = {};    // the name that incoming_path gave it; "" for none
  std::string archive_hash = {};
  std::string compression = "gzip";  // or "zstd"
  std::string url = {};              // where the machine gets the archive; "" when it has it
  std::uint64_t needed_bytes = 0;    // on its disk, for all of it
};

struct CodeOnMachine {
  bool placed = false;     // else the wanted state is not there, and no archive led to it
  std::string path = {};   // of the run's copy, by which the machine's processes find it
  std::string state = {};  // that the machine has of the project; "" for nothing
  bool has_zstd = false;
};

// Brings the machine's copy of a project to a state, if an archive is given that leads there, and
// copies it for the run; whole or not at all, and under a lock, so that no run starts from half of
// one, or from another sync's. An earlier run's copy is left as it is. May be repeated. Errors
// (`remote->code`): conflict (locked; no_space), corrupt (corrupt_content: the archive is not what
// was meant, and nothing was changed), precondition (no_downloader), internal (io_error); as
// run_script. Takes long for much code: give the machine minutes.
[[nodiscard]] Result<CodeOnMachine> place_code(const Machine& machine, const CodeWish& wish);

// Removes the copy of a run that was not started; of one that was, nothing. Errors: as run_script.
[[nodiscard]] Result<void> discard_code(const Machine& machine, const RunId& run);

// Where put_file must put an archive.
[[nodiscard]] std::string incoming_path(const std::string& project, const std::string& archive);

}  // namespace runctl::node
