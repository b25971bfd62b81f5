// Text that must not reach a log, an error or a terminal.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace runctl {

// Has no formatter and no operator<<, so printing one does not compile.
class Secret {
 public:
  explicit Secret(std::string text) : text_{std::move(text)} {}
  // Named so that every use is one grep away.
  [[nodiscard]] std::string_view reveal() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace runctl
