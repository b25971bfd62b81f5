#include "checkpoint/inspect.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "checkpoint/archive.hpp"
#include "checkpoint/hdf5.hpp"
#include "checkpoint/names.hpp"
#include "checkpoint/npy.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/torch_legacy.hpp"

namespace runctl::checkpoint {
namespace {

// What an extension promises; `other` where it promises nothing.
Format promised_by(std::string_view name) {
  const std::string extension = extension_of(name);
  if (extension == ".safetensors") return Format::safetensors;
  if (extension == ".npz") return Format::npz;
  if (extension == ".npy") return Format::npy;
  if (extension == ".h5" || extension == ".hdf5") return Format::hdf5;
  if (extension == ".keras") return Format::keras;
  if (extension == ".pt" || extension == ".pth") return Format::torch;
  if (extension == ".pkl" || extension == ".pickle") return Format::pickle;
  if (extension == ".zip") return Format::zip;
  return Format::other;
}

Result<Finding> read_npy(Source& source) {
  const auto most =
      static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), longest_npy_header));
  RUNCTL_TRY_LET(const std::string begin, read_exactly(source, 0, most));
  RUNCTL_TRY_LET(const NpyHeader header, read_npy_header(begin));
  if (!header.bytes) return beyond("its numbers are of a type whose size is not known");
  const std::uint64_t there = source.size() - header.size;
  if (*header.bytes > there) {
    return damaged(fmt::format("it has {} bytes of numbers, and should have {}: it was cut off",
                               there, *header.bytes));
  }
  if (*header.bytes < there)
    return damaged(fmt::format("{} bytes follow its numbers", there - *header.bytes));
  return Finding{.format = Format::npy,
                 .verdict = Verdict::complete,
                 .why = "its size is that of its shape; the format has no checksum",
                 .items = 1};
}

Format format_of_bytes(std::string_view begin, bool hdf5) {
  if (begin.starts_with("PK\x03\x04") || begin.starts_with("PK\x05\x06")) return Format::zip;
  if (begin.starts_with(torch_legacy_magic)) return Format::torch_legacy;
  if (begin.starts_with("\x93NUMPY")) return Format::npy;
  if (hdf5) return Format::hdf5;
  return Format::other;
}

Result<Finding> read_as(Source& source, Format format, Depth depth) {
  switch (format) {
    case Format::zip:
    case Format::torch:
    case Format::torchscript:
    case Format::npz:
    case Format::keras:
      return read_archive(source, depth);
    case Format::torch_legacy:
      return read_torch_legacy(source);
    case Format::pickle:
      return read_pickles(source);
    case Format::safetensors:
      return read_safetensors(source);
    case Format::hdf5:
      return read_hdf5(source);
    case Format::npy:
      return read_npy(source);
    case Format::tensorflow:
    case Format::folder:
    case Format::other:
      break;
  }
  return beyond("its format is not known");
}

}  // namespace

Result<Finding> inspect_file(Source& source, std::string_view name, Depth depth) {
  const Format promised = promised_by(name);
  if (source.size() == 0)
    return Finding{.format = promised, .verdict = Verdict::damaged, .why = "it is empty"};
  const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(source.size(), 16));
  RUNCTL_TRY_LET(const std::string begin, read_exactly(source, 0, most));
  // A user block before the superblock is looked for only where the name says HDF5.
  const bool at_once = begin.starts_with(hdf5_signature);
  Format format = format_of_bytes(begin, at_once);
  if (format == Format::other) {
    const bool pickled = begin.front() == '\x80' && promised != Format::safetensors;
    const bool tensors =
        begin.size() > 8 && begin[8] == '{' && little_endian(begin, 0, 8) <= source.size() - 8;
    format = promised;
    if (pickled && promised == Format::torch) format = Format::pickle;
    if (pickled && promised == Format::other && is_data_name(name)) format = Format::pickle;
    if (!pickled && tensors && promised == Format::other) format = Format::safetensors;
    if (promised == Format::torch && !pickled) {
      return Finding{.format = promised,
                     .verdict = Verdict::damaged,
                     .why = "it does not begin as a PyTorch file does"};
    }
  }
  auto finding = read_as(source, format, depth);
  if (finding) return finding;
  const Error& error = finding.error();
  if (error.code != Errc::corrupt && !is_beyond(error)) return finding;
  std::string why = error.message;
  for (const std::string& doing : error.context) why += fmt::format(" ({})", doing);
  return Finding{.format = format == Format::zip && promised != Format::other ? promised : format,
                 .verdict = is_beyond(error) ? Verdict::unknown : Verdict::damaged,
                 .why = std::move(why)};
}

}  // namespace runctl::checkpoint
