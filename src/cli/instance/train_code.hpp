// The code of `aws train`: what its options say, how it is sent, and how that is shown.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/context.hpp"
#include "cli/s3/session.hpp"
#include "node/script.hpp"
#include "training/code_sync.hpp"
#include "training/code_tree.hpp"
#include "training/s3_code_bucket.hpp"

namespace runctl::cli {

inline constexpr OptionSpec include_pattern_option{
    .name = "--include-pattern",
    .value = "PATTERN",
    .help = "send what rules leave out, in gitignore's syntax",
    .times = OptionSpec::Times::many};
inline constexpr OptionSpec code_bucket_option{
    .name = "--code-bucket",
    .value = "BUCKET",
    .help = "what more code than fits into commands goes through"};
inline constexpr OptionSpec code_limit_option{
    .name = "--code-limit", .value = "SIZE", .help = "send up to this much code; 256MiB else"};

// Of `local` too.
inline constexpr OptionSpec packages_option{
    .name = "--packages",
    .value = "FILE",
    .help = "what says which packages to install: auto (the default), none, or a file"};

// Looks at the project of SCRIPT. Errors: invalid_argument for options that exclude each other;
// those of training::collect_code.
[[nodiscard]] Result<training::CodeTree> collect_code(const Arguments& arguments,
                                                      const Context& context);

// What sends it. Neither copied nor moved: the settings borrow the rest.
class CodeSender {
 public:
  // Errors: invalid_argument; those of connect_s3, where there is a bucket.
  [[nodiscard]] static Result<std::unique_ptr<CodeSender>> make(const Arguments& arguments,
                                                                Context& context);
  explicit CodeSender(Context& context);
  CodeSender(const CodeSender&) = delete;
  CodeSender& operator=(const CodeSender&) = delete;
  CodeSender(CodeSender&&) = delete;
  CodeSender& operator=(CodeSender&&) = delete;
  ~CodeSender() = default;

  [[nodiscard]] const training::SyncSettings& settings() const { return settings_; }

 private:
  std::unique_ptr<S3Session> s3_;
  std::unique_ptr<training::S3CodeBucket> bucket_;
  training::SyncSettings settings_;
};

// Says on standard error what is left out that somebody may miss.
void note_left_out(Context& context, const training::CodeTree& tree);

// "3 of 120 files (12 KiB): train.py, model.py, …", and the same for programs.
struct CodePlanText {
  std::string line;
  boost::json::object record;
};
// Errors: those of training::plan_code. A machine that does not answer is as one that has nothing.
[[nodiscard]] Result<CodePlanText> plan_text(const node::Machine* machine, training::CodeTree& tree,
                                             const training::SyncSettings& settings);

// What the record of a run says of its code.
[[nodiscard]] boost::json::object record_of(const training::CodeTree& tree,
                                            const training::CodeDelivery& delivery);

}  // namespace runctl::cli
