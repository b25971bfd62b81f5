#include "cli/checkpoint/target.hpp"

#include "checkpoint/local_place.hpp"
#include "cli/checkpoint/s3_place.hpp"
#include "transfer/uri.hpp"

namespace runctl::cli {

Result<CheckpointPlace> open_checkpoint_place(const Arguments& arguments, Context& context) {
  return open_checkpoint_place(arguments.positional("PATH"), arguments, context);
}

Result<CheckpointPlace> open_checkpoint_place(const std::string& path, const Arguments& arguments,
                                              Context& context) {
  if (!transfer::is_s3_uri(path)) {
    RUNCTL_TRY_LET(auto place, checkpoint::open_local_place(path, context.stop));
    return CheckpointPlace{nullptr, std::move(place)};
  }
  RUNCTL_TRY_LET(const auto uri, transfer::parse_s3_uri(path));
  RUNCTL_TRY_LET(auto session, connect_s3(context, arguments));
  RUNCTL_TRY_LET(auto place, open_s3_place(*session, uri));
  return CheckpointPlace{std::move(session), std::move(place)};
}

}  // namespace runctl::cli
