// Which files of a project are most likely secrets, by their names.
#pragma once

#include <string_view>

namespace runctl::training {

// Whether `path` ('/' between components), or a folder that it is in, has a name under which keys
// and passwords are kept. Letters' case does not count. A template that says by its name that it is
// one (".env.example") is none, nor is a public key. Names only: what is in a file is not looked
// at. Source: the file signatures of gitrob and its successor shhgit (config.yaml, 2020), and the
// documentation of the programs that write them (AWS CLI, curl, npm, twine, git, PostgreSQL,
// MySQL, Docker, Kubernetes, Terraform, Streamlit, Kaggle).
[[nodiscard]] bool is_secret(std::string_view path);

// The same of one component, a folder's: everything in it is one.
[[nodiscard]] bool is_secret_folder(std::string_view name);

}  // namespace runctl::training
