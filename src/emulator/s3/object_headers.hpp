// What an object is given with, and comes back with: system headers, metadata, encryption.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "emulator/s3/call.hpp"
#include "emulator/s3/records.hpp"
#include "io/http_transport.hpp"

namespace runctl::emulator::s3 {

// Of a request that makes an object: what is kept of its headers, encryption filled in as S3 does
// (AES256 when none is asked for). Errors: MetadataTooLarge, InvalidArgument (encryption).
[[nodiscard]] Result<StoredHeaders> headers_to_store(const Call& call);

// The headers of answers that describe the object. Of a customer's key its MD5 comes back, as the
// request has it: the key itself was compared before.
[[nodiscard]] std::vector<HttpHeader> headers_to_show(const Call& call,
                                                      const StoredHeaders& stored);
// Only those that tell of its encryption: what answers to uploads have.
[[nodiscard]] std::vector<HttpHeader> encryption_to_show(const Call& call,
                                                         const StoredHeaders& stored);

// Errors: InvalidStorageClass. "" is STANDARD.
[[nodiscard]] Result<std::string> storage_class_of(std::string_view header);

// S3's ETag is the MD5 of the bytes only without encryption, or with S3's own keys; with others it
// only looks so. Source: "ETag" in "Object" of the Amazon S3 API Reference.
[[nodiscard]] std::string etag_of(std::string_view md5, const StoredHeaders& stored);

}  // namespace runctl::emulator::s3
