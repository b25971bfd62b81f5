#include "aws/s3/settings.hpp"

#include <fmt/format.h>

#include "aws/profile_file.hpp"
#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

Result<Addressing> addressing_asked_for(const AccountSources& sources) {
  const std::string profile = choose_profile(sources).name;
  const auto found = find_setting(sources.files, profile, "s3");
  if (!found) return Addressing::automatic;
  const auto style = found->setting.nested.find("addressing_style");
  if (style == found->setting.nested.end()) return Addressing::automatic;
  const std::string word = lower(style->second);
  if (word == "path") return Addressing::path;
  if (word == "virtual") return Addressing::virtual_host;
  if (word == "auto") return Addressing::automatic;
  return fail(
      Errc::invalid_argument,
      fmt::format("addressing_style is auto, path or virtual, not '{}' (profile '{}' in {})",
                  style->second, profile, found->file.path));
}

// Whether bodies are to be checked: by that variable, or by that setting of the profile.
Result<bool> checks_wanted(const AccountSources& sources, std::string_view variable,
                           std::string_view setting) {
  std::string origin = fmt::format("environment variable {}", variable);
  auto word = sources.environment.get(variable);
  if (!word) {
    const std::string profile = choose_profile(sources).name;
    const auto found = find_setting(sources.files, profile, setting);
    if (!found) return true;
    word = found->setting.value;
    origin = fmt::format("{} of profile '{}' in {}", setting, profile, found->file.path);
  }
  const std::string asked = lower(*word);
  if (asked == "when_supported") return true;
  if (asked == "when_required") return false;
  return fail(Errc::invalid_argument,
              fmt::format("bodies are checked when_supported or when_required, not '{}' ({})",
                          *word, origin));
}

}  // namespace

Result<Reach> resolve_reach(const AccountSources& sources, std::string_view region) {
  Reach reach;
  RUNCTL_TRY_LET(reach.addressing, addressing_asked_for(sources));
  RUNCTL_TRY_LET(
      const bool check_uploads,
      checks_wanted(sources, "AWS_REQUEST_CHECKSUM_CALCULATION", "request_checksum_calculation"));
  if (!check_uploads) reach.checksum.reset();
  RUNCTL_TRY_LET(reach.check_answers, checks_wanted(sources, "AWS_RESPONSE_CHECKSUM_VALIDATION",
                                                    "response_checksum_validation"));
  RUNCTL_TRY_LET(const Resolved resolved, resolve_endpoint(sources, s3_service, region));
  reach.origin = resolved.origin;
  reach.variant = variant_asked_for(sources);
  const bool is_aws = resolved.value == aws_endpoint(s3_service, region, reach.variant);
  if (!is_aws) reach.endpoint = resolved.value;
  return reach;
}

}  // namespace runctl::aws::s3
