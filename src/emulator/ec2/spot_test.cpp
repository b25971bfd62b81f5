#include <gtest/gtest.h>

#include "emulator/ec2/catalogue.hpp"
#include "emulator/ec2/spot_prices.hpp"
#include "emulator/ec2/spot_rules.hpp"
#include "emulator/ec2/spot_steps.hpp"
#include "emulator/ec2/test_bench.hpp"

namespace runctl::emulator::ec2 {
namespace {

using std::chrono::milliseconds;

const wire::SpotMarketOptions stops{.spot_instance_type = "persistent",
                                    .instance_interruption_behavior = "stop"};

class SpotTest : public testing::Test {
 protected:
  Result<wire::Reservation> run(const wire::SpotMarketOptions& options,
                                const std::string& market = "spot") {
    Turn turn = bench.turn();
    return run_instances(turn, {.image_id = "ami-01234567",
                                .instance_type = "m5.large",
                                .min_count = 1,
                                .max_count = 1,
                                .instance_market_options = wire::InstanceMarketOptionsRequest{
                                    .market_type = market, .spot_options = options}});
  }
  InstanceId running(const wire::SpotMarketOptions& options = {}) {
    const auto made = run(options);
    bench.settle();
    return *InstanceId::parse(made->instances.front().instance_id);
  }
  [[nodiscard]] const Instance& look(const InstanceId& id) const {
    return *bench.state.instances.find(id);
  }
  // "active fulfilled"
  [[nodiscard]] std::string request_of(const InstanceId& id) const {
    const SpotRequest& request = *spot_request_of(bench.state, look(id));
    return std::string{name_of(request.state)} + " " + request.code;
  }
  Result<void> notify(const InstanceId& id, milliseconds left = milliseconds{1'000}) {
    Turn turn = bench.turn();
    return give_notice(turn, id, left);
  }
  std::string stop(const InstanceId& id) {
    Turn turn = bench.turn();
    const std::string code = code_of(stop_instances(turn, {.instance_ids = {id.str()}}));
    bench.settle();
    return code;
  }
  std::string start(const InstanceId& id) {
    Turn turn = bench.turn();
    const std::string code = code_of(start_instances(turn, {.instance_ids = {id.str()}}));
    bench.settle();
    return code;
  }

  TestBench bench;
};

TEST_F(SpotTest, AnInstanceSaysThatItIsOne) {
  const InstanceId id = running();
  const std::string on_demand = bench.instance();
  Turn turn = bench.turn();
  const auto found =
      describe_instances(turn, {.filters = {{.name = "instance-lifecycle", .values = {"spot"}}}});
  ASSERT_EQ(found->reservations.size(), 1U);
  const wire::Instance& seen = found->reservations.front().instances.front();
  EXPECT_EQ(seen.instance_id, id.str());
  EXPECT_EQ(seen.instance_lifecycle, "spot");
  EXPECT_TRUE(seen.spot_instance_request_id.starts_with("sir-"));
  EXPECT_EQ(name_of(look(*InstanceId::parse(on_demand)).state), "running");
  EXPECT_EQ(look(*InstanceId::parse(on_demand)).spot_request, std::nullopt);
  EXPECT_EQ(request_of(id), "active fulfilled");
}

TEST_F(SpotTest, WhatEc2DoesNotTakeIsRefused) {
  const auto refused = [&](const wire::SpotMarketOptions& options) {
    return code_of(run(options));
  };
  EXPECT_EQ(refused({.spot_instance_type = "persistent"}), "InvalidParameterCombination");
  EXPECT_EQ(refused({.spot_instance_type = "sometimes"}), "InvalidParameterValue");
  for (const char* const behavior : {"stop", "hibernate"}) {
    EXPECT_EQ(refused({.instance_interruption_behavior = behavior}), "InvalidParameterCombination");
    EXPECT_EQ(
        refused({.spot_instance_type = "persistent", .instance_interruption_behavior = behavior}),
        "");
  }
  EXPECT_EQ(refused({.instance_interruption_behavior = "sleep"}), "InvalidParameterValue");
  EXPECT_EQ(refused({.valid_until = bench.now + std::chrono::hours{1}}),
            "InvalidParameterCombination");
  wire::SpotMarketOptions limited = stops;
  limited.valid_until = bench.now;
  EXPECT_EQ(refused(limited), "InvalidParameterValue");
  for (const char* const price : {"0.001", "0", "-1", "x", "1e9", "1.5x", "inf", "nan"}) {
    EXPECT_EQ(refused({.max_price = price}), "InvalidParameterValue") << price;
  }
  EXPECT_EQ(refused({.max_price = "7.5"}), "");
  // m5.large costs 0.0960 on demand, and three tenths of that in the first zone.
  EXPECT_EQ(refused({.max_price = "0.0288"}), "");
  EXPECT_EQ(refused({.max_price = "0.0287"}), "SpotMaxPriceTooLow");
  EXPECT_EQ(code_of(run({}, "")), "MissingParameter");
  EXPECT_EQ(code_of(run({}, "flea")), "InvalidParameterValue");
  EXPECT_EQ(code_of(run({}, "capacity-block")), "UnsupportedOperation");
}

TEST_F(SpotTest, TheRequestHasTagsOfItsOwn) {
  const std::vector<wire::TagSpecification> tags{
      {.resource_type = "spot-instances-request", .tags = {{.key = "a", .value = "b"}}}};
  wire::RunInstancesRequest request{
      .image_id = "ami-01234567",
      .instance_type = "m5.large",
      .min_count = 1,
      .max_count = 1,
      .instance_market_options = wire::InstanceMarketOptionsRequest{.market_type = "spot"},
      .tag_specifications = tags};
  Turn turn = bench.turn();
  ASSERT_EQ(code_of(run_instances(turn, request)), "");
  EXPECT_EQ(bench.state.spot_requests.all().begin()->second.tags, (Tags{{"a", "b"}}));
  EXPECT_TRUE(bench.state.instances.all().begin()->second.tags.empty());
  request.instance_market_options.reset();
  EXPECT_EQ(code_of(run_instances(turn, request)), "InvalidParameterValue");
}

TEST_F(SpotTest, AnInterruptionEndsTheInstanceAndLeavesItsVolumes) {
  const auto kept = bench.volume();
  const InstanceId id = running();
  ASSERT_TRUE(bench.attach(kept, id.str()).has_value());
  bench.settle();
  ASSERT_TRUE(notify(id).has_value());
  EXPECT_EQ(request_of(id), "active marked-for-termination");
  EXPECT_EQ(notice_of(bench.state, look(id))->time, bench.now + milliseconds{1'000});
  EXPECT_EQ(next_due(bench.state), bench.now + milliseconds{1'000});
  bench.pass(milliseconds{999});
  EXPECT_EQ(name_of(look(id).state), "running");
  bench.pass(milliseconds{1});
  EXPECT_EQ(name_of(look(id).state), "shutting-down");
  EXPECT_FALSE(notice_of(bench.state, look(id)).has_value());
  bench.settle();
  EXPECT_EQ(name_of(look(id).state), "terminated");
  EXPECT_EQ(look(id).reason_code, "Server.SpotInstanceTermination");
  EXPECT_TRUE(look(id).reason.starts_with("Service initiated (")) << look(id).reason;
  EXPECT_EQ(request_of(id), "closed instance-terminated-no-capacity");
  EXPECT_EQ(bench.seen(kept), "available");
}

TEST_F(SpotTest, WhatIsToBeStoppedIsStoppedUntilThereIsCapacityAgain) {
  const auto held = bench.volume();
  const InstanceId id = running(stops);
  ASSERT_TRUE(bench.attach(held, id.str()).has_value());
  bench.settle();
  ASSERT_TRUE(notify(id).has_value());
  EXPECT_EQ(request_of(id), "active marked-for-stop");
  bench.pass(milliseconds{1'000});
  EXPECT_EQ(name_of(look(id).state), "stopping");
  bench.settle();
  EXPECT_EQ(name_of(look(id).state), "stopped");
  EXPECT_EQ(look(id).reason_code, "Server.SpotInstanceShutdown");
  EXPECT_EQ(request_of(id), "disabled instance-stopped-no-capacity");
  EXPECT_EQ(bench.seen(held), "in-use attached");
  EXPECT_EQ(start(id), "IncorrectSpotRequestState") << "only EC2 starts it";
  EXPECT_EQ(interruption_left(look(id), bench.now), milliseconds{0});
  Turn turn = bench.turn();
  take_back_interruption(turn, id);
  bench.settle();
  EXPECT_EQ(name_of(look(id).state), "running");
  EXPECT_EQ(look(id).reason_code, "");
  EXPECT_EQ(request_of(id), "active fulfilled");
}

TEST_F(SpotTest, ANoticeCanBeTakenBack) {
  const InstanceId id = running();
  ASSERT_TRUE(notify(id).has_value());
  Turn turn = bench.turn();
  take_back_interruption(turn, id);
  EXPECT_EQ(request_of(id), "active fulfilled");
  bench.settle(milliseconds{2'000});
  EXPECT_EQ(name_of(look(id).state), "running");
}

TEST_F(SpotTest, ANoticeIsForSpotInstancesThatRun) {
  const InstanceId on_demand = *InstanceId::parse(bench.instance());
  EXPECT_EQ(notify(on_demand).error().code, Errc::conflict);
  EXPECT_NE(notify(on_demand).error().message.find("on-demand"), std::string::npos);
  EXPECT_EQ(notify(*InstanceId::parse("i-0123456789abcdef0")).error().code, Errc::not_found);
  const InstanceId id = running();
  ASSERT_TRUE(notify(id).has_value());
  EXPECT_EQ(notify(id).error().code, Errc::conflict);
  bench.terminate(id.str());
  bench.settle();
  EXPECT_EQ(notify(id).error().code, Errc::conflict);
  EXPECT_EQ(look(id).reason_code, "Client.UserInitiatedShutdown") << "the user was first";
  EXPECT_EQ(request_of(id), "closed instance-terminated-by-user");
}

TEST_F(SpotTest, OnlyThePersistentCanBeStoppedByTheirUser) {
  EXPECT_EQ(stop(running()), "UnsupportedOperation");
  const InstanceId id = running(stops);
  EXPECT_EQ(stop(id), "");
  EXPECT_EQ(request_of(id), "disabled instance-stopped-by-user");
  EXPECT_FALSE(interruption_left(look(id), bench.now).has_value());
  Turn turn = bench.turn();
  take_back_interruption(turn, id);
  bench.settle();
  EXPECT_EQ(name_of(look(id).state), "stopped") << "it was not EC2 that stopped it";
  EXPECT_EQ(start(id), "");
  EXPECT_EQ(request_of(id), "active fulfilled");
}

TEST_F(SpotTest, RequestsAreDescribedAndCancelledWithoutTheirInstances) {
  const InstanceId id = running(stops);
  const InstanceId other = running({.max_price = "0.5"});
  const std::string sir = *look(id).spot_request;
  Turn turn = bench.turn();
  const auto found = describe_spot_instance_requests(
      turn, {.filters = {{.name = "instance-id", .values = {id.str()}}}});
  ASSERT_EQ(found->spot_instance_requests.size(), 1U);
  const auto& seen = found->spot_instance_requests.front();
  EXPECT_EQ(seen.spot_instance_request_id, sir);
  EXPECT_EQ(seen.type, "persistent");
  EXPECT_EQ(seen.instance_interruption_behavior, "stop");
  EXPECT_EQ(seen.spot_price, "0.0960") << "the on-demand price";
  EXPECT_EQ(seen.launched_availability_zone, "us-east-1a");
  EXPECT_EQ(seen.launch_specification->instance_type, "m5.large");
  const auto all = describe_spot_instance_requests(turn, {});
  EXPECT_EQ(all->spot_instance_requests.size(), 2U);
  EXPECT_EQ(describe_spot_instance_requests(
                turn, {.filters = {{.name = "spot-price", .values = {"0.5"}}}})
                ->spot_instance_requests.front()
                .instance_id,
            other.str());
  EXPECT_EQ(code_of(describe_spot_instance_requests(
                turn, {.spot_instance_request_ids = {"sir-00000000"}})),
            "InvalidSpotInstanceRequestID.NotFound");
  EXPECT_EQ(code_of(cancel_spot_instance_requests(turn, {.spot_instance_request_ids = {"x"}})),
            "InvalidSpotInstanceRequestID.Malformed");
  EXPECT_EQ(code_of(cancel_spot_instance_requests(turn, {})), "MissingParameter");

  const auto cancelled = cancel_spot_instance_requests(turn, {.spot_instance_request_ids = {sir}});
  EXPECT_EQ(cancelled->cancelled_spot_instance_requests.front().state, "cancelled");
  EXPECT_EQ(request_of(id), "cancelled request-canceled-and-instance-running");
  EXPECT_EQ(name_of(look(id).state), "running");
  bench.terminate(id.str());
  bench.settle();
  EXPECT_EQ(request_of(id), "cancelled instance-terminated-by-user");
  bench.pass(std::chrono::hours{2});
  EXPECT_EQ(bench.state.spot_requests.all().size(), 2U) << "it outlives its instance";
}

TEST_F(SpotTest, EveryTypeHasAPriceInEachZone) {
  Turn turn = bench.turn();
  const auto all = describe_spot_price_history(turn, {});
  EXPECT_EQ(all->spot_price_history.size(), 3 * instance_types().size());
  for (const auto& row : all->spot_price_history) {
    EXPECT_GT(std::stod(row.spot_price), 0) << row.instance_type;
    EXPECT_LT(std::stod(row.spot_price),
              0.5 * std::stod(to_text(on_demand_price(row.instance_type))))
        << row.instance_type;
  }
  const auto one = describe_spot_price_history(
      turn, {.instance_types = {"g5.xlarge"}, .availability_zone = "us-east-1b"});
  ASSERT_EQ(one->spot_price_history.size(), 1U);
  EXPECT_EQ(one->spot_price_history.front().spot_price, "0.3521");
  EXPECT_EQ(code_of(describe_spot_price_history(turn, {.instance_types = {"g5"}})),
            "InvalidParameterValue");
  EXPECT_TRUE(describe_spot_price_history(turn, {.product_descriptions = {"Windows"}})
                  ->spot_price_history.empty());
  auto page = describe_spot_price_history(turn, {.max_results = 100});
  EXPECT_EQ(page->spot_price_history.size(), 100U);
  page = describe_spot_price_history(turn, {.max_results = 100, .next_token = page->next_token});
  EXPECT_EQ(page->spot_price_history.size(), all->spot_price_history.size() - 100);
}

TEST_F(SpotTest, ARequestWhoseTimeIsOverStartsNothingAgain) {
  wire::SpotMarketOptions limited = stops;
  limited.valid_until = bench.now + std::chrono::hours{1};
  const InstanceId id = running(limited);
  ASSERT_EQ(next_due(bench.state), limited.valid_until);
  bench.pass(std::chrono::hours{1});
  EXPECT_EQ(request_of(id), "cancelled request-canceled-and-instance-running");
  EXPECT_EQ(name_of(look(id).state), "running");
  EXPECT_EQ(stop(id), "IncorrectSpotRequestState");
  ASSERT_TRUE(notify(id).has_value());
  bench.settle();
  EXPECT_EQ(request_of(id), "cancelled instance-stopped-no-capacity");
  Turn turn = bench.turn();
  take_back_interruption(turn, id);
  EXPECT_EQ(name_of(look(id).state), "stopped");
}

}  // namespace
}  // namespace runctl::emulator::ec2
