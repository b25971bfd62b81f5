// Text files that were compiled into the program (cmake/RunctlEmbed.cmake).
#pragma once

#include <string_view>

namespace runctl {

struct EmbeddedText {
  std::string_view name;  // the file's path below the folder that was embedded
  std::string_view text;
};

}  // namespace runctl
