#include "aws/s3/listing.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "base/text.hpp"

namespace runctl::aws::s3 {
namespace {

void decode(std::string& name) {
  if (name.find_first_of("%+") == std::string::npos) return;
  std::ranges::replace(name, '+', ' ');
  name = percent_decode(name);
}

void encode(std::string& name) { name = percent_encode(name, "/"); }

template <class Change>
void change_each(Change change, std::optional<std::string>& name) {
  if (name) change(*name);
}

template <class Change>
void change_each(Change change, std::string& name) {
  change(name);
}

// Which members hold names: "Encoding type" of each operation in the Amazon S3 API Reference.
template <class Change>
void change_names(Change change, ListObjectsV2Output& answer) {
  for (Object& object : answer.contents) change(object.key);
  for (CommonPrefix& common : answer.common_prefixes) change(common.prefix);
  change_each(change, answer.prefix);
  change_each(change, answer.delimiter);
  change_each(change, answer.start_after);
}

template <class Change>
void change_names(Change change, ListObjectVersionsOutput& answer) {
  for (ObjectVersion& version : answer.versions) change(version.key);
  for (DeleteMarkerEntry& marker : answer.delete_markers) change(marker.key);
  for (CommonPrefix& common : answer.common_prefixes) change(common.prefix);
  change_each(change, answer.prefix);
  change_each(change, answer.delimiter);
  change_each(change, answer.key_marker);
  change_each(change, answer.next_key_marker);
}

template <class Change>
void change_names(Change change, ListMultipartUploadsOutput& answer) {
  for (MultipartUpload& upload : answer.uploads) change(upload.key);
  for (CommonPrefix& common : answer.common_prefixes) change(common.prefix);
  change_each(change, answer.prefix);
  change_each(change, answer.delimiter);
  change_each(change, answer.key_marker);
  change_each(change, answer.next_key_marker);
}

template <class Answer>
void decode_all(Answer& answer) {
  if (answer.encoding_type != "url") return;
  change_names(decode, answer);
  answer.encoding_type.clear();
}

template <class Answer>
void encode_all(Answer& answer) {
  change_names(encode, answer);
  answer.encoding_type = "url";
}

}  // namespace

void decode_names(ListObjectsV2Output& answer) { decode_all(answer); }
void decode_names(ListObjectVersionsOutput& answer) { decode_all(answer); }
void decode_names(ListMultipartUploadsOutput& answer) { decode_all(answer); }

void encode_names(ListObjectsV2Output& answer) { encode_all(answer); }
void encode_names(ListObjectVersionsOutput& answer) { encode_all(answer); }
void encode_names(ListMultipartUploadsOutput& answer) { encode_all(answer); }

}  // namespace runctl::aws::s3
