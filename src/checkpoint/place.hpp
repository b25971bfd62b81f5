// A folder that holds checkpoints: a directory, a prefix in S3.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "checkpoint/source.hpp"
#include "io/directory_reader.hpp"

namespace runctl::checkpoint {

struct PlaceFile {
  std::string name = {};  // below the place, components divided by '/'
  std::uint64_t size = 0;
  FileTimestamp modified{};
  // What tells this content from another that has its name: device, inode and time; an ETag.
  std::string identity = {};
  // The file itself, whatever names lead to it; "" where one name is one file.
  std::string inode = {};
  bool operator==(const PlaceFile&) const = default;
};

// Files above that are refused: the folder is none of checkpoints.
inline constexpr std::size_t most_files = 200'000;

class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  Place(Place&&) = delete;
  Place& operator=(Place&&) = delete;
  virtual ~Place() = default;

  // The place's own last name: "checkpoint-500"; "" for a bucket.
  [[nodiscard]] virtual std::string own_name() const = 0;
  // The one file that the place was named by; "" for a folder.
  [[nodiscard]] virtual std::string named_file() const = 0;
  // As people write it: "run/epoch_5.pt", "s3://bucket/run/epoch_5.pt". "" is the place itself.
  [[nodiscard]] virtual std::string path_of(std::string_view name) const = 0;
  // All files in it and below, in the order of their names; where the place was named by one file,
  // that one and what lies beside it with its stem and ".json". Errors: not_found, those of
  // reading, invalid_argument over `most_files`.
  [[nodiscard]] virtual Result<std::vector<PlaceFile>> files() = 0;
  // Errors: not_found when it is gone; those of reading; precondition when it is another by now.
  [[nodiscard]] virtual Result<std::unique_ptr<Source>> open(const PlaceFile& file) = 0;
  // Whether the name directly in the place is a link, so that what it names lies elsewhere.
  [[nodiscard]] virtual bool is_link(std::string_view top_name) = 0;
  // Removes a file or a folder that lies directly in the place, with the `files` that it is known
  // to have. A folder is given another name first, so that one that is half removed is no
  // checkpoint any more. Errors: those of removing.
  [[nodiscard]] virtual Result<void> remove(std::string_view top_name,
                                            std::span<const PlaceFile> files) = 0;
};

}  // namespace runctl::checkpoint
