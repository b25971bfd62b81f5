// The engine's store, which is S3 itself.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "aws/s3/client.hpp"
#include "aws/s3/customer_key.hpp"
#include "transfer/object_store.hpp"

namespace runctl::transfer {

// Borrows the client. Where its configuration has no checksum none is sent, whatever a request
// names, and what the answer says of one is not looked at. `keys` go with every request of an
// object. The engine retries by itself, piece by piece and where a piece broke off: build the
// client that it works with with RetryPolicy{.attempts = 1}, or both will, one in the other.
class S3Store final : public ObjectStore {
 public:
  explicit S3Store(aws::s3::S3Client& client, aws::s3::CustomerKeys keys = {})
      : client_{client}, keys_{std::move(keys)} {}

  [[nodiscard]] std::string place() const override { return client_.config().endpoint; }
  [[nodiscard]] std::string key_print() const override {
    return keys_.object ? keys_.object->print() : "";
  }
  [[nodiscard]] bool takes_checksum_behind() const override;
  [[nodiscard]] bool checks_answers() const override { return client_.config().check_answers; }
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
  [[nodiscard]] bool sends_checksums() const { return client_.config().checksum.has_value(); }
  [[nodiscard]] Result<ObjectFacts> head_with(const std::optional<aws::s3::CustomerKey>& key,
                                              const ObjectName& name, const std::stop_token& stop);

  aws::s3::S3Client& client_;
  aws::s3::CustomerKeys keys_;
};

}  // namespace runctl::transfer
