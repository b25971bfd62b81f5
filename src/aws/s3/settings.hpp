// How S3 is reached, as AWS's variables and files ask for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "aws/endpoint.hpp"
#include "aws/s3/address.hpp"
#include "base/crc.hpp"
#include "base/result.hpp"

namespace runctl::aws::s3 {

struct Reach {
  std::string endpoint = {};  // "" is AWS's own, as in S3Config
  std::string origin = {};    // in words
  EndpointVariant variant = {};
  Addressing addressing = Addressing::automatic;
  std::optional<CrcKind> checksum = CrcKind::crc64nvme;
  bool check_answers = true;
};

// The endpoint as resolve_endpoint finds it; `addressing_style` (auto, path, virtual) below `s3` in
// the profile; no checks of uploads when AWS_REQUEST_CHECKSUM_CALCULATION or the profile's
// request_checksum_calculation is when_required; none of downloads when
// AWS_RESPONSE_CHECKSUM_VALIDATION or response_checksum_validation is. Errors: those of
// resolve_endpoint; invalid_argument for another word. Source: "S3" in the AWS CLI's configuration
// reference; "Data integrity protections for Amazon S3" in the AWS SDKs and Tools Reference Guide.
[[nodiscard]] Result<Reach> resolve_reach(const AccountSources& sources, std::string_view region);

}  // namespace runctl::aws::s3
