// The emulated cloud: AWS's requests in, AWS's answers out.
#pragma once

#include <chrono>
#include <deque>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/operation.hpp"
#include "base/result.hpp"
#include "emulator/cloud_secret.hpp"
#include "emulator/ec2/state.hpp"
#include "emulator/event_log.hpp"
#include "emulator/fault.hpp"
#include "emulator/hardware/hardware.hpp"
#include "emulator/job_queue.hpp"
#include "emulator/metadata/metadata_service.hpp"
#include "emulator/pace.hpp"
#include "emulator/place.hpp"
#include "emulator/s3/service.hpp"
#include "emulator/s3/store.hpp"
#include "emulator/server/request_body.hpp"
#include "emulator/ssm/actions.hpp"
#include "emulator/store.hpp"
#include "io/clock.hpp"
#include "io/http_transport.hpp"
#include "io/random.hpp"

namespace runctl::emulator {

struct CloudParts {
  Clock& clock;
  Random& random;
  EventLog& events;
  Hardware hardware;
  std::unique_ptr<Store> store;
  Pace pace;
  std::unique_ptr<Faults> faults = std::make_unique<Faults>();
  std::unique_ptr<s3::Store> objects = {};  // without it there is no S3
};

struct CloudCounts {
  std::size_t volumes = 0;
  std::size_t snapshots = 0;
  std::size_t instances = 0;
};

// A state change is on disk before the answer that tells of it. The hardware works on threads of
// its own: a long copy or boot holds up only what needs that disk or machine. Thread safety: may be
// used from several threads at once.
class Cloud {
 public:
  // Loads what the store has, and orders again what was under way when it was last closed.
  // Errors: corrupt for rows that this version cannot read.
  [[nodiscard]] static Result<std::unique_ptr<Cloud>> open(CloudParts parts);
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;
  Cloud(Cloud&&) = delete;
  Cloud& operator=(Cloud&&) = delete;
  // Halts the machines; what is on disk says that they run, and the next `open` boots them again.
  ~Cloud();

  // Never fails: whatever comes in, an answer of the service's form goes out; how much of it
  // arrives is the faults' business.
  [[nodiscard]] Reply handle(const HttpRequest& request);

  // Whether `stream` takes the request, by its headers.
  [[nodiscard]] bool streams(const HttpRequest& head) const;
  // As `handle`, for S3, whose bodies are not held in memory.
  [[nodiscard]] Reply stream(const HttpRequest& head, RequestBody& body);

  [[nodiscard]] Faults& faults() { return *parts_.faults; }

  // From now on machines can ask about themselves below `endpoint` ("http://127.0.0.1:4599"), with
  // tokens that are made with `secret`; their commands are told where.
  void serve_metadata(std::string endpoint, std::string secret);
  // The answer to a machine's question about itself.
  [[nodiscard]] HttpResponse metadata(const HttpRequest& request, const MetadataTarget& target);

  // Takes the machine's power away, whatever account it is of, and returns when it is off: what had
  // not reached the images of its volumes is lost. It can be started again.
  // Errors: invalid_argument (no instance id), not_found, conflict (it does not run), internal.
  [[nodiscard]] Result<void> cut_power(std::string_view instance);

  // Tells spot machines that EC2 interrupts them after `left`: one by its id, or with "*" and
  // "i-0*" all that run. Errors: those of ec2::give_notice; not_found when a pattern fits none.
  [[nodiscard]] Result<void> give_notice(std::string_view target, std::chrono::milliseconds left);
  // Takes such notices back, and gives machines their capacity again that were stopped for want of
  // it. Errors: internal, when that cannot be written down.
  [[nodiscard]] Result<void> take_back_interruptions(std::string_view target);
  // As rules, with the time that is left.
  [[nodiscard]] std::vector<FaultRule> interruptions();

  // Takes the steps that are due though nobody asks. Returns how long nothing will be due for.
  std::chrono::milliseconds tick();

  // Returns when no hardware and no command works, and nothing is ordered.
  void wait_until_idle();

  [[nodiscard]] CloudCounts counts();
  [[nodiscard]] HardwareKind hardware_kind() const { return parts_.hardware.kind; }
  [[nodiscard]] const Pace& pace() const { return parts_.pace; }

 private:
  // Held by every job that an answer waits for: the answer goes out when the last has let go.
  using Gate = std::shared_ptr<std::promise<void>>;
  using Regions = std::map<Place, ec2::State>;
  enum class OnDiskFailure : std::uint8_t { undo, keep_for_later };
  // How a region was until that moment, for reads that have to be stale.
  struct Past {
    Timestamp until = {};
    ec2::State state;
  };

  explicit Cloud(CloudParts parts);
  [[nodiscard]] Result<void> load();
  [[nodiscard]] ec2::Turn turn_on(const Place& place, std::vector<ec2::Order>& orders);
  [[nodiscard]] Result<void> commit(const Place& place, ec2::State& state,
                                    OnDiskFailure on_failure);
  void enqueue(const Place& place, std::vector<ec2::Order> orders, const Gate& gate);
  void carry_out(const Place& place, const ec2::Order& order, const Gate& gate,
                 const std::stop_token& stop);
  [[nodiscard]] ec2::Report perform(const Place& place, const ec2::Order& order,
                                    const std::stop_token& stop);
  [[nodiscard]] ec2::Report run_command(const Place& place, const ec2::RunCommand& order,
                                        const std::stop_token& stop);
  [[nodiscard]] ec2::RunCommand with_metadata(ec2::RunCommand order);
  [[nodiscard]] ssm::Readiness begin_command(const Place& place, const ec2::RunCommand& order);
  [[nodiscard]] Result<std::string> answer_request(const aws::Service& service,
                                                   const HttpRequest& request,
                                                   const std::string& request_id,
                                                   const Strike& strike, Place& place);
  [[nodiscard]] Result<std::string> take(const struct Route& route, const Place& place,
                                         const HttpRequest& request, const std::string& request_id,
                                         const Strike& strike);
  [[nodiscard]] std::optional<ec2::State> past_of(const Place& place,
                                                  std::chrono::milliseconds oldest);
  void remember(const Place& place, const ec2::State& state);
  void log_changes(const Place& place, const ec2::State& state);
  void log(std::string_view event, const Place& place, boost::json::object fields);
  [[nodiscard]] Timestamp now();

  CloudParts parts_;
  std::optional<s3::Service> s3_;
  std::mutex mutex_;  // over what follows
  Regions regions_;
  std::map<Place, std::deque<Past>> past_;  // the oldest first; empty unless reads may be stale
  std::string metadata_endpoint_;
  std::string metadata_secret_;
  Timestamp latest_ = {};  // simulated time never goes back, as wall time may
  // What runs now, by command and instance.
  std::map<std::pair<std::string, std::string>, std::stop_source> running_;
  // Last, so that they end before what they work on.
  JobQueue hardware_jobs_{4};
  JobQueue commands_{16};
};

}  // namespace runctl::emulator
