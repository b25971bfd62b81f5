// What is known here of the code that was sent before.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl::training {

// Manifests by their hashes, the latest few of a project, so that what a machine says it has is
// known by its name alone. Only ever a help: one that is lost makes the next sync a whole one.
// Thread safety: several processes may use one folder at once.
class ManifestCache {
 public:
  explicit ManifestCache(std::filesystem::path folder) : folder_{std::move(folder)} {}

  // Nothing when it is not there, or not what its name says.
  [[nodiscard]] std::optional<std::string> find(const std::string& state) const;
  // Errors: as write_file_atomically.
  [[nodiscard]] Result<void> keep(const std::string& state, std::string_view manifest) const;

 private:
  void forget_old() const;

  std::filesystem::path folder_;
};

}  // namespace runctl::training
