// libcurl, loaded when it is first needed: it brings thirty libraries (TLS, Kerberos, LDAP) whose
// loading takes several times as long as `runctl --version` has.
#pragma once

#include <curl/curl.h>

#include "base/result.hpp"

namespace runctl {

// The functions of libcurl that we call, with libcurl's own types.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

// Loads libcurl and sets it up. It stays loaded until the process ends. Errors: precondition, when
// the library or a function in it is missing. Not for two threads at once, as curl_global_init.
[[nodiscard]] Result<CurlLibrary> load_curl();

}  // namespace runctl
