#include "training/packages.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "training/requirements.hpp"
#include "training/script_metadata.hpp"
#include "training/test_project.hpp"

namespace runctl::training {
namespace {

using node::RunPackages;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class packages : public ::testing::Test {
 protected:
  packages() {
    project_.write(".runctl.toml");
    project_.write("jobs/train.py", "print(1)\n");
  }
  [[nodiscard]] Result<std::optional<RunPackages>> find(const std::string& source = "auto",
                                                        const std::string& run = "run-1") const {
    const auto root = find_project_root(project_.root() / "jobs/train.py", project_.home()).value();
    return find_packages(root, node::RunId::parse(run).value(), {.source = source});
  }
  // The file that says what is needed, or "", or the message.
  [[nodiscard]] std::string from(const std::string& source = "auto") const {
    const auto found = find(source);
    if (!found) return found.error().message;
    return *found ? (*found)->from : "";
  }
  testing::Project project_;
};

TEST_F(packages, none_are_needed_where_nothing_says_so) {
  EXPECT_EQ(from(), "");
  project_.write("pyproject.toml", "[tool.ruff]\nline-length = 100\n");
  EXPECT_EQ(from(), "");
  project_.write("pyproject.toml", "[project]\nname = 'x'\ndynamic = ['dependencies']\n");
  EXPECT_EQ(from(), "");
  project_.write("environment.yml", "dependencies: [numpy]\n");
  EXPECT_EQ(from(), "") << "conda only when it is asked for";
}

TEST_F(packages, what_is_nearer_to_the_script_counts_first) {
  project_.write("pyproject.toml",
                 "[project]\ndependencies = ['numpy>=2', 'torch']\n"
                 "requires-python = '>=3.10'\n");
  auto found = find().value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->kind, RunPackages::Kind::pyproject);
  EXPECT_EQ(found->list, "numpy>=2\ntorch");
  EXPECT_EQ(found->python, ">=3.10");
  project_.write("requirements.txt", "numpy\n");
  EXPECT_EQ(from(), "requirements.txt");
  project_.write("uv.lock", "version = 1\n");
  found = find().value();
  EXPECT_EQ(found->kind, RunPackages::Kind::lock);
  EXPECT_EQ(found->from, "pyproject.toml");
  project_.write("jobs/requirements.txt", "numpy\n");
  EXPECT_EQ(from(), "jobs/requirements.txt");
  project_.write("jobs/train.py", "# /// script\n# dependencies = ['tqdm']\n# ///\n");
  found = find().value();
  EXPECT_EQ(found->kind, RunPackages::Kind::script);
  EXPECT_EQ(found->from, "jobs/train.py");
  EXPECT_EQ(found->list, "tqdm");
  EXPECT_EQ(from("none"), "");
}

TEST_F(packages, a_file_that_is_named_counts_before_all) {
  project_.write("requirements.txt", "numpy\n");
  project_.write("gpu/requirements-gpu.txt", "torch\n");
  project_.write("environment.yml", "dependencies: [numpy]\n");
  EXPECT_EQ(from("gpu/requirements-gpu.txt"), "gpu/requirements-gpu.txt");
  EXPECT_EQ(from("./gpu/../environment.yml"), "environment.yml");
  EXPECT_EQ(find("environment.yml").value()->kind, RunPackages::Kind::conda);
  EXPECT_THAT(from("nothing.txt"), HasSubstr("there is no file nothing.txt in the project"));
  EXPECT_THAT(from("../other.txt"), HasSubstr("there is no file ../other.txt in the project"));
  project_.write("notes.md");
  EXPECT_THAT(from("notes.md"), HasSubstr("notes.md is no requirements file"));
  project_.write("pyproject.toml", "[project]\ndynamic = ['dependencies']\n");
  EXPECT_THAT(from("pyproject.toml"), HasSubstr("the dependencies of pyproject.toml are dynamic"));
}

TEST_F(packages, a_mistake_is_shown_with_its_place) {
  project_.write("jobs/train.py", "# /// script\n# dependencies = 'tqdm'\n# ///\n");
  EXPECT_THAT(from(), HasSubstr("jobs/train.py:1:"));
  EXPECT_THAT(from(), HasSubstr("dependencies takes a list of texts"));
  project_.write("jobs/train.py", "# /// script\n# dependencies = [\n# ///\n");
  EXPECT_THAT(from(), HasSubstr("jobs/train.py, inline metadata:"));
  project_.write("jobs/train.py", "# /// script\n# a = 1\n# ///\n\n# /// script\n# b = 2\n# ///\n");
  EXPECT_THAT(from(), HasSubstr("more than one `# /// script` block"));
}

TEST_F(packages, a_file_that_is_not_sent_is_no_help_to_the_machine) {
  project_.write("requirements.txt", "numpy\n");
  const auto root = find_project_root(project_.root() / "jobs/train.py", project_.home()).value();
  const auto run = node::RunId::parse("run-1").value();
  const auto nothing = [](std::string_view) { return false; };
  EXPECT_FALSE(find_packages(root, run, {.is_sent = nothing}).value().has_value());
  const auto named = find_packages(root, run, {.source = "requirements.txt", .is_sent = nothing});
  ASSERT_FALSE(named.has_value());
  EXPECT_EQ(named.error().message,
            "the file requirements.txt is not among what is sent to the machine");
}

TEST_F(packages, equal_needs_share_an_environment_and_others_do_not) {
  project_.write("requirements.txt", "-r more.txt\nnumpy\n");
  project_.write("more.txt", "tqdm\n");
  const auto key = [&](const std::string& run = "run-1") { return find("auto", run).value()->key; };
  const std::string first = key();
  EXPECT_EQ(first.size(), 24U);
  EXPECT_EQ(key("run-2"), first);
  project_.write("more.txt", "tqdm==4\n");
  EXPECT_NE(key(), first) << "what is included counts";
  project_.write("more.txt", "./libs/mine   # of this project\n");
  EXPECT_NE(key("run-1"), key("run-2")) << "the project's own packages change without a new name";
}

TEST_F(packages, requirements_are_read_as_pip_reads_them) {
  const auto read = [&](const std::string& text) {
    project_.write("r.txt", text);
    return read_requirements(project_.root(), "r.txt");
  };
  project_.write("sub/other.txt", "-c limits.txt\n");
  project_.write("sub/limits.txt", "numpy<3\n");
  for (const char* line :
       {"-r sub/other.txt", "-rsub/other.txt", "--requirement sub/other.txt",
        "--requirement=sub/other.txt", "--constraint \\\n  sub/other.txt # why"}) {
    EXPECT_THAT(read(line).value().files, ElementsAre("r.txt", "sub/other.txt", "sub/limits.txt"))
        << line;
  }
  EXPECT_THAT(read("-r r.txt\n# -r nothing.txt\n").value().files, ElementsAre("r.txt"));
  EXPECT_THAT(read("-r https://example.com/r.txt\n").value().files, ElementsAre("r.txt"));
  for (const char* line :
       {"-e .", "--editable=libs/mine", "./mine", "/opt/mine", "mine @ file:///opt/mine",
        "wheels/mine-1.0-py3-none-any.whl", "mine.tar.gz ; python_version > '3'"}) {
    EXPECT_TRUE(read(line).value().names_local_packages) << line;
  }
  for (const char* line :
       {"numpy", "--find-links ./wheels", "torch @ https://example.com/torch.whl", "-f wheels",
        "numpy  # ./not", "--extra-index-url https://e.com/simple"}) {
    EXPECT_FALSE(read(line).value().names_local_packages) << line;
  }
  const auto missing = read("-r sub/nothing.txt");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().details, ElementsAre("included by r.txt: -r sub/nothing.txt"));
  EXPECT_FALSE(read("-r ../outside.txt").has_value());
}

TEST(script_metadata, is_what_the_specification_takes_for_it) {
  const auto of = [](const char* text) { return script_metadata(text).value(); };
  EXPECT_EQ(of("print(1)\n"), std::nullopt);
  EXPECT_EQ(of("#!/usr/bin/env python3\n# /// script\n# a = 1\n#\n# b = 2\n# ///\nimport x\n"),
            "a = 1\n\nb = 2\n");
  EXPECT_EQ(of("# /// script\r\n# a = 1\r\n# ///\r\n"), "a = 1\n");
  EXPECT_EQ(of("# /// script\n# a = 1\n"), std::nullopt) << "it is not closed";
  EXPECT_EQ(of("# /// script\n# a = 1\n\n# ///\n"), std::nullopt) << "a blank line ends comments";
  EXPECT_EQ(of("# /// other\n# a = 1\n# ///\n"), std::nullopt);
  EXPECT_EQ(of("  # /// script\n  # a = 1\n  # ///\n"), std::nullopt);
  EXPECT_EQ(of("# /// script\n# a = '''\n# ///\n# '''\n# ///\n"), "a = '''\n///\n'''\n")
      << "the last one closes it";
}

}  // namespace
}  // namespace runctl::training
