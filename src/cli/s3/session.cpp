#include "cli/s3/session.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/credentials/plan.hpp"
#include "aws/endpoint.hpp"
#include "aws/profile_file.hpp"
#include "aws/s3/settings.hpp"
#include "cli/account.hpp"
#include "cli/s3/customer_keys.hpp"

namespace runctl::cli {
namespace {

using aws::s3::Addressing;
using aws::s3::S3Config;

aws::Credentials nobody() { return {.secret_access_key = Secret{""}, .origin = "nobody"}; }

Result<Addressing> parse_addressing(const std::string& text) {
  if (text == "auto") return Addressing::automatic;
  if (text == "path") return Addressing::path;
  if (text == "virtual") return Addressing::virtual_host;
  return fail(Errc::invalid_argument,
              fmt::format("--addressing-style is auto, path or virtual, not '{}'", text));
}

Result<S3Config> emulator_config(Context& context) {
  RUNCTL_TRY_LET(EmulatorAccess emulator, use_emulator(context));
  return S3Config{.region = std::move(emulator.region),
                  .credentials = std::move(emulator.credentials),
                  .endpoint = std::move(emulator.endpoint)};
}

Result<S3Config> aws_config(Context& context, bool is_unsigned) {
  RUNCTL_TRY_LET(const auto files, aws::read_profile_files(context.environment));
  aws::AccountSources sources{.environment = context.environment,
                              .files = files,
                              .flags = context.globals.flags,
                              .settings = context.globals.settings};
  const auto region = region_of(context, sources);
  if (!region && aws::resolve_region(sources)) return std::unexpected{region.error()};
  sources.flags.region = region.value_or("us-east-1");
  S3Config config{.region = *sources.flags.region, .credentials = nobody()};
  RUNCTL_TRY_LET(auto reach, aws::s3::resolve_reach(sources, config.region));
  config.endpoint = std::move(reach.endpoint);
  config.variant = reach.variant;
  config.addressing = reach.addressing;
  config.checksum = reach.checksum;
  config.check_answers = reach.check_answers;
  RUNCTL_TRY_LET(config.retry, aws::retry_policy(sources));
  if (is_unsigned) return config;
  RUNCTL_TRY_LET(auto plan, aws::plan_credentials(sources));
  config.renew = credentials_of(context, std::move(plan));
  RUNCTL_TRY_LET(config.credentials, config.renew(call_options(context)));
  return config;
}

}  // namespace

StopAtTimeout::StopAtTimeout(S3Session& session) {
  if (!session.has_deadline()) return;
  thread_ = std::jthread{[&session](const std::stop_token& stop) {
    if (session.context().clock.sleep_until(session.options().deadline, stop)) session.stop();
  }};
}

Result<std::unique_ptr<S3Session>> connect_s3(Context& context, const Arguments& arguments) {
  const bool is_unsigned = arguments.has("--no-sign-request");
  const auto payer = arguments.get("--request-payer");
  if (payer && *payer != "requester") {
    return fail(Errc::invalid_argument,
                fmt::format("--request-payer is requester, not '{}'", *payer));
  }
  RUNCTL_TRY_LET(auto keys, parse_customer_keys(arguments, context));
  RUNCTL_TRY_LET(auto config, context.globals.use_emulator ? emulator_config(context)
                                                           : aws_config(context, is_unsigned));
  config.unsigned_requests = is_unsigned;
  config.requester_pays = payer.has_value();
  // Who names a kind wants one, whatever is configured.
  if (arguments.has("--checksum-algorithm") && !config.checksum) {
    config.checksum = CrcKind::crc64nvme;
  }
  if (const auto style = arguments.get("--addressing-style")) {
    RUNCTL_TRY_LET(config.addressing, parse_addressing(*style));
  }
  return std::make_unique<S3Session>(context, config, std::move(keys));
}

}  // namespace runctl::cli
