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

Result<std::optional<CrcKind>> checksum_asked_for(const AccountSources& sources) {
  std::string origin = "environment variable AWS_REQUEST_CHECKSUM_CALCULATION";
  auto word = sources.environment.get("AWS_REQUEST_CHECKSUM_CALCULATION");
  if (!word) {
    const std::string profile = choose_profile(sources).name;
    const auto found = find_setting(sources.files, profile, "request_checksum_calculation");
    if (!found) return CrcKind::crc64nvme;
    word = found->setting.value;
    origin = fmt::format("request_checksum_calculation of profile '{}' in {}", profile,
                         found->file.path);
  }
  const std::string asked = lower(*word);
  if (asked == "when_supported") return CrcKind::crc64nvme;
  if (asked == "when_required") return std::nullopt;
  return fail(Errc::invalid_argument,
              fmt::format("checks are computed when_supported or when_required, not '{}' ({})",
                          *word, origin));
}

}  // namespace

Result<Reach> resolve_reach(const AccountSources& sources, std::string_view region) {
  Reach reach;
  RUNCTL_TRY_LET(reach.addressing, addressing_asked_for(sources));
  RUNCTL_TRY_LET(reach.checksum, checksum_asked_for(sources));
  RUNCTL_TRY_LET(const Resolved resolved, resolve_endpoint(sources, s3_service, region));
  reach.origin = resolved.origin;
  reach.variant = variant_asked_for(sources);
  const bool is_aws = resolved.value == aws_endpoint(s3_service, region, reach.variant);
  if (!is_aws) reach.endpoint = resolved.value;
  return reach;
}

}  // namespace runctl::aws::s3
