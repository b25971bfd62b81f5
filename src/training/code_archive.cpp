#include "training/code_archive.hpp"

#include <cstdint>
#include <span>
#include <utility>

#include "training/code_manifest.hpp"
#include "training/code_reader.hpp"

namespace runctl::training {
namespace {

constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;

std::string list_of(const std::vector<std::string>& paths) {
  std::string text;
  for (const std::string& path : paths) {
    text += path;
    text += '\0';
  }
  return text;
}

Result<void> add(ArchiveWriter& writer, const std::string& name, const std::string& text) {
  RUNCTL_TRY(writer.begin_file({.path = name, .size = text.size()}));
  return writer.write(std::as_bytes(std::span{text.data(), text.size()}));
}

}  // namespace

Result<CodeArchive> pack(CodeTree& tree, const std::vector<std::size_t>& which,
                         std::string_view base, Compression compression,
                         const std::stop_token& stop) {
  RUNCTL_TRY_LET(auto writer, ArchiveWriter::open(compression));
  CodeArchive archive;
  const ContentSink sink{
      .begin = [&](const CodeEntry& entry, std::uint64_t size) -> Result<void> {
        const std::string path = "files/" + entry.path;
        ++archive.files;
        archive.content_bytes += size;
        if (entry.kind == EntryKind::link) return writer.add_link(path, entry.target);
        return writer.begin_file({.path = path,
                                  .size = size,
                                  .executable = entry.kind == EntryKind::executable,
                                  .modified = entry.stamp.modified_ns / nanoseconds_a_second});
      },
      .write = [&](std::span<const std::byte> bytes) { return writer.write(bytes); }};
  RUNCTL_TRY(read_entries(tree, which, sink, stop));
  archive.manifest = manifest_of(tree.entries);
  const ManifestChange change = compare_manifests(base, archive.manifest);
  RUNCTL_TRY(add(writer, "minus", change.minus));
  RUNCTL_TRY(add(writer, "plus", change.plus));
  RUNCTL_TRY(add(writer, "removed_files", list_of(change.removed_files)));
  RUNCTL_TRY(add(writer, "removed_folders", list_of(change.removed_folders)));
  RUNCTL_TRY_LET(archive.bytes, writer.finish());
  return archive;
}

}  // namespace runctl::training
