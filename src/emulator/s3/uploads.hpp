// Multipart uploads under way: finding one, and giving it a part.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "emulator/s3/call.hpp"
#include "emulator/s3/records.hpp"
#include "emulator/s3/write_object.hpp"

namespace runctl::emulator::s3 {

// Errors: NoSuchUpload; InvalidArgument for a part's number that none can have.
[[nodiscard]] Result<UploadRecord> find_upload(Call& call, std::string_view key,
                                               std::string_view id);
[[nodiscard]] Result<UploadRecord> find_upload(Call& call, std::string_view key,
                                               std::string_view id,
                                               std::optional<std::int64_t> part_number);

// The bytes are the upload's from then on. Errors: NoSuchUpload when it has gone meanwhile.
[[nodiscard]] Result<PartRecord> store_part(Call& call, const UploadRecord& upload,
                                            std::uint32_t number, ReceivedBlob& received);

}  // namespace runctl::emulator::s3
