#include "transfer/upload_record.hpp"

#include <span>
#include <utility>

#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace runctl::transfer {
namespace {

constexpr std::size_t greatest_note = std::size_t{64} << 10U;

std::string record_name(const std::string& place, const Upload& job) {
  std::string identity;
  for (const std::string& piece : {place, job.target.bucket, job.target.key, job.path().string()}) {
    identity += fmt::format("{}:{},", piece.size(), piece);
  }
  return fmt::format("upload-{}.json", hex(sha256(identity)).substr(0, 32));
}

boost::json::object to_json(const FileState& file) {
  return {{"device", file.device},           {"inode", file.inode},           {"size", file.size},
          {"modified_ns", file.modified_ns}, {"changed_ns", file.changed_ns}, {"mode", file.mode}};
}

// Numbers were written by us, and are read as they were: as 64 bits.
std::uint64_t number_at(const boost::json::value& value, std::string_view name) {
  const auto* object = value.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  if (found == nullptr) return 0;
  if (const auto* plain = found->if_uint64()) return *plain;
  if (const auto* negative = found->if_int64()) return static_cast<std::uint64_t>(*negative);
  return 0;
}

std::optional<CrcKind> kind_named(std::string_view name) {
  for (const CrcKind kind : {CrcKind::crc32, CrcKind::crc32c, CrcKind::crc64nvme}) {
    if (crc_name(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<UploadNote> read_note(std::string_view text) {
  const auto json = parse_json(text);
  if (!json || number_at(*json, "version") != 1) return std::nullopt;
  const auto* file = object_at(*json, "file");
  const auto kind = kind_named(string_at(*json, "checksum").value_or(""));
  if (file == nullptr || !kind) return std::nullopt;
  const boost::json::value state = *file;
  return UploadNote{
      .upload_id = string_at(*json, "upload_id").value_or(""),
      .unheard = boolean_at(*json, "unheard").value_or(false),
      .part_size = number_at(*json, "part_size"),
      .file = {.device = number_at(state, "device"),
               .inode = number_at(state, "inode"),
               .size = number_at(state, "size"),
               .modified_ns = static_cast<std::int64_t>(number_at(state, "modified_ns")),
               .changed_ns = static_cast<std::int64_t>(number_at(state, "changed_ns")),
               .mode = static_cast<unsigned>(number_at(state, "mode"))},
      .attributes = string_at(*json, "attributes").value_or(""),
      .checksum = *kind};
}

}  // namespace

std::string fingerprint(const Attributes& attributes, std::string_view key_print) {
  std::string all;
  const auto add = [&all](std::string_view piece) {
    all += fmt::format("{}:{},", piece.size(), piece);
  };
  for (const std::string* piece :
       {&attributes.content_type, &attributes.content_encoding, &attributes.content_disposition,
        &attributes.content_language, &attributes.cache_control, &attributes.expires,
        &attributes.storage_class, &attributes.server_side_encryption, &attributes.kms_key_id,
        &attributes.acl}) {
    add(*piece);
  }
  for (const auto& [name, value] : attributes.metadata) {
    add(name);
    add(value);
  }
  if (!key_print.empty()) add(key_print);
  return hex(sha256(all)).substr(0, 32);
}

Result<UploadRecord> UploadRecord::take(const std::filesystem::path& directory_path,
                                        const std::string& place, const Upload& job) {
  RUNCTL_TRY_LET(Directory directory, Directory::make_below(directory_path, ""));
  const std::string name = record_name(place, job);
  while (true) {
    RUNCTL_TRY_LET(const bool was_there, directory.has(name));
    RUNCTL_TRY_LET(RandomAccessFile file, directory.open(name));
    if (auto locked = file.lock(); !locked) {
      if (locked.error().code != Errc::conflict) return std::unexpected{std::move(locked).error()};
      return fail(Errc::conflict, fmt::format("{} is being uploaded to {} by another process",
                                              job.path().string(), to_text(job.target)));
    }
    // Whoever held the lock before may have removed the file that we have opened.
    RUNCTL_TRY_LET(const bool named, directory.is_named(name, file));
    if (!named) continue;
    UploadRecord record{std::move(directory), name, std::move(file),
                        percent_encode(fmt::format("{} to s3://{}/{}", job.path().string(),
                                                   job.target.bucket, job.target.key),
                                       " /:")};
    RUNCTL_TRY_LET(const auto text, record.directory_.read(name, greatest_note));
    if (text) record.found_ = read_note(*text);
    const bool had_one = was_there || (text && !text->empty());
    if (!record.found_ && had_one) record.found_ = UploadNote{.unheard = true};
    return record;
  }
}

Result<void> UploadRecord::write(const UploadNote& note) {
  const std::string text =
      to_pretty_text(boost::json::object{{"version", 1},
                                         {"upload", about_},
                                         {"upload_id", note.upload_id},
                                         {"unheard", note.unheard},
                                         {"part_size", note.part_size},
                                         {"file", to_json(note.file)},
                                         {"attributes", note.attributes},
                                         {"checksum", crc_name(note.checksum)}});
  // In place, since the lock is on the file itself. A torn note is one of an upload that was never
  // heard of.
  RUNCTL_TRY(file_.truncate(0));
  RUNCTL_TRY(file_.write_at(0, std::as_bytes(std::span{text})));
  RUNCTL_TRY(file_.sync());
  return directory_.sync();
}

Result<void> UploadRecord::remove() { return directory_.remove(name_); }

}  // namespace runctl::transfer
