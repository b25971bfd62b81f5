#include "cli/cloud.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/endpoint.hpp"
#include "aws/profile_file.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

constexpr std::string_view emulator_region = "us-east-1";

// Whatever AWS's files say, the emulator takes its own key: real credentials are never sent to it.
Result<aws::ClientConfig> emulator_config(Context& context) {
  RUNCTL_TRY_LET(const EmulatorStatus emulator,
                 context.emulator.start({.state = context.globals.emulator_state}));
  note(context, fmt::format("(emulator at {}, hardware {}: nothing here is AWS)", emulator.endpoint,
                            emulator.hardware));
  const auto region = context.globals.flags.region;
  return aws::ClientConfig{
      .region = region.value_or(
          context.environment.get("AWS_REGION").value_or(std::string{emulator_region})),
      .credentials = {.access_key_id = std::string{emulator_access_key},
                      .secret_access_key = Secret{std::string{emulator_secret_key}},
                      .origin = "the embedded emulator"},
      .ec2_endpoint = emulator.endpoint,
      .ssm_endpoint = emulator.endpoint,
      .sts_endpoint = emulator.endpoint};
}

Result<aws::ClientConfig> aws_config(Context& context) {
  RUNCTL_TRY_LET(const auto files, aws::read_profile_files(context.environment));
  const aws::AccountSources sources{.environment = context.environment,
                                    .files = files,
                                    .flags = context.globals.flags,
                                    .settings = context.globals.settings};
  RUNCTL_TRY_LET(const auto region, aws::resolve_region(sources));
  RUNCTL_TRY_LET(auto credentials, aws::resolve_credentials(sources));
  RUNCTL_TRY_LET(auto ec2, aws::resolve_endpoint(sources, aws::ec2_service, region.value));
  RUNCTL_TRY_LET(auto ssm, aws::resolve_endpoint(sources, aws::ssm_service, region.value));
  RUNCTL_TRY_LET(auto sts, aws::resolve_endpoint(sources, aws::sts_service, region.value));
  return aws::ClientConfig{.region = region.value,
                           .credentials = std::move(credentials),
                           .ec2_endpoint = std::move(ec2.value),
                           .ssm_endpoint = std::move(ssm.value),
                           .sts_endpoint = std::move(sts.value)};
}

}  // namespace

volume::Session Cloud::session() {
  const auto timeout = context_.globals.timeout;
  volume::Session session{.aws = aws_,
                          .shell = shell_,
                          .clock = context_.clock,
                          .random = context_.random,
                          .stop = context_.stop};
  if (timeout) session.deadline = started_ + *timeout;
  // Progress is for people: on a terminal only, on a line that the next one replaces.
  if (context_.colour && !context_.globals.quiet) {
    session.progress = [this](std::string_view what) {
      context_.err << "\r\033[K" << what << "…\r" << std::flush;
    };
  }
  return session;
}

Result<std::unique_ptr<Cloud>> connect(Context& context) {
  RUNCTL_TRY_LET(auto config,
                 context.globals.use_emulator ? emulator_config(context) : aws_config(context));
  return std::make_unique<Cloud>(context, std::move(config));
}

}  // namespace runctl::cli
