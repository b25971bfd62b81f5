// An object in S3, read in ranges.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "checkpoint/source.hpp"
#include "transfer/job.hpp"
#include "transfer/object_store.hpp"

namespace runctl::checkpoint {

// Each range is asked for under the condition that the object is still the one of `etag`, so what
// is read is of one object. A read here and there costs a request of 64 KiB at least; where reading
// goes on from where it was, each request is twice as long as the one before, up to 16 MiB: headers
// are had without the content between them, and the content in few requests. Memory: 16 MiB.
// Errors: precondition when the object was replaced; those of the store, of which corrupt becomes
// unavailable: it says nothing of the object.
class ObjectSource final : public Source {
 public:
  // Borrows the store.
  ObjectSource(transfer::ObjectStore& store, transfer::ObjectName name, std::string etag,
               std::uint64_t size, std::stop_token stop)
      : store_{store},
        name_{std::move(name)},
        etag_{std::move(etag)},
        size_{size},
        stop_{std::move(stop)} {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> into) override;

 private:
  [[nodiscard]] Result<void> fetch(std::uint64_t offset, std::size_t wanted);

  transfer::ObjectStore& store_;
  transfer::ObjectName name_;
  std::string etag_;
  std::uint64_t size_;
  std::stop_token stop_;
  std::string buffer_;
  std::uint64_t begin_ = 0;      // where buffer_ stands in the object
  std::uint64_t next_size_ = 0;  // of a request that goes on behind it
};

}  // namespace runctl::checkpoint
