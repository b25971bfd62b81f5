#include "aws/credentials.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace runctl::aws {

ProfileChoice choose_profile(const AccountSources& sources) {
  if (sources.flags.profile) return {.name = *sources.flags.profile, .origin = "--profile"};
  for (const std::string_view name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    if (auto value = sources.environment.get(name)) {
      return {.name = *std::move(value), .origin = fmt::format("environment variable {}", name)};
    }
  }
  if (sources.settings.profile) {
    return {.name = *sources.settings.profile, .origin = "runctl's configuration"};
  }
  return {};
}

}  // namespace runctl::aws
