// Parts of records as the text that the index holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "emulator/s3/records.hpp"

namespace runctl::emulator::s3 {

// "name=value" a line, values percent-encoded: they may hold any bytes.
[[nodiscard]] std::string to_text(const StoredHeaders& headers);
[[nodiscard]] StoredHeaders headers_from(std::string_view text);

// "2a:1024 2b:512": the numbers of the files in hex, and their sizes.
[[nodiscard]] std::string to_text(const std::vector<Segment>& segments);
// Errors: corrupt.
[[nodiscard]] Result<std::vector<Segment>> segments_from(std::string_view text);

}  // namespace runctl::emulator::s3
