// Which region, and where its services are reached.
#pragma once

#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "aws/operation.hpp"
#include "base/result.hpp"

namespace runctl::aws {

struct Resolved {
  std::string value;
  std::string origin;  // in words, as in Credentials
};

// Whether it can be one: a region becomes part of a host name that is sent credentials.
[[nodiscard]] bool is_region_name(std::string_view text);

// --region, else AWS_REGION, AWS_DEFAULT_REGION, the settings, the profile's `region`.
// Errors: invalid_argument when nobody names one, or for one that cannot be part of a host name.
[[nodiscard]] Result<Resolved> resolve_region(const AccountSources& sources);

// --endpoint-url, else AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the settings, the profile's
// `services` section, the profile's `endpoint_url`, AWS's own. What AWS's variables and files say
// is passed over when AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile's
// ignore_configured_endpoint_urls is "true". AWS's own is the variant that
// AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT or the profile's keys of these names ask for.
// No slash at the end. Errors: invalid_argument for a value that is not an http or https URL of a
// host, for a `services` section that does not exist, and for a variant together with an endpoint
// that is not AWS's own. Source: botocore 1.43 configprovider.py, ConfiguredEndpointProvider, and
// SmartDefaultsConfigStoreFactory's use_dualstack_endpoint and use_fips_endpoint.
[[nodiscard]] Result<Resolved> resolve_endpoint(const AccountSources& sources,
                                                const Service& service, std::string_view region);

struct EndpointVariant {
  bool dual_stack = false;  // IPv6 too
  bool fips = false;        // with validated cryptography
};

// What AWS's variables and the profile ask for (resolve_endpoint says which).
[[nodiscard]] EndpointVariant variant_asked_for(const AccountSources& sources);

// "https://ec2.eu-west-1.amazonaws.com".
// Source: botocore 1.43 partitions.json, regionRegex, dnsSuffix and dualStackDnsSuffix; its rule
// sets of EC2, SSM and STS, which have no name of their own for FIPS in GovCloud, and of S3, whose
// dual-stack names end like the others.
[[nodiscard]] std::string aws_endpoint(const Service& service, std::string_view region,
                                       EndpointVariant variant = {});

}  // namespace runctl::aws
