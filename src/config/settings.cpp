#include "config/settings.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::config {
namespace {

struct Row {
  std::string_view table;
  std::string_view key;
  std::optional<std::string> Settings::* value;
  std::span<const std::string_view> allowed = {};  // empty: any text
};

constexpr std::array<std::string_view, 2> shells{"ssm", "ssh"};
constexpr std::array<std::string_view, 2> ssh_hosts{"address", "id"};

constexpr std::array<Row, 7> rows{{
    {.table = "aws", .key = "region", .value = &Settings::region},
    {.table = "aws", .key = "profile", .value = &Settings::profile},
    {.table = "aws", .key = "endpoint", .value = &Settings::endpoint},
    {.table = "aws", .key = "shell", .value = &Settings::shell, .allowed = shells},
    {.table = "aws", .key = "ssh_user", .value = &Settings::ssh_user},
    {.table = "aws", .key = "ssh_host", .value = &Settings::ssh_host, .allowed = ssh_hosts},
    {.table = "s3", .key = "bucket", .value = &Settings::code_bucket},
}};

std::string position(const std::string& name, const toml::source_region& source) {
  return fmt::format("{}:{}:{}", name, source.begin.line, source.begin.column);
}

std::unexpected<Error> unknown(const std::string& where, std::string_view what,
                               std::string_view name, std::span<const std::string_view> known) {
  auto error = fail(Errc::invalid_argument, fmt::format("{}: unknown {} '{}'", where, what, name));
  const std::string_view near = nearest(name, known);
  if (!near.empty()) error.error().hint = fmt::format("Did you mean '{}'?", near);
  return error;
}

Result<void> read_value(const Row& row, const toml::node& node, const std::string& name,
                        Origin origin, Settings& settings) {
  const auto* text = node.as_string();
  const std::string where = position(name, node.source());
  if (text == nullptr || text->get().empty()) {
    return fail(Errc::invalid_argument,
                fmt::format("{}: {}.{} takes a text", where, row.table, row.key));
  }
  if (origin == Origin::project && row.key == "endpoint" && text->get() != "emulator") {
    auto refused =
        fail(Errc::invalid_argument,
             fmt::format("{}: a project's file may set endpoint to \"emulator\" only", where));
    refused.error().hint = "Put another endpoint into your own config.toml, or use --endpoint-url.";
    return refused;
  }
  if (origin == Origin::project && row.value == &Settings::code_bucket) {
    auto refused = fail(Errc::invalid_argument,
                        fmt::format("{}: a project's file may not set the bucket that code goes "
                                    "through",
                                    where));
    refused.error().hint = "Put it into your own config.toml, or use --code-bucket.";
    return refused;
  }
  if (!row.allowed.empty() && std::ranges::find(row.allowed, text->get()) == row.allowed.end()) {
    return fail(Errc::invalid_argument,
                fmt::format("{}: {}.{} is {}, not '{}'", where, row.table, row.key,
                            fmt::join(row.allowed, " or "), text->get()));
  }
  settings.*(row.value) = text->get();
  settings.where[fmt::format("{}.{}", row.table, row.key)] =
      fmt::format("{}:{}", name, node.source().begin.line);
  return {};
}

Result<void> read_table(std::string_view table, const toml::table& content, const std::string& name,
                        Origin origin, Settings& settings) {
  for (const auto& [key, node] : content) {
    const Row* found = nullptr;
    std::vector<std::string_view> known;
    for (const Row& row : rows) {
      if (row.table != table) continue;
      known.push_back(row.key);
      if (row.key == key.str()) found = &row;
    }
    if (found == nullptr) return unknown(position(name, key.source()), "key", key.str(), known);
    RUNCTL_TRY(read_value(*found, node, name, origin, settings));
  }
  return {};
}

std::optional<std::filesystem::path> find_project_file() {
  std::error_code error;
  auto directory = std::filesystem::current_path(error);
  while (!error) {
    auto candidate = directory / ".runctl.toml";
    if (std::filesystem::exists(candidate, error)) return candidate;
    if (directory == directory.parent_path()) break;
    directory = directory.parent_path();
  }
  return std::nullopt;
}

Result<Settings> read_one(const std::filesystem::path& path, Origin origin) {
  RUNCTL_TRY_LET(const std::string text, read_file(path, std::uint64_t{1} << 20U));
  RUNCTL_TRY_LET(Settings settings, parse_settings(text, path.string(), origin));
  settings.files.push_back(path.string());
  return settings;
}

}  // namespace

Result<Settings> parse_settings(std::string_view text, const std::string& name, Origin origin) {
  toml::table root;
  try {
    root = toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid_argument,
                fmt::format("{}: {}", position(name, error.source()), error.description()));
  }
  Settings settings;
  for (const auto& [key, node] : root) {
    constexpr std::array<std::string_view, 2> tables{"aws", "s3"};
    const auto* table = node.as_table();
    if (std::ranges::find(tables, key.str()) == tables.end())
      return unknown(position(name, key.source()), "table", key.str(), tables);
    if (table == nullptr) {
      return fail(Errc::invalid_argument,
                  fmt::format("{}: {} is a table, written [{}]", position(name, key.source()),
                              key.str(), key.str()));
    }
    RUNCTL_TRY(read_table(key.str(), *table, name, origin, settings));
  }
  return settings;
}

Result<Settings> read_settings(const Environment& environment,
                               const std::optional<std::string>& file) {
  if (file) return read_one(*file, Origin::user);
  Settings settings;
  if (const auto project = find_project_file()) {
    RUNCTL_TRY_LET(settings, read_one(*project, Origin::project));
  }
  const auto home = environment.get("XDG_CONFIG_HOME");
  const std::filesystem::path user =
      std::filesystem::path{home.value_or(environment.get("HOME").value_or("/") + "/.config")} /
      "runctl" / "config.toml";
  std::error_code error;
  if (std::filesystem::exists(user, error)) {
    RUNCTL_TRY_LET(const Settings fallback, read_one(user, Origin::user));
    for (const Row& row : rows) {
      if (!(settings.*(row.value))) settings.*(row.value) = fallback.*(row.value);
    }
    settings.where.insert(fallback.where.begin(), fallback.where.end());
    settings.files.insert(settings.files.end(), fallback.files.begin(), fallback.files.end());
  }
  return settings;
}

}  // namespace runctl::config
