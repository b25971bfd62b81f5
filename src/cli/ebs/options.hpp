// What the commands' options have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/context.hpp"
#include "volume/facts.hpp"
#include "volume/holder.hpp"
#include "volume/mount.hpp"
#include "volume/session.hpp"

namespace runctl::cli {

// Errors: invalid_argument for what is not a whole number above zero.
[[nodiscard]] Result<std::optional<std::int64_t>> parse_count(const Arguments& arguments,
                                                              std::string_view name);

// Errors: invalid_argument for what is not a whole number from 0 to `most`; `name` is in the
// message.
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view name, std::string_view text,
                                                 std::uint64_t most);

// --tag K=V … and --name. Errors: invalid_argument for a tag without '=', or in runctl's or AWS's
// own names.
[[nodiscard]] Result<volume::Tags> parse_tags(const Arguments& arguments);

// An absolute path that may serve as a mount point. Errors: invalid_argument.
[[nodiscard]] Result<std::string> parse_mount_point(std::string_view text);

// --mount DIR [--format FS] [--read-only], as attach, restore and clone take them. Nothing without
// --mount. Errors: invalid_argument for what goes only with --mount, or not together.
[[nodiscard]] Result<std::optional<volume::MountSpec>> parse_mount(const Arguments& arguments);

// "make a filesystem (ext4) on it, …" and "mount it at …", for plans.
void add_steps(std::vector<std::string>& steps, const volume::MountSpec& mount);

// "Mounted at /data (ext4), read-only.\n"
[[nodiscard]] std::string text_of(const volume::Mounted& mounted);
void add_to_record(boost::json::object& record, const volume::Mounted& mounted,
                   const std::string& mount_point);

// --instance, by id or Name. Errors: those of volume::find_instance.
[[nodiscard]] Result<std::optional<volume::InstanceFacts>> find_named_instance(
    const Arguments& arguments, const volume::Session& session);

// The machine of --instance, or the only one that has the volume; as volume::reachable_holder.
[[nodiscard]] Result<volume::Holder> find_holder(const Arguments& arguments,
                                                 const volume::Session& session,
                                                 const volume::VolumeFacts& volume,
                                                 std::string_view verb);

// "1 file", "2 files".
[[nodiscard]] std::string files_in_words(std::uint64_t count);

// Prints the steps that --dry-run asked for; the record gets the members of `more` as well.
[[nodiscard]] ExitCode show_plan(Context& context, const std::vector<std::string>& steps,
                                 boost::json::object more = {});

}  // namespace runctl::cli
