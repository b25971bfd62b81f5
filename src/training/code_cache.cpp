#include "training/code_cache.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>
#include <vector>

#include "io/file.hpp"
#include "training/code_manifest.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

// One a machine, and some for those that were not reached for a while.
constexpr std::size_t most_kept = 16;
constexpr std::uint64_t largest = std::uint64_t{128} << 20U;

}  // namespace

std::optional<std::string> ManifestCache::find(const std::string& state) const {
  if (state.empty() || state.contains('/')) return std::nullopt;
  auto text = read_file(folder_ / state, largest);
  if (!text) return std::nullopt;
  if (name_of_manifest(*text) == state) return *std::move(text);
  std::error_code error;
  fs::remove(folder_ / state, error);  // so that it can be written anew
  return std::nullopt;
}

Result<void> ManifestCache::keep(const std::string& state, std::string_view manifest) const {
  std::error_code error;
  const fs::path path = folder_ / state;
  if (fs::exists(path, error)) return {};
  fs::create_directories(folder_, error);
  if (error) return fail_errno(error.value(), "create", folder_);
  RUNCTL_TRY(write_file_atomically(path, manifest));
  forget_old();
  return {};
}

void ManifestCache::forget_old() const {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> found;
  for (const auto& entry : fs::directory_iterator{folder_, error}) {
    found.emplace_back(entry.last_write_time(error), entry.path());
  }
  if (found.size() <= most_kept) return;
  std::ranges::sort(found, std::ranges::greater{});
  for (std::size_t i = most_kept; i < found.size(); ++i) fs::remove(found[i].second, error);
}

}  // namespace runctl::training
