#include "emulator/cloud.hpp"

#include <atomic>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aws/client.hpp"
#include "aws/ec2/instance.hpp"
#include "aws/ec2/snapshot.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/sigv4.hpp"
#include "aws/ssm/invocations.hpp"
#include "aws/ssm/shapes.hpp"
#include "aws/sts/shapes.hpp"
#include "emulator/fake_hardware.hpp"
#include "emulator/loopback_transport.hpp"
#include "io/fake_clock.hpp"
#include "io/file.hpp"

namespace runctl::emulator {
namespace {

namespace wire = aws::ec2;
namespace fs = std::filesystem;
using std::chrono::milliseconds;

// Keeps rows in memory, and refuses to when it is told so.
class FakeStore final : public Store {
 public:
  struct Disk {
    std::map<std::string, Row> rows = {};
    std::atomic<bool> full = false;  // read by the thread that works on the hardware
  };
  explicit FakeStore(Disk& disk) : disk_{disk} {}
  Result<std::vector<Row>> load() override {
    std::vector<Row> rows;
    for (const auto& [name, row] : disk_.rows) rows.push_back(row);
    return rows;
  }
  Result<void> apply(std::span<const RowChange> changes) override {
    if (changes.empty()) return {};
    if (disk_.full) return fail(Errc::internal, "the disk is full");
    for (const RowChange& change : changes) {
      const std::string name = change.key.place + change.key.kind + change.key.id;
      if (change.json) {
        disk_.rows[name] = {.key = change.key, .json = *change.json};
      } else {
        disk_.rows.erase(name);
      }
    }
    return {};
  }

 private:
  Disk& disk_;
};

class KeptEvents final : public EventLog {
 public:
  void write(const boost::json::object& event) override {
    if (event.at("event") != "effect") return;
    std::string words{event.at("what").as_string()};
    for (const auto& id : event.at("ids").as_array()) words += " " + std::string{id.as_string()};
    const std::lock_guard lock{mutex_};
    effects_.push_back(std::move(words));
  }
  // "plug vol-… i-…", in their order.
  [[nodiscard]] std::vector<std::string> effects() {
    const std::lock_guard lock{mutex_};
    return effects_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> effects_;
};

class CloudTest : public testing::Test {
 protected:
  void open(const std::string& pace = "fast") {
    auto made = Cloud::open({.clock = clock,
                             .random = random,
                             .events = events,
                             .hardware = fake_hardware(bench),
                             .store = std::make_unique<FakeStore>(disk),
                             .pace = *pace_named(pace)});
    ASSERT_TRUE(made.has_value()) << made.error().message;
    cloud = *std::move(made);
    http = std::make_unique<LoopbackTransport>(*cloud);
  }

  aws::Client client(const std::string& key = "emulator", const std::string& secret = "emulator",
                     const std::string& region = "us-east-1") {
    return {*http,
            clock,
            random,
            log,
            {.region = region,
             .credentials = {.access_key_id = key, .secret_access_key = Secret{secret}},
             .ec2_endpoint = "http://127.0.0.1:1",
             .ssm_endpoint = "http://127.0.0.1:1",
             .sts_endpoint = "http://127.0.0.1:1",
             .retry = {.attempts = 1}}};
  }

  template <class Operation>
  Result<typename Operation::Response> call(const typename Operation::Request& request) {
    auto aws = client();
    if constexpr (aws::only_reads(Operation::info.name)) {
      return aws.template call<Operation>(request);
    } else {
      return aws.template change<Operation>(request);
    }
  }

  void settle(milliseconds time = milliseconds{3'000}) {
    for (auto left = time; left.count() > 0; left -= milliseconds{50}) {
      cloud->wait_until_idle();
      clock.advance(milliseconds{50});
      cloud->tick();
    }
    cloud->wait_until_idle();
  }

  std::string volume() {
    const auto made = call<wire::CreateVolume>({.availability_zone = "us-east-1a", .size = 1});
    settle();
    return made->volume_id;
  }

  std::string instance() {
    const auto made = call<wire::RunInstances>(
        {.image_id = "ami-01234567", .instance_type = "t3.micro", .min_count = 1, .max_count = 1});
    settle();
    return made->instances.front().instance_id;
  }

  std::string seen(const std::string& id) {
    const auto answer = call<wire::DescribeVolumes>({.volume_ids = {id}});
    if (!answer) return answer.error().remote->code;
    const auto& volume = answer->volumes.front();
    return volume.state +
           (volume.attachments.empty() ? "" : " " + volume.attachments.front().state);
  }

  // Sends a command that prints "x". Its id.
  std::string send(const std::vector<std::string>& instances) {
    const auto sent = call<aws::ssm::SendCommand>({.instance_ids = instances,
                                                   .document_name = "AWS-RunShellScript",
                                                   .parameters = {{"commands", {"x"}}}});
    EXPECT_TRUE(sent.has_value()) << sent.error().message;
    return sent ? sent->command->command_id : "";
  }

  std::string status_of(const std::string& command, const std::string& instance_id,
                        bool when_idle = false) {
    if (when_idle) cloud->wait_until_idle();
    return call<aws::ssm::GetCommandInvocation>({.command_id = command, .instance_id = instance_id})
        ->status;
  }

  template <class T>
  static std::string code_of(const Result<T>& result) {
    return result || !result.error().remote ? "" : result.error().remote->code;
  }

  FakeClock clock;
  SeededRandom random{1};
  NoLog log;
  KeptEvents events;
  std::shared_ptr<FakeBench> bench = std::make_shared<FakeBench>();
  FakeStore::Disk disk;
  std::unique_ptr<Cloud> cloud;
  std::unique_ptr<LoopbackTransport> http;
};

TEST_F(CloudTest, AVolumeGoesToAMachineAndBack) {
  open();
  const auto v = volume();
  const auto i = instance();
  EXPECT_EQ(seen(v), "available");
  ASSERT_TRUE(call<wire::AttachVolume>({.volume_id = v, .instance_id = i, .device = "/dev/sdf"})
                  .has_value());
  EXPECT_EQ(seen(v), "in-use attaching");
  settle();
  EXPECT_EQ(seen(v), "in-use attached");
  EXPECT_TRUE(bench->has(bench->plugged, v + " " + i));
  bench->put(bench->held_open, v);
  ASSERT_TRUE(call<wire::DetachVolume>({.volume_id = v}).has_value());
  settle();
  EXPECT_EQ(seen(v), "in-use busy");
  bench->drop(bench->held_open, v);
  settle();
  EXPECT_EQ(seen(v), "available");
  EXPECT_FALSE(bench->has(bench->plugged, v + " " + i));
}

TEST_F(CloudTest, ATickIsEnoughForWhatNobodyAsksAfter) {
  open();
  const auto i = instance();
  ASSERT_TRUE(call<wire::TerminateInstances>({.instance_ids = {i}}).has_value());
  EXPECT_TRUE(bench->has(bench->running, i));
  settle();
  EXPECT_FALSE(bench->has(bench->running, i));
}

TEST_F(CloudTest, AtInstantPaceTheNextReadSeesTheEnd) {
  open("instant");
  const auto made = call<wire::CreateVolume>({.availability_zone = "us-east-1a", .size = 1});
  EXPECT_EQ(made->state, "creating");
  EXPECT_EQ(seen(made->volume_id), "available");
  const auto started = call<wire::RunInstances>(
      {.image_id = "ami-01234567", .instance_type = "t3.nano", .min_count = 1, .max_count = 1});
  const auto i = started->instances.front().instance_id;
  ASSERT_TRUE(call<wire::AttachVolume>(
                  {.volume_id = made->volume_id, .instance_id = i, .device = "/dev/sdf"})
                  .has_value());
  EXPECT_EQ(seen(made->volume_id), "in-use attached");
  ASSERT_TRUE(call<wire::DetachVolume>({.volume_id = made->volume_id}).has_value());
  EXPECT_EQ(seen(made->volume_id), "available");
}

TEST_F(CloudTest, ASnapshotIsTakenBeforeItsAnswer) {
  open();
  const auto v = volume();
  const auto snapshot = call<wire::CreateSnapshot>({.volume_id = v});
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ(snapshot->state, "pending");
  EXPECT_TRUE(bench->has(bench->disks, snapshot->snapshot_id));
}

TEST_F(CloudTest, AFullDiskShowsAsAnErrorOfTheThing) {
  open();
  const auto good = volume();
  bench->put(bench->broken, "create");
  EXPECT_EQ(seen(volume()), "error");
  bench->put(bench->broken, "snapshot");
  const auto snapshot = call<wire::CreateSnapshot>({.volume_id = good});
  const auto listed = call<wire::DescribeSnapshots>({.snapshot_ids = {snapshot->snapshot_id}});
  EXPECT_EQ(listed->snapshots.front().state, "error");
  EXPECT_EQ(listed->snapshots.front().state_message, "the snapshot was told to fail");
}

TEST_F(CloudTest, EverythingIsThereAfterARestart) {
  open();
  const auto v = volume();
  const auto i = instance();
  const wire::CreateVolumeRequest again{
      .availability_zone = "us-east-1a", .size = 2, .client_token = "token"};
  const auto first = call<wire::CreateVolume>(again);
  ASSERT_TRUE(call<wire::AttachVolume>({.volume_id = v, .instance_id = i, .device = "/dev/sdf"})
                  .has_value());
  settle();
  http.reset();
  cloud.reset();
  EXPECT_FALSE(bench->has(bench->running, i));
  EXPECT_TRUE(bench->plugged.empty());

  open();
  settle();
  EXPECT_EQ(seen(v), "in-use attached");
  EXPECT_TRUE(bench->has(bench->running, i));
  EXPECT_TRUE(bench->has(bench->plugged, v + " " + i));
  EXPECT_EQ(call<wire::CreateVolume>(again)->volume_id, first->volume_id);
}

TEST_F(CloudTest, WhatCannotBeWrittenIsRefusedAndNotRemembered) {
  open();
  const auto v = volume();
  disk.full = true;
  EXPECT_EQ(code_of(call<wire::DeleteVolume>({.volume_id = v})), "InternalError");
  EXPECT_EQ(seen(v), "available");
  EXPECT_EQ(code_of(call<wire::CreateVolume>({.availability_zone = "us-east-1a", .size = 1})),
            "InternalError");
  EXPECT_EQ(call<wire::DescribeVolumes>({})->volumes.size(), 1U);
  disk.full = false;
  EXPECT_EQ(code_of(call<wire::DeleteVolume>({.volume_id = v})), "");
  settle();
  EXPECT_TRUE(disk.rows.empty());
}

TEST_F(CloudTest, AFullDiskDoesNotStopReading) {
  open();
  const auto v = volume();
  ASSERT_TRUE(call<wire::CreateSnapshot>({.volume_id = v}).has_value());
  disk.full = true;
  clock.advance(milliseconds{10'000});
  EXPECT_EQ(call<wire::DescribeSnapshots>({})->snapshots.front().state, "pending");
  disk.full = false;
  EXPECT_EQ(call<wire::DescribeSnapshots>({})->snapshots.front().state, "completed");
}

TEST_F(CloudTest, WhatTheHardwareDidIsWrittenOnceThereIsRoom) {
  open();
  const auto made = call<wire::CreateVolume>({.availability_zone = "us-east-1a", .size = 1});
  disk.full = true;
  settle();
  disk.full = false;
  settle();
  EXPECT_EQ(seen(made->volume_id), "available");
  ASSERT_EQ(disk.rows.size(), 1U);
  EXPECT_NE(disk.rows.begin()->second.json.find("\"state\":\"available\""), std::string::npos);
}

TEST_F(CloudTest, ARowThatCannotBeReadStopsTheStart) {
  disk.rows["x"] = {.key = {.place = "1/us-east-1", .kind = "volume", .id = "vol-01234567"},
                    .json = R"({"size":1})"};
  auto made = Cloud::open({.clock = clock,
                           .random = random,
                           .events = events,
                           .hardware = fake_hardware(bench),
                           .store = std::make_unique<FakeStore>(disk),
                           .pace = *pace_named("fast")});
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, Errc::corrupt);
}

TEST_F(CloudTest, AccountsAndRegionsSeeTheirOwn) {
  open();
  const auto v = volume();
  EXPECT_TRUE(client("other").call<wire::DescribeVolumes>({})->volumes.empty());
  EXPECT_TRUE(
      client("emulator", "emulator", "eu-west-1").call<wire::DescribeVolumes>({})->volumes.empty());
  EXPECT_EQ(code_of(client("other").change<wire::DeleteVolume>({.volume_id = v})),
            "InvalidVolume.NotFound");
  EXPECT_NE(client("a").call<aws::sts::GetCallerIdentity>({})->account,
            client("b").call<aws::sts::GetCallerIdentity>({})->account);
}

TEST_F(CloudTest, AWrongSignatureIsRefusedAsEachServiceDoes) {
  open();
  const auto ec2 = client("emulator", "wrong").call<wire::DescribeVolumes>({});
  EXPECT_EQ(code_of(ec2), "AuthFailure");
  EXPECT_EQ(ec2.error().remote->http_status, 401);
  const auto sts = client("emulator", "wrong").call<aws::sts::GetCallerIdentity>({});
  EXPECT_EQ(code_of(sts), "SignatureDoesNotMatch");
  EXPECT_EQ(sts.error().remote->http_status, 403);
  const auto ssm = client("emulator", "wrong").call<aws::ssm::DescribeInstanceInformation>({});
  EXPECT_EQ(code_of(ssm), "InvalidSignatureException");
  EXPECT_EQ(ssm.error().remote->http_status, 400);
}

TEST_F(CloudTest, AnOldSignatureHasExpired) {
  open();
  HttpRequest request{.method = "POST",
                      .url = "http://127.0.0.1:1/",
                      .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                      .body = "Action=DescribeVolumes&Version=2016-11-15"};
  request = aws::sign_v4(request, {.access_key_id = "k", .secret_access_key = Secret{"emulator"}},
                         {.region = "us-east-1", .service = "ec2"}, clock.now());
  EXPECT_EQ(cloud->handle(request).response.status, 200);
  clock.advance(std::chrono::minutes{16});
  const auto late = cloud->handle(request).response;
  EXPECT_EQ(late.status, 400);
  EXPECT_NE(late.body.find("<Code>RequestExpired</Code>"), std::string::npos);
}

TEST_F(CloudTest, WhateverComesInGetsAnAnswer) {
  open();
  const aws::Credentials credentials{.access_key_id = "k", .secret_access_key = Secret{"emulator"}};
  for (const std::string& service : {std::string{"ec2"}, std::string{"ssm"}, std::string{"sts"},
                                     std::string{"s3"}, std::string{}}) {
    for (const std::string& body :
         {std::string{}, std::string{"Action="}, std::string{"Action=Nonsense"},
          std::string{"{\"a\":"}, std::string(100, '\0'), std::string{"Action=CreateVolume&Size=x"},
          std::string{"Action=DescribeVolumes&Action=DeleteVolume"}, std::string(5'000, '[')}) {
      HttpRequest request{
          .method = "POST",
          .url = "http://h/",
          .headers = {{"x-amz-target", service == "ssm" ? "AmazonSSM.SendCommand" : ""}},
          .body = body};
      if (service != "ssm") request.headers.clear();
      EXPECT_GE(cloud->handle(request).response.status, 400);  // not signed
      request = aws::sign_v4(request, credentials, {.region = "us-east-1", .service = service},
                             clock.now());
      EXPECT_GE(cloud->handle(request).response.status, 400)
          << service << ": " << body.substr(0, 30);
    }
  }
}

TEST_F(CloudTest, CommandsRunOnMachinesAndAreAskedAfter) {
  open();
  const auto i = instance();
  EXPECT_EQ(
      client().call<aws::ssm::DescribeInstanceInformation>({})->instance_information_list.size(),
      1U);
  bench->run = [](const InstanceId&, const MachineCommand& command, const std::stop_token&) {
    return Result<MachineOutcome>{
        MachineOutcome{.exit_status = 3, .out = command.script + "\xff", .err = "no"}};
  };
  const auto sent = call<aws::ssm::SendCommand>({.instance_ids = {i},
                                                 .document_name = "AWS-RunShellScript",
                                                 .parameters = {{"commands", {"a", "b"}}}});
  ASSERT_TRUE(sent.has_value());
  settle();
  const auto seen = call<aws::ssm::GetCommandInvocation>(
      {.command_id = sent->command->command_id, .instance_id = i});
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->status, "Failed");
  EXPECT_EQ(seen->response_code, 3);
  EXPECT_EQ(seen->standard_output_content, "a\nb\xEF\xBF\xBD");
}

TEST_F(CloudTest, ARunningCommandHoldsNobodyUp) {
  open();
  const auto i = instance();
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  bench->run = [released](const InstanceId&, const MachineCommand&, const std::stop_token&) {
    released.wait();
    return Result<MachineOutcome>{MachineOutcome{.exit_status = 0}};
  };
  const auto send = [&] {
    return call<aws::ssm::SendCommand>({.instance_ids = {i},
                                        .document_name = "AWS-RunShellScript",
                                        .parameters = {{"commands", {"sleep"}}}})
        ->command->command_id;
  };
  const auto status = [&](const std::string& id) {
    return call<aws::ssm::GetCommandInvocation>({.command_id = id, .instance_id = i})->status;
  };
  const auto one = send();
  const auto two = send();
  while (status(one) != "InProgress" || status(two) != "InProgress") std::this_thread::yield();
  EXPECT_EQ(
      call<aws::ssm::GetCommandInvocation>({.command_id = one, .instance_id = i})->response_code,
      -1);
  EXPECT_EQ(code_of(call<wire::DescribeVolumes>({})), "");
  release.set_value();
  settle();
  EXPECT_EQ(status(one), "Success");
  EXPECT_EQ(status(two), "Success");
}

// Runs until it is told to stop.
Result<MachineOutcome> run_for_ever(const InstanceId&, const MachineCommand&,
                                    const std::stop_token& stop) {
  while (!stop.stop_requested()) std::this_thread::yield();
  return fail(Errc::cancelled, "stopped");
}

TEST_F(CloudTest, ACancelledCommandEndsAndIsListed) {
  open();
  const auto one = instance();
  const auto two = instance();
  bench->run = run_for_ever;
  const auto command = send({one, two});
  // How many of the invocations that the request finds have the status.
  const auto count = [&](std::string_view status,
                         const aws::ssm::ListCommandInvocationsRequest& request) {
    const auto found = call<aws::ssm::ListCommandInvocations>(request);
    EXPECT_TRUE(found.has_value()) << found.error().message;
    return std::ranges::count(found->command_invocations, status,
                              &aws::ssm::CommandInvocation::status);
  };
  while (count("InProgress", {.command_id = command}) != 2) std::this_thread::yield();
  ASSERT_TRUE(call<aws::ssm::CancelCommand>({.command_id = command, .instance_ids = {one}}));
  while (count("Cancelled", {.instance_id = one}) != 1) std::this_thread::yield();
  EXPECT_EQ(count("InProgress", {.instance_id = two}), 1);
  EXPECT_EQ(count("InProgress", {.filters = {{.key = "ExecutionStage", .value = "Executing"}}}), 1);
  EXPECT_EQ(count("Cancelled", {.filters = {{.key = "ExecutionStage", .value = "Executing"}}}), 0);
  ASSERT_TRUE(call<aws::ssm::CancelCommand>({.command_id = command}));
  settle();
  EXPECT_EQ(count("Cancelled", {.filters = {{.key = "Status", .value = "Cancelled"}}}), 2);
  EXPECT_TRUE(call<aws::ssm::CancelCommand>({.command_id = command})) << "nothing is left to end";
  const auto refused = [&](const aws::ssm::CancelCommandRequest& request) {
    return code_of(call<aws::ssm::CancelCommand>(request));
  };
  EXPECT_EQ(refused({.command_id = std::string(36, '0')}), "InvalidCommandId");
  EXPECT_EQ(refused({.command_id = command, .instance_ids = {"i-0123456789abcdef0"}}),
            "InvalidInstanceId");
  EXPECT_EQ(code_of(call<aws::ssm::ListCommandInvocations>(
                {.filters = {{.key = "Colour", .value = "red"}}})),
            "InvalidFilterKey");
}

TEST_F(CloudTest, InvocationsComeInPagesTheNewestFirst) {
  open();
  const auto i = instance();
  std::vector<std::string> sent;
  for (int n = 0; n < 5; ++n) {
    sent.insert(sent.begin(), send({i}));
    settle(milliseconds{100});
  }
  std::vector<std::string> seen;
  aws::ssm::ListCommandInvocationsRequest request{.max_results = 2, .details = true};
  do {
    const auto page = call<aws::ssm::ListCommandInvocations>(request);
    ASSERT_TRUE(page.has_value());
    EXPECT_LE(page->command_invocations.size(), 2U);
    for (const auto& found : page->command_invocations) {
      seen.push_back(found.command_id);
      ASSERT_EQ(found.command_plugins.size(), 1U);
      EXPECT_EQ(found.command_plugins.front().output, "x");
    }
    request.next_token = page->next_token;
  } while (!request.next_token.empty());
  EXPECT_EQ(seen, sent);
}

TEST_F(CloudTest, AnAgentThatIsOfflineTakesNoCommand) {
  open();
  const auto i = instance();
  const auto ping = [&] {
    return call<aws::ssm::DescribeInstanceInformation>({})
        ->instance_information_list.front()
        .ping_status;
  };
  EXPECT_EQ(ping(), "Online");
  cloud->faults().add(*parse_fault(std::vector<std::string>{i, "agent-offline"}));
  EXPECT_EQ(ping(), "ConnectionLost");
  EXPECT_EQ(code_of(call<aws::ssm::SendCommand>({.instance_ids = {i},
                                                 .document_name = "AWS-RunShellScript",
                                                 .parameters = {{"commands", {"x"}}}})),
            "InvalidInstanceId");
  cloud->faults().remove(i);
  EXPECT_EQ(ping(), "Online");
}

TEST_F(CloudTest, ASlowAgentFetchesItsCommandLaterOrTooLate) {
  open();
  const auto i = instance();
  const auto began = clock.now();
  cloud->faults().add(*parse_fault(std::vector<std::string>{i, "agent-slow", "ms=20000"}));
  const auto slow = send({i});
  cloud->wait_until_idle();
  EXPECT_EQ(status_of(slow, i), "Success");
  EXPECT_GE(clock.now() - began, milliseconds{20'000});
  cloud->faults().add(*parse_fault(std::vector<std::string>{i, "agent-slow", "ms=20000"}));
  const auto late = call<aws::ssm::SendCommand>({.instance_ids = {i},
                                                 .document_name = "AWS-RunShellScript",
                                                 .timeout_seconds = 30,
                                                 .parameters = {{"commands", {"x"}}}})
                        ->command->command_id;
  cloud->wait_until_idle();
  EXPECT_EQ(
      call<aws::ssm::GetCommandInvocation>({.command_id = late, .instance_id = i})->status_details,
      "Delivery Timed Out");
}

TEST_F(CloudTest, AMachineThatLosesItsPowerStopsKeepsItsVolumesAndStartsAgain) {
  open();
  const auto v = volume();
  const auto i = instance();
  ASSERT_TRUE(call<wire::AttachVolume>({.volume_id = v, .instance_id = i, .device = "/dev/sdf"}));
  settle();
  bench->run = run_for_ever;
  (void)send({i});
  ASSERT_TRUE(cloud->cut_power(i).has_value());
  EXPECT_FALSE(bench->has(bench->running, i));
  const auto seen_instance =
      call<wire::DescribeInstances>({.instance_ids = {i}})->reservations.front().instances.front();
  EXPECT_EQ(seen_instance.state->name, "stopped");
  EXPECT_EQ(seen_instance.state_reason->code, "Server.InternalError");
  EXPECT_EQ(seen(v), "in-use attached");
  EXPECT_EQ(cloud->cut_power(i).error().code, Errc::conflict);
  EXPECT_EQ(cloud->cut_power("i-0123456789abcdef0").error().code, Errc::not_found);
  EXPECT_EQ(cloud->cut_power("vol-1").error().code, Errc::invalid_argument);
  ASSERT_TRUE(call<wire::StartInstances>({.instance_ids = {i}}));
  clock.advance(milliseconds{1'000});
  cloud->tick();
  while (!bench->has(bench->plugged, v + " " + i)) std::this_thread::yield();
}

TEST_F(CloudTest, ASpotMachineIsInterruptedThoughTheEmulatorStartsAnewBefore) {
  open();
  const auto made = call<wire::RunInstances>(
      {.image_id = "ami-01234567",
       .instance_type = "t3.micro",
       .min_count = 1,
       .max_count = 1,
       .instance_market_options = wire::InstanceMarketOptionsRequest{.market_type = "spot"}});
  settle();
  const std::string i = made->instances.front().instance_id;
  EXPECT_EQ(cloud->give_notice(instance(), milliseconds{1}).error().code, Errc::conflict);
  ASSERT_TRUE(cloud->give_notice("*", milliseconds{60'000}).has_value());
  EXPECT_EQ(cloud->give_notice(i, milliseconds{1}).error().code, Errc::conflict) << "it has one";
  EXPECT_EQ(cloud->give_notice("*", milliseconds{1}).error().code, Errc::not_found);
  EXPECT_EQ(cloud->give_notice("i-0123456789abcdef0", milliseconds{1}).error().code,
            Errc::not_found);
  clock.advance(milliseconds{20'000});
  cloud.reset();
  open();
  settle();
  ASSERT_EQ(cloud->interruptions().size(), 1U);
  EXPECT_EQ(cloud->interruptions().front().action, i);
  EXPECT_LE(cloud->interruptions().front().duration, milliseconds{40'000});
  EXPECT_TRUE(bench->has(bench->running, i));
  clock.advance(milliseconds{40'000});
  settle();
  EXPECT_FALSE(bench->has(bench->running, i));
  const auto gone =
      call<wire::DescribeInstances>({.instance_ids = {i}})->reservations.front().instances.front();
  EXPECT_EQ(gone.state->name, "terminated");
  EXPECT_EQ(gone.state_reason->code, "Server.SpotInstanceTermination");
  EXPECT_TRUE(cloud->interruptions().empty());
}

TEST_F(CloudTest, AnInterruptionCanBeTakenBackUntilItHappens) {
  open();
  const auto made = call<wire::RunInstances>(
      {.image_id = "ami-01234567",
       .instance_type = "t3.micro",
       .min_count = 1,
       .max_count = 1,
       .instance_market_options = wire::InstanceMarketOptionsRequest{
           .market_type = "spot",
           .spot_options = wire::SpotMarketOptions{.spot_instance_type = "persistent",
                                                   .instance_interruption_behavior = "stop"}}});
  settle();
  const std::string i = made->instances.front().instance_id;
  ASSERT_TRUE(cloud->give_notice(i, milliseconds{60'000}).has_value());
  ASSERT_TRUE(cloud->take_back_interruptions(i).has_value());
  EXPECT_TRUE(cloud->interruptions().empty());
  clock.advance(milliseconds{60'000});
  settle();
  EXPECT_TRUE(bench->has(bench->running, i));
  ASSERT_TRUE(cloud->give_notice(i, milliseconds{0}).has_value());
  settle();
  EXPECT_FALSE(bench->has(bench->running, i));
  EXPECT_EQ(code_of(call<wire::StartInstances>({.instance_ids = {i}})),
            "IncorrectSpotRequestState");
  EXPECT_EQ(cloud->interruptions().size(), 1U) << "there is still no capacity";
  ASSERT_TRUE(cloud->take_back_interruptions("*").has_value());
  settle();
  EXPECT_TRUE(bench->has(bench->running, i)) << "EC2 starts it by itself";
}

TEST_F(CloudTest, AMachineWhosePowerCannotBeCutRunsOn) {
  open();
  const auto i = instance();
  bench->put(bench->broken, "cut-power");
  EXPECT_EQ(cloud->cut_power(i).error().code, Errc::internal);
  EXPECT_TRUE(bench->has(bench->running, i));
  EXPECT_EQ(status_of(send({i}), i, true), "Success");
}

TEST_F(CloudTest, AVolumeCanBeTakenFromAMachineThatDoesNotComeUp) {
  open();
  const auto v = volume();
  const auto i = instance();
  ASSERT_TRUE(call<wire::AttachVolume>({.volume_id = v, .instance_id = i, .device = "/dev/sdf"}));
  settle();
  bench->put(bench->broken, "boot");
  ASSERT_TRUE(call<wire::RebootInstances>({.instance_ids = {i}}));
  settle();
  EXPECT_EQ(code_of(call<aws::ssm::SendCommand>({.instance_ids = {i},
                                                 .document_name = "AWS-RunShellScript",
                                                 .parameters = {{"commands", {"x"}}}})),
            "InvalidInstanceId");
  ASSERT_TRUE(call<wire::DetachVolume>({.volume_id = v, .force = true}));
  settle();
  EXPECT_EQ(seen(v), "available");
}

TEST_F(CloudTest, AMachineIsToldWhereToAskAboutItselfAndIsAnswered) {
  open();
  const auto i = instance();
  cloud->serve_metadata("http://127.0.0.1:4599", "secret");
  bench->run = [](const InstanceId&, const MachineCommand& command, const std::stop_token&) {
    return Result<MachineOutcome>{
        MachineOutcome{.exit_status = 0, .out = command.environment.front()}};
  };
  const auto command = send({i});
  cloud->wait_until_idle();
  const auto seen_command =
      call<aws::ssm::GetCommandInvocation>({.command_id = command, .instance_id = i});
  EXPECT_EQ(seen_command->standard_output_content,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:4599/_runctl/machines/" + i + "/");
  const auto ask = [&](const std::string& of, const HttpRequest& request) {
    return cloud->metadata(request, {.instance = of, .path = request.url});
  };
  const HttpRequest wants_token{
      .method = "PUT",
      .url = "/latest/api/token",
      .headers = {{.name = "x-aws-ec2-metadata-token-ttl-seconds", .value = "60"}}};
  const HttpRequest wants_id{
      .url = "/latest/meta-data/instance-id",
      .headers = {{.name = "x-aws-ec2-metadata-token", .value = ask(i, wants_token).body}}};
  EXPECT_EQ(ask(i, wants_id).body, i);
  EXPECT_EQ(ask("i-0123456789abcdef0", wants_token).status, 404);
  EXPECT_EQ(ask("x", wants_token).status, 404);
  ASSERT_TRUE(cloud->cut_power(i).has_value());
  EXPECT_EQ(ask(i, wants_id).status, 404) << "it is off";
}

TEST_F(CloudTest, TheEventLogTellsWhatTheHardwareDid) {
  open();
  const auto v = volume();
  const auto i = instance();
  ASSERT_TRUE(call<wire::AttachVolume>({.volume_id = v, .instance_id = i, .device = "/dev/sdf"}));
  settle();
  ASSERT_TRUE(call<wire::DetachVolume>({.volume_id = v}));
  settle();
  ASSERT_TRUE(cloud->cut_power(i).has_value());
  EXPECT_EQ(events.effects(),
            (std::vector<std::string>{"create-disk " + v, "boot " + i, "plug " + v + " " + i,
                                      "unplug " + v + " " + i, "cut-power " + i}));
}

TEST_F(CloudTest, CommandsAreRefusedInSsmsWords) {
  open();
  const auto i = instance();
  const auto refused = [&](aws::ssm::SendCommandRequest request) {
    if (request.document_name.empty()) request.document_name = "AWS-RunShellScript";
    if (request.instance_ids.empty()) request.instance_ids = {i};
    return code_of(call<aws::ssm::SendCommand>(request));
  };
  EXPECT_EQ(refused({}), "InvalidParameters");
  EXPECT_EQ(refused({.parameters = {{"commands", {"x"}}, {"shell", {"zsh"}}}}),
            "InvalidParameters");
  EXPECT_EQ(refused({.parameters = {{"commands", {"x"}}, {"executionTimeout", {"0"}}}}),
            "InvalidParameters");
  EXPECT_EQ(refused({.parameters = {{"commands", {std::string(70'000, 'x')}}}}),
            "MaxDocumentSizeExceeded");
  EXPECT_EQ(refused({.instance_ids = {"i-0123456789abcdef0"}, .parameters = {{"commands", {"x"}}}}),
            "InvalidInstanceId");
  EXPECT_EQ(refused({.document_name = "AWS-RunPython", .parameters = {{"commands", {"x"}}}}),
            "InvalidDocument");
  EXPECT_EQ(code_of(call<aws::ssm::GetCommandInvocation>(
                {.command_id = "8c5f8a0e-0000-4000-8000-000000000000", .instance_id = i})),
            "InvocationDoesNotExist");
}

TEST_F(CloudTest, ManyClientsAtOnceNeverShareAVolume) {
  open("instant");
  const auto v = volume();
  std::vector<std::string> machines;
  for (int n = 0; n < 4; ++n) machines.push_back(instance());
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> threads;
    for (const auto& machine : machines) {
      threads.emplace_back([&] {
        const auto attached = call<wire::AttachVolume>(
            {.volume_id = v, .instance_id = machine, .device = "/dev/sdf"});
        if (attached) ++won;
      });
    }
  }
  EXPECT_EQ(won, 1);
}

TEST(SqliteStore, KeepsRowsAndRefusesWhatIsNotItsOwn) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("runctl-store-{}", ::getpid());
  fs::remove_all(folder);
  fs::create_directories(folder);
  const RowKey key{.place = "1/us-east-1", .kind = "volume", .id = "vol-1"};
  {
    auto store = open_sqlite_store(folder / "state");
    ASSERT_TRUE(store.has_value());
    const std::vector<RowChange> changes{{.key = key, .json = "{\"a\":\"\\u0000'\"}"}};
    ASSERT_TRUE((*store)->apply(changes).has_value());
  }
  auto store = open_sqlite_store(folder / "state");
  ASSERT_TRUE(store.has_value());
  const auto rows = (*store)->load();
  ASSERT_EQ(rows->size(), 1U);
  EXPECT_EQ(rows->front().json, "{\"a\":\"\\u0000'\"}");
  const std::vector<RowChange> gone{{.key = key, .json = std::nullopt}};
  ASSERT_TRUE((*store)->apply(gone).has_value());
  EXPECT_TRUE((*store)->load()->empty());

  const std::string foreign =
      "this is no database, and long enough to be taken for one of another kind: ";
  ASSERT_TRUE(
      write_file_atomically(folder / "foreign", foreign + std::string(5'000, 'x')).has_value());
  const auto refused = open_sqlite_store(folder / "foreign");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_EQ(read_file(folder / "foreign")->substr(0, foreign.size()), foreign);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace runctl::emulator
