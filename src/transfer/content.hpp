// Whether a file and an object, or two objects, have the same bytes, by what S3 knows of an object.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>

#include "base/result.hpp"
#include "io/random_access_file.hpp"
#include "transfer/object_store.hpp"

namespace runctl::transfer {

enum class Likeness : std::uint8_t {
  same,
  different,
  unknown,  // S3 has nothing of it that could be compared
};

// Reads the file when their sizes agree, and compares it with the best that S3 has: the checksum of
// the whole object (CRC64NVME, CRC32C, CRC32, SHA256, SHA1), the checksum of its parts' checksums,
// an ETag that is an MD5, or one of its parts' MD5s (no ETag of what has a key of KMS's
// or the customer's). Parts are taken to be as large as the first,
// as all tools make them; one of others counts as different. One request when it has parts. Errors:
// those of reading the file, and of the request; cancelled.
[[nodiscard]] Result<Likeness> compare_content(ObjectStore& store, const ObjectName& name,
                                               const ObjectFacts& facts,
                                               const RandomAccessFile& file,
                                               const std::stop_token& stop);

// Of two objects, without reading either: checksums of one kind, made in one way, or ETags. Two
// that differ may be of one content that was cut into other parts: then it is `unknown`.
[[nodiscard]] Likeness compare_objects(const ObjectFacts& one, const ObjectFacts& other);

}  // namespace runctl::transfer
