#include "cli/account.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/credentials/fetch.hpp"
#include "aws/credentials/metadata.hpp"
#include "cli/emulator_control.hpp"
#include "cli/output.hpp"

namespace runctl::cli {
namespace {

aws::CredentialServices credential_services(Context& context) {
  aws::CredentialServices services{.http = context.http,
                                   .process = context.process,
                                   .clock = context.clock,
                                   .random = context.random,
                                   .log = context.log,
                                   .environment = context.environment};
  if (context.interactive) {
    services.ask = [&context](const std::string& question) { return ask(context, question); };
  }
  return services;
}

}  // namespace

aws::Resolved region_on_emulator(const Context& context) {
  if (const auto& named = context.globals.flags.region) {
    return {.value = *named, .origin = "--region"};
  }
  if (auto named = context.environment.get("AWS_REGION")) {
    return {.value = *std::move(named), .origin = "environment variable AWS_REGION"};
  }
  return {.value = "us-east-1", .origin = "the emulator's default"};
}

Result<EmulatorAccess> use_emulator(Context& context) {
  RUNCTL_TRY_LET(const EmulatorStatus emulator,
                 context.emulator.start({.state = context.globals.emulator_state}));
  if (!std::exchange(context.has_named_emulator, true)) {
    note(context, fmt::format("(emulator at {}, hardware {}: nothing here is AWS)",
                              emulator.endpoint, emulator.hardware));
  }
  return EmulatorAccess{
      .endpoint = emulator.endpoint,
      .region = region_on_emulator(context).value,
      .credentials = {.access_key_id = std::string{emulator_access_key},
                      .secret_access_key = Secret{std::string{emulator_secret_key}},
                      .origin = "the embedded emulator"}};
}

Result<std::string> region_of(Context& context, const aws::AccountSources& sources) {
  auto named = aws::resolve_region(sources);
  if (named) return std::move(named->value);
  if (const auto metadata = aws::metadata_endpoint(sources)) {
    if (auto own =
            aws::instance_region(*metadata, credential_services(context), {.stop = context.stop})) {
      return *std::move(own);
    }
  }
  return std::unexpected{std::move(named).error()};
}

aws::GetCredentials credentials_of(Context& context, aws::CredentialPlan plan) {
  return [plan = std::move(plan),
          services = credential_services(context)](const aws::CallOptions& options) {
    return aws::fetch_credentials(plan, services, options);
  };
}

aws::CallOptions call_options(const Context& context) {
  aws::CallOptions options{.stop = context.stop};
  if (context.globals.timeout) {
    options.deadline = context.clock.ticks() + *context.globals.timeout;
  }
  return options;
}

}  // namespace runctl::cli
