#include "transfer/sync_plan.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "transfer/object_name.hpp"

namespace runctl::transfer {
namespace {

class Items final : public SyncStream {
 public:
  explicit Items(std::vector<SyncItem> items) : items_{std::move(items)} {}
  Result<std::optional<SyncItem>> next() override {
    if (at_ == items_.size()) return std::nullopt;
    return items_[at_++];
  }

 private:
  std::vector<SyncItem> items_;
  std::size_t at_ = 0;
};

FileTimestamp at(std::int64_t milliseconds) {
  return FileTimestamp{std::chrono::milliseconds{milliseconds}};
}

SyncItem item(std::string name, std::uint64_t size = 1, FileTimestamp modified = at(1'000),
              std::string etag = {}) {
  return {.name = std::move(name), .size = size, .modified = modified, .etag = std::move(etag)};
}
SyncItem blocked(std::string name) { return {.name = std::move(name), .blocked = "it is a link"}; }

std::string_view name_of(SyncAction action) {
  switch (action) {
    case SyncAction::create:
      return "create";
    case SyncAction::replace:
      return "replace";
    case SyncAction::compare:
      return "compare";
    case SyncAction::same:
      return "same";
    case SyncAction::remove:
      return "remove";
    case SyncAction::blocked:
      return "blocked";
  }
  return "?";
}

// "create a", or the error's message.
std::vector<std::string> steps(std::vector<SyncItem> source, std::vector<SyncItem> target,
                               SyncRules rules = {}) {
  Items from{std::move(source)};
  Items to{std::move(target)};
  SyncPlan plan{from, to, rules};
  std::vector<std::string> out;
  while (true) {
    const auto step = plan.next();
    if (!step) return {step.error().message};
    if (!*step) return out;
    out.push_back(std::string{name_of((*step)->action)} + ' ' + (*step)->name());
  }
}

using Steps = std::vector<std::string>;

TEST(SyncPlan, TellsWhatIsNewWhatDiffersAndWhatIsTooMuch) {
  EXPECT_EQ(
      steps({item("a"), item("b"), item("c"), item("e")},
            {item("b"), item("c", 2), item("d"), item("f")}, {.direction = SyncDirection::copy}),
      (Steps{"create a", "same b", "replace c", "remove d", "create e", "remove f"}));
  EXPECT_EQ(steps({}, {item("a")}), (Steps{"remove a"}));
  EXPECT_EQ(steps({item("a")}, {}), (Steps{"create a"}));
  EXPECT_EQ(steps({}, {}), Steps{});
}

TEST(SyncPlan, WhatIsBlockedInTheSourceProtectsWhatTheTargetHasThere) {
  EXPECT_EQ(steps({blocked("link"), item("z")},
                  {item("link"), item("link-2"), item("link/x"), item("link/y/z"), item("m")}),
            (Steps{"blocked link", "remove link-2", "remove m", "create z"}));
  EXPECT_EQ(steps({blocked("dir/")}, {item("dir!"), item("dir/a"), item("dir/b/c"), item("dir0")}),
            (Steps{"remove dir!", "blocked dir/", "remove dir0"}));
  EXPECT_EQ(steps({blocked("a"), item("a!")}, {item("a!"), item("a/b")},
                  {.direction = SyncDirection::copy}),
            (Steps{"blocked a", "same a!"}));
}

TEST(SyncPlan, WhatIsBlockedInTheTargetIsNeitherReplacedNorRemoved) {
  EXPECT_EQ(steps({item("a"), item("c")}, {blocked("a"), blocked("b"), blocked("d/")}),
            (Steps{"blocked a", "create c"}));
}

TEST(SyncPlan, AListThatIsNotSortedIsAnErrorAndNoReasonToRemove) {
  EXPECT_TRUE(steps({item("b"), item("a")}, {item("c")}).front().contains("not sorted"));
  EXPECT_TRUE(steps({}, {item("c"), item("c")}).back().contains("not sorted"));
}

TEST(CompareItems, DecidesBySizeAndTime) {
  struct Case {
    SyncRules rules;
    SyncItem source, target;
    SyncAction action;
  };
  const SyncRules up{.direction = SyncDirection::upload};
  const SyncRules down{.direction = SyncDirection::download};
  const SyncRules copy{.direction = SyncDirection::copy};
  const std::vector<Case> cases{
      {up, item("f", 1), item("f", 2), SyncAction::replace},
      {up, item("f", 1, at(1'500)), item("f", 1, at(2'000)), SyncAction::same},
      {up, item("f", 1, at(2'000)), item("f", 1, at(2'000)), SyncAction::compare},
      {up, item("f", 1, at(2'999)), item("f", 1, at(2'000)), SyncAction::compare},
      {up, item("f", 1, at(3'000)), item("f", 1, at(2'000)), SyncAction::replace},
      {down, item("f", 1), item("f", 2), SyncAction::replace},
      {down, item("f", 1, at(2'000)), item("f", 1, at(2'000)), SyncAction::same},
      {down, item("f", 1, at(2'000)), item("f", 1, at(2'400)), SyncAction::compare},
      {down, item("f", 1, at(2'700)), item("f", 1, at(2'700)), SyncAction::same},
      {down, item("f", 1, at(2'700)), item("f", 1, at(2'000)), SyncAction::same},
      {down, item("f", 1, at(2'000)), item("f", 1, at(1'000)), SyncAction::compare},
      {down, item("f", 1, at(2'000)), item("f", 1, at(9'000)), SyncAction::compare},
      {copy, item("f", 1), item("f", 2), SyncAction::replace},
      {copy, item("f", 1, at(2'000), "\"x\""), item("f", 1, at(2'000), "\"y\""), SyncAction::same},
      {copy, item("f", 1, at(3'000), "\"x\""), item("f", 1, at(2'000), "\"x\""), SyncAction::same},
      {copy, item("f", 1, at(3'000), "\"x\""), item("f", 1, at(2'000), "\"y\""),
       SyncAction::replace},
      {copy, item("f", 1, at(3'000)), item("f", 1, at(2'000)), SyncAction::replace},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    EXPECT_EQ(name_of(compare_items(c.source, c.target, c.rules).action), name_of(c.action)) << i;
    SyncRules by_checksum = c.rules;
    by_checksum.by_checksum = true;
    const bool equal_etags = !c.source.etag.empty() && c.source.etag == c.target.etag;
    const auto expected = c.source.size != c.target.size ? SyncAction::replace
                          : equal_etags                  ? SyncAction::same
                                                         : SyncAction::compare;
    EXPECT_EQ(name_of(compare_items(c.source, c.target, by_checksum).action), name_of(expected))
        << i;
    SyncRules by_size = c.rules;
    by_size.by_size_only = true;
    EXPECT_EQ(compare_items(c.source, c.target, by_size).action,
              c.source.size == c.target.size ? SyncAction::same : SyncAction::replace)
        << i;
  }
}

RC_GTEST_PROP(SyncPlan, TheStepsMakeTheTargetLikeTheSource, ()) {
  const auto name =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', '/', '!', 'b')));
  const auto tree = rc::gen::container<std::map<std::string, std::uint64_t>>(
      name, rc::gen::inRange<std::uint64_t>(0, 3));
  const auto source = *tree;
  auto target = *tree;
  std::vector<SyncItem> from;
  std::vector<SyncItem> to;
  for (const auto& [key, size] : source) from.push_back(item(key, size));
  for (const auto& [key, size] : target) to.push_back(item(key, size));
  Items left{from};
  Items right{to};
  SyncPlan plan{left, right, {.direction = SyncDirection::copy}};
  while (true) {
    const auto step = plan.next();
    RC_ASSERT(step.has_value());
    if (!*step) break;
    switch ((*step)->action) {
      case SyncAction::create:
        RC_ASSERT(!target.contains((*step)->name()));
        target[(*step)->name()] = (*step)->source.size;
        break;
      case SyncAction::replace:
        target.at((*step)->name()) = (*step)->source.size;
        break;
      case SyncAction::remove:
        RC_ASSERT(target.erase((*step)->name()) == 1U);
        break;
      case SyncAction::same:
        break;
      case SyncAction::compare:
      case SyncAction::blocked:
        RC_FAIL("nothing of that kind is in the trees");
    }
  }
  RC_ASSERT(target == source);
}

}  // namespace
}  // namespace runctl::transfer
