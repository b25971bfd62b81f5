#include "aws/profile_file.hpp"

#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(blanks), line.size());
}

// The words of a section's header, quoted ones whole; nothing when a quote is not closed.
std::optional<std::vector<std::string>> words_of(std::string_view header) {
  std::vector<std::string> words;
  while (!(header = trim(header)).empty()) {
    const char first = header.front();
    const bool quoted = first == '"' || first == '\'';
    const auto end = quoted ? header.find(first, 1) : header.find_first_of(blanks);
    if (quoted && end == std::string_view::npos) return std::nullopt;
    words.emplace_back(header.substr(quoted ? 1 : 0, quoted ? end - 1 : end));
    if (end == std::string_view::npos) break;
    header.remove_prefix(end + 1);
  }
  return words;
}

// Reads one file, line by line.
class Reader {
 public:
  Reader(std::string path, ProfileFileKind kind) : kind_{kind} {
    file_.path = std::move(path);
    file_.found = FileFound::yes;
  }

  Result<void> read(std::string_view line) {
    ++number_;
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return {};
    if (option_ != nullptr && indent_of(line) > option_indent_) return read_continuation(content);
    if (content.front() == '[') return read_header(content);
    return read_option(content, indent_of(line));
  }

  ProfileFile take() {
    // "[profile default]" is the newer spelling and replaces "[default]".
    if (bare_default_ && !file_.profiles.contains("default")) {
      file_.profiles["default"] = *std::move(bare_default_);
    }
    return std::move(file_);
  }

 private:
  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Errc::invalid_argument, fmt::format("{}:{}: {}", file_.path, number_, what));
  }

  Result<void> read_header(std::string_view content) {
    const auto end = content.rfind(']');
    if (end == std::string_view::npos || end == 1) return wrong("a section is written [name]");
    const std::string header{trim(content.substr(1, end - 1))};
    option_ = nullptr;
    if (!headers_.emplace(header, number_).second) {
      return wrong(
          fmt::format("section [{}] is there twice, first in line {}", header, headers_[header]));
    }
    section_ = section_for(header);
    return {};
  }

  ProfileSection* section_for(const std::string& header) {
    if (kind_ == ProfileFileKind::credentials) return &file_.profiles[header];
    if (header == "default") return &bare_default_.emplace();
    const auto words = words_of(header);
    if (words && words->size() == 2) {
      if (words->front() == "profile") return &file_.profiles[words->back()];
      if (words->front() == "services") return &file_.services[words->back()];
      if (words->front() == "sso-session") return &file_.sso_sessions[words->back()];
    }
    ignored_.clear();  // [plugins], [x]: other tools'
    return &ignored_;
  }

  Result<void> read_option(std::string_view content, std::size_t indent) {
    if (section_ == nullptr) return wrong("a setting stands before the first [section]");
    const auto delimiter = content.find_first_of("=:");
    const std::string_view key = trim(content.substr(0, delimiter));
    if (delimiter == std::string_view::npos || key.empty()) {
      // The line is not repeated in the message: it may be a secret that was pasted here.
      return wrong("this line is neither a [section] nor a 'key = value'");
    }
    const auto [at, is_new] = section_->try_emplace(lower(key));
    if (!is_new) {
      return wrong(
          fmt::format("'{}' is there twice, first in line {}", lower(key), at->second.line));
    }
    at->second = {.value = std::string{trim(content.substr(delimiter + 1))}, .line = number_};
    option_ = &at->second;
    option_indent_ = indent;
    is_nest_ = option_->value.empty();
    return {};
  }

  Result<void> read_continuation(std::string_view content) {
    if (!is_nest_) {
      option_->value += '\n';
      option_->value += content;
      return {};
    }
    const auto equals = content.find('=');
    if (equals == std::string_view::npos) return wrong("an indented line is written 'key = value'");
    option_->nested.insert_or_assign(std::string{trim(content.substr(0, equals))},
                                     std::string{trim(content.substr(equals + 1))});
    return {};
  }

  ProfileFileKind kind_;
  ProfileFile file_;
  std::optional<ProfileSection> bare_default_;
  ProfileSection ignored_;
  std::map<std::string, unsigned> headers_;
  unsigned number_ = 0;
  ProfileSection* section_ = nullptr;  // map nodes stay where they are
  ProfileSetting* option_ = nullptr;
  std::size_t option_indent_ = 0;
  bool is_nest_ = false;
};

std::string expand_home(std::string path, const std::optional<std::string>& home) {
  if (home && (path == "~" || path.starts_with("~/"))) return *home + path.substr(1);
  return path;
}

Result<ProfileFile> read_one(const Environment& environment, ProfileFileKind kind) {
  const std::string path = profile_file_path(environment, kind);
  if (path.empty()) return ProfileFile{};
  auto text = read_file(path, std::uint64_t{4} << 20U);
  if (text) return parse_profile_file(*text, path, kind);
  if (text.error().code == Errc::not_found) return ProfileFile{.path = path};
  return std::unexpected{std::move(text).error()};
}

}  // namespace

Result<ProfileFile> parse_profile_file(std::string_view text, std::string path,
                                       ProfileFileKind kind) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // Windows editors write it
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Reader reader{std::move(path), kind};
  for (const std::string_view line : split(text, '\n')) RUNCTL_TRY(reader.read(line));
  return reader.take();
}

std::string profile_file_path(const Environment& environment, ProfileFileKind kind) {
  const bool is_config = kind == ProfileFileKind::config;
  const auto home = environment.get("HOME");
  if (auto named = environment.get(is_config ? "AWS_CONFIG_FILE" : "AWS_SHARED_CREDENTIALS_FILE")) {
    return expand_home(*std::move(named), home);
  }
  return home ? *home + (is_config ? "/.aws/config" : "/.aws/credentials") : "";
}

Result<ProfileFiles> read_profile_files(const Environment& environment) {
  ProfileFiles files;
  RUNCTL_TRY_LET(files.credentials, read_one(environment, ProfileFileKind::credentials));
  RUNCTL_TRY_LET(files.config, read_one(environment, ProfileFileKind::config));
  return files;
}

std::optional<FoundSetting> find_setting(const ProfileFiles& files, std::string_view profile,
                                         std::string_view key) {
  for (const ProfileFile* file : {&files.credentials, &files.config}) {
    const auto section = file->profiles.find(profile);
    if (section == file->profiles.end()) continue;
    const auto setting = section->second.find(key);
    if (setting != section->second.end()) {
      return FoundSetting{.setting = setting->second, .file = *file};
    }
  }
  return std::nullopt;
}

}  // namespace runctl::aws
