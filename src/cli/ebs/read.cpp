// runctl aws ebs list|show|snapshots: what there is
#include "volume/read.hpp"

#include <array>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<OptionSpec, 2> list_options{{
    {.name = "--name", .value = "NAME", .help = "only those with this Name tag"},
    {.name = "--detailed", .help = "everything that is known of each"},
}};
constexpr std::array<PositionalSpec, 1> show_positionals{{
    {.name = "VOLUME", .help = "its id or Name"},
}};
constexpr std::array<OptionSpec, 1> snapshots_options{{
    {.name = "--volume", .value = "VOLUME", .help = "only those of this volume"},
}};

template <class Fact>
Presentation listing(const std::vector<Fact>& facts, std::string_view plural) {
  Presentation out{.text = table_of(facts), .record = {}};
  if (facts.empty())
    out.text = fmt::format("There are no {} in this account and region.\n", plural);
  boost::json::array records;
  std::vector<std::string> ids;
  for (const Fact& fact : facts) {
    records.push_back(record_of(fact));
    ids.push_back(fact.id.str());
  }
  out.record[plural] = std::move(records);
  out.id = join(ids, "\n");
  return out;
}

Result<ExitCode> list(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  std::vector<aws::ec2::Filter> filters;
  if (const auto name = arguments.get("--name"))
    filters.push_back({.name = "tag:Name", .values = {*name}});
  RUNCTL_TRY_LET(const auto volumes,
                 volume::list_volumes(cloud->aws(), std::move(filters), cloud->options()));
  Presentation presentation = listing(volumes, "volumes");
  if (arguments.has("--detailed") && !volumes.empty()) {
    presentation.text.clear();
    for (const auto& volume : volumes) {
      presentation.text += (presentation.text.empty() ? "" : "\n") + text_of(volume);
    }
  }
  present(context, presentation);
  return ExitCode::ok;
}

Result<ExitCode> show(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  RUNCTL_TRY_LET(const auto volume, cloud->find_volume(arguments.positional("VOLUME")));
  present(context, {.text = text_of(volume), .record = record_of(volume), .id = volume.id.str()});
  return ExitCode::ok;
}

Result<ExitCode> snapshots(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  std::vector<aws::ec2::Filter> filters;
  if (const auto name = arguments.get("--volume")) {
    // A volume that is gone may have left snapshots: an id is taken as it is.
    std::string id = *name;
    if (!VolumeId::parse(id)) {
      RUNCTL_TRY_LET(const auto volume, volume::find_volume(cloud->aws(), id, cloud->options()));
      id = volume.id.str();
    }
    filters.push_back({.name = "volume-id", .values = {id}});
  }
  RUNCTL_TRY_LET(const auto found,
                 volume::list_snapshots(cloud->aws(), std::move(filters), cloud->options()));
  present(context, listing(found, "snapshots"));
  return ExitCode::ok;
}

Result<ExitCode> list_machines(const Arguments&, Context& context) {
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  RUNCTL_TRY_LET(const auto found, volume::list_instances(cloud->aws(), {}, cloud->options()));
  present(context, listing(found, "instances"));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec ebs_list{.path = "aws ebs list",
                           .summary = "all volumes, and who holds them",
                           .positionals = {},
                           .options = list_options,
                           .run = list};
const CommandSpec ebs_show{.path = "aws ebs show",
                           .summary = "everything that is known of one volume",
                           .positionals = show_positionals,
                           .options = {},
                           .run = show};
const CommandSpec ebs_snapshots{.path = "aws ebs snapshots",
                                .summary = "all snapshots, or those of one volume",
                                .positionals = {},
                                .options = snapshots_options,
                                .run = snapshots};
const CommandSpec aws_list{.path = "aws list",
                           .summary = "all instances",
                           .positionals = {},
                           .options = {},
                           .run = list_machines};

}  // namespace runctl::cli
