// The options that name keys of the user's own (SSE-C), read and checked.
#pragma once

#include "aws/s3/customer_key.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

// Of customer_key_options and copy_source_key_options. A key is named by fileb://FILE (32 bytes),
// file://FILE or env://NAME (base64), or stands in base64 on the command line, which others on the
// machine can see: then it says so. Errors: invalid_argument for what names no key, a key of
// another size, --sse beside a key; none of them repeats what may be a key.
[[nodiscard]] Result<aws::s3::CustomerKeys> parse_customer_keys(const Arguments& arguments,
                                                                Context& context);

}  // namespace runctl::cli
