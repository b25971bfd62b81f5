// Whatever the codecs accept, they must be able to write and read again, with the same result. The
// first byte chooses what the rest is read as.
#include "aws/codec.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "aws/codec_rest.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/s3/list.hpp"
#include "aws/s3/multipart.hpp"
#include "aws/s3/object.hpp"
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

template <class Operation>
void read_rest_answer(std::string_view body) {
  typename Operation::Response response{};
  if (!read_rest_response(Operation::info, {.status = 200, .body = std::string{body}},
                          reading(response))) {
    return;
  }
  const auto written = write_rest_response(Operation::info, writing(response));
  typename Operation::Response again{};
  if (!read_rest_response(Operation::info, written, reading(again))) std::abort();
  if (write_rest_response(Operation::info, writing(again)).body != written.body) std::abort();
}

template <class Operation>
void round_trip_document(std::string_view body) {
  typename Operation::Request first{};
  if (!read_rest_request(Operation::info, {.body = std::string{body}}, reading(first))) return;
  const auto written = write_rest_request(Operation::info, writing(first));
  typename Operation::Request second{};
  if (!read_rest_request(Operation::info, written, reading(second))) std::abort();
  if (write_rest_request(Operation::info, writing(second)).body != written.body) std::abort();
}

// An error that was read is written and read again; it says the same.
void round_trip_error(std::string_view body) {
  const auto first = read_rest_error(body);
  if (!first) return;
  const std::string written = write_rest_error(*first);
  const auto second = read_rest_error(written);
  if (!second || write_rest_error(*second) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch ((data[0] + 2U) % 10U) {  // '0' is 0
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
    case 4:
      for (const Protocol protocol : {Protocol::ec2, Protocol::query, Protocol::json}) {
        static_cast<void>(read_error(protocol, body));
      }
      break;
    case 5:
      read_rest_answer<s3::ListObjectsV2>(body);
      break;
    case 6:
      read_rest_answer<s3::CompleteMultipartUpload>(body);
      break;
    case 7:
      round_trip_document<s3::DeleteObjects>(body);
      break;
    case 8:
      round_trip_document<s3::CompleteMultipartUpload>(body);
      break;
    default:
      round_trip_error(body);
  }
  return 0;
}
