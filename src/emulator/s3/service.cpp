#include "emulator/s3/service.hpp"

#include <optional>
#include <string>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/perform.hpp"
#include "emulator/refusal.hpp"
#include "emulator/s3/access.hpp"
#include "emulator/s3/address.hpp"
#include "emulator/s3/dispatch.hpp"
#include "emulator/s3/faulty_body.hpp"

namespace runctl::emulator::s3 {
namespace {

namespace json = boost::json;

// The error that a fault puts in the place of an answer.
std::unexpected<Error> refused_by_fault(const WireFault& fault) {
  // Source: "Error responses" in the Amazon S3 API Reference: S3 has words of its own for it.
  if (fault.code == "RequestLimitExceeded") {
    return refuse("SlowDown", "Please reduce your request rate.", 503);
  }
  return refuse(fault.code, "The emulator was told to fail here.", fault.status);
}

HttpResponse error_answer(const Call& call, const Error& error, std::string_view request_id) {
  const RemoteFault fault =
      error.remote.value_or(RemoteFault{.http_status = 500, .code = "InternalError"});
  HttpResponse response{.status = fault.http_status};
  if (!call.bucket.region.empty()) {
    response.headers.push_back({.name = "x-amz-bucket-region", .value = call.bucket.region});
  }
  if (fault.http_status == 304) return response;
  aws::RestError told{.code = fault.code,
                      .message = error.message,
                      .resource = fmt::format("/{}{}{}", call.rest.bucket,
                                              call.rest.key.empty() ? "" : "/", call.rest.key),
                      .request_id = std::string{request_id}};
  if (fault.code == "AuthorizationHeaderMalformed") told.region = call.bucket.region;
  if (fault.code == "PermanentRedirect") {
    told.endpoint = fmt::format("s3.{}.amazonaws.com", call.bucket.region);
  }
  response.headers.push_back({.name = "content-type", .value = "application/xml"});
  response.body = aws::write_rest_error(told);
  return response;
}

}  // namespace

std::string_view Call::header(std::string_view name) const {
  for (const HttpHeader& h : head.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

std::optional<std::string> Call::query(std::string_view name) const {
  for (const auto& [parameter, value] : rest.query) {
    if (parameter == name) return value;
  }
  return std::nullopt;
}

std::string_view action_of(const aws::RestRequest& request) {
  const auto action = action_for(request);
  return action ? (*action)->name : std::string_view{};
}

Result<Reply> Service::answer(Call& call, const Strike& strike) {
  RUNCTL_TRY(identify(call));
  RUNCTL_TRY_LET(const Action* const action, action_for(call.rest));
  if (strike.before) return refused_by_fault(*strike.before);
  if (action->bucket == BucketUse::none && call.account.empty()) {
    return refuse("AccessDenied", "Access Denied", 403);
  }
  if (action->bucket == BucketUse::enter || action->bucket == BucketUse::anywhere) {
    RUNCTL_TRY(enter_bucket(
        call, action->bucket == BucketUse::anywhere ? Region::anywhere : Region::signed_for));
  }
  RUNCTL_TRY_LET(Reply reply, action->act(call));
  if (strike.after) return refused_by_fault(*strike.after);
  return reply;
}

Reply Service::finish(const Call& call, Result<Reply> answer, std::string_view request_id) {
  Reply reply = answer ? *std::move(answer) : Reply{error_answer(call, answer.error(), request_id)};
  auto& headers = reply.response.headers;
  headers.push_back({.name = "x-amz-request-id", .value = std::string{request_id}});
  headers.push_back({.name = "x-amz-id-2", .value = base64(sha256(request_id))});
  headers.push_back({.name = "date", .value = aws::http_date(call.now)});
  headers.push_back({.name = "server", .value = "AmazonS3"});
  return reply;
}

Reply Service::handle(const HttpRequest& head, RequestBody& body) {
  const std::string request_id = random_hex(parts_.random, 16);
  auto rest = read_head(head);
  const std::string_view action = rest ? action_of(*rest) : std::string_view{};
  const Strike strike = parts_.faults.on_request(action);
  if (strike.delay.count() > 0) {
    (void)parts_.clock.sleep_until(parts_.clock.ticks() + strike.delay, {});
  }
  FaultyBody faulty{body, strike, parts_.clock};
  Call call{.store = parts_.store,
            .random = parts_.random,
            .head = head,
            .body = faulty,
            .now = parts_.clock.now()};
  std::optional<Error> unreadable;
  if (rest) {
    call.rest = *std::move(rest);
  } else {
    unreadable = std::move(rest).error();
  }
  if (strike.dropped_before) {
    log(call, action, strike, request_id, HttpResponse{}, nullptr);
    return {HttpResponse{}, Delivery::none};
  }
  Result<Reply> answered = [&]() -> Result<Reply> {
    if (unreadable) return std::unexpected{*std::move(unreadable)};
    return answer(call, strike);
  }();
  std::optional<Error> error;
  if (!answered) error = answered.error();
  Reply reply = finish(call, std::move(answered), request_id);
  reply.delivery = strike.delivery;
  // The request was not read to its end: what could be said of it would be of the fault's making.
  const bool has_body = body.size().value_or(1) > 0;
  if (strike.delivery == Delivery::reset && has_body) reply.response.body.clear();
  reply.bytes_per_second = strike.bytes_per_second;
  const std::uint64_t size = reply.body ? reply.body->size() : reply.response.body.size();
  if (strike.flip_draw && size > 0 && !has_body) reply.flipped_byte = *strike.flip_draw % size;
  log(call, action, strike, request_id, reply, error ? &*error : nullptr);
  return reply;
}

void Service::log(const Call& call, std::string_view action, const Strike& strike,
                  std::string_view request_id, const Reply& reply, const Error* error) {
  json::object line{{"time", iso8601(call.now)},
                    {"event", "request"},
                    {"account", call.account},
                    {"region", call.region},
                    {"service", "s3"},
                    {"action", action},
                    {"request", request_id},
                    {"bucket", as_utf8(call.rest.bucket)},
                    {"key", as_utf8(call.rest.key)},
                    {"status", reply.response.status}};
  if (!strike.effects.empty()) {
    json::array effects;
    for (const FaultEffect effect : strike.effects) effects.emplace_back(name_of(effect));
    line["faults"] = std::move(effects);
  }
  if (error != nullptr) {
    line["code"] = error->remote ? error->remote->code : "InternalError";
    line["why"] = as_utf8(error->message);
  }
  parts_.events.write(line);
}

}  // namespace runctl::emulator::s3
