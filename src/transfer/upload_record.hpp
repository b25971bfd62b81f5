// The local note of a multipart upload that is under way, by which it is taken up again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/crc.hpp"
#include "base/result.hpp"
#include "io/directory.hpp"
#include "io/random_access_file.hpp"
#include "transfer/job.hpp"

namespace runctl::transfer {

// The bucket alone cannot say which file an open upload was made of, nor whether somebody else is
// at it; so this does. What has arrived is the bucket's to say (ListParts), and is compared with
// the file part by part.
struct UploadNote {
  std::string upload_id = {};  // "": its creation was about to be asked for
  // There may be another one for this object, whose id was never heard of.
  bool unheard = false;
  std::uint64_t part_size = 0;
  FileState file = {};
  std::string attributes = {};  // their fingerprint
  CrcKind checksum = CrcKind::crc64nvme;
  bool operator==(const UploadNote&) const = default;
};

// A hash over everything that the object carries besides its bytes. `key_print`: ObjectStore's.
[[nodiscard]] std::string fingerprint(const Attributes& attributes, std::string_view key_print);

// Held, and locked against other processes, as long as the upload is worked on.
class UploadRecord {
 public:
  // `place`: ObjectStore's. Errors: conflict when another process uploads the same file to the same
  // object; as fail_errno.
  [[nodiscard]] static Result<UploadRecord> take(const std::filesystem::path& directory,
                                                 const std::string& place, const Upload& job);

  // What an interrupted run has left, nothing when there is none. Of a note that cannot be read
  // (its writer was killed, or the disk was full) only that there was one: `unheard`.
  [[nodiscard]] const std::optional<UploadNote>& found() const { return found_; }
  // Durable on return.
  [[nodiscard]] Result<void> write(const UploadNote& note);
  [[nodiscard]] Result<void> remove();

 private:
  UploadRecord(Directory directory, std::string name, RandomAccessFile file, std::string about)
      : directory_{std::move(directory)},
        name_{std::move(name)},
        file_{std::move(file)},
        about_{std::move(about)} {}

  Directory directory_;
  std::string name_;
  RandomAccessFile file_;
  std::string about_;  // for whoever looks into the file
  std::optional<UploadNote> found_;
};

}  // namespace runctl::transfer
