#include "io/curl_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

namespace runctl {
namespace {

// Source: the soname since libcurl 7.16 (2006); Debian's package libcurl4.
constexpr const char* soname = "libcurl.so.4";

template <class Function>
Result<void> find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  if (function == nullptr) {
    return fail(Errc::precondition, fmt::format("{} has no function {}", soname, name));
  }
  return {};
}

}  // namespace

Result<CurlLibrary> load_curl() {
  void* const library = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(Errc::precondition,
                fmt::format("cannot load {}: install Debian's package libcurl4", soname));
  }
  CurlLibrary curl;
  RUNCTL_TRY(find(library, "curl_global_init", curl.global_init));
  RUNCTL_TRY(find(library, "curl_easy_init", curl.easy_init));
  RUNCTL_TRY(find(library, "curl_easy_setopt", curl.easy_setopt));
  RUNCTL_TRY(find(library, "curl_easy_perform", curl.easy_perform));
  RUNCTL_TRY(find(library, "curl_easy_getinfo", curl.easy_getinfo));
  RUNCTL_TRY(find(library, "curl_easy_reset", curl.easy_reset));
  RUNCTL_TRY(find(library, "curl_easy_cleanup", curl.easy_cleanup));
  RUNCTL_TRY(find(library, "curl_easy_strerror", curl.easy_strerror));
  RUNCTL_TRY(find(library, "curl_slist_append", curl.slist_append));
  RUNCTL_TRY(find(library, "curl_slist_free_all", curl.slist_free_all));
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(Errc::internal, "libcurl cannot be set up");
  }
  return curl;
}

}  // namespace runctl
