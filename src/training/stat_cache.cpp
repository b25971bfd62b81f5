#include "training/stat_cache.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "io/file.hpp"

namespace runctl::training {
namespace {

// Another line is another format, or another kind of processor: what follows is plain memory.
constexpr std::string_view format = "runctl stat cache 1\n";
constexpr std::size_t hash_size = 32;
constexpr std::uint64_t largest = std::uint64_t{256} << 20U;

struct Head {
  FileStamp stamp;
  std::uint64_t path_size = 0;
  std::array<char, hash_size> hash{};
};

struct Known {
  FileStamp stamp;
  std::string_view hash;
};

// By path, borrowing from `text`; nothing when it is no cache.
std::optional<std::unordered_map<std::string_view, Known>> read(std::string_view text) {
  if (!text.starts_with(format)) return std::nullopt;
  text.remove_prefix(format.size());
  std::unordered_map<std::string_view, Known> known;
  constexpr std::size_t least = sizeof(Head) + 16;
  known.reserve(text.size() / least);
  while (!text.empty()) {
    Head head;
    if (text.size() < sizeof head) return std::nullopt;
    std::memcpy(&head, text.data(), sizeof head);
    const std::string_view hash = text.substr(offsetof(Head, hash), hash_size);
    text.remove_prefix(sizeof head);
    if (text.size() < head.path_size) return std::nullopt;
    known.emplace(text.substr(0, head.path_size), Known{.stamp = head.stamp, .hash = hash});
    text.remove_prefix(head.path_size);
  }
  return known;
}

std::string write(const CodeTree& tree, std::int64_t settled_before) {
  std::string text{format};
  for (const CodeEntry& entry : tree.entries) {
    const bool is_known = entry.kind != EntryKind::link && entry.hash.size() == hash_size;
    const FileStamp& stamp = entry.stamp;
    if (!is_known || std::max(stamp.modified_ns, stamp.changed_ns) >= settled_before) continue;
    Head head{.stamp = stamp, .path_size = entry.path.size()};
    std::memcpy(head.hash.data(), entry.hash.data(), hash_size);
    std::array<char, sizeof head> bytes{};
    std::memcpy(bytes.data(), &head, sizeof head);
    text.append(bytes.data(), bytes.size());
    text += entry.path;
  }
  return text;
}

}  // namespace

std::size_t recall_hashes(const std::filesystem::path& file, CodeTree& tree) {
  const auto text = read_file(file, largest);
  const auto known = text ? read(*text) : std::nullopt;
  if (!known) return 0;
  std::size_t count = 0;
  for (CodeEntry& entry : tree.entries) {
    if (entry.kind == EntryKind::link) continue;
    const auto found = known->find(entry.path);
    if (found == known->end() || found->second.stamp != entry.stamp) continue;
    entry.hash = found->second.hash;
    ++count;
  }
  return count;
}

Result<void> keep_hashes(const std::filesystem::path& file, const CodeTree& tree,
                         Timestamp looked_at) {
  constexpr std::chrono::seconds coarsest_clock{2};
  const std::chrono::nanoseconds settled = looked_at.time_since_epoch() - coarsest_clock;
  const std::string text = write(tree, settled.count());
  const auto there = read_file(file, largest);
  if (there && *there == text) return {};
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) return fail_errno(error.value(), "create", file.parent_path());
  return write_file_atomically(file, text);
}

}  // namespace runctl::training
