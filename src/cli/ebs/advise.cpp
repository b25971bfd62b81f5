// runctl aws ebs advise
#include <array>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/context.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "volume/prices.hpp"
#include "volume/sharing_advice.hpp"

namespace runctl::cli {
namespace {

using volume::SharingNeeds;
using volume::SharingOption;

constexpr std::array<OptionSpec, 4> options{{
    {.name = "--readers", .value = "N", .help = "how many machines only read it (default 1)"},
    {.name = "--writers", .value = "N", .help = "how many machines write it (default 0)"},
    {.name = "--size", .value = "GIB", .help = "how much data it is, in GiB"},
    {.name = "--zones", .value = "N", .help = "in how many zones the machines are (default 1)"},
}};
constexpr unsigned most_machines = 10'000;

// 0 is a number of machines too.
Result<unsigned> machines(const Arguments& arguments, std::string_view name, unsigned fallback) {
  const auto text = arguments.get(name);
  if (!text) return fallback;
  if (*text == "0") return 0;
  RUNCTL_TRY_LET(const auto number, parse_count(arguments, name));
  if (*number > most_machines) {
    return fail(Errc::invalid_argument, fmt::format("{} takes 0 to {}", name, most_machines));
  }
  return static_cast<unsigned>(*number);
}

Result<SharingNeeds> needs_from(const Arguments& arguments) {
  const auto size = arguments.get("--size");
  if (!size) {
    auto missing = fail(Errc::invalid_argument, "runctl aws ebs advise needs --size");
    missing.error().hint = "For example: runctl aws ebs advise --readers 8 --size 500";
    return missing;
  }
  SharingNeeds needs;
  RUNCTL_TRY_LET(needs.size, parse_gib(*size));
  RUNCTL_TRY_LET(needs.readers, machines(arguments, "--readers", 1));
  RUNCTL_TRY_LET(needs.writers, machines(arguments, "--writers", 0));
  RUNCTL_TRY_LET(needs.zones, machines(arguments, "--zones", 1));
  if (needs.readers + needs.writers == 0 || needs.zones == 0) {
    return fail(Errc::invalid_argument, "at least one machine in one zone has to use it");
  }
  return needs;
}

std::string text_of(const SharingOption& option) {
  if (!option.fits) return fmt::format("{}\n  does not fit: {}\n", option.name, option.why_not);
  std::string text =
      fmt::format("{}\n  {} a month; readable after about {}\n", option.name,
                  volume::dollars(option.per_month), duration_in_words(option.until_readable));
  if (!option.caution.empty()) text += fmt::format("  mind: {}\n", option.caution);
  return text + fmt::format("  from: {}\n", option.sources);
}

boost::json::object record_of(const SharingOption& option) {
  boost::json::object record{{"id", option.id}, {"name", option.name}, {"fits", option.fits}};
  if (!option.fits) {
    record["why_not"] = option.why_not;
    return record;
  }
  record["dollars_per_month"] = option.per_month;
  record["seconds_until_readable"] = option.until_readable.count();
  if (!option.caution.empty()) record["caution"] = option.caution;
  record["sources"] = option.sources;
  return record;
}

Result<ExitCode> advise(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto needs, needs_from(arguments));
  std::string text =
      fmt::format("{} GiB for {} reading and {} writing machines in {} zone{}:\n", needs.size.count,
                  needs.readers, needs.writers, needs.zones, needs.zones == 1 ? "" : "s");
  boost::json::array records;
  std::string ids;
  for (const SharingOption& option : volume::sharing_advice(needs)) {
    text += '\n' + text_of(option);
    records.push_back(record_of(option));
    if (option.fits) ids += (ids.empty() ? "" : "\n") + std::string{option.id};
  }
  text += fmt::format("\nPrices: {}.\nMore: runctl help multi-attach\n", volume::price_note);
  present(context, {.text = std::move(text),
                    .record = {{"readers", needs.readers},
                               {"writers", needs.writers},
                               {"size_gib", needs.size.count},
                               {"zones", needs.zones},
                               {"options", std::move(records)},
                               {"prices", volume::price_note}},
                    .id = std::move(ids)});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_advise{.path = "aws ebs advise",
                             .summary = "which way of sharing data fits, and what it costs",
                             .positionals = {},
                             .options = options,
                             .run = advise};

}  // namespace runctl::cli
