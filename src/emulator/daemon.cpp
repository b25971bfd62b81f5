#include "emulator/daemon.hpp"

#include <algorithm>
#include <ostream>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "aws/sigv4_canonical.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "emulator/cloud.hpp"
#include "emulator/event_log.hpp"
#include "emulator/server/http_server.hpp"
#include "emulator/store.hpp"
#include "io/detached_process.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::seconds start_patience{20};
// Longer than the machines of a full house take to halt.
constexpr std::chrono::seconds stop_patience{30};

fs::path info_path(const fs::path& state) { return state / "emulator.json"; }
fs::path log_path(const fs::path& state) { return state / "emulator.log"; }

json::object to_json(const EmulatorInfo& info) {
  return {{"pid", info.pid},           {"start", info.start}, {"endpoint", info.endpoint},
          {"hardware", info.hardware}, {"pace", info.pace},   {"hardware_note", info.hardware_note},
          {"version", info.version},   {"token", info.token}};
}

Result<EmulatorInfo> info_from(std::string_view text, const fs::path& path) {
  RUNCTL_TRY_LET(const auto value, parse_json(text));
  const auto pid = integer_at(value, "pid");
  const auto start = integer_at(value, "start");
  const auto endpoint = string_at(value, "endpoint");
  if (!pid || !start || !endpoint || *pid < 1 || *pid > INT32_MAX) {
    return fail(Errc::corrupt, fmt::format("{} does not say which emulator runs", path.string()));
  }
  return EmulatorInfo{.endpoint = *endpoint,
                      .pid = static_cast<int>(*pid),
                      .start = static_cast<std::uint64_t>(*start),
                      .hardware = string_at(value, "hardware").value_or(""),
                      .hardware_note = string_at(value, "hardware_note").value_or(""),
                      .pace = string_at(value, "pace").value_or(""),
                      .version = string_at(value, "version").value_or(""),
                      .token = string_at(value, "token").value_or("")};
}

Result<UniqueFd> take_directory(const fs::path& state) {
  std::error_code error;
  fs::create_directories(state, error);
  if (error) return fail_errno(error.value(), "create", state);
  auto lock = lock_file(state / "lock");
  if (lock || lock.error().code != Errc::conflict) return lock;
  const auto running = emulator_status(state);
  if (!running || !*running) {
    return fail(Errc::conflict,
                fmt::format("an emulator starts or ends just now on {}", state.string()));
  }
  return fail(Errc::conflict, fmt::format("an emulator runs on {} already: process {} at {}",
                                          state.string(), (*running)->pid, (*running)->endpoint));
}

HttpResponse status_answer(const EmulatorInfo& info, const fs::path& state, Cloud& cloud) {
  const CloudCounts counts = cloud.counts();
  json::object body = to_json(info);
  body.erase("token");
  body["state"] = state.string();
  body["counts"] = json::object{{"volumes", counts.volumes},
                                {"snapshots", counts.snapshots},
                                {"instances", counts.instances}};
  return {.status = 200,
          .headers = {{"content-type", "application/json"}},
          .body = to_text(body) + "\n"};
}

// Removes the file with its owner: whoever finds it finds an emulator.
class PublishedInfo {
 public:
  static Result<PublishedInfo> publish(const fs::path& state, const EmulatorInfo& info) {
    RUNCTL_TRY(write_file_atomically(info_path(state), to_pretty_text(to_json(info)) + "\n"));
    std::error_code error;
    fs::permissions(info_path(state), fs::perms::owner_read | fs::perms::owner_write, error);
    if (error) return fail_errno(error.value(), "protect", info_path(state));
    return PublishedInfo{info_path(state)};
  }
  PublishedInfo(const PublishedInfo&) = delete;
  PublishedInfo& operator=(const PublishedInfo&) = delete;
  PublishedInfo(PublishedInfo&& other) noexcept : path_{std::exchange(other.path_, {})} {}
  PublishedInfo& operator=(PublishedInfo&&) = delete;
  ~PublishedInfo() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove(path_, ignored);
  }

 private:
  explicit PublishedInfo(fs::path path) : path_{std::move(path)} {}
  fs::path path_;
};

void wait_for_stop(Clock& clock, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (!clock.sleep_until(clock.ticks() + std::chrono::hours{1}, stop)) return;
  }
}

std::string last_line(const fs::path& path) {
  const auto text = read_file(path);
  if (!text) return "";
  const std::string_view trimmed = trim(*text);
  const auto newline = trimmed.rfind('\n');
  return std::string{newline == std::string_view::npos ? trimmed : trimmed.substr(newline + 1)};
}

std::vector<std::string> command_line(const DaemonOptions& options) {
  std::vector<std::string> words{"runctl",
                                 "emulator",
                                 "run",
                                 "--state",
                                 options.state.string(),
                                 "--port",
                                 std::to_string(options.port),
                                 "--pace",
                                 options.pace,
                                 "--hardware",
                                 options.hardware};
  if (options.faults) {
    words.emplace_back("--faults");
    words.push_back(options.faults->string());
  }
  if (options.seed) {
    words.emplace_back("--seed");
    words.push_back(std::to_string(*options.seed));
  }
  return words;
}

// No bucket has such a name.
constexpr std::string_view faults_path = "/_runctl/faults";
constexpr std::string_view status_path = "/_runctl/status";
constexpr std::string_view token_header = "x-runctl-token";

// Whether the whole path is `path`: what merely ends so may be an object's name.
bool is_at(const HttpRequest& request, std::string_view path) {
  return aws::split_url(request.url).path == path;
}

HttpResponse plain(int status, std::string text) {
  return {.status = status, .headers = {{"content-type", "text/plain"}}, .body = std::move(text)};
}

int status_of(Errc code) {
  if (code == Errc::not_found) return 404;
  if (code == Errc::conflict) return 409;
  return code == Errc::internal ? 500 : 400;
}

// A power loss happens, and a spot instance keeps its notice; every other rule is kept.
Result<void> put_in_force(Cloud& cloud, std::string_view text) {
  RUNCTL_TRY_LET(auto rules, parse_faults(text));
  for (FaultRule& rule : rules) {
    if (rule.effect == FaultEffect::power_loss) {
      RUNCTL_TRY(cloud.cut_power(rule.action));
    } else if (rule.effect == FaultEffect::spot_interruption) {
      RUNCTL_TRY(cloud.give_notice(rule.action, rule.duration));
    } else {
      cloud.faults().add(std::move(rule));
    }
  }
  return {};
}

Result<void> take_back(Cloud& cloud, const std::string& target) {
  if (target.empty()) {
    cloud.faults().set({});
  } else {
    cloud.faults().remove(target);
  }
  return cloud.take_back_interruptions(target.empty() ? "*" : target);
}

// Rules as text, a line each: GET tells them, POST adds those of its body, DELETE takes away those
// of the action or machine in its body, or all.
HttpResponse steer_faults(const HttpRequest& request, const std::string& token, Cloud& cloud) {
  const bool allowed = std::ranges::any_of(request.headers, [&](const HttpHeader& header) {
    return header.name == token_header && header.value == token;
  });
  // A web page can send requests here too, but not with this header.
  if (!allowed) return plain(403, "the token of the state directory is missing\n");
  Result<void> done;
  if (request.method == "DELETE") done = take_back(cloud, request.body);
  if (request.method == "POST") done = put_in_force(cloud, request.body);
  if (!done) return plain(status_of(done.error().code), done.error().message + "\n");
  std::string text;
  for (const FaultRule& rule : cloud.faults().rules()) text += to_words(rule) + "\n";
  for (const FaultRule& rule : cloud.interruptions()) text += to_words(rule) + "\n";
  return plain(200, std::move(text));
}

// What the server asks: its own affairs, the machines' metadata, and the cloud.
HttpHandlers handlers_of(Cloud& cloud, const fs::path& state,
                         const std::shared_future<EmulatorInfo>& published) {
  HttpHandlers handlers;
  handlers.whole = [&cloud, state, published](const HttpRequest& request) -> Reply {
    if (is_at(request, status_path)) return status_answer(published.get(), state, cloud);
    if (is_at(request, faults_path)) return steer_faults(request, published.get().token, cloud);
    if (const auto target = metadata_target(request.url)) return cloud.metadata(request, *target);
    return cloud.handle(request);
  };
  handlers.is_streamed = [&cloud](const HttpRequest& head) {
    const bool is_ours = is_at(head, status_path) || is_at(head, faults_path) ||
                         metadata_target(head.url).has_value();
    return !is_ours && cloud.streams(head);
  };
  handlers.streamed = [&cloud](const HttpRequest& head, RequestBody& body) {
    return cloud.stream(head, body);
  };
  return handlers;
}

Result<std::vector<FaultRule>> faults_from(const std::optional<fs::path>& path) {
  if (!path) return std::vector<FaultRule>{};
  RUNCTL_TRY_LET(const auto text, read_file(*path));
  auto rules = parse_faults(text);
  if (!rules) {
    return with_context(std::move(rules).error(),
                        fmt::format("reading the faults in {}", path->string()));
  }
  for (const FaultRule& rule : *rules) {
    if (!happens_once(rule.effect)) continue;
    return fail(Errc::invalid_argument,
                fmt::format("{} asks for a {}, which happens once and is no rule: use "
                            "`runctl emulator fault add`",
                            path->string(), name_of(rule.effect)));
  }
  return rules;
}

Result<std::vector<std::string>> steer(HttpTransport& http, Clock& clock, const fs::path& state,
                                       std::string method, std::string body) {
  constexpr std::chrono::seconds patience{60};  // a machine's volumes are copied as it loses power
  RUNCTL_TRY_LET(const auto running, emulator_status(state));
  if (!running) {
    return fail(Errc::not_found, fmt::format("no emulator runs on {}", state.string()));
  }
  const HttpRequest request{
      .method = std::move(method),
      .url = running->endpoint + std::string{faults_path},
      .headers = {{.name = std::string{token_header}, .value = running->token}},
      .body = std::move(body)};
  RUNCTL_TRY_LET(const auto answer, http.send(request, clock.ticks() + patience, {}));
  if (answer.status == 404) return fail(Errc::not_found, std::string{trim(answer.body)});
  if (answer.status == 409) return fail(Errc::conflict, std::string{trim(answer.body)});
  if (answer.status != 200) {
    return fail(Errc::unavailable,
                fmt::format("the emulator at {} answered {}: {}", running->endpoint, answer.status,
                            trim(answer.body)));
  }
  std::vector<std::string> rules;
  for (const std::string_view line : split(answer.body, '\n')) {
    if (!line.empty()) rules.emplace_back(line);
  }
  return rules;
}

}  // namespace

Result<void> run_emulator(const DaemonOptions& options, const DaemonParts& parts,
                          const std::stop_token& stop) {
  RUNCTL_TRY_LET(const Pace pace, pace_named(options.pace));
  RUNCTL_TRY_LET(auto faults, faults_from(options.faults));
  RUNCTL_TRY_LET(const UniqueFd lock, take_directory(options.state));
  RUNCTL_TRY_LET(const auto events, open_event_log(event_log_of(options.state)));
  RUNCTL_TRY_LET(auto store, open_sqlite_store(options.state / "state.sqlite"));
  RUNCTL_TRY_LET(auto objects, s3::Store::open(options.state));
  RUNCTL_TRY_LET(HardwareChoice choice, parts.make_hardware());
  EmulatorInfo info{.pid = ::getpid(),
                    .start = process_start(::getpid()).value_or(0),
                    .hardware = std::string{name_of(choice.hardware.kind)},
                    .hardware_note = choice.note,
                    .pace = options.pace,
                    .version = parts.version,
                    .token = random_hex(parts.random, 32)};
  RUNCTL_TRY_LET(const auto cloud,
                 Cloud::open({.clock = parts.clock,
                              .random = parts.random,
                              .events = *events,
                              .hardware = std::move(choice.hardware),
                              .store = std::move(store),
                              .pace = pace,
                              .faults = std::make_unique<Faults>(options.seed.value_or(0)),
                              .objects = std::move(objects)}));
  cloud->faults().set(std::move(faults));
  // The handler may be asked before the port is known: what it tells of the endpoint is set by
  // then.
  std::promise<EmulatorInfo> known;
  const std::shared_future<EmulatorInfo> published = known.get_future().share();
  RUNCTL_TRY_LET(auto server, HttpServer::listen({.port = options.port},
                                                 handlers_of(*cloud, options.state, published)));
  info.endpoint = fmt::format("http://127.0.0.1:{}", server->port());
  cloud->serve_metadata(info.endpoint, info.token);
  known.set_value(info);
  RUNCTL_TRY_LET(const PublishedInfo file, PublishedInfo::publish(options.state, info));
  {
    const std::jthread ticker{[&](const std::stop_token& ended) {
      while (!ended.stop_requested()) {
        const auto nap = cloud->tick();
        (void)parts.clock.sleep_until(parts.clock.ticks() + nap, ended);
      }
    }};
    parts.out << fmt::format("listening on {}\n", info.endpoint) << std::flush;
    wait_for_stop(parts.clock, stop);
    server.reset();
  }
  return {};
}

Result<EmulatorInfo> start_emulator(const DaemonOptions& options, Clock& clock,
                                    const Environment& environment, const std::stop_token& stop,
                                    const std::filesystem::path& program) {
  RUNCTL_TRY_LET(auto running, emulator_status(options.state));
  if (running) return *std::move(running);
  std::error_code error;
  fs::create_directories(options.state, error);
  if (error) return fail_errno(error.value(), "create", options.state);
  DetachedSpec spec{
      .program = program, .argv = command_line(options), .output = log_path(options.state)};
  for (const auto& [name, value] : environment.variables) {
    spec.environment.push_back(fmt::format("{}={}", name, value));
  }
  RUNCTL_TRY_LET(const int pid, spawn_detached(spec));
  const auto deadline = clock.ticks() + start_patience;
  while (clock.ticks() < deadline) {
    // One that another process has started just before serves as well.
    RUNCTL_TRY_LET(running, emulator_status(options.state));
    if (running) return *std::move(running);
    // While somebody holds the directory, it is another process's emulator that we wait for.
    if (!process_start(pid) && lock_file(options.state / "lock")) {
      const std::string why = last_line(log_path(options.state));
      auto ended = fail(Errc::unavailable, fmt::format("the emulator did not start: {}", why));
      ended.error().hint = fmt::format("The whole log is in {}.", log_path(options.state).string());
      return ended;
    }
    RUNCTL_TRY(clock.sleep_until(clock.ticks() + std::chrono::milliseconds{5}, stop));
  }
  return fail(Errc::deadline_exceeded,
              fmt::format("the emulator (process {}) does not answer; its log is {}", pid,
                          log_path(options.state).string()));
}

Result<std::vector<std::string>> add_fault(HttpTransport& http, Clock& clock, const fs::path& state,
                                           std::span<const std::string> words) {
  RUNCTL_TRY_LET(const auto rule, parse_fault(words));
  return steer(http, clock, state, "POST", to_words(rule));
}

Result<std::vector<std::string>> clear_faults(HttpTransport& http, Clock& clock,
                                              const fs::path& state, std::string_view target) {
  return steer(http, clock, state, "DELETE", std::string{target});
}

Result<std::vector<std::string>> list_faults(HttpTransport& http, Clock& clock,
                                             const fs::path& state) {
  return steer(http, clock, state, "GET", "");
}

Result<bool> stop_emulator(const std::filesystem::path& state) {
  RUNCTL_TRY_LET(const auto running, emulator_status(state));
  if (!running) return false;
  return end_process(running->pid, running->start, stop_patience);
}

std::filesystem::path event_log_of(const std::filesystem::path& state) {
  return state / "events.jsonl";
}

Result<bool> reset_emulator(const std::filesystem::path& state) {
  std::error_code error;
  if (!fs::exists(state, error) || fs::is_empty(state, error)) return false;
  if (!fs::exists(state / "lock", error)) {
    return fail(Errc::invalid_argument,
                fmt::format("{} is not an emulator's state directory: it has no lock file",
                            state.string()));
  }
  RUNCTL_TRY_LET(const UniqueFd lock, take_directory(state));
  bool removed = false;
  for (const std::string_view name :
       {"emulator.json", "emulator.log", "events.jsonl", "state.sqlite", "state.sqlite-wal",
        "state.sqlite-shm", "s3.sqlite", "s3.sqlite-wal", "s3.sqlite-shm", "s3", "volumes",
        "snapshots", "instances", "nodes"}) {
    removed = fs::remove_all(state / name, error) > 0 || removed;
    if (error) return fail_errno(error.value(), "remove", state / name);
  }
  RUNCTL_TRY(sync_directory(state));
  return removed;
}

// The lock is not tried: to hold it for a moment would fail an emulator that starts in that moment.
Result<std::optional<EmulatorInfo>> emulator_status(const std::filesystem::path& state) {
  const auto text = read_file(info_path(state));
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  if (!text) return std::unexpected{text.error()};
  RUNCTL_TRY_LET(auto info, info_from(*text, info_path(state)));
  if (process_start(info.pid) != info.start) return std::nullopt;
  return info;
}

}  // namespace runctl::emulator
