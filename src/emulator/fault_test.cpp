#include "emulator/fault.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace runctl::emulator {
namespace {

FaultRule rule_of(const std::string& words) {
  auto rules = parse_faults(words);
  if (!rules || rules->size() != 1) throw std::runtime_error{"not one rule: " + words};
  return rules->front();
}

TEST(ParseFault, ReadsWhatItWrites) {
  for (const char* const words :
       {"AttachVolume drop-reply", "* throttle rate=0.25", "Describe* stale ms=500",
        "CreateVolume fail-after times=3 code=InternalError status=500",
        "RunInstances fail-before skip=2 code=InsufficientInstanceCapacity status=400",
        "AttachVolume stuck-attaching times=1", "DescribeVolumes delay ms=20",
        "DescribeVolumes truncate", "DeleteVolume drop-before", "GetObject reset",
        "PutObject bit-flip rate=0.5", "UploadPart slow times=1 bps=1000",
        "CopyObject fail-before code=InternalError status=200"}) {
    EXPECT_EQ(to_words(rule_of(words)), words);
  }
}

TEST(ParseFault, RefusesWhatItDoesNotKnowAndSaysWhat) {
  const auto refused = [](std::vector<std::string> words) { return parse_fault(words).error(); };
  EXPECT_NE(refused({"AttachVolume", "drop-repl"}).hint.find("drop-reply"), std::string::npos);
  EXPECT_NE(refused({"AttachVolume", "throttle", "rat=1"}).hint.find("rate"), std::string::npos);
  for (const char* const setting : {"rate=2", "rate=-1", "rate=x", "rate=", "rate=nan", "times=-1",
                                    "status=201", "bps=0", "code="}) {
    EXPECT_EQ(refused({"*", "throttle", setting}).code, Errc::invalid_argument) << setting;
  }
  EXPECT_FALSE(parse_fault(std::vector<std::string>{"AttachVolume"}).has_value());
  EXPECT_FALSE(parse_fault(std::vector<std::string>{"AttachVolume", "fail-before"}).has_value());
}

TEST(ParseFault, KnowsWhatIsOfMachines) {
  for (const char* const words :
       {"i-0123456789abcdef0 agent-offline", "* agent-slow ms=3000",
        "i-0123456789abcdef0 power-loss", "i-0123456789abcdef0 spot-interruption ms=20",
        "* spot-interruption ms=0"}) {
    EXPECT_EQ(to_words(rule_of(words)), words);
  }
  EXPECT_EQ(rule_of("i-0123456789abcdef0 spot-interruption").duration, std::chrono::minutes{2});
  const auto refused = [](std::vector<std::string> words) { return parse_fault(words).error(); };
  EXPECT_EQ(refused({"RunInstances", "spot-interruption"}).code, Errc::invalid_argument);
  EXPECT_EQ(refused({"i-0123456789abcdef0", "spot-interruption", "rate=0.5"}).code,
            Errc::invalid_argument);
  EXPECT_EQ(refused({"AttachVolume", "agent-offline"}).code, Errc::invalid_argument);
  EXPECT_EQ(refused({"*", "power-loss"}).code, Errc::invalid_argument) << "one machine at a time";
  EXPECT_EQ(refused({"i-0123456789abcdef0", "throttle"}).code, Errc::invalid_argument);
  EXPECT_EQ(refused({"i-0123456789abcdef0", "agent-offline", "rate=0.5"}).code,
            Errc::invalid_argument);
}

TEST(FaultsTest, AMachinesFaultStrikesItsAgentAndNoRequest) {
  Faults faults;
  const auto one = *InstanceId::parse("i-0123456789abcdef0");
  const auto other = *InstanceId::parse("i-0fedcba9876543210");
  faults.add(rule_of("i-0123456789abcdef0 agent-offline"));
  faults.add(rule_of("* agent-slow ms=20"));
  faults.add(rule_of("i-0* agent-slow ms=5"));
  EXPECT_TRUE(faults.agent_of(one).offline);
  EXPECT_FALSE(faults.agent_of(other).offline);
  EXPECT_EQ(faults.agent_of(other).delivery, std::chrono::milliseconds{25});
  EXPECT_TRUE(faults.on_request("SendCommand").effects.empty());
  faults.remove("i-0123456789abcdef0");
  EXPECT_FALSE(faults.agent_of(one).offline);
  EXPECT_EQ(faults.rules().size(), 2U);
}

TEST(ParseFaults, SkipsCommentsAndNamesTheLine) {
  const auto rules = parse_faults("# a comment\n\n* throttle   rate=0.5  # and another\n").value();
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_DOUBLE_EQ(rules[0].rate, 0.5);
  const auto refused = parse_faults("* throttle\n* nothing\n");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().context.at(0), "reading line 2");
}

TEST(Matches, AnActionOrABeginning) {
  EXPECT_TRUE(matches(rule_of("AttachVolume throttle"), "AttachVolume"));
  EXPECT_FALSE(matches(rule_of("AttachVolume throttle"), "AttachVolumes"));
  EXPECT_TRUE(matches(rule_of("Describe* throttle"), "DescribeVolumes"));
  EXPECT_FALSE(matches(rule_of("Describe* throttle"), "CreateVolume"));
  EXPECT_TRUE(matches(rule_of("* throttle"), "CreateVolume"));
}

TEST(FaultsTest, StrikesAfterSoManyAndSoOften) {
  Faults faults;
  faults.add(rule_of("AttachVolume drop-reply skip=1 times=2"));
  std::string seen;
  for (int i = 0; i < 6; ++i) {
    seen += faults.on_request("AttachVolume").delivery == Delivery::none ? 'x' : '.';
    EXPECT_TRUE(faults.on_request("DetachVolume").effects.empty());
  }
  EXPECT_EQ(seen, ".xx...");
}

TEST(FaultsTest, SeveralRulesActTogether) {
  Faults faults;
  faults.set({rule_of("* delay ms=5"), rule_of("Attach* delay ms=7"), rule_of("* truncate"),
              rule_of("AttachVolume drop-reply")});
  const Strike strike = faults.on_request("AttachVolume");
  EXPECT_EQ(strike.delay, std::chrono::milliseconds{12});
  EXPECT_EQ(strike.delivery, Delivery::none) << "nothing is less than half";
  EXPECT_EQ(strike.effects.size(), 4U);
}

TEST(FaultsTest, TurnsAnotherBitEachTimeAndTheSameInAnotherRun) {
  const auto draws = [](std::uint64_t seed) {
    Faults faults{seed};
    faults.add(rule_of("GetObject bit-flip"));
    std::vector<std::uint64_t> drawn;
    for (int i = 0; i < 3; ++i) drawn.push_back(faults.on_request("GetObject").flip_draw.value());
    return drawn;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1), draws(2));
  EXPECT_NE(draws(1).at(0), draws(1).at(1));
}

TEST(FaultsTest, SlowsDownAndResets) {
  Faults faults;
  faults.add(rule_of("GetObject slow bps=1000"));
  faults.add(rule_of("GetObject reset"));
  const Strike strike = faults.on_request("GetObject");
  EXPECT_EQ(strike.bytes_per_second, 1'000U);
  EXPECT_EQ(strike.delivery, Delivery::reset);
  EXPECT_EQ(faults.on_request("PutObject").delivery, Delivery::whole);
}

TEST(FaultsTest, StrikesAtItsRate) {
  const FaultRule rule = rule_of("* throttle rate=0.25");
  int struck = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) struck += strikes(rule, 7, i) ? 1 : 0;
  EXPECT_NEAR(struck, 2'500, 200);
}

RC_GTEST_PROP(FaultsProperty, TheSameSeedMakesTheSameRun, (std::uint64_t seed)) {
  Faults one{seed};
  Faults two{seed};
  for (Faults* const faults : {&one, &two}) {
    faults->add(rule_of("AttachVolume drop-reply rate=0.5"));
    faults->add(rule_of("* throttle rate=0.3"));
  }
  const auto actions = *rc::gen::container<std::vector<std::string>>(
      rc::gen::element<std::string>("AttachVolume", "DescribeVolumes"));
  for (const std::string& action : actions) {
    RC_ASSERT(one.on_request(action).effects == two.on_request(action).effects);
  }
}

}  // namespace
}  // namespace runctl::emulator
