// Functions of libraries that are loaded when they are first needed.
#pragma once

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/result.hpp"

namespace runctl {

// Loads a library by its soname; it stays loaded until the process ends. Errors: precondition, with
// the Debian `package` that has it.
[[nodiscard]] inline Result<void*> load_library(const char* soname, const char* package) {
  void* const library = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  return fail(Errc::precondition,
              fmt::format("cannot load {}: install Debian's package {}", soname, package));
}

// Errors: precondition when the library has no such function.
template <class Function>
[[nodiscard]] Result<void> find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function != nullptr) return {};
  return fail(Errc::precondition, fmt::format("the library that was loaded has no {}", name));
}

}  // namespace runctl
