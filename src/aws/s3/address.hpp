// Where a bucket is reached.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aws/codec_rest.hpp"
#include "aws/endpoint.hpp"

namespace runctl::aws::s3 {

// How a bucket becomes part of a URL. `automatic` is AWS's tools' rule: the host's first label at
// AWS, unless the name has a dot or cannot be one; the path everywhere else.
enum class Addressing : std::uint8_t { automatic, path, virtual_host };

// What a URL is made of, besides the request. Borrowed for the call.
struct Place {
  std::string_view endpoint = {};  // "" is AWS's own
  std::string_view region = {};
  EndpointVariant variant = {};
  Addressing addressing = Addressing::automatic;
};

// Percent-encoded, the query in the request's order. A bucket whose name cannot be a label of a
// host is in the path, whatever was asked for: a name must not be able to change the host.
[[nodiscard]] std::string url_of(const Place& place, const RestRequest& request);

// Whether what is sent to this URL stays on this machine.
[[nodiscard]] bool is_loopback(std::string_view url);

// The region in "b.s3.eu-west-1.amazonaws.com" or "s3-eu-west-1.amazonaws.com"; "" without one.
[[nodiscard]] std::string_view region_in_host(std::string_view url);

// "bucket/key?versionId=…", percent-encoded, as CopyObject and UploadPartCopy want it.
[[nodiscard]] std::string copy_source(std::string_view bucket, std::string_view key,
                                      std::string_view version_id = {});

}  // namespace runctl::aws::s3
