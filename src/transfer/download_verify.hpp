// Whether a file that has arrived is the object.
#pragma once

#include <stop_token>

#include "base/result.hpp"
#include "io/random_access_file.hpp"
#include "transfer/object_store.hpp"
#include "transfer/outcome.hpp"
#include "transfer/range_set.hpp"
#include "transfer/run_context.hpp"

namespace runctl::transfer {

struct Arrived {
  const ObjectName& source;
  const RandomAccessFile& file;
  const ObjectFacts& facts;
  const RangeSet& ranges;  // all of it
};

// Compares with the best that S3 knows of the object: a CRC from the checksums of its ranges,
// without reading the file again; a hash or an MD5 by reading it. Errors: corrupt when it is
// another; those of asking for the sizes of parts; cancelled.
[[nodiscard]] Result<Verified> verify(RunContext& run, const Arrived& arrived,
                                      const std::stop_token& stop);

}  // namespace runctl::transfer
