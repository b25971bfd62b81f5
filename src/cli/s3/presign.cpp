// runctl s3 presign
#include <array>
#include <chrono>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/time_text.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/session.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI", .help = "an object, which need not be there yet to be put"},
}};
constexpr std::array<OptionSpec, 2> own_options{{
    {.name = "--method", .value = "GET|PUT", .help = "to read it, or to write it; GET else"},
    {.name = "--expires", .value = "DURATION", .help = "how long it is good: 15m, 2h, 7d; 1h else"},
}};
constexpr auto options =
    joined(own_options, version_option, customer_key_options, connection_options);

template <class Operation>
Result<std::string> make_url(S3Session& session, typename Operation::Request request,
                             std::chrono::seconds life) {
  request.request_payer = session.payer();
  aws::s3::put_customer_key(session.keys().object, request);
  return session.client().presign<Operation>(request, life, session.options());
}

// What goes with the URL when it is used.
constexpr std::array<const char*, 3> key_headers{"x-amz-server-side-encryption-customer-algorithm",
                                                 "x-amz-server-side-encryption-customer-key",
                                                 "x-amz-server-side-encryption-customer-key-MD5"};

Result<ExitCode> presign(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto uri, parse_uri(arguments, "S3URI"));
  if (uri.key.empty()) {
    return fail(Errc::invalid_argument,
                fmt::format("the URL is of an object, and {} is a bucket", to_text(uri)));
  }
  const std::string method = arguments.get("--method").value_or("GET");
  if (method != "GET" && method != "PUT") {
    return fail(Errc::invalid_argument, fmt::format("--method is GET or PUT, not '{}'", method));
  }
  if (method == "PUT" && arguments.has("--version-id")) {
    return fail(Errc::invalid_argument, "--version-id is for what is read");
  }
  if (arguments.has("--no-sign-request")) {
    return fail(Errc::invalid_argument, "a URL cannot be signed with --no-sign-request");
  }
  RUNCTL_TRY_LET(const auto life, parse_duration(arguments.get("--expires").value_or("1h")));
  // Source: "Authenticating requests: using query parameters", Amazon S3 API Reference.
  constexpr std::chrono::days longest{7};
  if (life < std::chrono::seconds{1} || life > longest) {
    return fail(Errc::invalid_argument, fmt::format("--expires is from 1 second to 7 days, not {}",
                                                    duration_in_words(life)));
  }
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  auto signed_url =
      method == "PUT"
          ? make_url<aws::s3::PutObject>(*session, {.bucket = uri.bucket, .key = uri.key}, life)
          : make_url<aws::s3::GetObject>(*session,
                                         {.bucket = uri.bucket,
                                          .key = uri.key,
                                          .version_id = arguments.get("--version-id").value_or("")},
                                         life);
  RUNCTL_TRY_LET(const std::string url, std::move(signed_url));
  Timestamp ends = context.clock.now() + life;
  const auto& expires = session->client().config().credentials.expires;
  if (expires && *expires < ends) {
    ends = *expires;
    note(context,
         fmt::format("Note: it ends with the credentials that signed it, at {}.", iso8601(ends)));
  }
  boost::json::object record{{"url", url}, {"method", method}, {"expires_at", iso8601(ends)}};
  if (session->keys().object) {
    record["headers"] = boost::json::array(key_headers.begin(), key_headers.end());
    note(context, fmt::format("Note: whoever uses it sends the key along, in the headers that the "
                              "signature covers: {}.",
                              fmt::join(key_headers, ", ")));
  }
  present(context, {.text = url + '\n', .record = std::move(record), .id = url});
  return ExitCode::ok;
}

}  // namespace

const CommandSpec s3_presign{.path = "s3 presign",
                             .summary = "a URL that lets whoever has it read or write one object",
                             .positionals = positionals,
                             .options = options,
                             .run = presign};

}  // namespace runctl::cli
