// What the emulator's S3 keeps of buckets, objects and uploads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time_text.hpp"

namespace runctl::emulator::s3 {

struct BucketRecord {
  std::string name;
  std::string account;  // its owner
  std::string region;
  Timestamp created = {};
  std::string acl = {};  // canned: "private", "public-read", …
};

// The check that S3 keeps of an object or a part.
struct Checksum {
  std::string algorithm = {};  // "CRC64NVME"; empty: none
  std::string type = {};       // "FULL_OBJECT", "COMPOSITE"
  std::string value = {};      // base64, of parts "…-3"
};

// Some of an object's bytes: a file of the store. An object of a multipart upload has one a part.
struct Segment {
  std::uint64_t blob = 0;  // 0: no bytes, and no file
  std::uint64_t size = 0;
};

// What comes back with an object as it was given: content-type, x-amz-meta-…, encryption. Names in
// lower case.
using StoredHeaders = std::map<std::string, std::string>;

struct ObjectRecord {
  std::string key = {};  // any bytes
  std::uint64_t size = 0;
  std::string etag = {};  // without quotes
  Timestamp modified = {};
  std::string storage_class = "STANDARD";
  Checksum checksum = {};
  StoredHeaders headers = {};
  std::vector<Segment> segments = {};
  bool is_multipart = false;  // its segments are parts that can be asked for by number
};

struct UploadRecord {
  std::string id = {};
  std::string bucket = {};
  std::string key = {};
  Timestamp initiated = {};
  std::string storage_class = "STANDARD";
  Checksum checksum = {};           // algorithm and type; no value yet
  bool asks_for_checksums = false;  // the algorithm was named by the client
  StoredHeaders headers = {};
};

struct PartRecord {
  std::uint32_t number = 0;  // 1 to 10,000
  std::string etag = {};     // MD5, 32 hex digits
  Timestamp modified = {};
  std::string checksum = {};  // value, of the upload's algorithm
  Segment segment = {};
};

}  // namespace runctl::emulator::s3
