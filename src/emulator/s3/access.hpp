// Who asks, and whether they may.
#pragma once

#include "base/result.hpp"
#include "emulator/s3/call.hpp"

namespace runctl::emulator::s3 {

// Checks the signature of the call's head and fills in whose it is. A request without one is
// nobody's, which is no error yet. Errors: SignatureDoesNotMatch, RequestTimeTooSkewed,
// AuthorizationHeaderMalformed, AuthorizationQueryParametersError, AccessDenied (an expired URL),
// InvalidRequest (an older kind of signature).
[[nodiscard]] Result<void> identify(Call& call);

// Finds the bucket, and checks that it is the caller's and in the region that was signed for.
// `anywhere`: whatever region. Errors: NoSuchBucket, AccessDenied, AuthorizationHeaderMalformed,
// PermanentRedirect.
enum class Region : bool { signed_for, anywhere };
[[nodiscard]] Result<void> enter_bucket(Call& call, Region region);

}  // namespace runctl::emulator::s3
