// runctl aws ebs check
#include <algorithm>
#include <array>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "volume/prices.hpp"
#include "volume/read.hpp"
#include "volume/risk_report.hpp"

namespace runctl::cli {
namespace {

using volume::Risk;
using volume::RiskFacts;

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "VOLUME",
     .help = "its id or Name (default: all of them)",
     .need = PositionalSpec::Need::optional},
}};

Result<RiskFacts> facts_of_one(Cloud& cloud, const std::string& name, Timestamp now) {
  RUNCTL_TRY_LET(const auto volume, cloud.find_volume(name));
  RiskFacts facts{.volume = volume, .now = now};
  for (const auto& attachment : volume.attachments) {
    auto holder = volume::read_instance(cloud.aws(), attachment.instance, cloud.options());
    if (!holder && holder.error().code == Errc::not_found) continue;
    if (!holder) return std::unexpected{std::move(holder).error()};
    facts.holders.push_back(*std::move(holder));
  }
  RUNCTL_TRY_LET(
      facts.snapshots,
      volume::list_snapshots(cloud.aws(), {{.name = "volume-id", .values = {volume.id.str()}}},
                             cloud.options()));
  facts.inside = volume::ask_machines(cloud.session(), volume, facts.holders);
  return facts;
}

// Without asking the machines: there may be many.
Result<std::vector<RiskFacts>> facts_of_all(Cloud& cloud, Timestamp now) {
  RUNCTL_TRY_LET(const auto volumes, volume::list_volumes(cloud.aws(), {}, cloud.options()));
  RUNCTL_TRY_LET(const auto instances, volume::list_instances(cloud.aws(), {}, cloud.options()));
  RUNCTL_TRY_LET(const auto snapshots, volume::list_snapshots(cloud.aws(), {}, cloud.options()));
  std::vector<RiskFacts> all;
  for (const auto& volume : volumes) {
    RiskFacts facts{.volume = volume, .now = now};
    std::ranges::copy_if(instances, std::back_inserter(facts.holders), [&](const auto& instance) {
      return volume::attachment_to(volume, instance.id) != nullptr;
    });
    std::ranges::copy_if(snapshots, std::back_inserter(facts.snapshots),
                         [&](const auto& snapshot) { return snapshot.volume == volume.id; });
    all.push_back(std::move(facts));
  }
  return all;
}

// What its machines say, a line each.
std::string inside_text(const RiskFacts& facts) {
  std::string text;
  for (const auto& inside : facts.inside) {
    if (!inside.device) continue;
    if (inside.device->mounts.empty()) {
      text += fmt::format("  on {}: not mounted\n", inside.instance);
    }
    for (const auto& mount : inside.device->mounts) {
      text += fmt::format("  on {}: mounted at {}, {}, device {}; used by {}\n", inside.instance,
                          mount.mount_point, mount.read_only ? "read-only" : "read-write",
                          inside.device->read_only ? "read-only" : "read-write",
                          inside.device->user_count == 1
                              ? "1 process"
                              : fmt::format("{} processes", inside.device->user_count));
    }
  }
  return text;
}

boost::json::array inside_record(const RiskFacts& facts) {
  boost::json::array machines;
  for (const auto& inside : facts.inside) {
    boost::json::object entry{{"instance_id", inside.instance.str()},
                              {"answered", inside.why_not.empty()}};
    if (inside.device) {
      entry["device_read_only"] = inside.device->read_only;
      entry["users"] = inside.device->user_count;
      boost::json::array mounts;
      for (const auto& mount : inside.device->mounts) {
        mounts.push_back({{"mount_point", mount.mount_point}, {"read_only", mount.read_only}});
      }
      entry["mounts"] = std::move(mounts);
    }
    machines.push_back(std::move(entry));
  }
  return machines;
}

// A block a risk: sentences do not fit the columns of a terminal.
std::string text_of(const RiskFacts& facts, const std::vector<Risk>& risks) {
  std::string text =
      fmt::format("Volume {} ({}, {} GiB, {})\n", label_of(facts.volume), facts.volume.type,
                  facts.volume.size.count, volume::name_of(facts.volume.state));
  text += inside_text(facts);
  for (const Risk& risk : risks) {
    text += fmt::format("  {:<9} {}\n            {}\n", volume::name_of(risk.level), risk.scenario,
                        risk.effect);
    if (!risk.way_out.empty()) text += fmt::format("            > {}\n", risk.way_out);
  }
  return text;
}

boost::json::object record_of(const RiskFacts& facts, const std::vector<Risk>& risks) {
  boost::json::array rows;
  for (const Risk& risk : risks) {
    boost::json::object row{{"id", risk.id},
                            {"scenario", risk.scenario},
                            {"effect", risk.effect},
                            {"level", volume::name_of(risk.level)}};
    if (!risk.way_out.empty()) row["way_out"] = risk.way_out;
    rows.push_back(std::move(row));
  }
  return {{"volume_id", facts.volume.id.str()},
          {"machines", inside_record(facts)},
          {"level", volume::name_of(risks.front().level)},
          {"risks", std::move(rows)}};
}

Result<ExitCode> check(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto names = arguments.rest("VOLUME");
  const Timestamp now = context.clock.now();
  std::vector<RiskFacts> all;
  if (names.empty()) {
    RUNCTL_TRY_LET(all, facts_of_all(*cloud, now));
  } else {
    RUNCTL_TRY_LET(auto one, facts_of_one(*cloud, names.front(), now));
    all.push_back(std::move(one));
  }
  std::string text;
  std::string ids;
  boost::json::array records;
  for (const RiskFacts& facts : all) {
    const auto risks = volume::risk_report(facts);
    text += (text.empty() ? "" : "\n") + text_of(facts, risks);
    ids += (ids.empty() ? "" : "\n") + facts.volume.id.str();
    records.push_back(record_of(facts, risks));
  }
  text = all.empty() ? "There are no volumes in this account and region.\n"
                     : fmt::format("{}\nPrices: {}.\n", text, volume::price_note);
  present(context,
          {.text = std::move(text), .record = {{"volumes", std::move(records)}}, .id = ids});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_check{.path = "aws ebs check",
                            .summary = "what can go wrong with a volume, and the way out",
                            .positionals = positionals,
                            .options = {},
                            .run = check};

}  // namespace runctl::cli
