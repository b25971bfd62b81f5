// Whatever the codecs accept, they must be able to write and read again, with the same result. The
// first byte chooses what the rest is read as.
#include "aws/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/ec2/volume.hpp"
#include "aws/ssm/shapes.hpp"

namespace {

using namespace runctl::aws;

// A request that was read is written and read again; what is written the second time must be the
// same.
template <class Operation>
void round_trip_request(std::string_view body) {
  typename Operation::Request first{};
  if (!read_request(Operation::info, body, reading(first))) return;
  const std::string written = write_request(Operation::info, writing(first));
  typename Operation::Request second{};
  if (!read_request(Operation::info, written, reading(second))) std::abort();
  if (write_request(Operation::info, writing(second)) != written) std::abort();
}

template <class Operation>
void read_answer(std::string_view body) {
  typename Operation::Response response{};
  if (!read_response(Operation::info, body, reading(response))) return;
  const std::string written = write_response(Operation::info, "r", writing(response));
  typename Operation::Response again{};
  if (!read_response(Operation::info, written, reading(again))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 5U) {
    case 0:
      round_trip_request<ec2::CreateVolume>(body);
      break;
    case 1:
      round_trip_request<ssm::SendCommand>(body);
      break;
    case 2:
      read_answer<ec2::DescribeVolumes>(body);
      break;
    case 3:
      read_answer<ssm::GetCommandInvocation>(body);
      break;
    default:
      for (const Protocol protocol : {Protocol::ec2, Protocol::query, Protocol::json}) {
        static_cast<void>(read_error(protocol, body));
      }
  }
  return 0;
}
