// For tests: S3 in memory, which fails as a seed says.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/object_store.hpp"

namespace runctl::transfer {

// How often out of a thousand calls something goes wrong.
struct FaultRates {
  unsigned throttled = 0;    // refused, nothing done
  unsigned lost_answer = 0;  // done, but nobody hears of it
  unsigned cut_body = 0;     // the connection ends within the body
  unsigned bit_flip = 0;     // a bit of a downloaded body is another
};

// Thread safety: as ObjectStore's; set up what is public before the calls.
class FakeStore final : public ObjectStore {
 public:
  struct Object {
    std::string bytes = {};
    std::string etag = {};
    Attributes attributes = {};
    std::optional<Checksum> checksum = {};
    bool etag_is_md5 = true;
    std::uint64_t tags = 0;
    std::vector<std::uint64_t> part_sizes = {};
    Timestamp modified{};
    std::string key = {};  // that it was written with
  };
  struct StoredPart {
    std::string bytes;
    std::string etag;
    std::uint64_t crc = 0;
  };
  struct OpenMultipart {
    ObjectName target;
    Attributes attributes;
    CrcKind kind = CrcKind::crc64nvme;
    std::map<unsigned, StoredPart> parts;
    std::string key;  // that it was begun with
  };

  explicit FakeStore(std::uint64_t seed = 1) : engine_{seed} {}

  // As a client of its own would have put it: with the full object's CRC64NVME.
  void set(const ObjectName& name, std::string bytes);
  // As an older client would have: parts with CRC32C, and a checksum of those.
  void set_composite(const ObjectName& name, std::string bytes,
                     const std::vector<std::uint64_t>& part_sizes);
  void change(const ObjectName& name, const std::function<void(Object&)>& how);
  [[nodiscard]] std::optional<Object> find(const ObjectName& name) const;
  [[nodiscard]] std::map<std::string, OpenMultipart> open_uploads() const;
  // Another byte in it, as if somebody else had sent it.
  void damage_part(const std::string& upload_id, unsigned number);
  [[nodiscard]] std::uint64_t calls(const std::string& operation) const;
  // Bytes of bodies that went in and out.
  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }
  [[nodiscard]] unsigned most_at_once() const { return most_at_once_; }
  // Ranges that were asked for without If-Match.
  [[nodiscard]] unsigned unguarded_ranges() const { return unguarded_ranges_; }

  FaultRates faults = {};
  // Called at the beginning of each call, with its name.
  std::function<void(const std::string&)> on_call = {};
  // Called with each piece of a body, either way, and how much of it has passed.
  std::function<void(const std::string&, std::uint64_t)> on_body = {};
  std::string where = {};
  // The customer's key of what is read and written, and of what is copied; as S3, the store refuses
  // whatever comes with another.
  std::string key = {};
  std::string source_key = {};
  bool checksum_behind = true;
  bool gives_checksums = true;
  bool is_compared_with = true;
  std::atomic<bool> dead{false};  // no call gets through
  // What AddObject needs to look real.
  std::function<Timestamp()> now = [] { return Timestamp{std::chrono::seconds{1'700'000'000}}; };

  [[nodiscard]] std::string place() const override { return where; }
  [[nodiscard]] std::string key_print() const override { return key; }
  [[nodiscard]] bool takes_checksum_behind() const override { return checksum_behind; }
  [[nodiscard]] bool checks_answers() const override { return is_compared_with; }
  [[nodiscard]] Result<ObjectFacts> head(const ObjectName& name,
                                         const std::stop_token& stop) override;
  [[nodiscard]] Result<ObjectFacts> head_source(const ObjectName& name,
                                                const std::stop_token& stop) override;
  [[nodiscard]] Result<std::uint64_t> part_size(const ObjectName& name, unsigned number,
                                                const std::string& if_match,
                                                const std::stop_token& stop) override;
  [[nodiscard]] Result<ObjectFacts> get(const GetRequest& request, ByteSink& sink,
                                        const std::stop_token& stop) override;
  [[nodiscard]] Result<Stored> put(const PutRequest& request, ByteSource& source,
                                   const std::stop_token& stop) override;
  [[nodiscard]] Result<std::string> create_upload(const CreateRequest& request,
                                                  const std::stop_token& stop) override;
  [[nodiscard]] Result<Stored> upload_part(const PartRequest& request, ByteSource& source,
                                           const std::stop_token& stop) override;
  [[nodiscard]] Result<Stored> copy_part(const PartCopyRequest& request,
                                         const std::stop_token& stop) override;
  [[nodiscard]] Result<std::vector<Part>> list_parts(const ObjectName& target,
                                                     const std::string& upload_id,
                                                     const std::stop_token& stop) override;
  [[nodiscard]] Result<std::vector<std::string>> list_uploads(const ObjectName& target,
                                                              const std::stop_token& stop) override;
  [[nodiscard]] Result<Stored> complete_upload(const CompleteRequest& request,
                                               const std::stop_token& stop) override;
  [[nodiscard]] Result<void> abort_upload(const ObjectName& target, const std::string& upload_id,
                                          const std::stop_token& stop) override;
  [[nodiscard]] Result<Stored> copy(const CopyRequest& request,
                                    const std::stop_token& stop) override;
  [[nodiscard]] Result<std::vector<Removal>> remove(std::span<const ObjectName> names,
                                                    const std::stop_token& stop) override;

 private:
  class Call;  // one call while it runs

  [[nodiscard]] bool happens(unsigned rate);
  [[nodiscard]] std::uint64_t random_below(std::uint64_t bound);
  [[nodiscard]] Result<std::string> read_body(const std::string& operation, ByteSource& source,
                                              const std::stop_token& stop);
  [[nodiscard]] ObjectFacts facts_of(const Object& object) const;
  [[nodiscard]] Result<ObjectFacts> head_with(const std::string& brought, const ObjectName& name,
                                              const std::stop_token& stop);
  [[nodiscard]] Result<void> check(const ObjectName& target,
                                   const TargetCondition& condition) const;
  void store(const ObjectName& name, Object object);

  mutable std::mutex mutex_;  // over all that follows
  std::mt19937_64 engine_;
  std::map<std::pair<std::string, std::string>, Object> objects_;
  std::map<std::string, OpenMultipart> uploads_;
  std::map<std::string, std::uint64_t> calls_;
  std::uint64_t next_id_ = 1;
  unsigned at_once_ = 0;
  std::atomic<unsigned> most_at_once_{0};
  std::atomic<unsigned> unguarded_ranges_{0};
  std::atomic<std::uint64_t> bytes_in_{0};
  std::atomic<std::uint64_t> bytes_out_{0};
};

}  // namespace runctl::transfer
