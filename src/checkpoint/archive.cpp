#include "checkpoint/archive.hpp"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>

#include <fmt/format.h>

#include "base/json.hpp"
#include "checkpoint/hdf5.hpp"
#include "checkpoint/npy.hpp"
#include "checkpoint/pickle.hpp"
#include "checkpoint/zip.hpp"

namespace runctl::checkpoint {
namespace {

using Members = std::span<const ZipMember>;

// A deflated data.pkl is unpacked into memory up to this; PyTorch itself only stores it.
constexpr std::size_t largest_packed_pickle = std::size_t{64} << 20U;
// A scalar's text in an .npz, such as a state in JSON, and metadata.json of Keras.
constexpr std::uint64_t largest_text = std::uint64_t{4} << 20U;

std::string shown(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 80)) out += c < ' ' || c == '\x7f' ? '?' : c;
  return out;
}

const ZipMember* find_named(Members members, std::string_view name) {
  const auto found = std::ranges::find(members, name, &ZipMember::name);
  return found == members.end() ? nullptr : &*found;
}

// PyTorch puts everything below one folder, whatever its name.
const ZipMember* find_pickle(Members members) {
  const auto found = std::ranges::find_if(members, [](const ZipMember& member) {
    const auto slash = member.name.find('/');
    return slash != std::string::npos && std::string_view{member.name}.substr(slash) == "/data.pkl";
  });
  return found == members.end() ? nullptr : &*found;
}

bool is_npz(Members members) {
  return std::ranges::all_of(members,
                             [](const ZipMember& member) { return member.name.ends_with(".npy"); });
}

// Runs `read` on a member's content: where it lies when it is stored, else unpacked.
template <class Read>
auto with_content(Source& source, const ZipMember& member, std::size_t most, Read read)
    -> decltype(read(source)) {
  if (!member.is_readable())
    return beyond(
        fmt::format("its member {} is packed in a way that is not read here", shown(member.name)));
  if (member.method == 0) {
    PartSource part{source, member.data, member.size};
    return read(part);
  }
  if (member.size > most)
    return beyond(
        fmt::format("its member {} has {} bytes, packed", shown(member.name), member.size));
  RUNCTL_TRY_LET(const std::string content, read_content(source, member, most));
  MemorySource memory{content};
  return read(memory);
}

Result<void> check_storages(const Pickle& pickle, Members members, std::string_view folder) {
  std::unordered_map<std::string_view, const ZipMember*> by_name;
  for (const ZipMember& member : members) by_name.emplace(member.name, &member);
  for (const PickledStorage& storage : pickle.storages) {
    const std::string name = fmt::format("{}data/{}", folder, storage.key);
    const auto found = by_name.find(name);
    if (found == by_name.end()) {
      return damaged(fmt::format("its tensor data/{} is missing", shown(storage.key)));
    }
    const std::uint64_t element = element_size(storage.type);
    // A product that does not fit is no file's size either.
    const bool fits = element == 0 || (storage.count <= found->second->size / element &&
                                       storage.count * element == found->second->size);
    if (!fits) {
      return damaged(fmt::format("its tensor data/{} has {} bytes where {} numbers of {} belong",
                                 shown(storage.key), found->second->size, storage.count,
                                 shown(storage.type)));
    }
  }
  return {};
}

Result<void> read_torch(Source& source, Members members, const ZipMember& data, Finding& finding) {
  const std::string_view folder = std::string_view{data.name}.substr(0, data.name.find('/') + 1);
  finding.format = find_named(members, fmt::format("{}constants.pkl", folder)) == nullptr
                       ? Format::torch
                       : Format::torchscript;
  auto pickle = with_content(source, data, largest_packed_pickle,
                             [](Source& content) { return read_pickle(content); });
  // Its checksum decides, then: what it says of itself stays unread.
  if (!pickle && is_beyond(pickle.error())) return {};
  if (!pickle) {
    return with_context(std::move(pickle).error(), "reading data.pkl");
  }
  if (pickle->end != data.size)
    return damaged(fmt::format("{} bytes follow the pickle in data.pkl", data.size - pickle->end));
  finding.facts = facts_of(*pickle);
  finding.items = pickle->storages.size();
  // TorchScript's tensors are referred to from several pickles.
  if (finding.format == Format::torch) return check_storages(*pickle, members, folder);
  return {};
}

void note_scalar(const NpyHeader& header, std::string_view content, const ZipMember& member,
                 Facts& facts) {
  const std::string_view bytes = content.substr(static_cast<std::size_t>(header.size));
  const std::string_view name = std::string_view{member.name}.substr(0, member.name.size() - 4);
  if (const auto number = npy_number(header, bytes)) note(facts, name, *number);
  const auto text = npy_text(header, bytes);
  if (!text || !text->starts_with('{')) return;
  if (const auto document = parse_json(*text)) fill_in(facts, facts_of(*document));
}

Result<void> read_npz(Source& source, Members members, Finding& finding) {
  finding.format = Format::npz;
  finding.items = members.size();
  for (const ZipMember& member : members) {
    if (!member.is_readable()) continue;
    const auto most =
        static_cast<std::size_t>(std::min<std::uint64_t>(member.size, longest_npy_header));
    RUNCTL_TRY_LET(std::string begin, read_content(source, member, most));
    const auto header = read_npy_header(begin);
    if (!header && is_beyond(header.error())) continue;
    if (!header)
      return damaged(fmt::format("its array {}: {}", shown(member.name), header.error().message));
    if (header->bytes && *header->bytes != member.size - header->size) {
      return damaged(fmt::format("its array {} has {} bytes where its shape takes {}",
                                 shown(member.name), member.size - header->size, *header->bytes));
    }
    if (!header->is_scalar || member.size > largest_text) continue;
    if (begin.size() < member.size) {
      RUNCTL_TRY_LET(begin, read_content(source, member, static_cast<std::size_t>(member.size)));
    }
    note_scalar(*header, begin, member, finding.facts);
  }
  return {};
}

Result<void> read_keras(Source& source, const ZipMember& weights, Finding& finding) {
  finding.format = Format::keras;
  // Keras stores its weights; deflated ones would have to be unpacked whole to see their end.
  if (weights.method != 0 || weights.encrypted) return {};
  PartSource part{source, weights.data, weights.size};
  auto inner = read_hdf5(part);
  if (!inner && !is_beyond(inner.error()))
    return with_context(std::move(inner).error(), "reading model.weights.h5");
  return {};
}

Result<void> read_members(Source& source, Members members, Finding& finding) {
  if (const ZipMember* data = find_pickle(members))
    return read_torch(source, members, *data, finding);
  if (is_npz(members)) return read_npz(source, members, finding);
  if (const ZipMember* weights = find_named(members, "model.weights.h5")) {
    return read_keras(source, *weights, finding);
  }
  return {};
}

}  // namespace

Result<Finding> read_archive(Source& source, Depth depth) {
  RUNCTL_TRY_LET(const std::vector<ZipMember> members, read_zip(source));
  if (members.empty()) return damaged("nothing is in it");
  Finding finding{.format = Format::zip, .verdict = Verdict::complete, .items = members.size()};
  RUNCTL_TRY(read_members(source, members, finding));
  if (depth == Depth::structure) {
    finding.why = "its directory, headers and sizes are right; checksums were not compared";
    return finding;
  }
  std::uint64_t unread = 0;
  for (const ZipMember& member : members) {
    if (!member.is_readable()) {
      ++unread;
      continue;
    }
    RUNCTL_TRY(check_content(source, member));
  }
  if (unread > 0) {
    finding.why = fmt::format("{} of its {} members are packed in a way that is not read here",
                              unread, members.size());
    return finding;
  }
  finding.verdict = Verdict::sound;
  return finding;
}

}  // namespace runctl::checkpoint
