// AWS's shared files, ~/.aws/credentials and ~/.aws/config: their dialect of ini, and where they
// are.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/environment.hpp"

namespace runctl::aws {

struct ProfileSetting {
  std::string value = {};
  unsigned line = 0;  // from 1
  // The indented "key = value" lines below a key without value of its own.
  std::map<std::string, std::string, std::less<>> nested = {};
};

// By key, in lower case.
using ProfileSection = std::map<std::string, ProfileSetting, std::less<>>;
using ProfileSections = std::map<std::string, ProfileSection, std::less<>>;

// The two files name their sections differently: a profile is [x] in the one, [profile x] in the
// other.
enum class ProfileFileKind : std::uint8_t { credentials, config };
enum class FileFound : bool { no, yes };

struct ProfileFile {
  std::string path = {};
  FileFound found = FileFound::no;
  ProfileSections profiles = {};
  ProfileSections services = {};      // [services x]; config file only
  ProfileSections sso_sessions = {};  // [sso-session x]; config file only
};

struct ProfileFiles {
  ProfileFile credentials = {};
  ProfileFile config = {};
};

// `path` is used in messages. Comments are whole lines that start with '#' or ';', never the end of
// a value. Of [default] and [profile default] in a config file the second counts. Errors:
// invalid_argument with path and line for a line that is neither section, key nor continuation, and
// for a section or key given twice.
// Source: botocore 1.43 configloader.py (Python's RawConfigParser and one level of nesting);
// "Format of the config and credentials files", AWS SDKs and Tools Reference Guide.
[[nodiscard]] Result<ProfileFile> parse_profile_file(std::string_view text, std::string path,
                                                     ProfileFileKind kind);

// Where AWS's tools look: AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE, else below $HOME/.aws.
// Empty when neither the variable nor HOME is set.
[[nodiscard]] std::string profile_file_path(const Environment& environment, ProfileFileKind kind);

// Reads both. A file that is not there counts as empty.
// Errors: those of parse_profile_file; denied for a file that may not be read.
[[nodiscard]] Result<ProfileFiles> read_profile_files(const Environment& environment);

// A profile's setting: the credentials file's if it has one, else the config file's.
struct FoundSetting {
  const ProfileSetting& setting;
  const ProfileFile& file;
};
[[nodiscard]] std::optional<FoundSetting> find_setting(const ProfileFiles& files,
                                                       std::string_view profile,
                                                       std::string_view key);

}  // namespace runctl::aws
