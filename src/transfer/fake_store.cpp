#include "transfer/fake_store.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "base/hasher.hpp"
#include "base/text.hpp"
#include "transfer/options.hpp"
#include "transfer/range_set.hpp"

namespace runctl::transfer {
namespace {

constexpr std::size_t piece_size = std::size_t{64} << 10U;

std::string md5_of(std::string_view bytes) {
  Hasher digest{HashKind::md5};
  digest.update(std::as_bytes(std::span{bytes}));
  return digest.digest();
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

std::uint64_t crc_of(CrcKind kind, std::string_view bytes) {
  return crc(kind, std::as_bytes(std::span{bytes}));
}

Checksum full(CrcKind kind, std::uint64_t value) {
  return {.algorithm = std::string{crc_name(kind)}, .value = crc_text(kind, value)};
}

std::unexpected<Error> refuse(Errc code, int status, std::string remote_code, std::string message) {
  auto failure = fail(code, std::move(message));
  failure.error().remote = RemoteFault{.http_status = status, .code = std::move(remote_code)};
  return failure;
}

std::unexpected<Error> no_key(const ObjectName& name) {
  return refuse(Errc::not_found, 404, "NoSuchKey", to_text(name) + " is not there");
}

std::unexpected<Error> no_upload(const std::string& id) {
  return refuse(Errc::not_found, 404, "NoSuchUpload", "no upload " + id);
}

std::unexpected<Error> lost(Effect effect) {
  auto failure = fail(Errc::unavailable, "the connection was lost");
  failure.error().effect = effect;
  return failure;
}

Result<void> check_key(const std::string& brought, const std::string& needed) {
  if (brought == needed) return {};
  return refuse(Errc::denied, 403, "AccessDenied", "the key is another");
}

}  // namespace

// Counts the call, and decides what goes wrong with it.
class FakeStore::Call {
 public:
  Call(FakeStore& store, std::string operation, const std::stop_token& stop)
      : store_{store}, operation_{std::move(operation)}, stop_{stop} {
    if (store_.on_call) store_.on_call(operation_);
    const std::scoped_lock lock{store_.mutex_};
    ++store_.calls_[operation_];
    store_.most_at_once_ = std::max(store_.most_at_once_.load(), ++store_.at_once_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  Call(Call&&) = delete;
  Call& operator=(Call&&) = delete;
  ~Call() {
    const std::scoped_lock lock{store_.mutex_};
    --store_.at_once_;
  }

  [[nodiscard]] Result<void> begin() const {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (store_.dead) return lost(Effect::not_applied);
    if (store_.happens(store_.faults.throttled)) {
      return refuse(Errc::throttled, 503, "SlowDown", "slow down");
    }
    return {};
  }
  // To be returned after the effect.
  [[nodiscard]] Result<void> answer() const {
    if (store_.dead || store_.happens(store_.faults.lost_answer)) return lost(Effect::unknown);
    return {};
  }

 private:
  FakeStore& store_;
  std::string operation_;
  std::stop_token stop_;
};

bool FakeStore::happens(unsigned rate) { return rate > 0 && random_below(1000) < rate; }

std::uint64_t FakeStore::random_below(std::uint64_t bound) {
  const std::scoped_lock lock{mutex_};
  return engine_() % bound;
}

void FakeStore::store(const ObjectName& name, Object object) {
  object.modified = now();
  objects_[{name.bucket, name.key}] = std::move(object);
}

void FakeStore::set(const ObjectName& name, std::string bytes) {
  const std::scoped_lock lock{mutex_};
  Object object{.etag = in_quotes(hex(md5_of(bytes))),
                .checksum = full(CrcKind::crc64nvme, crc_of(CrcKind::crc64nvme, bytes))};
  object.bytes = std::move(bytes);
  store(name, std::move(object));
}

void FakeStore::set_composite(const ObjectName& name, std::string bytes,
                              const std::vector<std::uint64_t>& part_sizes) {
  const std::scoped_lock lock{mutex_};
  std::vector<std::byte> checksums;
  std::uint64_t at = 0;
  for (const std::uint64_t size : part_sizes) {
    append_big_endian(CrcKind::crc32c,
                      crc_of(CrcKind::crc32c, std::string_view{bytes}.substr(at, size)), checksums);
    at += size;
  }
  Checksum checksum = full(CrcKind::crc32c, crc(CrcKind::crc32c, checksums));
  checksum.full_object = false;
  checksum.parts = static_cast<unsigned>(part_sizes.size());
  Object object{.etag = in_quotes(fmt::format("{}-{}", hex(md5_of(bytes)), part_sizes.size())),
                .checksum = checksum,
                .etag_is_md5 = false,
                .part_sizes = part_sizes};
  object.bytes = std::move(bytes);
  store(name, std::move(object));
}

void FakeStore::change(const ObjectName& name, const std::function<void(Object&)>& how) {
  const std::scoped_lock lock{mutex_};
  how(objects_.at({name.bucket, name.key}));
}

std::optional<FakeStore::Object> FakeStore::find(const ObjectName& name) const {
  const std::scoped_lock lock{mutex_};
  const auto found = objects_.find({name.bucket, name.key});
  if (found == objects_.end()) return std::nullopt;
  return found->second;
}

std::map<std::string, FakeStore::OpenMultipart> FakeStore::open_uploads() const {
  const std::scoped_lock lock{mutex_};
  return uploads_;
}

void FakeStore::damage_part(const std::string& upload_id, unsigned number) {
  const std::scoped_lock lock{mutex_};
  OpenMultipart& upload = uploads_.at(upload_id);
  StoredPart& part = upload.parts.at(number);
  part.bytes[0] ^= 1;
  part.etag = in_quotes(hex(md5_of(part.bytes)));
  part.crc = crc_of(upload.kind, part.bytes);
}

std::uint64_t FakeStore::calls(const std::string& operation) const {
  const std::scoped_lock lock{mutex_};
  const auto found = calls_.find(operation);
  return found == calls_.end() ? 0 : found->second;
}

ObjectFacts FakeStore::facts_of(const Object& object) const {
  ObjectFacts facts{.size = object.bytes.size(),
                    .etag = object.etag,
                    .last_modified = object.modified,
                    .attributes = object.attributes,
                    .tags = object.tags,
                    .etag_is_md5 = object.etag_is_md5 && object.key.empty(),
                    .etag_is_opaque = !object.key.empty()};
  if (gives_checksums) facts.checksum = object.checksum;
  return facts;
}

Result<void> FakeStore::check(const ObjectName& target, const TargetCondition& condition) const {
  const auto found = objects_.find({target.bucket, target.key});
  const bool there = found != objects_.end();
  const bool fails = (condition.absent && there) ||
                     (!condition.etag.empty() && (!there || found->second.etag != condition.etag));
  if (fails) return refuse(Errc::precondition, 412, "PreconditionFailed", "the condition fails");
  return {};
}

Result<ObjectFacts> FakeStore::head(const ObjectName& name, const std::stop_token& stop) {
  return head_with(key, name, stop);
}

Result<ObjectFacts> FakeStore::head_source(const ObjectName& name, const std::stop_token& stop) {
  return head_with(source_key, name, stop);
}

Result<ObjectFacts> FakeStore::head_with(const std::string& brought, const ObjectName& name,
                                         const std::stop_token& stop) {
  const Call call{*this, "head", stop};
  RUNCTL_TRY(call.begin());
  RUNCTL_TRY(call.answer());
  const std::scoped_lock lock{mutex_};
  const auto found = objects_.find({name.bucket, name.key});
  if (found == objects_.end()) return no_key(name);
  RUNCTL_TRY(check_key(brought, found->second.key));
  return facts_of(found->second);
}

Result<std::uint64_t> FakeStore::part_size(const ObjectName& name, unsigned number,
                                           const std::string& if_match,
                                           const std::stop_token& stop) {
  const Call call{*this, "part_size", stop};
  RUNCTL_TRY(call.begin());
  const auto object = find(name);
  if (!object) return no_key(name);
  RUNCTL_TRY(check_key(key, object->key));
  if (object->etag != if_match) {
    return refuse(Errc::precondition, 412, "PreconditionFailed", "replaced");
  }
  if (number > object->part_sizes.size()) {
    return refuse(Errc::invalid_argument, 416, "InvalidPartNumber", "no such part");
  }
  return object->part_sizes[number - 1];
}

Result<ObjectFacts> FakeStore::get(const GetRequest& request, ByteSink& sink,
                                   const std::stop_token& stop) {
  const Call call{*this, "get", stop};
  if (request.length && request.if_match.empty()) ++unguarded_ranges_;
  RUNCTL_TRY(call.begin());
  std::string bytes;
  ObjectFacts facts;
  {
    const std::scoped_lock lock{mutex_};
    const auto found = objects_.find({request.source.bucket, request.source.key});
    if (found == objects_.end()) return no_key(request.source);
    const Object& object = found->second;
    RUNCTL_TRY(check_key(key, object.key));
    if (!request.if_match.empty() && object.etag != request.if_match) {
      return refuse(Errc::precondition, 412, "PreconditionFailed", "replaced");
    }
    bytes = object.bytes.substr(request.first, request.length.value_or(object.bytes.size()));
    facts = facts_of(object);
  }
  if (!bytes.empty() && happens(faults.bit_flip)) bytes[random_below(bytes.size())] ^= 4;
  const std::uint64_t cut =
      happens(faults.cut_body) ? random_below(bytes.size() + 1) : bytes.size() + 1;
  RUNCTL_TRY(sink.begin(facts));
  for (std::uint64_t at = 0; at < bytes.size();) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (dead || at >= cut) return lost(Effect::not_applied);
    const std::uint64_t size = std::min<std::uint64_t>({piece_size, bytes.size() - at, cut - at});
    RUNCTL_TRY(sink.write(std::as_bytes(std::span{bytes}.subspan(at, size))));
    at += size;
    bytes_out_ += size;
    if (on_body) on_body("get", at);
  }
  return facts;
}

Result<std::string> FakeStore::read_body(const std::string& operation, ByteSource& source,
                                         const std::stop_token& stop) {
  std::string bytes(source.size(), '\0');
  const std::uint64_t cut =
      happens(faults.cut_body) ? random_below(bytes.size() + 1) : bytes.size() + 1;
  for (std::uint64_t at = 0; at < bytes.size();) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    if (dead || at >= cut) return lost(Effect::not_applied);
    const std::uint64_t size = std::min<std::uint64_t>(piece_size, bytes.size() - at);
    RUNCTL_TRY_LET(const std::size_t got,
                   source.read(at, std::as_writable_bytes(std::span{bytes}.subspan(at, size))));
    at += got;
    bytes_in_ += got;
    if (on_body) on_body(operation, at);
  }
  return bytes;
}

Result<Stored> FakeStore::put(const PutRequest& request, ByteSource& source,
                              const std::stop_token& stop) {
  const Call call{*this, "put", stop};
  RUNCTL_TRY(call.begin());
  RUNCTL_TRY_LET(std::string bytes, read_body("put", source, stop));
  const std::uint64_t value = crc_of(request.checksum, bytes);
  if (request.crc && *request.crc != value) {
    return refuse(Errc::corrupt, 400, "BadDigest", "the checksum is another");
  }
  Object object{.etag = in_quotes(hex(md5_of(bytes))),
                .attributes = request.attributes,
                .checksum = full(request.checksum, value),
                .key = key};
  const Stored stored{.etag = object.etag, .checksum = object.checksum};
  object.bytes = std::move(bytes);
  {
    const std::scoped_lock lock{mutex_};
    RUNCTL_TRY(check(request.target, request.condition));
    store(request.target, std::move(object));
  }
  RUNCTL_TRY(call.answer());
  return stored;
}

Result<std::string> FakeStore::create_upload(const CreateRequest& request,
                                             const std::stop_token& stop) {
  const Call call{*this, "create_upload", stop};
  RUNCTL_TRY(call.begin());
  std::string id;
  {
    const std::scoped_lock lock{mutex_};
    id = fmt::format("upload-{}", next_id_++);
    uploads_[id] = {.target = request.target,
                    .attributes = request.attributes,
                    .kind = request.checksum,
                    .parts = {},
                    .key = key};
  }
  RUNCTL_TRY(call.answer());
  return id;
}

Result<Stored> FakeStore::upload_part(const PartRequest& request, ByteSource& source,
                                      const std::stop_token& stop) {
  const Call call{*this, "upload_part", stop};
  RUNCTL_TRY(call.begin());
  RUNCTL_TRY_LET(std::string bytes, read_body("upload_part", source, stop));
  const std::uint64_t value = crc_of(request.checksum, bytes);
  if (request.crc && *request.crc != value) {
    return refuse(Errc::corrupt, 400, "BadDigest", "the checksum is another");
  }
  Stored stored{.etag = in_quotes(hex(md5_of(bytes)))};
  if (gives_checksums) stored.checksum = full(request.checksum, value);
  {
    const std::scoped_lock lock{mutex_};
    const auto found = uploads_.find(request.part.upload_id);
    if (found == uploads_.end()) return no_upload(request.part.upload_id);
    RUNCTL_TRY(check_key(key, found->second.key));
    found->second.parts[request.part.number] = {
        .bytes = std::move(bytes), .etag = stored.etag, .crc = value};
  }
  RUNCTL_TRY(call.answer());
  return stored;
}

Result<Stored> FakeStore::copy_part(const PartCopyRequest& request, const std::stop_token& stop) {
  const Call call{*this, "copy_part", stop};
  RUNCTL_TRY(call.begin());
  const auto source = find(request.source);
  if (!source) return no_key(request.source);
  RUNCTL_TRY(check_key(source_key, source->key));
  if (source->etag != request.source_if_match) {
    return refuse(Errc::precondition, 412, "PreconditionFailed", "replaced");
  }
  const std::string bytes = source->bytes.substr(request.first, request.length);
  Stored stored{.etag = in_quotes(hex(md5_of(bytes)))};
  {
    const std::scoped_lock lock{mutex_};
    const auto found = uploads_.find(request.part.upload_id);
    if (found == uploads_.end()) return no_upload(request.part.upload_id);
    RUNCTL_TRY(check_key(key, found->second.key));
    const std::uint64_t value = crc_of(found->second.kind, bytes);
    stored.checksum = full(found->second.kind, value);
    found->second.parts[request.part.number] = {.bytes = bytes, .etag = stored.etag, .crc = value};
  }
  RUNCTL_TRY(call.answer());
  return stored;
}

Result<std::vector<Part>> FakeStore::list_parts(const ObjectName&, const std::string& upload_id,
                                                const std::stop_token& stop) {
  const Call call{*this, "list_parts", stop};
  RUNCTL_TRY(call.begin());
  const std::scoped_lock lock{mutex_};
  const auto found = uploads_.find(upload_id);
  if (found == uploads_.end()) return no_upload(upload_id);
  RUNCTL_TRY(check_key(key, found->second.key));
  std::vector<Part> parts;
  for (const auto& [number, part] : found->second.parts) {
    parts.push_back({.number = number, .size = part.bytes.size(), .etag = part.etag});
    if (gives_checksums) parts.back().checksum = full(found->second.kind, part.crc);
  }
  return parts;
}

Result<std::vector<std::string>> FakeStore::list_uploads(const ObjectName& target,
                                                         const std::stop_token& stop) {
  const Call call{*this, "list_uploads", stop};
  RUNCTL_TRY(call.begin());
  const std::scoped_lock lock{mutex_};
  std::vector<std::string> ids;
  for (const auto& [id, upload] : uploads_) {
    if (upload.target == target) ids.push_back(id);
  }
  return ids;
}

Result<Stored> FakeStore::complete_upload(const CompleteRequest& request,
                                          const std::stop_token& stop) {
  const Call call{*this, "complete_upload", stop};
  RUNCTL_TRY(call.begin());
  Stored stored;
  {
    const std::scoped_lock lock{mutex_};
    const auto found = uploads_.find(request.upload_id);
    if (found == uploads_.end()) return no_upload(request.upload_id);
    RUNCTL_TRY(check_key(key, found->second.key));
    RUNCTL_TRY(check(request.target, request.condition));
    Object object{
        .attributes = found->second.attributes, .etag_is_md5 = false, .key = found->second.key};
    for (std::size_t at = 0; at < request.parts.size(); ++at) {
      const auto part = found->second.parts.find(request.parts[at].number);
      if (part == found->second.parts.end() || part->second.etag != request.parts[at].etag) {
        return refuse(Errc::invalid_argument, 400, "InvalidPart", "no such part");
      }
      if (at + 1 < request.parts.size() && part->second.bytes.size() < least_part) {
        return refuse(Errc::invalid_argument, 400, "EntityTooSmall", "a part is too small");
      }
      object.bytes += part->second.bytes;
      object.part_sizes.push_back(part->second.bytes.size());
    }
    const std::uint64_t value = crc_of(request.checksum, object.bytes);
    if (request.crc && *request.crc != value) {
      return refuse(Errc::corrupt, 400, "BadDigest", "the checksum is another");
    }
    object.etag = in_quotes(fmt::format("{}-{}", hex(md5_of(object.bytes)), request.parts.size()));
    object.checksum = full(request.checksum, value);
    stored = {.etag = object.etag};
    if (gives_checksums) stored.checksum = object.checksum;
    store(request.target, std::move(object));
    uploads_.erase(found);
  }
  RUNCTL_TRY(call.answer());
  return stored;
}

Result<void> FakeStore::abort_upload(const ObjectName&, const std::string& upload_id,
                                     const std::stop_token& stop) {
  const Call call{*this, "abort_upload", stop};
  RUNCTL_TRY(call.begin());
  {
    const std::scoped_lock lock{mutex_};
    uploads_.erase(upload_id);
  }
  return call.answer();
}

Result<Stored> FakeStore::copy(const CopyRequest& request, const std::stop_token& stop) {
  const Call call{*this, "copy", stop};
  RUNCTL_TRY(call.begin());
  auto source = find(request.source);
  if (!source) return no_key(request.source);
  RUNCTL_TRY(check_key(source_key, source->key));
  if (!request.source_if_match.empty() && source->etag != request.source_if_match) {
    return refuse(Errc::precondition, 412, "PreconditionFailed", "replaced");
  }
  if (request.replaces_headers) source->attributes = request.attributes;
  source->attributes.storage_class = request.attributes.storage_class;
  source->attributes.server_side_encryption = request.attributes.server_side_encryption;
  source->key = key;
  Stored stored{.etag = source->etag, .checksum = source->checksum};
  {
    const std::scoped_lock lock{mutex_};
    RUNCTL_TRY(check(request.target, request.condition));
    store(request.target, *std::move(source));
  }
  RUNCTL_TRY(call.answer());
  return stored;
}

Result<std::vector<Removal>> FakeStore::remove(std::span<const ObjectName> names,
                                               const std::stop_token& stop) {
  const Call call{*this, "remove", stop};
  RUNCTL_TRY(call.begin());
  if (names.size() > greatest_removal) {
    return refuse(Errc::invalid_argument, 400, "MalformedXML", "too many keys");
  }
  std::vector<Removal> removals;
  for (const ObjectName& name : names) {
    Removal removal{.target = name};
    if (happens(faults.throttled)) {
      removal.error = refuse(Errc::throttled, 503, "SlowDown", "slow down").error();
    } else {
      const std::scoped_lock lock{mutex_};
      objects_.erase({name.bucket, name.key});
    }
    removals.push_back(std::move(removal));
  }
  RUNCTL_TRY(call.answer());
  return removals;
}

}  // namespace runctl::transfer
