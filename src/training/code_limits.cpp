#include "training/code_limits.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "base/units.hpp"
#include "node/script.hpp"

namespace runctl::training {
namespace {

// The largest ones, as details of an error.
std::vector<std::string> largest(const CodeTree& tree, std::vector<std::size_t> which) {
  constexpr std::size_t most = 5;
  const auto count = std::min(most, which.size());
  const auto size_of = [&](std::size_t index) { return tree.entries[index].stamp.size; };
  std::ranges::partial_sort(which, which.begin() + static_cast<std::ptrdiff_t>(count),
                            std::ranges::greater{}, size_of);
  std::vector<std::string> lines;
  lines.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    lines.push_back(fmt::format("{}: {}", node::to_utf8(tree.entries[which[i]].path),
                                bytes_in_words(size_of(which[i]))));
  }
  return lines;
}

std::string project_in_words(const CodeTree& tree) {
  return fmt::format("{} (found by {})", node::to_utf8(tree.root.path.string()),
                     in_words(tree.root.marker));
}

}  // namespace

std::uint64_t bytes_of(const CodeTree& tree, const std::vector<std::size_t>& which) {
  return std::accumulate(
      which.begin(), which.end(), std::uint64_t{0},
      [&](std::uint64_t sum, std::size_t index) { return sum + tree.entries[index].stamp.size; });
}

std::unexpected<Error> above_limit(const CodeTree& tree, const std::vector<std::size_t>& which,
                                   std::uint64_t limit) {
  Error error{
      .code = Errc::invalid_argument,
      .message = fmt::format("the code of {} has {} to send in {} files, above the limit of {}",
                             project_in_words(tree), bytes_in_words(bytes_of(tree, which)),
                             which.size(), bytes_in_words(limit)),
      .hint = "Data belongs on a volume or in S3. The largest files:",
      .details = largest(tree, which)};
  error.ways_out = {"echo PATTERN >>.runctlignore   # leaves files out, as .gitignore does",
                    "runctl aws train … --code-limit 1GiB   # if it must be",
                    "runctl aws train … --no-sync-code   # sends the script alone"};
  error.section = "TRAINING.md#code";
  return std::unexpected{std::move(error)};
}

std::unexpected<Error> above_command_limit(const CodeTree& tree,
                                           const std::vector<std::size_t>& which,
                                           const CommandLimit& sizes) {
  Error error{
      .code = Errc::invalid_argument,
      .message = fmt::format("what is to be sent of {} is {} once compressed, above the {} that "
                             "can be sent as commands",
                             project_in_words(tree), bytes_in_words(sizes.archive_bytes),
                             bytes_in_words(sizes.limit)),
      .hint =
          "More goes through a bucket of S3, without credentials on the machine, or by ssh. The "
          "largest files:",
      .details = largest(tree, which)};
  error.ways_out = {"runctl aws train … --code-bucket BUCKET",
                    "RUNCTL_SHELL=ssh runctl aws train …",
                    "echo PATTERN >>.runctlignore   # leaves files out, as .gitignore does"};
  error.section = "TRAINING.md#code";
  return std::unexpected{std::move(error)};
}

}  // namespace runctl::training
