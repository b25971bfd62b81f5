#include "emulator/metadata/metadata_service.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::emulator {
namespace {

namespace json = boost::json;

constexpr std::string_view machines = "/_runctl/machines/";
constexpr std::string_view ttl_header = "x-aws-ec2-metadata-token-ttl-seconds";
constexpr std::string_view token_header = "x-aws-ec2-metadata-token";
// Source: EC2 User Guide, as above: six hours.
constexpr std::int64_t longest_ttl = 21'600;

HttpResponse plain(int status, std::string text) {
  return {.status = status,
          .headers = {{.name = "content-type", .value = "text/plain"}},
          .body = std::move(text)};
}

std::string_view header(const HttpRequest& request, std::string_view name) {
  for (const HttpHeader& h : request.headers) {
    if (h.name == name) return h.value;
  }
  return {};
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base = 10) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return {};
  return number;
}

std::string seal(std::string_view secret, std::string_view instance, std::int64_t expires) {
  return hex(sha256(fmt::format("metadata {} {} {}", secret, instance, expires))).substr(0, 40);
}

// Its own end, and what shows that it is one of ours.
std::string make_token(std::string_view secret, std::string_view instance, std::int64_t expires) {
  return fmt::format("{:016x}{}", expires, seal(secret, instance, expires));
}

bool is_valid(std::string_view token, std::string_view secret, std::string_view instance,
              Timestamp now) {
  const auto expires = number_in<std::int64_t>(token.substr(0, 16), 16);
  return expires && *expires > now.time_since_epoch().count() &&
         token == make_token(secret, instance, *expires);
}

HttpResponse give_token(const HttpRequest& request, std::string_view instance,
                        std::string_view secret, Timestamp now) {
  const auto ttl = number_in<std::int64_t>(header(request, ttl_header));
  if (!ttl || *ttl < 1 || *ttl > longest_ttl) return plain(400, "400 - Bad Request\n");
  const auto expires = (now + std::chrono::seconds{*ttl}).time_since_epoch().count();
  HttpResponse answer = plain(200, make_token(secret, instance, expires));
  answer.headers.push_back({.name = std::string{ttl_header}, .value = std::to_string(*ttl)});
  return answer;
}

// Source: EC2 User Guide, "Instance identity documents".
std::string identity_document(const MetadataSubject& subject) {
  const aws::ec2::Instance& i = subject.instance;
  return to_pretty_text(json::object{{"accountId", subject.place.account},
                                     {"architecture", i.architecture},
                                     {"availabilityZone", i.placement->availability_zone},
                                     {"billingProducts", nullptr},
                                     {"devpayProductCodes", nullptr},
                                     {"marketplaceProductCodes", nullptr},
                                     {"imageId", i.image_id},
                                     {"instanceId", i.instance_id},
                                     {"instanceType", i.instance_type},
                                     {"kernelId", nullptr},
                                     {"pendingTime", i.launch_time ? iso8601(*i.launch_time) : ""},
                                     {"privateIp", i.private_ip_address},
                                     {"ramdiskId", nullptr},
                                     {"region", subject.place.region},
                                     {"version", "2017-09-30"}});
}

// "2017-09-18T08:22:00Z": whole seconds.
std::string second_of(Timestamp time) { return iso8601(time).substr(0, 19) + "Z"; }

// Source: EC2 User Guide, "Spot Instance interruption notices". `termination-time` is older, and
// only there for an instance that ends.
void add_notice(const ec2::SpotNotice& notice, std::map<std::string, std::string>& leaves) {
  const std::string time = second_of(notice.time);
  leaves["meta-data/spot/instance-action"] =
      fmt::format(R"({{"action": "{}", "time": "{}"}})", name_of(notice.action), time);
  if (notice.action == ec2::InterruptionBehavior::terminate) {
    leaves["meta-data/spot/termination-time"] = time;
  }
}

// By path below /latest/. There is no role and no user data: what is not here is 404, as on an
// instance without them.
std::map<std::string, std::string> leaves_of(const MetadataSubject& subject) {
  const aws::ec2::Instance& i = subject.instance;
  std::string groups;
  for (const auto& group : i.security_groups)
    groups += (groups.empty() ? "" : "\n") + group.group_name;
  std::map<std::string, std::string> leaves{
      {"dynamic/instance-identity/document", identity_document(subject)},
      {"meta-data/ami-id", i.image_id},
      {"meta-data/hostname", i.private_dns_name},
      {"meta-data/instance-id", i.instance_id},
      {"meta-data/instance-life-cycle",
       i.instance_lifecycle.empty() ? "on-demand" : i.instance_lifecycle},
      {"meta-data/instance-type", i.instance_type},
      {"meta-data/local-hostname", i.private_dns_name},
      {"meta-data/local-ipv4", i.private_ip_address},
      {"meta-data/placement/availability-zone", i.placement->availability_zone},
      {"meta-data/placement/availability-zone-id", i.placement->availability_zone_id},
      {"meta-data/placement/region", subject.place.region},
      {"meta-data/security-groups", groups},
      {"meta-data/services/domain", "amazonaws.com"},
      {"meta-data/services/partition", "aws"}};
  if (subject.notice) add_notice(*subject.notice, leaves);
  return leaves;
}

// A leaf's text, or what is in a folder, a line each.
std::optional<std::string> find(const std::map<std::string, std::string>& leaves,
                                std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  if (const auto at = leaves.find(std::string{path}); at != leaves.end()) return at->second;
  const std::string folder = path.empty() ? "" : std::string{path} + "/";
  std::string list;
  std::set<std::string_view> seen;
  for (const auto& [name, text] : leaves) {
    if (!name.starts_with(folder)) continue;
    const std::string_view rest = std::string_view{name}.substr(folder.size());
    const auto slash = rest.find('/');
    const std::string_view entry =
        rest.substr(0, slash == std::string_view::npos ? slash : slash + 1);
    if (seen.insert(entry).second) list += (list.empty() ? "" : "\n") + std::string{entry};
  }
  if (list.empty()) return {};
  return list;
}

}  // namespace

std::string metadata_path(const InstanceId& instance) {
  return std::string{machines} + instance.str();
}

std::optional<MetadataTarget> metadata_target(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path_at = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  if (path_at == std::string_view::npos) return {};
  std::string_view path = url.substr(path_at);
  if (!path.starts_with(machines)) return {};
  path.remove_prefix(machines.size());
  path = path.substr(0, path.find('?'));
  const auto end = std::min(path.find('/'), path.size());
  return MetadataTarget{.instance = std::string{path.substr(0, end)},
                        .path = std::string{path.substr(end)}};
}

HttpResponse answer_metadata(const HttpRequest& request, std::string_view path,
                             const MetadataSubject& subject, std::string_view secret,
                             Timestamp now) {
  constexpr std::string_view root = "/latest/";
  const std::string& instance = subject.instance.instance_id;
  if (!header(request, "x-forwarded-for").empty()) return plain(403, "403 - Forbidden\n");
  if (path == "/latest/api/token") {
    if (request.method != "PUT") return plain(405, "405 - Method Not Allowed\n");
    return give_token(request, instance, secret, now);
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return plain(405, "405 - Method Not Allowed\n");
  }
  if (!is_valid(header(request, token_header), secret, instance, now)) {
    return plain(401, "401 - Unauthorized\n");
  }
  const auto found =
      path.starts_with(root) ? find(leaves_of(subject), path.substr(root.size())) : std::nullopt;
  return found ? plain(200, *found) : plain(404, "404 - Not Found\n");
}

}  // namespace runctl::emulator
