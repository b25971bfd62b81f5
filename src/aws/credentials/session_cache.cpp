#include "aws/credentials/session_cache.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "aws/credentials/record.hpp"
#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "io/file.hpp"

namespace runctl::aws {

// Source: botocore 1.43 credentials.py, DEFAULT_EXPIRY_WINDOW_SECONDS.
constexpr std::chrono::minutes least_life{15};

std::string session_cache_path(const Environment& environment, std::string_view arguments) {
  const auto home = environment.get("HOME");
  if (!home) return "";
  return *home + "/.aws/cli/cache/" + hex(sha1(arguments)) + ".json";
}

std::optional<Credentials> read_session(const std::string& path, Timestamp now) {
  if (path.empty()) return std::nullopt;
  const auto text = read_file(path, std::uint64_t{1} << 20U);
  if (!text) return std::nullopt;
  const auto json = parse_json(*text);
  if (!json || !json->is_object()) return std::nullopt;
  const auto* const found = json->as_object().if_contains("Credentials");
  if (found == nullptr) return std::nullopt;
  auto session = credentials_from(*found, {.token = "SessionToken"}, path);
  if (!session || !session->session_token || !session->expires) return std::nullopt;
  if (*session->expires < now + least_life) return std::nullopt;
  return *std::move(session);
}

void write_session(const std::string& path, const Credentials& session) {
  if (path.empty() || !session.expires || !session.session_token) return;
  const boost::json::object record{
      {"Credentials", boost::json::object{{"AccessKeyId", session.access_key_id},
                                          {"SecretAccessKey", session.secret_access_key.reveal()},
                                          {"SessionToken", session.session_token->reveal()},
                                          {"Expiration", iso8601(*session.expires)}}}};
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path(), ignored);
  static_cast<void>(write_file_atomically(path, to_text(record)));
}

}  // namespace runctl::aws
