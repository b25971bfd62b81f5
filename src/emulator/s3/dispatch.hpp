// Which action a request of S3's asks for.
#pragma once

#include <cstdint>
#include <string_view>

#include "aws/codec_rest.hpp"
#include "base/result.hpp"
#include "emulator/reply.hpp"
#include "emulator/s3/call.hpp"

namespace runctl::emulator::s3 {

// What the action does with the bucket that the request names.
enum class BucketUse : std::uint8_t {
  none,      // there is none, or it is yet to be made
  enter,     // it must be there, in the region that was signed for
  anywhere,  // in whatever region
  by_form,   // the action enters it, when it has read from the body whose the request is
};

struct Action {
  std::string_view name;  // "PutObject"
  BucketUse bucket = BucketUse::enter;
  // Decodes the request, reads its body, does it and answers.
  Result<Reply> (*act)(Call& call) = nullptr;
};

// Errors: NotImplemented for what S3 has and the emulator has not, MethodNotAllowed.
[[nodiscard]] Result<const Action*> action_for(const aws::RestRequest& request);

}  // namespace runctl::emulator::s3
