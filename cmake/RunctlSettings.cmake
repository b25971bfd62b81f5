# Two INTERFACE targets that every module and program of ours links privately.
set(RUNCTL_SANITIZE "" CACHE STRING "sanitizers to build with, a list: address;undefined")
option(RUNCTL_WERROR "warnings are errors" ON)

add_library(runctl_settings INTERFACE)
target_compile_features(runctl_settings INTERFACE cxx_std_23)
foreach(s IN LISTS RUNCTL_SANITIZE)
  target_compile_options(runctl_settings INTERFACE -fsanitize=${s} -fno-omit-frame-pointer)
  target_link_options(runctl_settings INTERFACE -fsanitize=${s})
endforeach()
if(RUNCTL_SANITIZE MATCHES undefined)
  # A finding ends the program: one that is only printed would pass a test.
  target_compile_options(runctl_settings INTERFACE -fno-sanitize-recover=undefined)
endif()

add_library(runctl_warnings INTERFACE)
target_compile_options(runctl_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual -Wcast-align
  -Wformat=2 -Wswitch-enum -Wextra-semi
  $<$<CXX_COMPILER_ID:GNU>:-Wlogical-op;-Wduplicated-cond;-Wduplicated-branches>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # GCC 12 takes every std::optional that is inlined for uninitialised (its bug 80635); the sanitizers do look.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-maybe-uninitialized>
  $<$<BOOL:${RUNCTL_WERROR}>:-Werror>)

# For a build from nothing: what most sources include, compiled once. Off where it would hide a missing #include
# (tidy) or stand in ccache's way (dev).
option(RUNCTL_PRECOMPILE "precompile common headers" OFF)

# runctl_precompiled(<target>): lets a target that links runctl::base use them.
function(runctl_precompiled target)
  if(NOT RUNCTL_PRECOMPILE)
    return()
  endif()
  if(NOT TARGET runctl_precompiled)
    file(WRITE ${PROJECT_BINARY_DIR}/precompiled.cpp "")
    add_library(runctl_precompiled STATIC ${PROJECT_BINARY_DIR}/precompiled.cpp)
    target_link_libraries(runctl_precompiled PRIVATE fmt::fmt Boost::json runctl_settings runctl_warnings)
    target_precompile_headers(runctl_precompiled PRIVATE
      <algorithm> <array> <chrono> <expected> <filesystem> <functional> <map> <memory> <optional> <span> <stop_token>
      <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h> <boost/json/value.hpp>
      <boost/json/object.hpp> <boost/json/array.hpp>)
  endif()
  target_precompile_headers(${target} REUSE_FROM runctl_precompiled)
endfunction()
