#include "training/project_root.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "training/test_project.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;

class project_root : public ::testing::Test {
 protected:
  project_root() { project_.write("a/b/train.py"); }
  [[nodiscard]] ProjectRoot root_of(const std::string& script = "a/b/train.py") const {
    const auto root = find_project_root(project_.root() / script, project_.home());
    EXPECT_TRUE(root.has_value()) << root.error().message;
    return root.value_or(ProjectRoot{});
  }
  [[nodiscard]] std::string below(const ProjectRoot& root) const {
    return root.path.lexically_relative(fs::canonical(project_.root())).string();
  }
  testing::Project project_;
};

TEST_F(project_root, is_the_scripts_folder_where_nothing_says_more) {
  const auto root = root_of();
  EXPECT_EQ(below(root), "a/b");
  EXPECT_EQ(root.script, "train.py");
  EXPECT_EQ(root.marker, RootMarker::none);
}

TEST_F(project_root, each_marker_counts_before_the_weaker_ones_wherever_they_are) {
  project_.write("a/b/pyproject.toml");
  project_.write("a/pyproject.toml");
  EXPECT_EQ(below(root_of()), "a/b");
  fs::create_directories(project_.root() / "a/.git");
  auto root = root_of();
  EXPECT_EQ(below(root), "a");
  EXPECT_EQ(root.script, "b/train.py");
  EXPECT_EQ(root.marker, RootMarker::git);
  project_.write(".runctl.toml");
  root = root_of();
  EXPECT_EQ(below(root), ".");
  EXPECT_EQ(root.marker, RootMarker::settings);
  EXPECT_FALSE(root.git_top.has_value()) << "the repository is inside of it";
}

TEST_F(project_root, a_git_repository_above_it_is_known) {
  fs::create_directories(project_.root() / ".git");
  project_.write("a/.runctl.toml");
  const auto root = root_of();
  EXPECT_EQ(below(root), "a");
  ASSERT_TRUE(root.git_top.has_value());
  EXPECT_EQ(*root.git_top, fs::canonical(project_.root()));
}

TEST_F(project_root, is_never_the_home_folder_nor_above_it) {
  std::ofstream{project_.home() / ".runctl.toml"};
  fs::create_directories(project_.home() / ".git");
  EXPECT_EQ(below(root_of()), "a/b");
  std::ofstream{project_.home() / "train.py"};
  const auto root = find_project_root(project_.home() / "train.py", project_.home());
  ASSERT_TRUE(root.has_value());
  EXPECT_EQ(root->marker, RootMarker::alone);
}

TEST_F(project_root, is_no_folder_that_people_share) {
  fs::create_directories(project_.root() / "a/.git");
  fs::permissions(project_.root() / "a", fs::perms::all | fs::perms::sticky_bit);
  EXPECT_EQ(below(root_of()), "a/b");
  EXPECT_EQ(root_of().marker, RootMarker::none);
}

TEST_F(project_root, a_script_that_is_none_is_an_error) {
  const auto missing = find_project_root(project_.root() / "nothing.py", project_.home());
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::not_found);
  const auto folder = find_project_root(project_.root() / "a", project_.home());
  ASSERT_FALSE(folder.has_value());
  EXPECT_EQ(folder.error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace runctl::training
