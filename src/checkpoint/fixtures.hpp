// For tests: checkpoints that others have written (tests/data/checkpoints), and zips made here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/crc.hpp"
#include "base/text.hpp"
#include "checkpoint/inspect.hpp"
#include "checkpoint/source.hpp"

namespace runctl::checkpoint {

// RUNCTL_SOURCE_DIR is the test target's.
inline std::string fixture(const std::string& name) {
  std::ifstream file{std::string{RUNCTL_SOURCE_DIR} + "/tests/data/checkpoints/" + name + ".b64"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  std::erase(text, '\n');
  auto bytes = base64_decode(text);
  if (text.empty() || !bytes) throw std::runtime_error{"no fixture " + name};
  return *std::move(bytes);
}

inline Finding look_at(std::string_view bytes, std::string_view name,
                       Depth depth = Depth::contents) {
  MemorySource source{bytes};
  auto finding = inspect_file(source, name, depth);
  if (!finding) throw std::runtime_error{finding.error().message};
  return *std::move(finding);
}

inline bool is_trusted(const Finding& finding) {
  return finding.verdict == Verdict::sound || finding.verdict == Verdict::complete;
}

inline std::string number(std::uint64_t value, std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i, value >>= 8U) out += static_cast<char>(value & 0xffU);
  return out;
}

// A zip of stored members, as one would write it by hand, so that a test can break any part.
struct StoredMember {
  std::string name;
  std::string content;
};
inline std::string zip_of(const std::vector<StoredMember>& members) {
  std::string out;
  std::string directory;
  for (const StoredMember& member : members) {
    const std::string sizes =
        number(crc(CrcKind::crc32, std::as_bytes(std::span{member.content})), 4) +
        number(member.content.size(), 4) + number(member.content.size(), 4) +
        number(member.name.size(), 2);
    directory += "PK\x01\x02" + number(20, 2) + number(20, 2) + number(0, 8) + sizes +
                 number(0, 12) + number(out.size(), 4) + member.name;
    out += "PK\x03\x04" + number(20, 2) + number(0, 8) + sizes + number(0, 2) + member.name +
           member.content;
  }
  const std::size_t at = out.size();
  return out + directory + "PK\x05\x06" + number(0, 4) + number(members.size(), 2) +
         number(members.size(), 2) + number(directory.size(), 4) + number(at, 4) + number(0, 2);
}

inline std::string safetensors_of(const std::string& header, const std::string& data) {
  return number(header.size(), 8) + header + data;
}

}  // namespace runctl::checkpoint
