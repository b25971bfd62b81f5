// Keeping a volume's content as it is, on all machines that have it, while a copy is taken.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "volume/change.hpp"
#include "volume/facts.hpp"

namespace runctl::volume {

enum class Freezing : bool { no, yes };

// How long a machine's filesystem stands still at most, whatever becomes of us.
inline constexpr std::chrono::seconds dead_man{20};
// What the request in between may take, so that its answer comes before.
inline constexpr std::chrono::seconds frozen_request{10};

// Thaws when it goes, unless that was done.
class Standstill {
 public:
  // Writes back what machines cache of the volume, and freezes its filesystem where it is mounted
  // to write. A machine that cannot be reached, volumes that are directories, and `Freezing::no`
  // are no errors: is_provable() is false then, and why() says so. Errors: those of the machine,
  // and nothing stays frozen.
  [[nodiscard]] static Result<Standstill> begin(const Change& change, const VolumeFacts& volume,
                                                Freezing freezing);
  Standstill(const Standstill&) = delete;
  Standstill& operator=(const Standstill&) = delete;
  Standstill(Standstill&& other) noexcept;
  Standstill& operator=(Standstill&&) = delete;
  ~Standstill();

  // Lets writes go on. Not undone by Ctrl-C or --timeout.
  void end();

  // Whether nothing can have written from begin() to end().
  [[nodiscard]] bool is_provable() const { return why_.empty(); }
  [[nodiscard]] const std::string& why() const { return why_; }  // not, in words
  // For how long writers waited; nothing when none had to.
  [[nodiscard]] std::optional<std::chrono::milliseconds> frozen_for() const { return frozen_for_; }
  [[nodiscard]] bool is_frozen() const { return !frozen_.empty(); }

 private:
  Standstill(const Session& session, VolumeId volume, std::string token)
      : session_{&session}, volume_{std::move(volume)}, token_{std::move(token)} {}
  [[nodiscard]] Result<void> hold(const Change& change, const AttachmentFacts& attachment,
                                  Freezing freezing);

  const Session* session_;
  VolumeId volume_;
  std::string token_;
  std::vector<InstanceId> frozen_;
  std::string why_;
  std::optional<std::chrono::milliseconds> frozen_for_;
};

// Thaws what the steps of an interrupted operation froze on one machine. May be repeated. Errors:
// those of the machine.
[[nodiscard]] Result<void> thaw(const Session& session, const VolumeId& volume,
                                const InstanceId& instance, const std::string& token);

}  // namespace runctl::volume
