// What one request costs besides the network: signing it, writing and reading its shapes, and the
// checks of what S3 is sent.
//   cmake --build --preset dev --target control_plane_bench && build/dev/bench/control_plane_bench
// Figures that are to be compared want an optimised build: -DCMAKE_BUILD_TYPE=Release
// -DBUILD_TESTING=ON.
#include <cstddef>
#include <span>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "aws/codec.hpp"
#include "aws/codec_rest.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/s3/list.hpp"
#include "aws/s3/listing.hpp"
#include "aws/sigv4.hpp"
#include "base/crc.hpp"

namespace runctl::aws {
namespace {

// A page of DescribeVolumes: `count` volumes, attached, with two tags each.
std::string page_of(std::size_t count) {
  ec2::DescribeVolumesResult result;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = fmt::format("vol-{:017x}", i);
    result.volumes.push_back(
        {.volume_id = id,
         .size = 100,
         .availability_zone = "us-east-1a",
         .state = "in-use",
         .attachments = {{.volume_id = id,
                          .instance_id = fmt::format("i-{:017x}", i),
                          .device = "/dev/sdf",
                          .state = "attached"}},
         .tags = {{.key = "Name", .value = "training data & more"}, {.key = "team", .value = "a"}},
         .volume_type = "gp3"});
  }
  return write_response(ec2::DescribeVolumes::info, "request", writing(result));
}

void read_volumes(benchmark::State& state) {
  const std::string body = page_of(static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] auto _ : state) {
    ec2::DescribeVolumesResult result;
    if (!read_response(ec2::DescribeVolumes::info, body, reading(result)) ||
        result.volumes.size() != static_cast<std::size_t>(state.range(0))) {
      state.SkipWithError("the page was not read");
      break;
    }
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(read_volumes)->Arg(1)->Arg(1000);

void write_volumes(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(page_of(static_cast<std::size_t>(state.range(0))));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(write_volumes)->Arg(1)->Arg(1000);

void sign(benchmark::State& state) {
  const HttpRequest request{
      .method = "POST",
      .url = "https://ec2.us-east-1.amazonaws.com/",
      .headers = {{.name = "content-type", .value = "application/x-www-form-urlencoded"}},
      .body = "Action=DescribeVolumes&Version=2016-11-15"};
  const Credentials credentials{.access_key_id = "AKIDEXAMPLE",
                                .secret_access_key = Secret{"a secret for measuring"}};
  const Scope scope{.region = "us-east-1", .service = "ec2"};
  const Timestamp now{std::chrono::hours{24 * 365 * 50}};
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(sign_v4(request, credentials, scope, now));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sign);

// A page of ListObjectsV2, as S3 writes it.
std::string listing_of(std::size_t count) {
  s3::ListObjectsV2Output result{.is_truncated = true, .name = "bucket", .prefix = ""};
  for (std::size_t i = 0; i < count; ++i) {
    result.contents.push_back({.key = fmt::format("training/shards/part-{:08}.tar", i),
                               .last_modified = Timestamp{std::chrono::hours{24 * 365 * 50}},
                               .etag = fmt::format("\"{:032x}\"", i),
                               .checksum_algorithm = {"CRC64NVME"},
                               .checksum_type = "FULL_OBJECT",
                               .size = 16'384,
                               .storage_class = "STANDARD"});
  }
  s3::encode_names(result);
  return write_rest_response(s3::ListObjectsV2::info, writing(result)).body;
}

void read_listing(benchmark::State& state) {
  const std::string body = listing_of(static_cast<std::size_t>(state.range(0)));
  for ([[maybe_unused]] auto _ : state) {
    s3::ListObjectsV2Output result;
    if (!read_rest_response(s3::ListObjectsV2::info, {.status = 200, .body = body},
                            reading(result)) ||
        result.contents.size() != static_cast<std::size_t>(state.range(0))) {
      state.SkipWithError("the page was not read");
      break;
    }
    s3::decode_names(result);
    benchmark::DoNotOptimize(result);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}
BENCHMARK(read_listing)->Arg(1000);

void write_listing(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(listing_of(static_cast<std::size_t>(state.range(0))));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(write_listing)->Arg(1000);

void sign_object(benchmark::State& state) {
  const HttpRequest request{
      .method = "GET",
      .url = "https://bucket.s3.us-east-1.amazonaws.com/training/shards/part-00000001.tar",
      .headers = {{.name = "x-amz-checksum-mode", .value = "ENABLED"},
                  {.name = "x-amz-content-sha256", .value = "UNSIGNED-PAYLOAD"}}};
  const Credentials credentials{.access_key_id = "AKIDEXAMPLE",
                                .secret_access_key = Secret{"a secret for measuring"}};
  const Scope scope{.region = "us-east-1", .service = "s3"};
  const Timestamp now{std::chrono::hours{24 * 365 * 50}};
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(sign_v4(request, credentials, scope, now));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(sign_object);

// Of a piece that fits into a core's second cache, as a transfer hands it over.
void check(benchmark::State& state, CrcKind kind) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(crc(kind, std::as_bytes(std::span{text})));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(check, crc32, CrcKind::crc32)->Arg(256 << 10);
BENCHMARK_CAPTURE(check, crc32c, CrcKind::crc32c)->Arg(256 << 10);
BENCHMARK_CAPTURE(check, crc64nvme, CrcKind::crc64nvme)->Arg(256 << 10)->Arg(64);

void check_by_table(benchmark::State& state) {
  const std::string text(256U << 10U, 'x');
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(crc_by_table(CrcKind::crc64nvme, std::as_bytes(std::span{text})));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(check_by_table);

}  // namespace
}  // namespace runctl::aws

BENCHMARK_MAIN();
