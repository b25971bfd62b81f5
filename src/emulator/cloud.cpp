#include "emulator/cloud.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "aws/sigv4.hpp"
#include "emulator/ec2/spot_steps.hpp"
#include "emulator/ec2/views.hpp"
#include "emulator/perform.hpp"
#include "emulator/refusal.hpp"
#include "emulator/routes.hpp"
#include "emulator/rows.hpp"
#include "emulator/s3/address.hpp"
#include "emulator/s3/memory_body.hpp"
#include "emulator/ssm/actions.hpp"

namespace runctl::emulator {
namespace {

namespace json = boost::json;

// How long a ticker may sleep when nothing is due: requests may bring something nearer.
constexpr std::chrono::milliseconds longest_nap{200};

std::string row_name(const Place& place) { return place.account + "/" + place.region; }

template <class Action>
void for_each_table(ec2::State& state, const Action& action) {
  action("volume", state.volumes);
  action("snapshot", state.snapshots);
  action("instance", state.instances);
  action("spot-request", state.spot_requests);
  action("token", state.tokens);
  action("command", state.commands);
}

std::string text_of(const std::string& id) { return id; }
template <class Kind>
std::string text_of(const StrongId<Kind>& id) {
  return id.str();
}

std::vector<RowChange> rows_to_write(const Place& place, ec2::State& state) {
  std::vector<RowChange> changes;
  for_each_table(state, [&](std::string_view kind, auto& table) {
    for (const auto& id : table.unsaved()) {
      const auto* const record = table.find(id);
      changes.push_back(
          {.key = {row_name(place), std::string{kind}, text_of(id)},
           .json = record == nullptr ? std::nullopt : std::optional{to_row(*record)}});
    }
  });
  return changes;
}

// "attached i-1 /dev/sdf, detaching i-2 /dev/sdg"
std::string attachments_in_words(const std::vector<ec2::Attachment>& attachments) {
  std::string words;
  for (const ec2::Attachment& a : attachments) {
    words += fmt::format("{}{} {} {}", words.empty() ? "" : ", ", name_of(a.state), a.instance,
                         a.device);
  }
  return words;
}

json::array ids_in(const ec2::Order& order) {
  json::array ids;
  for (const std::string& id : ec2::ids_of(order)) ids.emplace_back(id);
  return ids;
}

// The error that a fault puts in the place of an answer.
std::unexpected<Error> refused_by_fault(const aws::Service& service, const WireFault& fault) {
  const bool throttles = fault.code == "RequestLimitExceeded";
  if (throttles && service.protocol == aws::Protocol::json) {
    return refuse("ThrottlingException", "Rate exceeded", 400);
  }
  return refuse(fault.code,
                throttles ? "Request limit exceeded." : "The emulator was told to fail here.",
                fault.status);
}

}  // namespace

Cloud::Cloud(CloudParts parts) : parts_{std::move(parts)} {
  if (!parts_.objects) return;
  s3_.emplace(s3::ServiceParts{.clock = parts_.clock,
                               .random = parts_.random,
                               .events = parts_.events,
                               .faults = *parts_.faults,
                               .store = *parts_.objects});
}

bool Cloud::streams(const HttpRequest& head) const { return s3_ && s3::is_s3_request(head); }

Reply Cloud::stream(const HttpRequest& head, RequestBody& body) { return s3_->handle(head, body); }

Result<std::unique_ptr<Cloud>> Cloud::open(CloudParts parts) {
  std::unique_ptr<Cloud> cloud{new Cloud{std::move(parts)}};
  RUNCTL_TRY(cloud->load());
  return cloud;
}

Cloud::~Cloud() {
  commands_.stop();
  // What the hardware was told to do is brought to its end, so that nothing is half done at the
  // next start.
  hardware_jobs_.wait_until_idle();
  hardware_jobs_.stop();
  for (const auto& [place, state] : regions_) {
    for (const auto& [id, instance] : state.instances.all()) {
      if (instance.state == ec2::InstanceState::terminated) continue;
      const auto halted = parts_.hardware.machines->halt(id, Machines::Files::keep);
      if (!halted)
        log("hardware-failed", place, {{"order", "halt"}, {"why", halted.error().message}});
    }
  }
}

Result<void> Cloud::load() {
  RUNCTL_TRY_LET(const auto rows, parts_.store->load());
  for (const Row& row : rows) {
    const auto slash = row.key.place.find('/');
    const Place place{.account = row.key.place.substr(0, slash),
                      .region = slash == std::string::npos ? "" : row.key.place.substr(slash + 1)};
    RUNCTL_TRY(load_row(regions_[place], row.key.kind, row.key.id, row.json));
  }
  const std::lock_guard lock{mutex_};
  for (auto& [place, state] : regions_) {
    std::vector<ec2::Order> orders;
    ec2::Turn turn = turn_on(place, orders);
    ec2::recover(turn);
    RUNCTL_TRY(commit(place, state, OnDiskFailure::undo));
    enqueue(place, std::move(orders), nullptr);
  }
  return {};
}

Timestamp Cloud::now() { return latest_ = std::max(latest_, parts_.clock.now()); }

ec2::Turn Cloud::turn_on(const Place& place, std::vector<ec2::Order>& orders) {
  const auto at = regions_.try_emplace(place).first;
  return {.state = at->second,
          .place = at->first,
          .now = now(),
          .pace = parts_.pace,
          .random = parts_.random,
          .orders = orders,
          .agents = [this](const InstanceId& id) { return parts_.faults->agent_of(id); }};
}

// Writes what the transaction changed. Where it cannot be written, a request's change is undone and
// refused; what the hardware has done cannot be undone, and is written with the next change that
// can.
Result<void> Cloud::commit(const Place& place, ec2::State& state, OnDiskFailure on_failure) {
  auto written = parts_.store->apply(rows_to_write(place, state));
  if (!written) log("store-failed", place, {{"why", written.error().message}});
  const bool undo = !written && on_failure == OnDiskFailure::undo;
  if (!undo) {
    log_changes(place, state);
    remember(place, state);
  }
  for_each_table(state, [&](std::string_view, auto& table) {
    if (undo) {
      table.roll_back();
      return;
    }
    table.commit();
    if (written) table.saved();
  });
  return written;
}

void Cloud::enqueue(const Place& place, std::vector<ec2::Order> orders, const Gate& gate) {
  for (ec2::Order& order : orders) {
    if (const auto* const stopped = std::get_if<ec2::StopCommand>(&order)) {
      const auto at = running_.find({stopped->command, stopped->instance.str()});
      if (at != running_.end()) at->second.request_stop();
      continue;
    }
    const bool is_command = std::holds_alternative<ec2::RunCommand>(order);
    const bool before_answer =
        !is_command && (ec2::precedes_answer(order) || parts_.pace.name == "instant");
    JobQueue& queue = is_command ? commands_ : hardware_jobs_;
    auto keys = is_command ? std::vector<std::string>{} : ec2::ids_of(order);
    queue.add(std::move(keys),
              [this, place, order = std::move(order), held = before_answer ? gate : nullptr](
                  const std::stop_token& stop) { carry_out(place, order, held, stop); });
  }
}

void Cloud::carry_out(const Place& place, const ec2::Order& order, const Gate& gate,
                      const std::stop_token& stop) {
  const ec2::Report report = perform(place, order, stop);
  if (report.error) {
    const bool is_command = std::holds_alternative<ec2::RunCommand>(order);
    if (!is_command || report.error->code != Errc::cancelled) {
      log("hardware-failed", place,
          {{"order", ec2::name_of(order)}, {"ids", ids_in(order)}, {"why", report.error->message}});
    }
  }
  const std::lock_guard lock{mutex_};
  std::vector<ec2::Order> orders;
  ec2::Turn turn = turn_on(place, orders);
  ec2::report(turn, order, report);
  ec2::advance(turn);
  // A failure is in the event log, and the rows stay marked as unsaved.
  (void)commit(place, turn.state, OnDiskFailure::keep_for_later);
  enqueue(place, std::move(orders), gate);
}

ec2::Report Cloud::perform(const Place& place, const ec2::Order& order,
                           const std::stop_token& stop) {
  if (const auto* const command = std::get_if<ec2::RunCommand>(&order)) {
    return run_command(place, *command, stop);
  }
  ec2::Report report = perform_order(parts_.hardware, order, stop);
  const bool done = !report.error && report.unplugged == Unplugged::done;
  if (done) log("effect", place, {{"what", ec2::name_of(order)}, {"ids", ids_in(order)}});
  return report;
}

// Hands the command to the machine when its agent asks for it, and sees it to its end.
ec2::Report Cloud::run_command(const Place& place, const ec2::RunCommand& order,
                               const std::stop_token& stop) {
  constexpr std::chrono::milliseconds agent_poll{50};
  const std::pair key{order.command, order.instance.str()};
  std::stop_source ending;
  {
    const std::lock_guard lock{mutex_};
    running_[key] = ending;
  }
  const std::stop_callback relay{stop, [&] { ending.request_stop(); }};
  const auto wait = [&](std::chrono::milliseconds time) {
    (void)parts_.clock.sleep_until(parts_.clock.ticks() + time, ending.get_token());
  };
  if (order.delivery.count() > 0) wait(order.delivery);
  auto ready = begin_command(place, order);
  while (ready == ssm::Readiness::later && !ending.stop_requested()) {
    wait(agent_poll);
    ready = begin_command(place, order);
  }
  ec2::Report report;
  if (ready == ssm::Readiness::now) {
    report = perform_order(parts_.hardware, with_metadata(order), ending.get_token());
  } else {
    report.error =
        Error{.code = ready == ssm::Readiness::never ? Errc::deadline_exceeded : Errc::cancelled,
              .message = fmt::format("command {} was not delivered in time", order.command)};
  }
  const std::lock_guard lock{mutex_};
  running_.erase(key);
  return report;
}

ec2::RunCommand Cloud::with_metadata(ec2::RunCommand order) {
  const std::lock_guard lock{mutex_};
  if (!metadata_endpoint_.empty()) {
    // The slash at its end is for the AWS CLI 2.9, which puts none between it and a path.
    order.script.environment.push_back(fmt::format("AWS_EC2_METADATA_SERVICE_ENDPOINT={}{}/",
                                                   metadata_endpoint_,
                                                   metadata_path(order.instance)));
  }
  return order;
}

void Cloud::serve_metadata(std::string endpoint, std::string secret) {
  const std::lock_guard lock{mutex_};
  metadata_endpoint_ = std::move(endpoint);
  metadata_secret_ = std::move(secret);
}

HttpResponse Cloud::metadata(const HttpRequest& request, const MetadataTarget& target) {
  HttpResponse nobody{.status = 404,
                      .headers = {{.name = "content-type", .value = "text/plain"}},
                      .body = "no such machine runs here\n"};
  const auto id = InstanceId::parse(target.instance);
  if (!id) return nobody;
  const std::lock_guard lock{mutex_};
  for (const auto& [place, state] : regions_) {
    const ec2::Instance* const instance = state.instances.find(*id);
    if (instance == nullptr) continue;
    if (instance->state != ec2::InstanceState::running) return nobody;
    std::vector<ec2::Order> none;
    const ec2::Turn turn = turn_on(place, none);
    return answer_metadata(request, target.path,
                           {.instance = ec2::view_of(*instance, turn),
                            .place = place,
                            .notice = ec2::notice_of(state, *instance)},
                           metadata_secret_, turn.now);
  }
  return nobody;
}

ssm::Readiness Cloud::begin_command(const Place& place, const ec2::RunCommand& order) {
  const std::lock_guard lock{mutex_};
  std::vector<ec2::Order> orders;
  ec2::Turn turn = turn_on(place, orders);
  const ssm::Readiness ready = ssm::begin(turn, order);
  (void)commit(place, turn.state, OnDiskFailure::keep_for_later);
  return ready;
}

Result<void> Cloud::cut_power(std::string_view instance) {
  RUNCTL_TRY_LET(const InstanceId id, InstanceId::parse(instance));
  auto gate = std::make_shared<std::promise<void>>();
  const std::future<void> opened = gate->get_future();
  {
    const std::lock_guard lock{mutex_};
    const auto at = std::ranges::find_if(
        regions_, [&](const auto& region) { return region.second.instances.find(id) != nullptr; });
    if (at == regions_.end()) {
      return fail(Errc::not_found, fmt::format("there is no instance {}", id));
    }
    std::vector<ec2::Order> orders;
    ec2::Turn turn = turn_on(at->first, orders);
    RUNCTL_TRY(ec2::cut_power(turn, id));
    RUNCTL_TRY(commit(at->first, turn.state, OnDiskFailure::undo));
    enqueue(at->first, std::move(orders), gate);
  }
  gate.reset();
  opened.wait();
  const std::lock_guard lock{mutex_};
  for (const auto& [place, state] : regions_) {
    const ec2::Instance* const seen = state.instances.find(id);
    if (seen != nullptr && seen->state == ec2::InstanceState::running) {
      return fail(Errc::internal,
                  fmt::format("the power of {} could not be cut: the event log says why", id));
    }
  }
  return {};
}

Result<void> Cloud::give_notice(std::string_view target, std::chrono::milliseconds left) {
  const FaultRule rule{.action = std::string{target}};
  const auto exact = InstanceId::parse(target);
  bool found = false;
  const std::lock_guard lock{mutex_};
  for (const auto& [place, state] : regions_) {
    std::vector<ec2::Order> orders;
    ec2::Turn turn = turn_on(place, orders);
    std::vector<InstanceId> meant;
    for (const auto& [id, instance] : state.instances.all()) {
      const bool can_be = instance.spot_request && !instance.interruption &&
                          instance.state == ec2::InstanceState::running;
      if (matches(rule, id.str()) && (exact || can_be)) meant.push_back(id);
    }
    for (const InstanceId& id : meant) RUNCTL_TRY(ec2::give_notice(turn, id, left));
    RUNCTL_TRY(commit(place, turn.state, OnDiskFailure::undo));
    found = found || !meant.empty();
  }
  if (found) return {};
  if (exact) return fail(Errc::not_found, fmt::format("there is no instance {}", target));
  return fail(Errc::not_found, fmt::format("no spot instance runs that '{}' means", target));
}

Result<void> Cloud::take_back_interruptions(std::string_view target) {
  const FaultRule rule{.action = std::string{target}};
  const std::lock_guard lock{mutex_};
  for (const auto& [place, state] : regions_) {
    std::vector<ec2::Order> orders;
    ec2::Turn turn = turn_on(place, orders);
    std::vector<InstanceId> meant;
    for (const auto& [id, instance] : state.instances.all()) {
      if (matches(rule, id.str())) meant.push_back(id);
    }
    for (const InstanceId& id : meant) ec2::take_back_interruption(turn, id);
    RUNCTL_TRY(commit(place, turn.state, OnDiskFailure::undo));
    enqueue(place, std::move(orders), nullptr);
  }
  return {};
}

std::vector<FaultRule> Cloud::interruptions() {
  const std::lock_guard lock{mutex_};
  std::vector<FaultRule> rules;
  const Timestamp at = now();
  for (const auto& [place, state] : regions_) {
    for (const auto& [id, instance] : state.instances.all()) {
      const auto left = ec2::interruption_left(instance, at);
      if (!left) continue;
      rules.push_back(
          {.action = id.str(), .effect = FaultEffect::spot_interruption, .duration = *left});
    }
  }
  return rules;
}

// Keeps what the transaction is about to replace, for as long as a read may have to show it.
void Cloud::remember(const Place& place, const ec2::State& state) {
  const auto oldest = parts_.faults->oldest_read();
  if (oldest.count() == 0) {
    past_.clear();
    return;
  }
  bool changed = false;
  ec2::State before = state;
  for_each_table(before, [&](std::string_view, auto& table) {
    changed = changed || !table.before().empty();
    table.roll_back();
  });
  auto& past = past_[place];
  if (changed) past.push_back({.until = latest_, .state = std::move(before)});
  while (!past.empty() && past.front().until + oldest < latest_) past.pop_front();
}

// The oldest that a read may show; nothing when nothing has changed for longer.
std::optional<ec2::State> Cloud::past_of(const Place& place, std::chrono::milliseconds oldest) {
  const Timestamp since = now() - oldest;
  for (const Past& past : past_[place]) {
    if (past.until >= since) return past.state;
  }
  return std::nullopt;
}

Result<std::string> Cloud::take(const Route& route, const Place& place, const HttpRequest& request,
                                const std::string& request_id, const Strike& strike) {
  auto gate = std::make_shared<std::promise<void>>();
  const std::future<void> opened = gate->get_future();
  Result<std::string> body;
  {
    const std::lock_guard lock{mutex_};
    std::vector<ec2::Order> orders;
    ec2::Turn turn = turn_on(place, orders);
    turn.stuck_attaching = strike.stuck;
    ec2::advance(turn);
    // A step that cannot be written is taken later; what was there before can still be read.
    if (!commit(place, turn.state, OnDiskFailure::undo)) orders.clear();
    enqueue(place, std::exchange(orders, {}), gate);
    if (strike.stale && aws::only_reads(route.operation.name)) {
      if (auto past = past_of(place, *strike.stale)) {
        ec2::Turn earlier{.state = *past,
                          .place = turn.place,
                          .now = turn.now,
                          .pace = turn.pace,
                          .random = turn.random,
                          .orders = orders,
                          .agents = turn.agents};
        return route.act(earlier, request.body, request_id);
      }
    }
    body = route.act(turn, request.body, request_id);
    if (!body) {
      for_each_table(turn.state, [](std::string_view, auto& table) { table.roll_back(); });
      orders.clear();
    } else {
      // With no time to pass, steps that follow from this one are taken before the answer.
      if (parts_.pace.name == "instant") ec2::advance(turn);
      RUNCTL_TRY(commit(place, turn.state, OnDiskFailure::undo));
    }
    enqueue(place, std::move(orders), gate);
  }
  gate.reset();
  opened.wait();
  return body;
}

Result<std::string> Cloud::answer_request(const aws::Service& service, const HttpRequest& request,
                                          const std::string& request_id, const Strike& strike,
                                          Place& place) {
  const auto identity = aws::verify_v4(request, parts_.clock.now(), [](std::string_view) {
    return std::optional{Secret{std::string{secret_access_key}}};
  });
  if (!identity) return std::unexpected{refused_signature(service, identity.error())};
  if (identity->scope.service != service.id || !is_region_name(identity->scope.region)) {
    return std::unexpected{refused_signature(
        service, {.fault = aws::SignatureFault::wrong_scope,
                  .detail = fmt::format("Credential should be scoped to a valid region and to '{}'",
                                        service.id)})};
  }
  place = {.account = account_of(identity->access_key_id), .region = identity->scope.region};
  RUNCTL_TRY_LET(const auto* const route, route_of(service, request));
  if (strike.before) return refused_by_fault(service, *strike.before);
  RUNCTL_TRY_LET(auto body, take(*route, place, request, request_id, strike));
  if (strike.after) return refused_by_fault(service, *strike.after);
  return body;
}

Reply Cloud::handle(const HttpRequest& request) {
  if (streams(request)) {
    s3::MemoryBody body{request.body};
    HttpRequest head = request;
    head.body.clear();
    return s3::in_memory(stream(head, body));
  }
  const std::string request_id = random_uuid(parts_.random);
  const aws::Service& service = service_of(request);
  const std::string action = action_name(service, request);
  const Strike strike = parts_.faults->on_request(action);
  if (strike.delay.count() > 0) {
    (void)parts_.clock.sleep_until(parts_.clock.ticks() + strike.delay, {});
  }
  Place place;
  const auto body = strike.dropped_before
                        ? Result<std::string>{""}
                        : answer_request(service, request, request_id, strike, place);
  json::object fields{{"service", service.id}, {"action", action}, {"request", request_id}};
  if (!strike.effects.empty()) {
    json::array effects;
    for (const FaultEffect effect : strike.effects) effects.emplace_back(name_of(effect));
    fields["faults"] = std::move(effects);
  }
  if (!body) {
    fields["code"] = body.error().remote ? body.error().remote->code : "InternalError";
    fields["why"] = body.error().message;
  }
  log("request", place, std::move(fields));
  if (strike.dropped_before) return {{}, Delivery::none};
  Reply reply{body ? answer(service, 200, *body, request_id)
                   : error_answer(service, body.error(), request_id),
              strike.delivery};
  reply.bytes_per_second = strike.bytes_per_second;
  if (strike.flip_draw && !reply.response.body.empty()) {
    reply.flipped_byte = *strike.flip_draw % reply.response.body.size();
  }
  return reply;
}

std::chrono::milliseconds Cloud::tick() {
  const std::lock_guard lock{mutex_};
  std::chrono::milliseconds nap = longest_nap;
  for (auto& [place, state] : regions_) {
    std::vector<ec2::Order> orders;
    ec2::Turn turn = turn_on(place, orders);
    ec2::advance(turn);
    if (commit(place, state, OnDiskFailure::undo)) enqueue(place, std::move(orders), nullptr);
    if (const auto due = ec2::next_due(state)) {
      nap = std::clamp(*due - turn.now, std::chrono::milliseconds{1}, nap);
    }
  }
  return nap;
}

void Cloud::wait_until_idle() {
  commands_.wait_until_idle();
  hardware_jobs_.wait_until_idle();
}

CloudCounts Cloud::counts() {
  const std::lock_guard lock{mutex_};
  CloudCounts counts;
  for (const auto& [place, state] : regions_) {
    counts.volumes += state.volumes.all().size();
    counts.snapshots += state.snapshots.all().size();
    counts.instances += state.instances.all().size();
  }
  return counts;
}

void Cloud::log_changes(const Place& place, const ec2::State& state) {
  const auto changes = [&](const auto& table, std::string_view kind, const auto& words) {
    for (const auto& [id, before] : table.before()) {
      const auto* const record = table.find(id);
      const std::string from = before ? words(*before) : "";
      const std::string to = record == nullptr ? "" : words(*record);
      if (from != to) log(kind, place, {{"id", text_of(id)}, {"from", from}, {"to", to}});
    }
  };
  const auto state_of = [](const auto& r) { return std::string{name_of(r.state)}; };
  changes(state.volumes, "volume", state_of);
  changes(state.volumes, "attachments",
          [](const ec2::Volume& v) { return attachments_in_words(v.attachments); });
  changes(state.volumes, "modification", [](const ec2::Volume& v) {
    return v.modification ? std::string{name_of(v.modification->state)} : "";
  });
  changes(state.snapshots, "snapshot", state_of);
  changes(state.instances, "instance", state_of);
  changes(state.instances, "spot-notice", [&](const ec2::Instance& i) {
    const auto notice = ec2::notice_of(state, i);
    return notice ? fmt::format("{} at {}", name_of(notice->action), iso8601(notice->time)) : "";
  });
  changes(state.spot_requests, "spot-request",
          [](const ec2::SpotRequest& r) { return fmt::format("{} {}", name_of(r.state), r.code); });
}

void Cloud::log(std::string_view event, const Place& place, json::object fields) {
  json::object line{{"time", iso8601(parts_.clock.now())},
                    {"event", event},
                    {"account", place.account},
                    {"region", place.region}};
  for (auto& [name, value] : fields) line[name] = std::move(value);
  parts_.events.write(line);
}

}  // namespace runctl::emulator
