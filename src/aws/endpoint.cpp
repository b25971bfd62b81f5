#include "aws/endpoint.hpp"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::aws {
namespace {

std::optional<Resolved> from_profile(const AccountSources& sources, std::string_view key) {
  const std::string profile = choose_profile(sources).name;
  const auto found = find_setting(sources.files, profile, key);
  if (!found || found->setting.value.empty()) return std::nullopt;
  return Resolved{.value = found->setting.value,
                  .origin = fmt::format("profile '{}' in {}", profile, found->file.path)};
}

std::optional<Resolved> from_environment(const AccountSources& sources, std::string_view name) {
  auto value = sources.environment.get(name);
  if (!value) return std::nullopt;
  return Resolved{.value = *std::move(value),
                  .origin = fmt::format("environment variable {}", name)};
}

std::optional<Resolved> first_region(const AccountSources& sources) {
  if (sources.flags.region) return Resolved{.value = *sources.flags.region, .origin = "--region"};
  for (const std::string_view name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (auto found = from_environment(sources, name)) return found;
  }
  if (sources.settings.region) {
    return Resolved{.value = *sources.settings.region, .origin = "runctl's configuration"};
  }
  return from_profile(sources, "region");
}

// A region becomes part of a host name that is sent credentials: it must not be able to end it.
bool is_region(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !text.empty() && text.size() <= 63 && !text.starts_with('-') && !text.ends_with('-') &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

// "ec2" of the profile's [services x], whose indented lines name the endpoint.
Result<std::optional<Resolved>> from_services(const AccountSources& sources,
                                              const Service& service) {
  const std::string profile = choose_profile(sources).name;
  const auto named = find_setting(sources.files, profile, "services");
  if (!named) return std::nullopt;
  const auto section = sources.files.config.services.find(named->setting.value);
  if (section == sources.files.config.services.end()) {
    return fail(Errc::invalid_argument,
                fmt::format("profile '{}' in {} names [services {}], which is not in {}", profile,
                            named->file.path, named->setting.value, sources.files.config.path));
  }
  const auto settings = section->second.find(lower(service.endpoint_key));
  if (settings == section->second.end()) return std::nullopt;
  const auto url = settings->second.nested.find("endpoint_url");
  if (url == settings->second.nested.end() || url->second.empty()) return std::nullopt;
  return Resolved{.value = url->second,
                  .origin = fmt::format("[services {}] in {}", named->setting.value,
                                        sources.files.config.path)};
}

bool ignores_configured(const AccountSources& sources) {
  auto said = from_environment(sources, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
  if (!said) said = from_profile(sources, "ignore_configured_endpoint_urls");
  return said && lower(said->value) == "true";
}

Result<Resolved> first_endpoint(const AccountSources& sources, const Service& service,
                                std::string_view region) {
  if (sources.flags.endpoint_url) {
    return Resolved{.value = *sources.flags.endpoint_url, .origin = "--endpoint-url"};
  }
  const bool ignores = ignores_configured(sources);
  if (!ignores) {
    const std::string own = fmt::format("AWS_ENDPOINT_URL_{}", service.endpoint_key);
    if (auto found = from_environment(sources, own)) return *std::move(found);
    if (auto found = from_environment(sources, "AWS_ENDPOINT_URL")) return *std::move(found);
  }
  if (sources.settings.endpoint_url) {
    return Resolved{.value = *sources.settings.endpoint_url, .origin = "runctl's configuration"};
  }
  if (!ignores) {
    RUNCTL_TRY_LET(auto found, from_services(sources, service));
    if (found) return *std::move(found);
    if (auto url = from_profile(sources, "endpoint_url")) return *std::move(url);
  }
  return Resolved{.value = aws_endpoint(service, region), .origin = "AWS's own"};
}

// "http" or "https", a host, perhaps a port and a path.
bool is_endpoint(std::string_view url) {
  const std::string_view scheme = url.starts_with("https://") ? "https://" : "http://";
  if (!url.starts_with(scheme)) return false;
  url.remove_prefix(scheme.size());
  const std::string_view authority = url.substr(0, url.find('/'));
  for (const char c : url) {
    const bool is_plain = c > ' ' && c < '\x7f';
    if (!is_plain || std::string_view{"?#\\\"<>"}.contains(c)) return false;
  }
  return !authority.empty() && !authority.starts_with(':') && !authority.contains('@');
}

}  // namespace

Result<Resolved> resolve_region(const AccountSources& sources) {
  auto found = first_region(sources);
  if (!found) {
    auto missing = fail(Errc::invalid_argument, "no AWS region is named");
    missing.error().hint = fmt::format(
        "Use --region, set AWS_REGION, or put 'region = …' into profile '{}' in {}; "
        "--emulator needs none.",
        choose_profile(sources).name, sources.files.config.path);
    return missing;
  }
  if (!is_region(found->value)) {
    return fail(Errc::invalid_argument,
                fmt::format("not a region's name: '{}' ({})", found->value, found->origin));
  }
  return *std::move(found);
}

Result<Resolved> resolve_endpoint(const AccountSources& sources, const Service& service,
                                  std::string_view region) {
  RUNCTL_TRY_LET(Resolved found, first_endpoint(sources, service, region));
  if (!is_endpoint(found.value)) {
    return fail(Errc::invalid_argument, fmt::format("not an http or https URL of a host: '{}' ({})",
                                                    found.value, found.origin));
  }
  while (found.value.ends_with('/')) found.value.pop_back();
  return found;
}

std::string aws_endpoint(const Service& service, std::string_view region) {
  struct Partition {
    std::string_view prefix, suffix;
  };
  constexpr std::array<Partition, 6> partitions{
      {{.prefix = "cn-", .suffix = "amazonaws.com.cn"},
       {.prefix = "eusc-", .suffix = "amazonaws.eu"},
       {.prefix = "us-iso-", .suffix = "c2s.ic.gov"},
       {.prefix = "us-isob-", .suffix = "sc2s.sgov.gov"},
       {.prefix = "eu-isoe-", .suffix = "cloud.adc-e.uk"},
       {.prefix = "us-isof-", .suffix = "csp.hci.ic.gov"}}};
  std::string_view suffix = "amazonaws.com";  // us-gov- too
  for (const Partition& partition : partitions) {
    if (region.starts_with(partition.prefix)) suffix = partition.suffix;
  }
  return fmt::format("https://{}.{}.{}", service.id, region, suffix);
}

}  // namespace runctl::aws
