// Which machine is rented: what `aws create` and `workflow train` say of it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "fleet/fallback.hpp"
#include "fleet/launch.hpp"

namespace runctl::cli {

inline constexpr std::array<OptionSpec, 12> launch_options{{
    {.name = "--instance-type", .value = "TYPE", .help = "the instance type (default t3.medium)"},
    {.name = "--name", .value = "NAME", .help = "its Name tag, by which commands find it"},
    {.name = "--availability-zone",
     .value = "AZ",
     .help = "where its volumes are (default: AWS chooses)"},
    {.name = "--ami-id", .value = "AMI", .help = "the image (default: Amazon Linux 2023)"},
    {.name = "--key-name", .value = "KEY", .help = "an EC2 key pair, for ssh"},
    {.name = "--security-group", .value = "SG", .help = "a security group id"},
    {.name = "--subnet", .value = "SUBNET", .help = "a subnet id"},
    {.name = "--iam-instance-profile",
     .value = "NAME",
     .help = "with AmazonSSMManagedInstanceCore, so that SSM works"},
    {.name = "--spot",
     .help = "a spot machine: cheaper, and EC2 may take it back; on demand where there is none"},
    {.name = "--spot-max-price",
     .value = "USD",
     .help = "the most an hour may cost on the spot market (default: what it asks)"},
    {.name = "--no-fallback", .help = "with --spot: a spot machine or none"},
    {.name = "--tag", .value = "K=V", .help = "a tag", .times = OptionSpec::Times::many},
}};

// `type` is the one that a command takes without an option. Errors: invalid_argument.
[[nodiscard]] Result<fleet::LaunchSpec> launch_spec_from(
    const Arguments& arguments, const std::optional<std::string>& type = {});

// An on-demand machine in place of a spot one is said out loud, also with --quiet and for programs:
// nobody is to learn of it from the bill. Borrows both.
[[nodiscard]] fleet::Fallback fallback_from(const Arguments& arguments, Context& context,
                                            const fleet::LaunchSpec& spec);

// "launch one t3.medium instance in us-east-1a", and what comes where there is no spot machine.
[[nodiscard]] std::vector<std::string> launch_steps(const fleet::LaunchSpec& spec,
                                                    bool may_fall_back);

}  // namespace runctl::cli
