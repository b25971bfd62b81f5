#include "node/script.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "node/embedded_scripts.hpp"

namespace runctl::node {
namespace {

// What each script stands on, in order.
const std::vector<std::string_view>& parts_of(std::string_view name) {
  using List = std::vector<std::string_view>;
  static const List of_volumes{"prelude", "machine", "users", "files_machine", "device"};
  static const List of_contents{"prelude", "machine",        "users",         "contents",
                                "private", "files_manifest", "files_machine", "device"};
  static const List of_fetching{"prelude",       "machine", "users",
                                "files_machine", "device",  "download"};
  static const List of_placing{"prelude", "download"};
  static const List of_runs{"prelude", "background", "run_state", "run_more"};
  static const List of_choosing{"prelude", "background", "run_state"};
  static const List of_thawing{"prelude", "background",    "machine",
                               "users",   "files_machine", "device"};
  static const List of_jobs{"prelude", "background", "job_state"};
  static const List plain{"prelude"};
  if (name == "fetch") return of_fetching;
  if (name == "place_code") return of_placing;
  if (name == "put_file" || name == "sync" || name.ends_with("_code")) return plain;
  if (name.ends_with("_manifest")) return of_contents;
  if (name == "thaw") return of_thawing;
  if (name == "choose_checkpoint") return of_choosing;
  if (name == "start_job" || name == "job_status" || name == "stop_job") return of_jobs;
  return name.contains("run") || name == "processes" ? of_runs : of_volumes;
}

struct CodeMeaning {
  std::string_view code;
  Errc errc;
};

// Every code that a script may give. Those of programs that failed are `internal`, as a full disk
// is in io/.
constexpr auto code_meanings = std::to_array<CodeMeaning>({
    {"busy", Errc::conflict},
    {"locked", Errc::conflict},
    {"mounted_elsewhere", Errc::conflict},
    {"mount_point_in_use", Errc::conflict},
    {"mount_point_not_empty", Errc::conflict},
    {"no_filesystem", Errc::conflict},
    {"needs_recovery", Errc::conflict},
    {"read_only_device", Errc::conflict},
    {"no_checkpoints", Errc::precondition},
    {"no_space", Errc::conflict},
    {"not_mounted", Errc::conflict},
    {"needs_repair", Errc::conflict},
    {"not_blank", Errc::conflict},
    {"not_created_empty", Errc::conflict},
    {"not_clean", Errc::conflict},
    {"not_possible", Errc::conflict},
    {"run_exists", Errc::conflict},
    {"no_device", Errc::precondition},
    {"no_serial", Errc::precondition},
    {"no_downloader", Errc::precondition},
    {"no_uploader", Errc::precondition},
    {"not_started", Errc::precondition},
    {"no_python", Errc::precondition},
    {"changed", Errc::precondition},
    {"wrong_device", Errc::precondition},
    {"gap", Errc::precondition},
    {"not_grown", Errc::precondition},
    {"no_run", Errc::not_found},
    {"no_manifest", Errc::not_found},
    {"bad_parameter", Errc::invalid_argument},
    {"corrupt_content", Errc::corrupt},
    {"wrong_manifest", Errc::corrupt},
    {"grow_failed", Errc::internal},
    {"io_error", Errc::internal},
    {"freeze_failed", Errc::internal},
    {"mkfs_failed", Errc::internal},
    {"mount_failed", Errc::internal},
    {"not_read_only", Errc::internal},
    {"start_failed", Errc::internal},
    {"script_failed", Errc::internal},
});

std::string words_of(const boost::json::value& entry) {
  std::string words;
  if (const auto* what = array_at(entry, "what")) {
    for (const auto& word : *what) {
      if (word.is_string())
        words += fmt::format("{}{}", words.empty() ? "" : ", ", word.get_string().c_str());
    }
  }
  return words;
}

std::vector<std::string> details_of(const boost::json::value& record) {
  std::vector<std::string> details;
  if (const auto* users = array_at(record, "users")) {
    for (const auto& user : *users) {
      const auto pid = integer_at(user, "pid").value_or(0);
      const auto command = string_at(user, "command").value_or("");
      const auto container = string_at(user, "container").value_or("");
      details.push_back(
          pid > 0 ? fmt::format("process {} '{}'{}: {}", pid, command,
                                container.empty() ? "" : fmt::format(" in container {}", container),
                                words_of(user))
                  : fmt::format("{}: {}", command, words_of(user)));
    }
    const auto count = integer_at(record, "user_count").value_or(0);
    if (std::cmp_greater(count, users->size())) {
      details.push_back(
          fmt::format("and {} more", count - static_cast<std::int64_t>(users->size())));
    }
  }
  if (const auto* mounts = array_at(record, "mounts")) {
    for (const auto& mount : *mounts) {
      details.push_back(fmt::format("mounted at {} ({})",
                                    string_at(mount, "mount_point").value_or("?"),
                                    string_at(mount, "options").value_or("?")));
    }
  }
  return details;
}

std::unexpected<Error> refusal(const boost::json::value& record) {
  const auto code = string_at(record, "code").value_or("");
  const auto meaning = std::ranges::find(code_meanings, code, &CodeMeaning::code);
  Error error{.code = meaning == code_meanings.end() ? Errc::corrupt : meaning->errc,
              .message = std::string{trim(string_at(record, "error").value_or("no reason given"))},
              .details = details_of(record)};
  // A program's own words may have lines; a message is one.
  std::ranges::replace(error.message, '\n', ' ');
  error.remote = RemoteFault{.code = code};
  // These come after an attempt that may have left something.
  const bool only_read = code == "wrong_manifest";
  if ((error.code == Errc::internal || error.code == Errc::corrupt) && !only_read)
    error.effect = Effect::unknown;
  return std::unexpected{std::move(error)};
}

std::string_view last_line(std::string_view text) {
  text = trim(text);
  const auto start = text.rfind('\n');
  return start == std::string_view::npos ? text : text.substr(start + 1);
}

// Length of the UTF-8 sequence at the front of `bytes`, 0 when there is none.
// Source: RFC 3629, section 4.
std::size_t utf8_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80U) return 1;
  const std::size_t length = first >= 0xC2U && first < 0xE0U   ? 2
                             : first >= 0xE0U && first < 0xF0U ? 3
                             : first >= 0xF0U && first < 0xF5U ? 4
                                                               : 0;
  if (length == 0 || bytes.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80U) return 0;
  }
  const bool overlong = (first == 0xE0U && at(1) < 0xA0U) || (first == 0xF0U && at(1) < 0x90U);
  const bool out_of_range =
      (first == 0xEDU && at(1) >= 0xA0U) || (first == 0xF4U && at(1) >= 0x90U);
  return overlong || out_of_range ? 0 : length;
}

template <class TextOf>
std::string assemble_of(const Script& script, const TextOf& text_of) {
  std::string text = fmt::format("OPERATION={}\n", shell_quote(script.name));
  for (const auto& [name, value] : script.parameters) {
    text += fmt::format("{}={}\n", name, shell_quote(value));
  }
  for (const std::string_view part : parts_of(script.name)) text += text_of(part);
  text += text_of(script.name);
  return text;
}

}  // namespace

std::string script_text(std::string_view name) {
  std::string text;
  const auto whole = embedded_file(fmt::format("{}.sh", name));
  for (std::size_t at = 0; at < whole.size();) {
    const std::size_t end = std::min(whole.find('\n', at), whole.size() - 1) + 1;
    const auto line = whole.substr(at, end - at);
    const auto first = line.find_first_not_of(" \t");
    const bool is_comment = first != std::string_view::npos && line[first] == '#';
    if (!is_comment || (at == 0 && line.starts_with("#!"))) text += line;
    at = end;
  }
  return text;
}

std::string_view embedded_file(std::string_view file) {
  const auto scripts = embedded_scripts();
  const auto found = std::ranges::find(scripts, file, &EmbeddedText::name);
  return found == scripts.end() ? std::string_view{} : found->text;
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = utf8_length(bytes);
    if (length == 0) {
      out += '?';
    } else {
      out += bytes.substr(0, length);
    }
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string assemble(const Script& script) { return assemble_of(script, script_text); }

std::string annotated(const Script& script) {
  return assemble_of(script, [](std::string_view name) {
    return std::string{embedded_file(fmt::format("{}.sh", name))};
  });
}

Result<boost::json::value> read_record(std::string_view script_name, const InstanceId& instance,
                                       const ShellOutcome& outcome) {
  auto record = parse_json(to_utf8(last_line(outcome.out)));
  const auto ok = record ? boolean_at(*record, "ok") : std::nullopt;
  if (!ok || *ok != (outcome.exit_status == 0)) {
    if (outcome.cut) {
      auto cut = fail(Errc::corrupt,
                      fmt::format("'{}' on instance {} said more than the {} bytes that came back, "
                                  "and its record is not among them",
                                  script_name, instance, outcome.out.size()));
      cut.error().effect = Effect::unknown;
      return cut;
    }
    const auto said = trim(outcome.out).empty() ? trim(outcome.err) : trim(outcome.out);
    auto garbled =
        fail(Errc::corrupt,
             fmt::format("'{}' on instance {} ended with status {} and no record: '{}'",
                         script_name, instance, outcome.exit_status, to_utf8(said.substr(0, 120))));
    garbled.error().effect = Effect::unknown;
    return garbled;
  }
  if (!*ok) return with_context(refusal(*record).error(), fmt::format("on instance {}", instance));
  return record;
}

Result<boost::json::value> run_script(const Machine& machine, const Script& script) {
  const std::string text = assemble(script);
  if (text.size() > machine.shell.text_limit()) {
    return fail(
        Errc::invalid_argument,
        fmt::format("'{}' for instance {} has {} bytes, above the {} that can be sent", script.name,
                    machine.instance, text.size(), machine.shell.text_limit()));
  }
  RUNCTL_TRY_LET(const auto outcome,
                 machine.shell.run(machine.instance, text, machine.timeout, machine.stop));
  return read_record(script.name, machine.instance, outcome);
}

}  // namespace runctl::node
