#include "cli/instance/train_code.hpp"

#include <algorithm>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string_view>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "base/units.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"

namespace runctl::cli {
namespace {

// Of names, in a line.
constexpr std::size_t most_named = 10;

// With the embedded emulator it is beside its state, and goes with it.
std::filesystem::path cache_of(const Context& context) {
  if (context.globals.use_emulator)
    return std::filesystem::path{context.globals.emulator_state} / "cache";
  if (const auto cache = context.environment.get("XDG_CACHE_HOME"))
    return std::filesystem::path{*cache} / "runctl";
  return std::filesystem::path{home_of(context)} / ".cache" / "runctl";
}

// A name on a terminal must not move its cursor.
std::string printable(std::string_view name) {
  std::string text = node::to_utf8(name);
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return text;
}

std::string some_of(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names.first(std::min(most_named, names.size()))) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", printable(name));
  }
  if (names.size() > most_named) text += fmt::format(" and {} more", names.size() - most_named);
  return text;
}

boost::json::array left_out_of(const training::CodeTree& tree) {
  boost::json::array list;
  for (const training::LeftOut& left : tree.left_out) {
    list.push_back(boost::json::object{{"path", node::to_utf8(left.path)},
                                       {"reason", training::name_of(left.reason)}});
  }
  return list;
}

boost::json::object project_of(const training::CodeTree& tree) {
  boost::json::object record{{"root", node::to_utf8(tree.root.path.string())},
                             {"script", node::to_utf8(tree.root.script)},
                             {"files", tree.entries.size()},
                             {"bytes", tree.bytes()},
                             {"left_out", left_out_of(tree)}};
  if (!tree.commit.empty()) record["commit"] = tree.commit;
  return record;
}

}  // namespace

Result<training::CodeTree> collect_code(const Arguments& arguments, const Context& context) {
  const bool alone = arguments.has("--no-sync-code");
  if (alone && arguments.has("--sync-code")) {
    return fail(Errc::invalid_argument, "--sync-code and --no-sync-code exclude each other");
  }
  if (alone && arguments.has("--include-pattern")) {
    return fail(Errc::invalid_argument,
                "--include-pattern adds to the code that --no-sync-code does not send");
  }
  const auto began = context.clock.ticks();
  auto tree = training::collect_code({.script = arguments.positional("SCRIPT"),
                                      .home = home_of(context),
                                      .include_patterns = arguments.all("--include-pattern"),
                                      .script_alone = alone,
                                      .now = context.clock.now()});
  const auto took =
      std::chrono::duration_cast<std::chrono::milliseconds>(context.clock.ticks() - began);
  if (tree) {
    context.log.write({.level = LogLevel::info,
                       .name = "code.looked",
                       .fields = {{"files", std::to_string(tree->entries.size())},
                                  {"elapsed_ms", std::to_string(took.count())}}});
  }
  return tree;
}

CodeSender::CodeSender(Context& context)
    : settings_{.clock = context.clock,
                .log = context.log,
                .cache = cache_of(context),
                .say = [&context](std::string_view text) { note(context, text); }} {}

Result<std::unique_ptr<CodeSender>> CodeSender::make(const Arguments& arguments, Context& context) {
  auto sender = std::make_unique<CodeSender>(context);
  if (const auto limit = arguments.get("--code-limit")) {
    RUNCTL_TRY_LET(sender->settings_.limit, parse_size("--code-limit", *limit));
  }
  std::string bucket = arguments.get("--code-bucket").value_or(context.globals.code_bucket);
  if (bucket.starts_with("s3://")) bucket.erase(0, 5);
  while (bucket.ends_with('/')) bucket.pop_back();
  if (bucket.empty()) return sender;
  if (bucket.contains('/')) {
    return fail(Errc::invalid_argument, fmt::format("'{}' is no bucket's name", bucket));
  }
  RUNCTL_TRY_LET(sender->s3_, connect_s3(context, arguments));
  sender->bucket_ = std::make_unique<training::S3CodeBucket>(
      sender->s3_->client(), std::move(bucket), sender->s3_->options());
  sender->settings_.bucket = sender->bucket_.get();
  return sender;
}

void note_left_out(Context& context, const training::CodeTree& tree) {
  if (!tree.git_fault.empty()) {
    note(context,
         fmt::format("Note: {}; the .gitignore files alone count.", printable(tree.git_fault)));
  }
  for (const auto reason :
       {training::LeftOutReason::secret, training::LeftOutReason::link_out,
        training::LeftOutReason::special, training::LeftOutReason::unreadable}) {
    std::vector<std::string> names;
    for (const training::LeftOut& left : tree.left_out) {
      if (left.reason == reason) names.push_back(left.path);
    }
    if (names.empty()) continue;
    const bool secret = reason == training::LeftOutReason::secret;
    note(context, fmt::format("Not sent, since it {}: {}.{}", in_words(reason), some_of(names),
                              secret ? " To send one all the same: --include-pattern NAME" : ""));
  }
  if (tree.root.marker == training::RootMarker::alone && tree.entries.size() == 1) {
    note(context, "Only the script itself is sent.");
  }
}

Result<CodePlanText> plan_text(const node::Machine* machine, training::CodeTree& tree,
                               const training::SyncSettings& settings) {
  const std::stop_token stop = machine == nullptr ? std::stop_token{} : machine->stop;
  auto plan = training::plan_code(machine, tree, settings, stop);
  const bool silent =
      !plan && machine != nullptr &&
      (plan.error().code == Errc::unavailable || plan.error().code == Errc::deadline_exceeded);
  if (silent) plan = training::plan_code(nullptr, tree, settings, stop);
  if (!plan) return std::unexpected{std::move(plan).error()};
  CodePlanText text{
      .line = fmt::format("send {} of {} files ({}) of {}, found by {}", plan->files.size(),
                          tree.entries.size(), bytes_in_words(plan->bytes),
                          printable(tree.root.path.string()), in_words(tree.root.marker)),
      .record = project_of(tree)};
  if (!plan->files.empty()) text.line += ": " + some_of(plan->files);
  if (plan->removed > 0) text.line += fmt::format("; remove {}", plan->removed);
  boost::json::array files;
  for (const std::string& file : plan->files) files.emplace_back(node::to_utf8(file));
  text.record["to_send"] = std::move(files);
  text.record["to_send_bytes"] = plan->bytes;
  text.record["to_remove"] = plan->removed;
  text.record["machine_known"] = plan->machine_known;
  return text;
}

boost::json::object record_of(const training::CodeTree& tree,
                              const training::CodeDelivery& delivery) {
  boost::json::object record = project_of(tree);
  record["directory"] = delivery.path;
  record["state"] = delivery.state;
  record["sent_files"] = delivery.sent_files;
  record["sent_bytes"] = delivery.sent_bytes;
  record["archive_bytes"] = delivery.archive_bytes;
  record["way"] = training::name_of(delivery.way);
  return record;
}

}  // namespace runctl::cli
