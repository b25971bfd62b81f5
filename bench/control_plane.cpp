// What one request costs besides the network: signing it, writing and reading its shapes.
//   cmake --build --preset dev --target control_plane_bench && build/dev/bench/control_plane_bench
// Figures that are to be compared want an optimised build: -DCMAKE_BUILD_TYPE=Release
// -DBUILD_TESTING=ON.
#include <cstddef>
#include <string>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "aws/codec.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/sigv4.hpp"

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

}  // namespace
}  // namespace runctl::aws

BENCHMARK_MAIN();
