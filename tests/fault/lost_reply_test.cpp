// What becomes of a volume when replies are lost: every mutating call of attach and detach, its
// reply dropped once before the effect and once after it, against the emulated cloud in this
// process.
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "aws/client.hpp"
#include "aws/codec.hpp"
#include "emulator/cloud.hpp"
#include "emulator/event_log.hpp"
#include "emulator/hardware/no_hardware.hpp"
#include "emulator/loopback_transport.hpp"
#include "emulator/store.hpp"
#include "fleet/launch.hpp"
#include "io/log.hpp"
#include "io/random.hpp"
#include "io/real_clock.hpp"
#include "io/scratch_directory.hpp"
#include "journal/recorder.hpp"
#include "volume/attach.hpp"
#include "volume/create.hpp"
#include "volume/delete.hpp"
#include "volume/detach.hpp"
#include "volume/place.hpp"
#include "volume/read.hpp"
#include "volume/snapshot.hpp"

namespace runctl {
namespace {

using volume::Change;
using volume::Session;

enum class Drop : std::uint8_t { before_effect, after_effect };

// Counts each action's requests, and drops the first reply of one of them.
class DroppingTransport final : public HttpTransport {
 public:
  explicit DroppingTransport(HttpTransport& inner) : inner_{inner} {}

  void drop_next(std::string action, Drop drop) {
    action_ = std::move(action);
    drop_ = drop;
  }
  // From the next request that drops a reply, nobody answers `requests` more of them.
  void go_silent_after_drop(int requests) { silent_after_drop_ = requests; }
  [[nodiscard]] int sent(const std::string& action) { return sent_[action]; }

  [[nodiscard]] Result<HttpResponse> send(const HttpRequest& request,
                                          std::chrono::steady_clock::time_point deadline,
                                          const std::stop_token& stop) override {
    const std::lock_guard lock{mutex_};
    const auto form = aws::parse_form(request.body);
    const auto found = form.find("Action");
    const std::string action = found == form.end() ? "" : found->second;
    ++sent_[action];
    if (silent_ > 0) {
      --silent_;
      return fail(Errc::unavailable, "no route to the host");
    }
    if (action.empty() || action != action_) return inner_.send(request, deadline, stop);
    action_.clear();
    silent_ = silent_after_drop_;
    if (drop_ == Drop::after_effect) static_cast<void>(inner_.send(request, deadline, stop));
    auto lost = fail(Errc::unavailable, "the connection was reset");
    lost.error().effect = Effect::unknown;
    return lost;
  }

 private:
  HttpTransport& inner_;
  std::mutex mutex_;
  std::string action_;
  Drop drop_ = Drop::before_effect;
  int silent_after_drop_ = 0;
  int silent_ = 0;
  std::map<std::string, int> sent_;
};

// No machine answers here: what is tested needs none.
class NoShell final : public node::RemoteShell {
 public:
  [[nodiscard]] Result<node::ShellOutcome> run(const InstanceId& instance, const std::string&,
                                               std::chrono::seconds,
                                               const std::stop_token&) override {
    return fail(Errc::unavailable, "no machine " + instance.str());
  }
  [[nodiscard]] Result<bool> is_reachable(const InstanceId&, const std::stop_token&) override {
    return true;
  }
};

// Forgets with the process: nothing is tested here that outlives it.
class MemoryStore final : public emulator::Store {
 public:
  [[nodiscard]] Result<std::vector<emulator::Row>> load() override { return {}; }
  [[nodiscard]] Result<void> apply(std::span<const emulator::RowChange>) override { return {}; }
};

class LostReply : public testing::TestWithParam<Drop> {
 protected:
  void SetUp() override {
    emulator::Hardware hardware{.kind = emulator::HardwareKind::none,
                                .disks = emulator::make_no_disks(),
                                .machines = emulator::make_no_machines()};
    auto cloud = emulator::Cloud::open({.clock = clock_,
                                        .random = random_,
                                        .events = events_,
                                        .hardware = std::move(hardware),
                                        .store = std::make_unique<MemoryStore>(),
                                        .pace = emulator::pace_named("instant").value()});
    ASSERT_TRUE(cloud.has_value());
    cloud_ = *std::move(cloud);
    loopback_ = std::make_unique<emulator::LoopbackTransport>(*cloud_);
    transport_ = std::make_unique<DroppingTransport>(*loopback_);
    client_ = std::make_unique<aws::Client>(
        *transport_, clock_, random_, log_,
        aws::ClientConfig{
            .region = "us-east-1",
            .credentials = {.access_key_id = "test", .secret_access_key = Secret{"emulator"}},
            .ec2_endpoint = "http://cloud",
            .ssm_endpoint = "http://cloud",
            .sts_endpoint = "http://cloud"});
    const auto instance = fleet::launch(change(), {.zone = "us-east-1a"});
    ASSERT_TRUE(instance.has_value()) << instance.error().message;
    instance_ = fleet::wait_until_ready(session(), instance->id).value();
    const auto volume = volume::create_volume(change(), {.size = GiB{1}, .zone = "us-east-1a"});
    ASSERT_TRUE(volume.has_value()) << volume.error().message;
    volume_ = volume::wait_until_available(session(), volume->id).value();
  }

  [[nodiscard]] Session session() {
    return {.aws = *client_,
            .shell = shell_,
            .clock = clock_,
            .random = random_,
            .deadline = clock_.ticks() + std::chrono::seconds{3}};
  }

  // A new operation in the journal; borrowed until the next one.
  [[nodiscard]] Change change() {
    sessions_.push_back(std::make_unique<Session>(session()));
    recorder_.emplace(journal_, clock_,
                      journal::Operation{.id = "op-" + random_hex(random_, 12),
                                         .kind = "test",
                                         .place = "here",
                                         .plan = "{}",
                                         .owner = journal::this_process(),
                                         .begun = clock_.now()});
    return {.session = *sessions_.back(), .recorder = *recorder_};
  }

  // Attaches as `runctl aws ebs attach` does.
  [[nodiscard]] Result<volume::VolumeFacts> attach() { return attach_to(instance_.value()); }
  [[nodiscard]] Result<volume::VolumeFacts> attach_to(const volume::InstanceFacts& instance) {
    RUNCTL_TRY_LET(const auto facts,
                   volume::read_attach_facts(session(), volume_.value(), instance));
    const auto plan = volume::plan_attach(facts);
    return volume::execute_attach(change(), facts, plan);
  }
  [[nodiscard]] volume::InstanceFacts another_machine() {
    const auto rented = fleet::launch(change(), {.zone = "us-east-1a"}).value();
    return fleet::wait_until_ready(session(), rented.id).value();
  }

  ScratchDirectory scratch_;
  std::filesystem::path journal_ = scratch_.path() / "operations.db";
  std::optional<journal::Recorder> recorder_;
  std::vector<std::unique_ptr<Session>> sessions_;
  RealClock clock_;
  SystemRandom random_;
  NoLog log_;
  NoShell shell_;
  emulator::NoEventLog events_;
  std::unique_ptr<emulator::Cloud> cloud_;
  std::unique_ptr<emulator::LoopbackTransport> loopback_;
  std::unique_ptr<DroppingTransport> transport_;
  std::unique_ptr<aws::Client> client_;
  std::optional<volume::VolumeFacts> volume_;
  std::optional<volume::InstanceFacts> instance_;
};

TEST_P(LostReply, AttachIsSentOnceAndJudgedByReading) {
  transport_->drop_next("AttachVolume", GetParam());
  const auto attached = attach();
  EXPECT_EQ(transport_->sent("AttachVolume"), 1);
  if (GetParam() == Drop::after_effect) {
    ASSERT_TRUE(attached.has_value()) << attached.error().message;
    EXPECT_EQ(attached->attachments.front().instance, instance_->id);
  } else {
    // Nothing happened, but it still may: that is no success, and no plain failure either.
    ASSERT_FALSE(attached.has_value());
    EXPECT_EQ(attached.error().effect, Effect::unknown);
    EXPECT_EQ(attached.error().code, Errc::deadline_exceeded);
  }
}

// A network that is away for a moment after the call was sent: more reads fail in a row than the
// client tries one.
TEST_P(LostReply, AnAttachIsJudgedWhenTheNetworkIsBack) {
  transport_->drop_next("AttachVolume", GetParam());
  transport_->go_silent_after_drop(7);
  const auto attached = attach();
  EXPECT_EQ(transport_->sent("AttachVolume"), 1);
  EXPECT_EQ(attached.has_value(), GetParam() == Drop::after_effect);
  if (!attached) {
    EXPECT_EQ(attached.error().effect, Effect::unknown);
  }
}

// It stays away: what was sent is not known to have failed.
TEST_P(LostReply, AnAttachOfWhichNothingCanBeReadIsUnknown) {
  transport_->drop_next("AttachVolume", GetParam());
  transport_->go_silent_after_drop(1'000'000);
  const auto attached = attach();
  ASSERT_FALSE(attached.has_value());
  EXPECT_EQ(attached.error().effect, Effect::unknown);
  EXPECT_NE(attached.error().message.find("AttachVolume"), std::string::npos)
      << attached.error().message;
}

TEST_P(LostReply, AVolumeIsMadeOnceAllTheSame) {
  transport_->drop_next("CreateVolume", GetParam());
  const auto before = volume::list_volumes(*client_, {}, {}).value().size();
  ASSERT_TRUE(volume::create_volume(change(), {.size = GiB{1}, .zone = "us-east-1a"}).has_value());
  EXPECT_EQ(volume::list_volumes(*client_, {}, {}).value().size(), before + 1);
}

TEST_P(LostReply, AMachineIsRentedOnceAllTheSame) {
  transport_->drop_next("RunInstances", GetParam());
  const auto before = volume::list_instances(*client_, {}, {}).value().size();
  ASSERT_TRUE(fleet::launch(change(), {.zone = "us-east-1a"}).has_value());
  EXPECT_EQ(volume::list_instances(*client_, {}, {}).value().size(), before + 1);
}

TEST_P(LostReply, ASnapshotIsFoundByItsTagOrSaidToBeUnknown) {
  transport_->drop_next("CreateSnapshot", GetParam());
  const auto made = volume::take_snapshot(change(), *volume_, {});
  EXPECT_EQ(transport_->sent("CreateSnapshot"), 1);
  if (GetParam() == Drop::after_effect) {
    ASSERT_TRUE(made.has_value()) << made.error().message;
    // When it was taken is not known, and its tag says no more than the answer does.
    EXPECT_EQ(made->worth.consistency, volume::Consistency::crash_consistent);
    const auto seen = volume::read_snapshot(*client_, made->snapshot.id, {}).value();
    EXPECT_EQ(volume::consistency_of(seen), volume::Consistency::crash_consistent);
  } else {
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().effect, Effect::unknown);
  }
  EXPECT_EQ(volume::list_snapshots(*client_, {}, {}).value().size(), made.has_value() ? 1U : 0U);
}

TEST_P(LostReply, DetachEndsWhenReadingSaysSo) {
  ASSERT_TRUE(attach().has_value());
  const auto held = volume::read_volume(*client_, volume_->id, {}).value();
  volume::DetachPlan plan{.attachment = held.attachments.front()};
  transport_->drop_next("DetachVolume", GetParam());
  const auto detached = volume::execute_detach(change(), {.volume = held}, plan);
  EXPECT_EQ(transport_->sent("DetachVolume"), 1);
  const auto now = volume::read_volume(*client_, volume_->id, {}).value();
  if (GetParam() == Drop::after_effect) {
    EXPECT_TRUE(detached.has_value()) << detached.error().message;
    EXPECT_TRUE(now.attachments.empty());
  } else {
    EXPECT_FALSE(detached.has_value());
    EXPECT_EQ(now.attachments.size(), 1U);
  }
}

TEST_P(LostReply, AVolumeIsDeletedWhenReadingSaysSo) {
  transport_->drop_next("DeleteVolume", GetParam());
  const auto deleted = volume::execute_delete(change(), *volume_);
  EXPECT_EQ(transport_->sent("DeleteVolume"), 1);
  EXPECT_EQ(deleted.has_value(), GetParam() == Drop::after_effect);
}

INSTANTIATE_TEST_SUITE_P(OnceEach, LostReply,
                         testing::Values(Drop::before_effect, Drop::after_effect),
                         [](const auto& drop) {
                           return drop.param == Drop::before_effect ? "BeforeTheEffect"
                                                                    : "AfterTheEffect";
                         });

// Not a matter of replies: the loser of a race is told who won, and touches nothing of the
// winner's.
class Race : public LostReply {};

TEST_P(Race, TheLoserNamesTheWinner) {
  const auto facts = volume::read_attach_facts(session(), *volume_, *instance_).value();
  const auto plan = volume::plan_attach(facts);
  // Between our plan and our call another machine takes it.
  const auto winner = another_machine();
  ASSERT_TRUE(attach_to(winner).has_value());

  const auto ours = volume::execute_attach(change(), facts, plan);
  ASSERT_FALSE(ours.has_value());
  EXPECT_EQ(ours.error().code, Errc::conflict);
  EXPECT_NE(ours.error().message.find(winner.id.str()), std::string::npos) << ours.error().message;
  EXPECT_EQ(transport_->sent("DetachVolume"), 0);
  const auto now = volume::read_volume(*client_, volume_->id, {}).value();
  EXPECT_NE(volume::attachment_to(now, winner.id), nullptr);
}

// The API attaches a Multi-Attach volume to both. Whoever comes second may not write it, now or
// when asked again.
TEST_P(Race, TheSecondToGetAMultiAttachVolumeUsesItNot) {
  const auto made = volume::create_volume(
      change(),
      {.size = GiB{4}, .type = "io2", .zone = "us-east-1a", .iops = 100, .multi_attach = true});
  ASSERT_TRUE(made.has_value()) << made.error().message;
  volume_ = volume::wait_until_available(session(), made->id).value();
  const auto facts = volume::read_attach_facts(session(), *volume_, *instance_).value();
  const auto plan = volume::plan_attach(facts);
  const auto winner = another_machine();
  ASSERT_TRUE(attach_to(winner).has_value());

  const auto ours = volume::execute_attach(change(), facts, plan);
  ASSERT_FALSE(ours.has_value());
  EXPECT_EQ(ours.error().code, Errc::precondition);
  EXPECT_EQ(ours.error().effect, Effect::applied);
  EXPECT_NE(ours.error().message.find(winner.id.str()), std::string::npos) << ours.error().message;
  const auto now = volume::read_volume(*client_, volume_->id, {}).value();
  ASSERT_EQ(now.attachments.size(), 2U);
  const auto again =
      volume::place(change(), now, *instance_, {.mount = volume::MountSpec{.directory = "/data"}});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_NE(again.error().message.find(winner.id.str()), std::string::npos);
}

TEST_P(Race, AVolumeThatHasGoneOnToAnotherMachineIsGoneFromHere) {
  ASSERT_TRUE(attach().has_value());
  const auto held = volume::read_volume(*client_, volume_->id, {}).value();
  const volume::DetachPlan plan{.attachment = held.attachments.front()};
  ASSERT_TRUE(volume::execute_detach(change(), {.volume = held}, plan).has_value());
  instance_ = another_machine();
  ASSERT_TRUE(attach().has_value());
  const auto detached = volume::execute_detach(change(), {.volume = held}, plan);
  EXPECT_TRUE(detached.has_value()) << detached.error().message;
  const auto now = volume::read_volume(*client_, volume_->id, {}).value();
  EXPECT_NE(volume::attachment_to(now, instance_->id), nullptr) << "it was taken from the other";
}

// Consent to pull it off was given while the machine could not be asked.
TEST_P(Race, NothingIsPulledOffAMachineThatAnswersAgain) {
  ASSERT_TRUE(attach().has_value());
  const auto held = volume::read_volume(*client_, volume_->id, {}).value();
  const volume::DetachPlan plan{.attachment = held.attachments.front(), .by_force = true};
  const auto detached = volume::execute_detach(change(), {.volume = held}, plan);
  ASSERT_FALSE(detached.has_value());
  EXPECT_EQ(detached.error().code, Errc::precondition);
  EXPECT_EQ(transport_->sent("DetachVolume"), 0);
  EXPECT_EQ(volume::read_volume(*client_, volume_->id, {}).value().attachments.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Once, Race, testing::Values(Drop::after_effect));

}  // namespace
}  // namespace runctl
