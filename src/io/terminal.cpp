#include "io/terminal.hpp"

#include <sys/ioctl.h>

namespace runctl {

unsigned terminal_width(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace runctl
