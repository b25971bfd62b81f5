#include "transfer/s3_store.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "aws/codec_rest.hpp"
#include "aws/service_error.hpp"
#include "transfer/s3_facts.hpp"

namespace runctl::transfer {
namespace {

namespace s3 = aws::s3;

class SourceOf final : public BodySource {
 public:
  explicit SourceOf(ByteSource& source) : source_{source} {}
  [[nodiscard]] std::uint64_t size() const override { return source_.size(); }
  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    return source_.read(offset, into);
  }

 private:
  ByteSource& source_;
};

class SinkOf final : public BodySink {
 public:
  SinkOf(ByteSink& sink, const GetRequest& request, bool check)
      : sink_{sink}, request_{request}, check_{check} {}

  [[nodiscard]] Result<void> begin(const HttpResponse& head) override {
    HttpResponse headers{.status = head.status, .headers = head.headers};
    s3::GetObjectOutput answer;
    RUNCTL_TRY(
        aws::read_rest_response(s3::GetObject::info, std::move(headers), aws::reading(answer)));
    RUNCTL_TRY_LET(facts_, facts_of_range(answer, request_));
    if (!check_) facts_.checksum.reset();
    return sink_.begin(facts_);
  }
  [[nodiscard]] Result<void> write(std::span<const std::byte> bytes) override {
    return sink_.write(bytes);
  }
  [[nodiscard]] const ObjectFacts& facts() const { return facts_; }

 private:
  ByteSink& sink_;
  const GetRequest& request_;
  bool check_;
  ObjectFacts facts_;
};

aws::CallOptions with(const std::stop_token& stop) { return {.stop = stop}; }

std::string range_text(std::uint64_t first, std::uint64_t length) {
  return fmt::format("bytes={}-{}", first, first + length - 1);
}

// How an object is stored.
template <class Request>
void put_storage(const Attributes& attributes, Request& request) {
  request.storage_class = attributes.storage_class;
  request.server_side_encryption = attributes.server_side_encryption;
  request.sse_kms_key_id = attributes.kms_key_id;
  request.acl = attributes.acl;
}

// What it says of itself.
template <class Request>
void put_headers(const Attributes& attributes, Request& request) {
  request.content_type = attributes.content_type;
  request.content_encoding = attributes.content_encoding;
  request.content_disposition = attributes.content_disposition;
  request.content_language = attributes.content_language;
  request.cache_control = attributes.cache_control;
  request.expires = attributes.expires;
  for (const auto& [name, value] : attributes.metadata) request.metadata[name] = value;
}

// What all requests that make an object have in common.
template <class Request>
void put_attributes(const Attributes& attributes, Request& request) {
  put_headers(attributes, request);
  put_storage(attributes, request);
}

template <class Request>
void put_condition(const TargetCondition& condition, Request& request) {
  if (condition.absent) request.if_none_match = "*";
  request.if_match = condition.etag;
}

template <class Request>
void put_crc(CrcKind kind, const std::optional<std::uint64_t>& crc, Request& request) {
  if (crc) {
    checksum_in(request, kind) = crc_text(kind, *crc);
  } else {
    request.checksum_algorithm = std::string{crc_name(kind)};
  }
}

// The key of what is copied has an option of its own.
Error say_of_source(Error error) {
  constexpr std::string_view option = "--sse-c-key";
  if (const auto at = error.hint.find(option); at != std::string::npos) {
    error.hint.replace(at, option.size(), "--sse-c-copy-source-key");
  }
  return error;
}

// An answer, less the checksum where none was sent: it is not ours to compare with.
Stored less_checksum(Stored stored, bool sent) {
  if (!sent) stored.checksum.reset();
  return stored;
}

bool fits_in_xml(std::string_view key) {
  return std::ranges::none_of(key, [](char c) { return c >= 0 && c < 0x20; });
}

}  // namespace

bool S3Store::takes_checksum_behind() const {
  const auto& config = client_.config();
  if (!sends_checksums()) return true;
  return config.checksum_place == s3::ChecksumPlace::trailer ||
         (config.checksum_place == s3::ChecksumPlace::automatic && config.endpoint.empty());
}

Result<ObjectFacts> S3Store::head(const ObjectName& name, const std::stop_token& stop) {
  return head_with(keys_.object, name, stop);
}

Result<ObjectFacts> S3Store::head_source(const ObjectName& name, const std::stop_token& stop) {
  auto facts = head_with(keys_.copy_source, name, stop);
  if (!facts) return std::unexpected{say_of_source(std::move(facts).error())};
  return facts;
}

Result<ObjectFacts> S3Store::head_with(const std::optional<s3::CustomerKey>& key,
                                       const ObjectName& name, const std::stop_token& stop) {
  s3::HeadObjectRequest ask{.bucket = name.bucket,
                            .key = name.key,
                            .version_id = name.version_id,
                            .checksum_mode = checks_answers() ? "ENABLED" : ""};
  s3::put_customer_key(key, ask);
  RUNCTL_TRY_LET(const s3::HeadObjectOutput answer, client_.call<s3::HeadObject>(ask, with(stop)));
  ObjectFacts facts = facts_of(answer);
  if (!checks_answers()) facts.checksum.reset();
  if (!answer.content_length || *answer.content_length < 0) {
    return fail(Errc::corrupt, fmt::format("S3 does not say how large {} is", to_text(name)));
  }
  facts.size = static_cast<std::uint64_t>(*answer.content_length);
  return facts;
}

Result<std::uint64_t> S3Store::part_size(const ObjectName& name, unsigned number,
                                         const std::string& if_match, const std::stop_token& stop) {
  s3::HeadObjectRequest ask{.bucket = name.bucket,
                            .key = name.key,
                            .if_match = if_match,
                            .version_id = name.version_id,
                            .part_number = number};
  s3::put_customer_key(keys_.object, ask);
  RUNCTL_TRY_LET(const s3::HeadObjectOutput answer, client_.call<s3::HeadObject>(ask, with(stop)));
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, answer.content_length.value_or(0)));
}

Result<ObjectFacts> S3Store::get(const GetRequest& request, ByteSink& sink,
                                 const std::stop_token& stop) {
  s3::GetObjectRequest ask{.bucket = request.source.bucket,
                           .key = request.source.key,
                           .if_match = request.if_match,
                           .version_id = request.source.version_id};
  if (request.length) ask.range = range_text(request.first, *request.length);
  s3::put_customer_key(keys_.object, ask);
  SinkOf body{sink, request, checks_answers()};
  RUNCTL_TRY(client_.get(ask, body, with(stop)));
  return body.facts();
}

Result<Stored> S3Store::put(const PutRequest& request, ByteSource& source,
                            const std::stop_token& stop) {
  s3::PutObjectRequest ask{.bucket = request.target.bucket, .key = request.target.key};
  put_attributes(request.attributes, ask);
  put_condition(request.condition, ask);
  if (sends_checksums()) put_crc(request.checksum, request.crc, ask);
  s3::put_customer_key(keys_.object, ask);
  SourceOf body{source};
  auto answer = client_.put(ask, body, with(stop));
  if (!answer) return std::unexpected{say_conflict(std::move(answer).error())};
  return less_checksum(stored_from(*answer), sends_checksums());
}

Result<std::string> S3Store::create_upload(const CreateRequest& request,
                                           const std::stop_token& stop) {
  s3::CreateMultipartUploadRequest ask{.bucket = request.target.bucket, .key = request.target.key};
  put_attributes(request.attributes, ask);
  if (sends_checksums()) {
    ask.checksum_algorithm = std::string{crc_name(request.checksum)};
    ask.checksum_type = "FULL_OBJECT";
  }
  s3::put_customer_key(keys_.object, ask);
  RUNCTL_TRY_LET(const s3::CreateMultipartUploadOutput answer,
                 client_.call<s3::CreateMultipartUpload>(ask, with(stop)));
  if (answer.upload_id.empty()) return fail(Errc::corrupt, "S3 gives the upload no id");
  return answer.upload_id;
}

Result<Stored> S3Store::upload_part(const PartRequest& request, ByteSource& source,
                                    const std::stop_token& stop) {
  s3::UploadPartRequest ask{.bucket = request.part.target.bucket,
                            .key = request.part.target.key,
                            .part_number = request.part.number,
                            .upload_id = request.part.upload_id};
  if (sends_checksums()) put_crc(request.checksum, request.crc, ask);
  s3::put_customer_key(keys_.object, ask);
  SourceOf body{source};
  RUNCTL_TRY_LET(const s3::UploadPartOutput answer, client_.upload_part(ask, body, with(stop)));
  return less_checksum({.etag = answer.etag, .checksum = checksum_of(answer)}, sends_checksums());
}

Result<Stored> S3Store::copy_part(const PartCopyRequest& request, const std::stop_token& stop) {
  s3::UploadPartCopyRequest ask{
      .bucket = request.part.target.bucket,
      .key = request.part.target.key,
      .copy_source =
          s3::copy_source(request.source.bucket, request.source.key, request.source.version_id),
      .copy_source_if_match = request.source_if_match,
      .copy_source_range = range_text(request.first, request.length),
      .part_number = request.part.number,
      .upload_id = request.part.upload_id};
  s3::put_customer_key(keys_.object, ask);
  s3::put_copy_source_key(keys_.copy_source, ask);
  RUNCTL_TRY_LET(const s3::UploadPartCopyOutput answer,
                 client_.call<s3::UploadPartCopy>(ask, with(stop)));
  if (!answer.copy_part_result) return fail(Errc::corrupt, "S3 does not say what it has copied");
  return Stored{.etag = answer.copy_part_result->etag,
                .checksum = checksum_of(*answer.copy_part_result)};
}

Result<std::vector<Part>> S3Store::list_parts(const ObjectName& target,
                                              const std::string& upload_id,
                                              const std::stop_token& stop) {
  std::vector<Part> parts;
  s3::ListPartsRequest ask{.bucket = target.bucket, .key = target.key, .upload_id = upload_id};
  // Source: "ListParts" in the Amazon S3 API Reference: wanted where the upload has checksums.
  s3::put_customer_key(keys_.object, ask);
  while (true) {
    RUNCTL_TRY_LET(const s3::ListPartsOutput page, client_.call<s3::ListParts>(ask, with(stop)));
    for (const s3::Part& part : page.parts) {
      parts.push_back({.number = static_cast<unsigned>(part.part_number.value_or(0)),
                       .size = static_cast<std::uint64_t>(part.size.value_or(0)),
                       .etag = part.etag,
                       .checksum = sends_checksums() ? checksum_of(part) : std::nullopt});
    }
    const bool more = page.is_truncated.value_or(false) && page.next_part_number_marker &&
                      page.next_part_number_marker != ask.part_number_marker;
    if (!more) return parts;
    ask.part_number_marker = page.next_part_number_marker;
  }
}

Result<std::vector<std::string>> S3Store::list_uploads(const ObjectName& target,
                                                       const std::stop_token& stop) {
  std::vector<std::string> ids;
  s3::ListMultipartUploadsRequest ask{.bucket = target.bucket, .prefix = target.key};
  while (true) {
    RUNCTL_TRY_LET(const s3::ListMultipartUploadsOutput page,
                   client_.call<s3::ListMultipartUploads>(ask, with(stop)));
    for (const s3::MultipartUpload& upload : page.uploads) {
      // Keys come in order: the first that is another, and longer, ends it.
      if (upload.key != target.key) return ids;
      ids.push_back(upload.upload_id);
    }
    const bool more =
        page.is_truncated.value_or(false) && (page.next_key_marker != ask.key_marker ||
                                              page.next_upload_id_marker != ask.upload_id_marker);
    if (!more) return ids;
    ask.key_marker = page.next_key_marker;
    ask.upload_id_marker = page.next_upload_id_marker;
  }
}

Result<Stored> S3Store::complete_upload(const CompleteRequest& request,
                                        const std::stop_token& stop) {
  s3::CompleteMultipartUploadRequest ask{
      .bucket = request.target.bucket,
      .key = request.target.key,
      .multipart_upload = s3::CompletedMultipartUpload{},
      .upload_id = request.upload_id,
      .checksum_type = sends_checksums() ? "FULL_OBJECT" : "",
      .mpu_object_size = static_cast<std::int64_t>(request.size)};
  put_condition(request.condition, ask);
  s3::put_customer_key(keys_.object, ask);  // as in ListParts
  if (request.crc && sends_checksums()) {
    checksum_in(ask, request.checksum) = crc_text(request.checksum, *request.crc);
  }
  for (const Part& part : request.parts) {
    s3::CompletedPart named{.etag = part.etag, .part_number = part.number};
    if (part.checksum && part.checksum->algorithm == crc_name(request.checksum) &&
        sends_checksums()) {
      checksum_in(named, request.checksum) = part.checksum->value;
    }
    ask.multipart_upload->parts.push_back(std::move(named));
  }
  auto answer = client_.call<s3::CompleteMultipartUpload>(ask, with(stop));
  if (!answer) return std::unexpected{say_conflict(std::move(answer).error())};
  return less_checksum(stored_from(*answer), sends_checksums());
}

Result<void> S3Store::abort_upload(const ObjectName& target, const std::string& upload_id,
                                   const std::stop_token& stop) {
  auto answer = client_.call<s3::AbortMultipartUpload>(
      {.bucket = target.bucket, .key = target.key, .upload_id = upload_id}, with(stop));
  if (answer || answer.error().code == Errc::not_found) return {};
  return std::unexpected{std::move(answer).error()};
}

Result<Stored> S3Store::copy(const CopyRequest& request, const std::stop_token& stop) {
  s3::CopyObjectRequest ask{
      .bucket = request.target.bucket,
      .key = request.target.key,
      .copy_source =
          s3::copy_source(request.source.bucket, request.source.key, request.source.version_id),
      .copy_source_if_match = request.source_if_match};
  put_storage(request.attributes, ask);
  if (request.replaces_headers) {
    put_headers(request.attributes, ask);
    ask.metadata_directive = "REPLACE";
  }
  put_condition(request.condition, ask);
  s3::put_customer_key(keys_.object, ask);
  s3::put_copy_source_key(keys_.copy_source, ask);
  auto answer = client_.call<s3::CopyObject>(ask, with(stop));
  if (!answer) return std::unexpected{say_conflict(std::move(answer).error())};
  Stored stored{.version_id = answer->version_id};
  if (answer->copy_object_result) {
    stored.etag = answer->copy_object_result->etag;
    stored.checksum = checksum_of(*answer->copy_object_result);
  }
  return stored;
}

Result<std::vector<Removal>> S3Store::remove(std::span<const ObjectName> names,
                                             const std::stop_token& stop) {
  s3::Delete batch{.quiet = true};
  std::vector<Removal> removals;
  for (const ObjectName& name : names) {
    removals.push_back({.target = name});
    if (fits_in_xml(name.key)) {
      batch.objects.push_back({.key = name.key, .version_id = name.version_id});
      continue;
    }
    // A list in XML cannot name it; a URL can.
    auto removed = client_.call<s3::DeleteObject>(
        {.bucket = name.bucket, .key = name.key, .version_id = name.version_id}, with(stop));
    if (!removed && removed.error().code != Errc::not_found) {
      removals.back().error = std::move(removed).error();
    }
  }
  if (batch.objects.empty()) return removals;
  RUNCTL_TRY_LET(const s3::DeleteObjectsOutput answer,
                 client_.call<s3::DeleteObjects>(
                     {.bucket = names.front().bucket, .remove = std::move(batch)}, with(stop)));
  std::map<std::pair<std::string_view, std::string_view>, Error> errors;
  for (const auto& error : answer.errors) {
    // DeleteObjects says no status for each; its codes are those of every other answer.
    errors.insert_or_assign({error.key, error.version_id},
                            aws::error_from({.code = error.code, .message = error.message}));
  }
  for (Removal& removal : removals) {
    const auto found = errors.find({removal.target.key, removal.target.version_id});
    if (found != errors.end()) removal.error = found->second;
  }
  return removals;
}

}  // namespace runctl::transfer
