#include "cli/ebs/options.hpp"

#include <charconv>
#include <ostream>
#include <system_error>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/output.hpp"
#include "volume/read.hpp"

namespace runctl::cli {

Result<std::optional<std::int64_t>> parse_count(const Arguments& arguments, std::string_view name) {
  const auto text = arguments.get(name);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc{} || rest != end || number < 1) {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes a whole number above zero, not '{}'", name, *text));
  }
  return number;
}

Result<std::uint64_t> parse_number(std::string_view name, std::string_view text,
                                   std::uint64_t most) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number > most) {
    return fail(Errc::invalid_argument,
                fmt::format("{} takes a number from 0 to {}, not '{}'", name, most, text));
  }
  return number;
}

Result<volume::Tags> parse_tags(const Arguments& arguments) {
  volume::Tags tags;
  for (const std::string& text : arguments.all("--tag")) {
    const auto equals = text.find('=');
    const std::string key = text.substr(0, equals);
    if (equals == std::string::npos || key.empty()) {
      return fail(Errc::invalid_argument, fmt::format("--tag takes KEY=VALUE, not '{}'", text));
    }
    if (key.starts_with("aws:") || key.starts_with("runctl:")) {
      return fail(Errc::invalid_argument, fmt::format("the tag '{}' cannot be set by hand", key));
    }
    tags[key] = text.substr(equals + 1);
  }
  if (const auto name = arguments.get("--name")) tags[std::string{volume::tag::name}] = *name;
  return tags;
}

Result<std::string> parse_mount_point(std::string_view text) {
  while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
  bool bad = !text.starts_with('/') || text == "/";
  for (const std::string_view part : split(text, '/')) bad = bad || part == ".." || part == ".";
  for (const char c : text) bad = bad || (c >= 0 && c < ' ');
  if (bad) {
    return fail(Errc::invalid_argument,
                fmt::format("a mount point is an absolute path such as /data, not '{}'", text));
  }
  return std::string{text};
}

Result<std::optional<volume::MountSpec>> parse_mount(const Arguments& arguments) {
  const auto directory = arguments.get("--mount");
  const auto format = arguments.get("--format");
  const bool reads = arguments.has("--read-only");
  if (!directory) {
    if (format) {
      return fail(Errc::invalid_argument,
                  "--format is for --mount: say where the new filesystem goes");
    }
    if (reads) {
      auto alone = fail(Errc::invalid_argument, "--read-only is for --mount");
      alone.error().hint =
          "EC2 attaches every volume to write; what is read-only is the device on the machine.";
      return alone;
    }
    return std::nullopt;
  }
  if (format && reads) {
    return fail(Errc::invalid_argument, "--format writes, and --read-only forbids it");
  }
  volume::MountSpec mount;
  RUNCTL_TRY_LET(mount.directory, parse_mount_point(*directory));
  if (format) {
    RUNCTL_TRY_LET(mount.format, volume::parse_filesystem(*format));
  }
  if (reads) mount.access = node::Access::read_only;
  return mount;
}

void add_steps(std::vector<std::string>& steps, const volume::MountSpec& mount) {
  if (mount.format) {
    steps.push_back(fmt::format("make a filesystem ({}) on it, if it is proved blank",
                                volume::name_of(*mount.format)));
  }
  steps.push_back(fmt::format("mount it at {}{}", mount.directory,
                              mount.access == node::Access::read_only ? ", read-only" : ""));
}

std::string text_of(const volume::Mounted& mounted) {
  return fmt::format("{} at {} ({}){}.\n", mounted.already ? "It was already mounted" : "Mounted",
                     mounted.path, mounted.filesystem,
                     mounted.access == node::Access::read_only ? ", read-only" : "");
}

void add_to_record(boost::json::object& record, const volume::Mounted& mounted,
                   const std::string& mount_point) {
  record["mount_point"] = mount_point;
  record["path"] = mounted.path;
  record["filesystem"] = mounted.filesystem;
  record["read_only"] = mounted.access == node::Access::read_only;
  record["formatted"] = mounted.formatted;
  record["already_mounted"] = mounted.already;
}

Result<std::optional<volume::InstanceFacts>> find_named_instance(const Arguments& arguments,
                                                                 const volume::Session& session) {
  const auto name = arguments.get("--instance");
  if (!name) return std::nullopt;
  return volume::find_instance(session.aws, *name, session.options());
}

Result<volume::Holder> find_holder(const Arguments& arguments, const volume::Session& session,
                                   const volume::VolumeFacts& volume, std::string_view verb) {
  RUNCTL_TRY_LET(const auto named, find_named_instance(arguments, session));
  return volume::reachable_holder(session, volume, named ? std::optional{named->id} : std::nullopt,
                                  verb);
}

std::string files_in_words(std::uint64_t count) {
  return fmt::format("{} file{}", count, count == 1 ? "" : "s");
}

ExitCode show_plan(Context& context, const std::vector<std::string>& steps,
                   boost::json::object more) {
  std::string text = "It would:\n";
  boost::json::array plan;
  for (const std::string& step : steps) {
    text += fmt::format("  - {}\n", step);
    plan.emplace_back(step);
  }
  boost::json::object record{{"dry_run", true}, {"plan", std::move(plan)}};
  for (auto& [name, value] : more) record[name] = std::move(value);
  present(context, {.text = std::move(text), .record = std::move(record)});
  return ExitCode::ok;
}

}  // namespace runctl::cli
