#include "node/files_machine.hpp"

#include <iterator>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace runctl::node::testing {
namespace {

constexpr unsigned nobody = 65534;

std::vector<std::string> environment_of(const std::filesystem::path& folder,
                                        const std::vector<std::string>& more) {
  std::vector<std::string> all{fmt::format("PATH={}/bin:/usr/bin:/bin", folder.string()),
                               fmt::format("RUNCTL_FILES_ROOT={}", folder.string())};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

Result<ProcessOutcome> AsOrdinaryUser::run(const ProcessSpec& spec,
                                           std::chrono::steady_clock::time_point deadline,
                                           const std::stop_token& stop) {
  if (::geteuid() != 0) return process_.run(spec, deadline, stop);
  ProcessSpec as_nobody{.argv = {"/usr/bin/setpriv", fmt::format("--reuid={}", nobody),
                                 fmt::format("--regid={}", nobody), "--clear-groups"},
                        .environment = spec.environment,
                        .input = spec.input,
                        .output_limit = spec.output_limit};
  as_nobody.argv.insert(as_nobody.argv.end(), spec.argv.begin(), spec.argv.end());
  return process_.run(as_nobody, deadline, stop);
}

FilesMachine::FilesMachine(const std::vector<std::string>& variables)
    : instance_{InstanceId::parse("i-0123456789abcdef0").value()},
      shell_{process_, clock_, environment_of(folder_.path(), variables)} {
  if (::geteuid() == 0 && ::chown(folder_.path().c_str(), nobody, nobody) != 0) {
    throw std::runtime_error{"cannot give a folder away"};
  }
}

std::string FilesMachine::said_by(const std::string& command) {
  const auto outcome = shell_.run(instance_, command, std::chrono::seconds{10}, {});
  return outcome ? std::string{trim(outcome->out)} : outcome.error().message;
}

void FilesMachine::stand_in(std::string_view name, std::string_view text) {
  said_by(fmt::format(
      "mkdir -p {0}/bin; printf '#!/bin/sh\n%s\n' {2} >{0}/bin/{1}; chmod 755 {0}/bin/{1}",
      root().string(), name, shell_quote(text)));
}

std::filesystem::path FilesMachine::add(const VolumeId& volume) {
  const auto directory = root() / "store" / volume.str();
  said_by(fmt::format("mkdir -p {0}/store/{1} {0}/volumes; ln -s {0}/store/{1} {0}/volumes/{1}",
                      root().string(), volume.str()));
  return directory;
}

}  // namespace runctl::node::testing
