// Volumes, snapshots and instances as text and as records.
#pragma once

#include <span>
#include <string>

#include <boost/json/object.hpp>

#include "volume/facts.hpp"
#include "volume/snapshot.hpp"

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

// How long writers waited for a snapshot or copy, and why it is not consistent, as lines and as
// members.
[[nodiscard]] std::string text_of(const volume::Worth& worth);
void add_to_record(boost::json::object& record, const volume::Worth& worth);

}  // namespace runctl::cli
