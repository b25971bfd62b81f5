// runctl aws create
#include <array>

#include <fmt/format.h>

#include "cli/cloud.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/ebs/show_text.hpp"
#include "cli/output.hpp"
#include "fleet/launch.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "TYPE",
     .help = "the instance type (default t3.medium)",
     .need = PositionalSpec::Need::optional},
}};
constexpr std::array<OptionSpec, 10> options{{
    {.name = "--instance-type", .value = "TYPE", .help = "the same as TYPE"},
    {.name = "--name", .value = "NAME", .help = "its Name tag, by which commands find it"},
    {.name = "--availability-zone",
     .value = "AZ",
     .help = "where its volumes are (default: AWS chooses)"},
    {.name = "--ami-id", .value = "AMI", .help = "the image (default: Amazon Linux 2023)"},
    {.name = "--key-name", .value = "KEY", .help = "an EC2 key pair, for ssh"},
    {.name = "--security-group", .value = "SG", .help = "a security group id"},
    {.name = "--subnet", .value = "SUBNET", .help = "a subnet id"},
    {.name = "--iam-instance-profile",
     .value = "NAME",
     .help = "with AmazonSSMManagedInstanceCore, so that SSM works"},
    {.name = "--tag", .value = "K=V", .help = "a tag", .times = OptionSpec::Times::many},
    {.name = "--wait", .help = "return when commands can run on it"},
}};

Result<fleet::LaunchSpec> spec_from(const Arguments& arguments) {
  fleet::LaunchSpec spec;
  const auto words = arguments.rest("TYPE");
  const auto option = arguments.get("--instance-type");
  if (!words.empty() && option && words.front() != *option) {
    return fail(Errc::invalid_argument,
                fmt::format("two instance types are given: {} and {}", words.front(), *option));
  }
  if (!words.empty()) spec.type = words.front();
  if (option) spec.type = *option;
  spec.image = arguments.get("--ami-id").value_or(spec.image);
  spec.zone = arguments.get("--availability-zone").value_or("");
  spec.key_name = arguments.get("--key-name").value_or("");
  spec.security_group = arguments.get("--security-group").value_or("");
  spec.subnet = arguments.get("--subnet").value_or("");
  spec.instance_profile = arguments.get("--iam-instance-profile").value_or("");
  RUNCTL_TRY_LET(spec.tags, parse_tags(arguments));
  return spec;
}

Result<volume::InstanceFacts> carry_out(const volume::Change& change, const fleet::LaunchSpec& spec,
                                        bool wait) {
  RUNCTL_TRY_LET(auto instance, fleet::launch(change, spec));
  if (!wait) return instance;
  auto ready = fleet::wait_until_ready(change.session, instance.id);
  if (!ready) {
    // It is rented and costs money: whatever happened, say so.
    ready.error().details.push_back(
        fmt::format("instance {} was launched and is still there; to give it back: "
                    "runctl aws terminate {}",
                    instance.id, instance.id));
  }
  return ready;
}

Result<ExitCode> create(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto spec, spec_from(arguments));
  if (context.globals.dry_run) {
    return show_plan(context, {fmt::format("launch one {} instance{}{}", spec.type,
                                           spec.zone.empty() ? "" : " in ", spec.zone)});
  }
  RUNCTL_TRY_LET(const auto cloud, connect(context));
  const auto session = cloud->session();
  const bool wait = arguments.has("--wait");
  RUNCTL_TRY_LET(const auto instance,
                 cloud->carry_out(session, {.kind = "launch"}, [&](const volume::Change& change) {
                   return carry_out(change, spec, wait);
                 }));
  present(context,
          {.text = fmt::format("Launched instance {}.\n{}", instance.id, text_of(instance)),
           .record = record_of(instance),
           .id = instance.id.str()});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec aws_create{.path = "aws create",
                             .summary = "rent a machine",
                             .positionals = positionals,
                             .options = options,
                             .danger = Danger::changes,
                             .run = create};

}  // namespace runctl::cli
