#include "cli/cloud.hpp"

#include <utility>

#include <fmt/format.h>

#include "aws/credentials/plan.hpp"
#include "aws/profile_file.hpp"
#include "base/json.hpp"
#include "cli/account.hpp"
#include "cli/output.hpp"
#include "fleet/judge.hpp"
#include "journal/journal.hpp"
#include "node/ssh_shell.hpp"
#include "node/ssm_shell.hpp"
#include "volume/read.hpp"

namespace runctl::cli {
namespace {

Result<aws::ClientConfig> emulator_config(Context& context) {
  RUNCTL_TRY_LET(EmulatorAccess emulator, use_emulator(context));
  return aws::ClientConfig{.region = std::move(emulator.region),
                           .credentials = std::move(emulator.credentials),
                           .ec2_endpoint = emulator.endpoint,
                           .ssm_endpoint = emulator.endpoint,
                           .sts_endpoint = emulator.endpoint};
}

Result<aws::ClientConfig> aws_config(Context& context) {
  RUNCTL_TRY_LET(const auto files, aws::read_profile_files(context.environment));
  aws::AccountSources sources{.environment = context.environment,
                              .files = files,
                              .flags = context.globals.flags,
                              .settings = context.globals.settings};
  RUNCTL_TRY_LET(const auto region, region_of(context, sources));
  sources.flags.region = region;
  RUNCTL_TRY_LET(auto ec2, aws::resolve_endpoint(sources, aws::ec2_service, region));
  RUNCTL_TRY_LET(auto ssm, aws::resolve_endpoint(sources, aws::ssm_service, region));
  RUNCTL_TRY_LET(auto sts, aws::resolve_endpoint(sources, aws::sts_service, region));
  RUNCTL_TRY_LET(const auto retry, aws::retry_policy(sources));
  RUNCTL_TRY_LET(auto plan, aws::plan_credentials(sources));
  aws::GetCredentials get = credentials_of(context, std::move(plan));
  RUNCTL_TRY_LET(auto credentials, get(call_options(context)));
  return aws::ClientConfig{.region = region,
                           .credentials = std::move(credentials),
                           .ec2_endpoint = std::move(ec2.value),
                           .ssm_endpoint = std::move(ssm.value),
                           .sts_endpoint = std::move(sts.value),
                           .retry = retry,
                           .renew = std::move(get)};
}

// "attach, begun 3 min ago (op-1f2e…)"
std::string in_words(const journal::Operation& operation, Timestamp now) {
  return fmt::format("{}, begun {} ago ({})", operation.kind,
                     duration_in_words(now - operation.begun), operation.id);
}

}  // namespace

std::filesystem::path journal_path(const Context& context) {
  if (context.globals.use_emulator) return emulator_journal_path(context);
  if (const auto state = context.environment.get("XDG_STATE_HOME")) {
    return *state + "/runctl/operations.db";
  }
  return context.environment.get("HOME").value_or("/var/lib") +
         "/.local/state/runctl/operations.db";
}

std::filesystem::path emulator_journal_path(const Context& context) {
  return context.globals.emulator_state + "/operations.db";
}

std::unique_ptr<node::RemoteShell> Cloud::make_shell() {
  const Globals& globals = context_.globals;
  if (!globals.use_ssh) return std::make_unique<node::SsmShell>(aws_, context_.clock);
  node::SshAccess access;
  for (const auto& [name, value] : context_.environment.variables) {
    access.environment.push_back(fmt::format("{}={}", name, value));
  }
  const std::string before = globals.ssh_user.empty() ? "" : globals.ssh_user + "@";
  if (globals.ssh_by_id) {
    access.host_of = [before](const InstanceId& id) -> Result<std::string> {
      return before + id.str();
    };
  } else {
    access.host_of = [this, before](const InstanceId& id) -> Result<std::string> {
      RUNCTL_TRY_LET(const auto instance, volume::read_instance(aws_, id, options()));
      const bool is_public = !instance.public_address.empty();
      const std::string& address = is_public ? instance.public_address : instance.private_address;
      if (!address.empty()) return before + address;
      auto none = fail(Errc::unavailable, fmt::format("instance {} has no address", id));
      none.error().hint = "It gets one when it runs; or set ssh_host = \"id\".";
      return none;
    };
  }
  return std::make_unique<node::SshShell>(context_.process, context_.clock, std::move(access));
}

journal::Recorder Cloud::begin(OperationSpec spec) {
  return {journal_path(context_),
          context_.clock,
          {.id = "op-" + random_hex(context_.random, 12),
           .kind = std::move(spec.kind),
           .place = place_,
           .subjects = std::move(spec.subjects),
           .plan = to_text(spec.plan),
           .owner = journal::this_process(),
           .begun = context_.clock.now()}};
}

// What was done is done; the journal goes on showing it as unfinished.
void Cloud::warn_unwritten(const journal::Operation& operation, const Error& error) {
  note(context_, fmt::format("Warning: the end of operation {} could not be written down: {}",
                             operation.id, error.message));
}

void Cloud::end(journal::Recorder& recorder, Error* error) {
  auto written = recorder.end(error);
  const journal::Operation& operation = recorder.operation();
  if (!written) warn_unwritten(operation, written.error());
  const bool left_open = operation.state == journal::State::open && !operation.steps.empty();
  if (error != nullptr && left_open) say_left_open(operation, *error);
}

void Cloud::say_left_open(const journal::Operation& operation, Error& error) {
  const std::string way = fmt::format("runctl operations resume {}", operation.id);
  error.details.push_back(fmt::format("operation {} is left unfinished", operation.id));
  const bool is_said = std::ranges::any_of(
      error.ways_out, [&](const std::string& said) { return said.starts_with(way); });
  if (!is_said) error.ways_out.push_back(way + "   # finds out, and finishes it");
}

journal::Recorder Cloud::take_over(journal::Operation operation) {
  operation.owner = journal::this_process();
  return {journal_path(context_), context_.clock, std::move(operation)};
}

void Cloud::end_taken_over(journal::Recorder& recorder, Error* error) {
  if (recorder.operation().state != journal::State::open) return;
  const auto written = error == nullptr ? recorder.end(journal::State::done, "")
                                        : recorder.end(journal::State::open, error->message);
  if (!written) warn_unwritten(recorder.operation(), written.error());
  if (error != nullptr) say_left_open(recorder.operation(), *error);
}

Result<volume::VolumeFacts> Cloud::find_volume(std::string_view text) {
  RUNCTL_TRY_LET(auto volume, volume::find_volume(aws_, text, options()));
  RUNCTL_TRY_LET(const auto journal, journal::Journal::open_existing(journal_path(context_)));
  if (journal == nullptr) return volume;
  RUNCTL_TRY_LET(const auto open,
                 journal->list({.place = place_, .subject = volume.id.str(), .only_open = true}));
  for (const journal::Operation& operation : open) {
    const std::string words = in_words(operation, context_.clock.now());
    if (!journal::is_unfinished(operation)) {
      note(context_, fmt::format("Note: another runctl (process {}) is at work on volume {}: {}.",
                                 operation.owner.pid, volume.id, words));
      continue;
    }
    note(context_, fmt::format("Note: an operation on volume {} was left unfinished: {}.\n"
                               "      To finish it: runctl operations resume {}",
                               volume.id, words, operation.id));
  }
  return volume;
}

Result<std::vector<journal::Operation>> Cloud::operations_on(const std::string& subject,
                                                             std::int64_t limit) {
  RUNCTL_TRY_LET(const auto journal, journal::Journal::open_existing(journal_path(context_)));
  if (journal == nullptr) return std::vector<journal::Operation>{};
  return journal->list({.place = place_, .subject = subject, .limit = limit});
}

Result<std::vector<std::string>> Cloud::recent_devices(const VolumeId& volume) {
  RUNCTL_TRY_LET(const auto operations, operations_on(volume.str(), 20));
  std::vector<std::string> devices;
  for (const journal::Operation& operation : operations) {
    for (const journal::Step& step : operation.steps) {
      const auto request = parse_json(step.request);
      if (!request || context_.clock.now() - step.sent > fleet::request_life) continue;
      if (string_at(*request, "VolumeId") != volume.str()) continue;
      if (auto device = string_at(*request, "Device")) devices.push_back(*std::move(device));
    }
  }
  return devices;
}

volume::Session Cloud::session() {
  const auto timeout = context_.globals.timeout;
  volume::Session session{.aws = aws_,
                          .shell = *shell_,
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
  // The emulator has another port at every start, and a journal of its own.
  std::string place = context.globals.use_emulator
                          ? std::string{"the embedded emulator"}
                          : fmt::format("{} at {}", config.region, config.ec2_endpoint);
  return std::make_unique<Cloud>(context, std::move(place), std::move(config));
}

}  // namespace runctl::cli
