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

bool asks_for(const AccountSources& sources, std::string_view variable, std::string_view key) {
  auto said = from_environment(sources, variable);
  if (!said) said = from_profile(sources, key);
  return said && lower(said->value) == "true";
}

// Nothing when nobody names one.
Result<std::optional<Resolved>> configured_endpoint(const AccountSources& sources,
                                                    const Service& service) {
  if (sources.flags.endpoint_url) {
    return Resolved{.value = *sources.flags.endpoint_url, .origin = "--endpoint-url"};
  }
  const bool ignores =
      asks_for(sources, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
  if (!ignores) {
    const std::string own = fmt::format("AWS_ENDPOINT_URL_{}", service.endpoint_key);
    if (auto found = from_environment(sources, own)) return found;
    if (auto found = from_environment(sources, "AWS_ENDPOINT_URL")) return found;
  }
  if (sources.settings.endpoint_url) {
    return Resolved{.value = *sources.settings.endpoint_url, .origin = "runctl's configuration"};
  }
  if (!ignores) {
    RUNCTL_TRY_LET(auto found, from_services(sources, service));
    if (found) return found;
    if (auto url = from_profile(sources, "endpoint_url")) return url;
  }
  return std::nullopt;
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

bool is_region_name(std::string_view text) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-";
  return !text.empty() && text.size() <= 63 && !text.starts_with('-') && !text.ends_with('-') &&
         text.find_first_not_of(allowed) == std::string_view::npos;
}

EndpointVariant variant_asked_for(const AccountSources& sources) {
  return {.dual_stack = asks_for(sources, "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"),
          .fips = asks_for(sources, "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")};
}

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
  if (!is_region_name(found->value)) {
    return fail(Errc::invalid_argument,
                fmt::format("not a region's name: '{}' ({})", found->value, found->origin));
  }
  return *std::move(found);
}

Result<Resolved> resolve_endpoint(const AccountSources& sources, const Service& service,
                                  std::string_view region) {
  RUNCTL_TRY_LET(auto found, configured_endpoint(sources, service));
  const EndpointVariant variant = variant_asked_for(sources);
  if (!found) {
    return Resolved{.value = aws_endpoint(service, region, variant), .origin = "AWS's own"};
  }
  if (!is_endpoint(found->value)) {
    return fail(Errc::invalid_argument, fmt::format("not an http or https URL of a host: '{}' ({})",
                                                    found->value, found->origin));
  }
  if (variant.dual_stack || variant.fips) {
    auto both =
        fail(Errc::invalid_argument,
             fmt::format("a {} endpoint of AWS is asked for, and another one is named: "
                         "'{}' ({})",
                         variant.fips ? "FIPS" : "dual-stack", found->value, found->origin));
    both.error().hint = fmt::format("Unset one of the two; the first is {}.",
                                    variant.fips ? "AWS_USE_FIPS_ENDPOINT or use_fips_endpoint"
                                                 : "AWS_USE_DUALSTACK_ENDPOINT or "
                                                   "use_dualstack_endpoint");
    return both;
  }
  while (found->value.ends_with('/')) found->value.pop_back();
  return *std::move(found);
}

std::string aws_endpoint(const Service& service, std::string_view region, EndpointVariant variant) {
  struct Partition {
    std::string_view prefix, suffix, dual_stack_suffix;
  };
  constexpr std::array<Partition, 7> partitions{
      {{.prefix = "", .suffix = "amazonaws.com", .dual_stack_suffix = "api.aws"},  // us-gov- too
       {.prefix = "cn-",
        .suffix = "amazonaws.com.cn",
        .dual_stack_suffix = "api.amazonwebservices.com.cn"},
       {.prefix = "eusc-",
        .suffix = "amazonaws.eu",
        .dual_stack_suffix = "api.amazonwebservices.eu"},
       {.prefix = "us-iso-", .suffix = "c2s.ic.gov", .dual_stack_suffix = "api.aws.ic.gov"},
       {.prefix = "us-isob-", .suffix = "sc2s.sgov.gov", .dual_stack_suffix = "api.aws.scloud"},
       {.prefix = "eu-isoe-",
        .suffix = "cloud.adc-e.uk",
        .dual_stack_suffix = "api.cloud-aws.adc-e.uk"},
       {.prefix = "us-isof-",
        .suffix = "csp.hci.ic.gov",
        .dual_stack_suffix = "api.aws.hci.ic.gov"}}};
  Partition partition;
  for (const Partition& each : partitions) {
    if (region.starts_with(each.prefix)) partition = each;
  }
  if (&service == &s3_service) {
    return fmt::format("https://s3{}{}.{}.{}", variant.fips ? "-fips" : "",
                       variant.dual_stack ? ".dualstack" : "", region, partition.suffix);
  }
  const bool is_fips_anyway =
      region.starts_with("us-gov-") && !variant.dual_stack && service.host.empty();
  return fmt::format("https://{}{}.{}.{}", service.host.empty() ? service.id : service.host,
                     variant.fips && !is_fips_anyway ? "-fips" : "", region,
                     variant.dual_stack ? partition.dual_stack_suffix : partition.suffix);
}

}  // namespace runctl::aws
