// Volumes, snapshots and instances as text and as records.
#pragma once

#include <span>
#include <string>

#include <boost/json/object.hpp>

#include "volume/facts.hpp"

namespace runctl::cli {

[[nodiscard]] boost::json::object record_of(const volume::VolumeFacts& volume);
[[nodiscard]] boost::json::object record_of(const volume::SnapshotFacts& snapshot);
[[nodiscard]] boost::json::object record_of(const volume::InstanceFacts& instance);

[[nodiscard]] std::string text_of(const volume::VolumeFacts& volume);
[[nodiscard]] std::string text_of(const volume::SnapshotFacts& snapshot);
[[nodiscard]] std::string text_of(const volume::InstanceFacts& instance);

[[nodiscard]] std::string table_of(std::span<const volume::VolumeFacts> volumes);
[[nodiscard]] std::string table_of(std::span<const volume::SnapshotFacts> snapshots);
[[nodiscard]] std::string table_of(std::span<const volume::InstanceFacts> instances);

[[nodiscard]] std::string_view name_of(volume::VolumeMode mode);

}  // namespace runctl::cli
