#include "training/packages.hpp"

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "io/file.hpp"
#include "node/script.hpp"
#include "training/requirements.hpp"
#include "training/script_metadata.hpp"

namespace runctl::training {
namespace {

namespace fs = std::filesystem;
using node::RunPackages;

// Nobody writes more by hand: what is larger is no such file.
constexpr std::uint64_t file_limit = std::uint64_t{16} << 20U;
constexpr std::size_t key_length = 24;  // hexadecimal digits of SHA-256

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

struct Declared {
  std::vector<std::string> dependencies = {};
  std::string python = {};
  bool dynamic = false;  // to be had only by building the project
};

std::unexpected<Error> fault(const std::string& file, const toml::source_region& where,
                             std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("cannot use {}:{}:{}: {}", file, where.begin.line,
                                                  where.begin.column, what));
}

// The requires-python and dependencies of a table, as both PEP 723 and PEP 621 have them.
Result<Declared> declared_in(const toml::table& table, const std::string& file) {
  Declared declared;
  if (const auto* python = table.get("requires-python")) {
    const auto* text = python->as_string();
    if (text == nullptr) return fault(file, python->source(), "requires-python takes a text");
    declared.python = text->get();
  }
  if (const auto* dependencies = table.get("dependencies")) {
    const auto* list = dependencies->as_array();
    if (list == nullptr) {
      return fault(file, dependencies->source(), "dependencies takes a list of texts");
    }
    for (const toml::node& entry : *list) {
      const auto* text = entry.as_string();
      if (text == nullptr || text->get().contains('\n')) {
        return fault(file, entry.source(), "a dependency is a text in one line");
      }
      declared.dependencies.push_back(text->get());
    }
  }
  if (const auto* dynamic = table.get("dynamic")) {
    if (const auto* list = dynamic->as_array()) {
      for (const toml::node& entry : *list) {
        declared.dynamic = declared.dynamic || entry.value_or(std::string_view{}) == "dependencies";
      }
    }
  }
  return declared;
}

Result<toml::table> parse(const std::string& text, const std::string& file) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return fault(file, error.source(), error.description());
  }
}

std::string key_of(std::string_view content) { return hex(sha256(content)).substr(0, key_length); }

class Finder {
 public:
  Finder(const ProjectRoot& root, const node::RunId& run, const PackagesRequest& request)
      : root_{root}, run_{run}, request_{request} {}

  [[nodiscard]] Result<std::optional<RunPackages>> find() const {
    if (request_.source == packages_none) return std::nullopt;
    if (request_.source != packages_auto) return named();
    RUNCTL_TRY_LET(auto inline_packages, of_script(root_.script));
    if (inline_packages) return inline_packages;
    for (fs::path folder = fs::path{root_.script}.parent_path();; folder = folder.parent_path()) {
      RUNCTL_TRY_LET(auto found, in_folder(folder));
      if (found || folder.empty()) return found;
    }
  }

 private:
  [[nodiscard]] Result<std::optional<RunPackages>> named() const {
    const fs::path path = fs::path{request_.source}.lexically_normal();
    const std::string file = path.string();
    if (path.is_absolute() || file.starts_with("..") || !is_file(root_.path / path)) {
      auto error = fail(Errc::not_found,
                        fmt::format("there is no file {} in the project {}", node::to_utf8(file),
                                    node::to_utf8(root_.path.string())));
      error.error().hint = "--packages takes auto, none, or a path from the project's folder.";
      return error;
    }
    if (!is_sent(file)) return not_sent(file);
    const std::string extension = path.extension().string();
    if (extension == ".py") return of_script(file);
    if (path.filename() == "pyproject.toml") return of_pyproject(file, Asked::yes);
    if (extension == ".txt" || extension == ".in") return of_requirements(file);
    if (extension == ".yml" || extension == ".yaml") return of_conda(file);
    return fail(
        Errc::invalid_argument,
        fmt::format(
            "the file {} is no requirements file (.txt, .in), pyproject.toml, script (.py) or "
            "conda environment (.yml)",
            node::to_utf8(file)));
  }

  enum class Asked : bool { no, yes };

  [[nodiscard]] Result<std::optional<RunPackages>> in_folder(const fs::path& folder) const {
    const auto there = [&](std::string_view name) {
      const std::string file = (folder / name).string();
      return is_file(root_.path / file) && is_sent(file);
    };
    const std::string pyproject = (folder / "pyproject.toml").string();
    if (there("uv.lock") && there("pyproject.toml")) return of_pyproject(pyproject, Asked::no);
    if (there("requirements.txt")) return of_requirements((folder / "requirements.txt").string());
    if (there("pyproject.toml")) return of_pyproject(pyproject, Asked::no);
    return std::nullopt;
  }

  [[nodiscard]] Result<std::optional<RunPackages>> of_script(const std::string& file) const {
    if (!file.ends_with(".py")) return std::nullopt;
    RUNCTL_TRY_LET(const std::string script, read(file));
    auto text = script_metadata(script);
    if (!text) {
      text.error().message =
          fmt::format("cannot use {}: {}", node::to_utf8(file), text.error().message);
      return std::unexpected{std::move(text).error()};
    }
    if (!*text) return std::nullopt;
    RUNCTL_TRY_LET(const toml::table table,
                   parse(**text, fmt::format("{}, inline metadata", node::to_utf8(file))));
    RUNCTL_TRY_LET(const Declared declared, declared_in(table, file));
    return of_list(RunPackages::Kind::script, file, declared, **text);
  }

  [[nodiscard]] Result<std::optional<RunPackages>> of_pyproject(const std::string& file,
                                                                Asked asked) const {
    RUNCTL_TRY_LET(const std::string text, read(file));
    RUNCTL_TRY_LET(const toml::table table, parse(text, node::to_utf8(file)));
    Declared declared;
    if (const auto* project = table["project"].as_table()) {
      RUNCTL_TRY_LET(declared, declared_in(*project, file));
    }
    const std::string lock = (fs::path{file}.parent_path() / "uv.lock").string();
    if (is_file(root_.path / lock) && is_sent(lock)) {
      RUNCTL_TRY_LET(const std::string locked, read(lock));
      return of_list(RunPackages::Kind::lock, file, declared, text + locked);
    }
    if (declared.dynamic && asked == Asked::yes) {
      auto error = fail(Errc::invalid_argument,
                        fmt::format("the dependencies of {} are dynamic: only a build of the "
                                    "project tells them",
                                    node::to_utf8(file)));
      error.error().hint = "Name a requirements file: --packages requirements.txt";
      return error;
    }
    return of_list(RunPackages::Kind::pyproject, file, declared, text);
  }

  // A requires-python alone asks for no environment: nothing would be in it.
  static std::optional<RunPackages> of_list(RunPackages::Kind kind, const std::string& file,
                                            const Declared& declared, std::string_view content) {
    if (declared.dependencies.empty() && kind != RunPackages::Kind::lock) return std::nullopt;
    return RunPackages{.kind = kind,
                       .from = file,
                       .list = fmt::format("{}", fmt::join(declared.dependencies, "\n")),
                       .python = declared.python,
                       .key = key_of(fmt::format("{}\n{}", node::name_of(kind), content))};
  }

  [[nodiscard]] Result<std::optional<RunPackages>> of_requirements(const std::string& file) const {
    RUNCTL_TRY_LET(const Requirements all, read_requirements(root_.path, file));
    for (const std::string& included : all.files) {
      if (!is_sent(included)) return not_sent(included);
    }
    // What lies in the project is another thing in the next run.
    const std::string alone = all.names_local_packages ? run_.str() : "";
    return RunPackages{.kind = RunPackages::Kind::requirements,
                       .from = file,
                       .key = key_of(fmt::format("requirements\n{}\n{}", alone, all.content))};
  }

  [[nodiscard]] Result<std::optional<RunPackages>> of_conda(const std::string& file) const {
    RUNCTL_TRY_LET(const std::string text, read(file));
    return RunPackages{
        .kind = RunPackages::Kind::conda, .from = file, .key = key_of("conda\n" + text)};
  }

  [[nodiscard]] Result<std::string> read(const std::string& file) const {
    return read_file(root_.path / file, file_limit);
  }
  [[nodiscard]] bool is_sent(std::string_view file) const {
    return !request_.is_sent || request_.is_sent(file);
  }
  static std::unexpected<Error> not_sent(const std::string& file) {
    auto error = fail(
        Errc::invalid_argument,
        fmt::format("the file {} is not among what is sent to the machine", node::to_utf8(file)));
    error.error().ways_out = {
        fmt::format("--include-pattern {}   # when a rule leaves it out", node::to_utf8(file)),
        "--packages none   # when the machine has what is needed"};
    return error;
  }

  const ProjectRoot& root_;
  const node::RunId& run_;
  const PackagesRequest& request_;
};

}  // namespace

Result<std::optional<node::RunPackages>> find_packages(const ProjectRoot& root,
                                                       const node::RunId& run,
                                                       const PackagesRequest& request) {
  return Finder{root, run, request}.find();
}

std::string in_words(const node::RunPackages& packages) {
  return fmt::format(
      "install the packages of {}, where the machine has not got them",
      node::to_utf8(packages.kind == RunPackages::Kind::lock
                        ? (fs::path{packages.from}.parent_path() / "uv.lock").string()
                        : packages.from));
}

}  // namespace runctl::training
