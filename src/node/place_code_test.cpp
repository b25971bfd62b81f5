#include "node/place_code.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "node/files_machine.hpp"

namespace runctl::node {
namespace {

// An archive as training/code_archive.cpp makes them, by the system's own tar.
struct Sample {
  std::string archive;  // its name in incoming
  std::string hash;
  std::string state;
};

class placing_code : public ::testing::Test {
 protected:
  placing_code() {
    // As place_code.sh makes it; the tests put their archives there by hand.
    bed_.said_by("mkdir -p " + incoming());
  }
  [[nodiscard]] std::string library() const { return bed_.root() / "root/var/lib/runctl"; }
  [[nodiscard]] std::string incoming() const { return library() + "/projects/digits/incoming"; }
  std::string said(const std::string& command) { return bed_.said_by(command); }

  // `make` is a shell text that runs in a folder with files/, and writes plus and minus there.
  Sample archive(const std::string& make, const std::string& compress = "gzip") {
    const std::string folder = said("mktemp -d");
    const std::string before = library() + "/projects/digits/manifest";
    said(fmt::format(
        "cd {} && mkdir files && : >plus && : >minus && : >removed_files && : >removed_folders && "
        "{{ {}; }} && tar -cf - * | {} >a && cp a {}/new-archive",
        folder, make, compress, incoming()));
    Sample sample{
        .archive = said("sha256sum <" + folder + "/a | cut -c 1-64"), .hash = {}, .state = {}};
    sample.hash = sample.archive;
    said(fmt::format("mv {0}/new-archive {0}/{1}", incoming(), sample.archive));
    sample.state = said(fmt::format(
        "export LC_ALL=C; touch {0}; cd {1} && comm -23 {0} minus | sort -m - plus | sha256sum | "
        "cut -c 1-64; rm -rf {1}; [ -s {0} ] || rm -f {0}",
        before, folder));
    return sample;
  }
  static CodeWish wish_of(const Sample& sample, const RunId& run) {
    return {.project = "digits",
            .state = sample.state,
            .run = &run,
            .archive = sample.archive,
            .archive_hash = sample.hash};
  }
  // What is in a folder: names, kinds, modes, contents.
  std::string tree(const std::string& folder) {
    return said(
        fmt::format("cd {} && find . -mindepth 1 -printf '%P %y %m %l;' | LC_ALL=C tr ';' "
                    "'\\n' | LC_ALL=C sort && find . -type f | LC_ALL=C sort | xargs -r cat",
                    shell_quote(folder)));
  }
  testing::FilesMachine bed_;
  RunId first_ = RunId::parse("run-1").value();
  RunId second_ = RunId::parse("run-2").value();
};

constexpr std::string_view one =
    "printf 'a\\tf\\t1\\nb/c\\tf\\t2\\n' >plus && mkdir files/b && printf a >files/a && "
    "printf c >files/b/c && chmod 755 files/a && chmod 644 files/b/c";

TEST_F(placing_code, nothing_is_changed_by_a_question) {
  said("rm -rf " + library());
  const auto there = place_code(bed_.machine(), {.project = "digits"});
  ASSERT_TRUE(there.has_value()) << there.error().message;
  EXPECT_FALSE(there->placed);
  EXPECT_EQ(there->state, "");
  EXPECT_EQ(said("ls -d " + library() + " 2>/dev/null"), "");
}

TEST_F(placing_code, an_archive_leads_to_a_state_and_a_copy_for_the_run) {
  for (const char* program : {"gzip", "zstd"}) {
    if (said(fmt::format("command -v {}", program)).empty()) continue;
    const Sample sample = archive(std::string{one}, program);
    CodeWish wish = wish_of(sample, first_);
    wish.compression = program;
    const auto there = place_code(bed_.machine(), wish);
    ASSERT_TRUE(there.has_value()) << there.error().message;
    EXPECT_TRUE(there->placed);
    EXPECT_EQ(there->state, sample.state);
    EXPECT_EQ(there->path, library() + "/code/run-1");
    EXPECT_EQ(tree(there->path), "a f 755 \nb d 755 \nb/c f 644 \nac");
    EXPECT_EQ(said("ls -A " + library() + "/projects/digits"), "incoming\nlock\nmanifest\ntree");
    EXPECT_EQ(said("ls -A " + incoming()), "");
    said("rm -rf " + library() + "/code " + library() + "/projects/digits/[!i]*");
  }
}

TEST_F(placing_code, a_state_that_is_there_needs_no_archive) {
  const Sample sample = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(sample, first_)));
  const auto again =
      place_code(bed_.machine(), {.project = "digits", .state = sample.state, .run = &second_});
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_TRUE(again->placed);
  EXPECT_EQ(tree(again->path), tree(library() + "/code/run-1"));
}

TEST_F(placing_code, a_change_adds_replaces_and_removes_and_no_earlier_run_sees_it) {
  const Sample before = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(before, first_)));
  const std::string seen = tree(library() + "/code/run-1");
  const Sample after = archive(
      "printf 'a\\tf\\t1\\nb/c\\tf\\t2\\n' >minus && "
      "printf 'a\\tf\\t9\\nb\\tl\\t3\\nn\\tf\\t4\\n' >plus && printf A >files/a && ln -s a files/b "
      "&& "
      "printf n >files/n && printf 'b/c\\0' >removed_files && printf 'b\\0' >removed_folders");
  CodeWish wish = wish_of(after, second_);
  wish.base = before.state;
  const auto there = place_code(bed_.machine(), wish);
  ASSERT_TRUE(there.has_value()) << there.error().message;
  EXPECT_TRUE(there->placed);
  EXPECT_EQ(said("cd " + there->path + " && ls -A && readlink b && cat a n"), "a\nb\nn\na\nAn");
  EXPECT_EQ(tree(library() + "/code/run-1"), seen);
}

TEST_F(placing_code, what_a_run_does_to_its_files_stays_its_own) {
  const Sample sample = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(sample, first_)));
  said("cd " + library() + "/code/run-1 && printf spoilt >a && rm b/c && touch more");
  const auto again =
      place_code(bed_.machine(), {.project = "digits", .state = sample.state, .run = &second_});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(said("cd " + again->path + " && cat a b/c && ls -A"), "aca\nb");
}

TEST_F(placing_code, an_archive_upon_another_state_is_not_applied) {
  const Sample sample = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(sample, first_)));
  const Sample other = archive("printf 'x\\tf\\t1\\n' >plus && printf x >files/x");
  CodeWish wish = wish_of(other, second_);
  wish.base = std::string(64, 'e');
  const auto there = place_code(bed_.machine(), wish);
  ASSERT_TRUE(there.has_value()) << there.error().message;
  EXPECT_FALSE(there->placed);
  EXPECT_EQ(there->state, sample.state);
  EXPECT_EQ(said("ls -A " + library() + "/code"), "run-1");
}

TEST_F(placing_code, a_wrong_archive_changes_nothing) {
  const Sample sample = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(sample, first_)));
  const Sample other = archive("printf 'x\\tf\\t1\\n' >plus && printf x >files/x");
  CodeWish damaged = wish_of(other, second_);
  said(fmt::format("printf more >>{}/{}", incoming(), other.archive));
  const auto refused = place_code(bed_.machine(), damaged);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remote->code, "corrupt_content");

  CodeWish misled = wish_of(archive("printf 'x\\tf\\t1\\n' >plus && printf x >files/x"), second_);
  misled.state = std::string(64, 'd');
  const auto wrong = place_code(bed_.machine(), misled);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().remote->code, "corrupt_content");

  const Sample torn = archive("printf 'x\\tf\\t1\\n' >plus && head -c 100000 /dev/urandom >files/x",
                              "gzip | head -c 2000");
  const auto cut = place_code(bed_.machine(), wish_of(torn, second_));
  ASSERT_FALSE(cut.has_value());

  const auto there =
      place_code(bed_.machine(), {.project = "digits", .state = sample.state, .run = &second_});
  ASSERT_TRUE(there.has_value());
  EXPECT_TRUE(there->placed) << "the state that was there is lost";
  EXPECT_EQ(said("ls -A " + library() + "/projects/digits"), "incoming\nlock\nmanifest\ntree");
}

// A machine whose power goes at a place in the script.
class LosesPower final : public RemoteShell {
 public:
  LosesPower(RemoteShell& shell, std::string_view before) : shell_{shell}, before_{before} {}
  Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                           std::chrono::seconds timeout, const std::stop_token& stop) override {
    std::string changed = script;
    changed.replace(changed.find(before_), before_.size(), fmt::format("kill -9 $$; {}", before_));
    return shell_.run(instance, changed, timeout, stop);
  }

 private:
  RemoteShell& shell_;
  std::string_view before_;
};

TEST_F(placing_code, one_that_is_killed_while_it_changes_the_tree_leaves_nothing_to_start_from) {
  const Sample before = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(before, first_)));
  const auto machine = bed_.machine();
  for (const std::string_view place :
       {"cp -a -l -f", "write_back tree", "mv -f -T -- new/manifest"}) {
    const Sample after =
        archive("printf 'a\\tf\\t1\\n' >minus && printf 'a\\tf\\t9\\n' >plus && printf A >files/a");
    CodeWish wish = wish_of(after, second_);
    wish.base = before.state;
    LosesPower shell{machine.shell, place};
    EXPECT_FALSE(place_code({.shell = shell, .instance = machine.instance}, wish).has_value());
    const auto there =
        place_code(machine, {.project = "digits", .state = after.state, .run = &second_});
    ASSERT_TRUE(there.has_value()) << there.error().message;
    EXPECT_FALSE(there->placed) << place;
    EXPECT_EQ(there->state, "") << place;
    // From nothing, over what was left.
    const RunId third = RunId::parse(fmt::format("run-3-{}", place.size())).value();
    const Sample again = archive(std::string{one});
    const auto whole = place_code(machine, wish_of(again, third));
    ASSERT_TRUE(whole.has_value()) << whole.error().message;
    EXPECT_EQ(tree(whole->path), tree(library() + "/code/run-1")) << place;
  }
}

TEST_F(placing_code, one_that_is_killed_before_that_leaves_what_was_there) {
  const Sample before = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(before, first_)));
  const auto machine = bed_.machine();
  const Sample after =
      archive("printf 'a\\tf\\t1\\n' >minus && printf 'a\\tf\\t9\\n' >plus && printf A >files/a");
  CodeWish wish = wish_of(after, second_);
  wish.base = before.state;
  LosesPower shell{machine.shell, "rm -f -- manifest"};
  EXPECT_FALSE(place_code({.shell = shell, .instance = machine.instance}, wish).has_value());
  const auto there =
      place_code(machine, {.project = "digits", .state = before.state, .run = &second_});
  ASSERT_TRUE(there.has_value()) << there.error().message;
  EXPECT_TRUE(there->placed);
  EXPECT_EQ(tree(there->path), tree(library() + "/code/run-1"));
}

TEST_F(placing_code, asking_twice_for_one_run_gives_the_same_copy) {
  const Sample sample = archive(std::string{one});
  const auto once = place_code(bed_.machine(), wish_of(sample, first_));
  const auto twice = place_code(bed_.machine(), wish_of(sample, first_));
  ASSERT_TRUE(once.has_value() && twice.has_value());
  EXPECT_TRUE(twice->placed);
  EXPECT_EQ(once->path, twice->path);
}

TEST_F(placing_code, the_copy_of_a_run_goes_only_if_that_was_not_started) {
  const Sample sample = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(sample, first_)));
  ASSERT_TRUE(
      place_code(bed_.machine(), {.project = "digits", .state = sample.state, .run = &second_}));
  said(fmt::format("mkdir -p {}/runs/run-1", bed_.root().string()));
  EXPECT_TRUE(discard_code(bed_.machine(), first_));
  EXPECT_TRUE(discard_code(bed_.machine(), second_));
  EXPECT_EQ(said("ls -A " + library() + "/code"), "run-1");
}

TEST_F(placing_code, what_does_not_fit_is_refused_before_anything_is_unpacked) {
  CodeWish wish = wish_of(archive(std::string{one}), first_);
  wish.needed_bytes = std::uint64_t{1} << 60U;
  const auto refused = place_code(bed_.machine(), wish);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_EQ(refused.error().remote->code, "no_space");
}

TEST_F(placing_code, another_sync_is_waited_for_and_then_named) {
  const Sample sample = archive(std::string{one});
  ASSERT_TRUE(place_code(bed_.machine(), wish_of(sample, first_)));
  auto machine = bed_.machine();
  // A shell with less patience.
  class Impatient final : public RemoteShell {
   public:
    explicit Impatient(RemoteShell& shell) : shell_{shell} {}
    Result<ShellOutcome> run(const InstanceId& instance, const std::string& script,
                             std::chrono::seconds timeout, const std::stop_token& stop) override {
      return shell_.run(instance, "RUNCTL_LOCK_WAIT=0\n" + script, timeout, stop);
    }

   private:
    RemoteShell& shell_;
  } impatient{machine.shell};
  const testing::Background holder{
      fmt::format("flock {0}/projects/digits/lock sh -c 'touch {1}/held; sleep 60'", library(),
                  bed_.root().string())};
  ASSERT_TRUE(testing::eventually(fmt::format("[ -e {}/held ]", bed_.root().string())));
  const auto refused = place_code({.shell = impatient, .instance = machine.instance},
                                  {.project = "digits", .state = sample.state, .run = &second_});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remote->code, "locked");
}

}  // namespace
}  // namespace runctl::node
