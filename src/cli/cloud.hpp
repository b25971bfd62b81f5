// The way from a command to the cloud: endpoint, credentials, region, client, shell.
#pragma once

#include <memory>
#include <string>

#include "aws/client.hpp"
#include "base/result.hpp"
#include "cli/context.hpp"
#include "node/ssm_shell.hpp"
#include "volume/session.hpp"

namespace runctl::cli {

// Lives as long as the command. Neither copied nor moved: the shell borrows the client.
class Cloud {
 public:
  Cloud(Context& context, aws::ClientConfig config)
      : context_{context},
        aws_{context.http, context.clock, context.random, context.log, std::move(config)},
        shell_{aws_, context.clock} {}
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;
  Cloud(Cloud&&) = delete;
  Cloud& operator=(Cloud&&) = delete;
  ~Cloud() = default;

  [[nodiscard]] aws::Client& aws() { return aws_; }
  [[nodiscard]] node::RemoteShell& shell() { return shell_; }
  // With the deadline of --timeout, counted from the command's start, and progress on standard
  // error.
  [[nodiscard]] volume::Session session();
  [[nodiscard]] aws::CallOptions options() { return session().options(); }

 private:
  Context& context_;
  aws::Client aws_;
  node::SsmShell shell_;
  std::chrono::steady_clock::time_point started_ = context_.clock.ticks();
};

// Resolves where requests go and who signs them. With --emulator the embedded emulator is started
// when it does not run, and a line on standard error says that it is used. Errors: denied (no
// credentials), invalid_argument (no region, a bad endpoint), those of the emulator.
[[nodiscard]] Result<std::unique_ptr<Cloud>> connect(Context& context);

}  // namespace runctl::cli
