// The place that a checkpoint command is about: a directory, a file, or a folder in S3.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "checkpoint/place.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/s3/session.hpp"

namespace runctl::cli {

inline constexpr std::array<PositionalSpec, 1> checkpoint_path{{
    {.name = "PATH", .help = "a directory of checkpoints, one checkpoint, or s3://BUCKET/FOLDER/"},
}};

// What a place in S3 is reached by lives as long as it does.
class CheckpointPlace {
 public:
  CheckpointPlace(std::unique_ptr<S3Session> session, std::unique_ptr<checkpoint::Place> place)
      : session_{std::move(session)}, place_{std::move(place)} {}
  [[nodiscard]] checkpoint::Place& operator*() const { return *place_; }
  [[nodiscard]] checkpoint::Place* operator->() const { return place_.get(); }

 private:
  std::unique_ptr<S3Session> session_;
  std::unique_ptr<checkpoint::Place> place_;  // borrows the session: ends first
};

// Of `path`, with the arguments' connection options. Errors: not_found; those of reading, or of S3.
[[nodiscard]] Result<CheckpointPlace> open_checkpoint_place(const std::string& path,
                                                            const Arguments& arguments,
                                                            Context& context);
// Of the positional PATH. Errors: not_found; those of reading, or of S3.
[[nodiscard]] Result<CheckpointPlace> open_checkpoint_place(const Arguments& arguments,
                                                            Context& context);

}  // namespace runctl::cli
