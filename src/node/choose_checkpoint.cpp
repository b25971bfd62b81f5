#include "node/choose_checkpoint.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/json.hpp"
#include "base/text.hpp"
#include "node/gzip.hpp"

namespace runctl::node {
namespace {

namespace json = boost::json;

std::uint64_t count(const json::value& record, std::string_view name) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(integer_at(record, name).value_or(0), 0));
}

unsigned digit(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

// Names travel as hexadecimal digits, since they are any bytes. Nothing for what is none.
std::optional<std::string> name_at(const json::value& record, std::string_view member) {
  const auto text = string_at(record, member);
  if (!text || text->size() % 2 != 0 ||
      text->find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  std::string name;
  for (std::size_t at = 0; at < text->size(); at += 2) {
    name += static_cast<char>(digit((*text)[at]) * 16 + digit((*text)[at + 1]));
  }
  return name;
}

std::optional<ChosenCheckpoint> read_chosen(const json::object& found) {
  auto name = name_at(found, "name");
  if (!name) return std::nullopt;
  ChosenCheckpoint chosen{.name = *std::move(name),
                          .format = string_at(found, "format").value_or(""),
                          .state = string_at(found, "state").value_or(""),
                          .why = string_at(found, "why").value_or("")};
  if (const auto* epoch = found.if_contains("epoch"); epoch != nullptr && epoch->is_number()) {
    chosen.epoch = epoch->to_number<double>();
  }
  if (integer_at(found, "step")) chosen.step = count(found, "step");
  // Said twice, so that neither can be lost: nothing else is gone on from.
  if (chosen.state != "sound" && chosen.state != "complete") return std::nullopt;
  return chosen;
}

std::optional<CheckpointChoice> read_choice(const json::value& record) {
  const auto fence = integer_at(record, "fence");
  const auto* skipped = array_at(record, "skipped");
  if (!fence || skipped == nullptr) return std::nullopt;
  CheckpointChoice choice{.ordered_by = string_at(record, "ordered_by").value_or(""),
                          .passed_over_count = count(record, "skipped_count"),
                          .bad_count = count(record, "skipped_bad"),
                          .written_later = name_at(record, "written_later").value_or(""),
                          .fence = *fence};
  if (const auto* found = object_at(record, "checkpoint")) {
    choice.checkpoint = read_chosen(*found);
    if (!choice.checkpoint) return std::nullopt;
  }
  for (const json::value& one : *skipped) {
    choice.passed_over.push_back({.name = name_at(one, "name").value_or("?"),
                                  .state = string_at(one, "state").value_or(""),
                                  .why = string_at(one, "why").value_or("")});
  }
  return choice;
}

}  // namespace

Result<CheckpointChoice> choose_checkpoint(const Machine& machine, const VolumeId& volume,
                                           const std::string& directory, const JobWatch& watch) {
  RUNCTL_TRY_LET(const std::string program, gzip(embedded_file("newest_checkpoint.py")));
  RUNCTL_TRY_LET(const auto record,
                 run_job(machine,
                         {.name = "choose_checkpoint",
                          .parameters = {{"DIRECTORY", directory}, {"PROGRAM", base64(program)}}},
                         volume.str(), watch));
  auto choice = read_choice(record);
  if (!choice) {
    return fail(Errc::corrupt,
                fmt::format("instance {} gave a choice of checkpoints that cannot be read",
                            machine.instance));
  }
  return *std::move(choice);
}

}  // namespace runctl::node
