#include "training/secrets.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.hpp"

namespace runctl::training {
namespace {

constexpr std::array<std::string_view, 7> folders{".aws",  ".azure", ".docker", ".gnupg",
                                                  ".kube", ".ssh",   ".gcloud"};
constexpr std::array<std::string_view, 24> names{".env",
                                                 ".envrc",
                                                 "credentials",
                                                 "credentials.json",
                                                 ".netrc",
                                                 "_netrc",
                                                 ".npmrc",
                                                 ".pypirc",
                                                 ".pgpass",
                                                 ".my.cnf",
                                                 ".dockercfg",
                                                 ".htpasswd",
                                                 ".git-credentials",
                                                 ".boto",
                                                 ".s3cfg",
                                                 ".vault-token",
                                                 "kaggle.json",
                                                 "secrets.toml",
                                                 "secrets.yaml",
                                                 "secrets.yml",
                                                 "secrets.json",
                                                 "terraform.tfstate",
                                                 "application_default_credentials.json",
                                                 ".passwd-s3fs"};
constexpr std::array<std::string_view, 9> endings{".pem", ".key",      ".p12",  ".pfx",    ".ppk",
                                                  ".jks", ".keystore", ".kdbx", ".tfstate"};
constexpr std::array<std::string_view, 6> beginnings{".env.",    "id_rsa",     "id_dsa",
                                                     "id_ecdsa", "id_ed25519", "service-account"};
constexpr std::array<std::string_view, 6> harmless{".example", ".sample", ".template",
                                                   ".dist",    ".pub",    ".py"};

bool is_secret_name(std::string_view name) {
  const std::string small = lower(name);
  const std::string_view text = small;
  if (std::ranges::find(names, text) != names.end()) return true;
  const bool suspicious =
      std::ranges::any_of(endings, [&](auto end) { return text.ends_with(end); }) ||
      std::ranges::any_of(beginnings, [&](auto begin) { return text.starts_with(begin); });
  return suspicious &&
         std::ranges::none_of(harmless, [&](auto end) { return text.ends_with(end); });
}

}  // namespace

bool is_secret_folder(std::string_view name) {
  const std::string small = lower(name);
  return std::ranges::find(folders, std::string_view{small}) != folders.end();
}

bool is_secret(std::string_view path) {
  while (true) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return is_secret_name(path);
    if (is_secret_folder(path.substr(0, slash))) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace runctl::training
