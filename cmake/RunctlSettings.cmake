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
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety;-Wreserved-identifier;-Wzero-as-null-pointer-constant>
  # GCC 12 takes every std::optional that is inlined for uninitialised (its bug 80635); the sanitizers do look.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<NOT:$<CONFIG:Debug>>>:-Wno-maybe-uninitialized>
  $<$<BOOL:${RUNCTL_WERROR}>:-Werror>)

# For a build from nothing: what most sources include, compiled once; the shapes of the service, which hold their own
# description, take longer than the rest of a source. Off where it would hide a missing #include (tidy) or stand in
# ccache's way (dev).
option(RUNCTL_PRECOMPILE "precompile common headers" OFF)
if(RUNCTL_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  # Compared by contents, not by times: ccache's manual, "Precompiled headers".
  target_compile_options(runctl_settings INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()

# runctl_precompile(<name> [<target>...]): the headers, and those of the named libraries of tests.
function(runctl_precompile name)
  if(TARGET ${name})
    return()
  endif()
  file(WRITE ${PROJECT_BINARY_DIR}/${name}.cpp "")
  add_library(${name} STATIC ${PROJECT_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE fmt::fmt Boost::json runctl_settings runctl_warnings ${ARGN})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_precompile_headers(${name} PRIVATE
    <algorithm> <array> <charconv> <chrono> <expected> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional>
    <random> <set> <span> <stop_token> <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h>
    <boost/json/value.hpp> <boost/json/object.hpp> <boost/json/array.hpp> <boost/json/parse.hpp> <boost/json/serialize.hpp>
    "${PROJECT_SOURCE_DIR}/src/aws/ec2/instance.hpp" "${PROJECT_SOURCE_DIR}/src/aws/ec2/volume.hpp"
    "${PROJECT_SOURCE_DIR}/src/aws/ec2/snapshot.hpp" "${PROJECT_SOURCE_DIR}/src/aws/s3/client.hpp")
  if(ARGN)
    target_precompile_headers(${name} PRIVATE <gtest/gtest.h> <gmock/gmock.h>)
  endif()
endfunction()

# runctl_precompiled(<target> [TEST]): lets a target that links runctl::base use them.
function(runctl_precompiled target)
  if(NOT RUNCTL_PRECOMPILE)
    return()
  endif()
  if(ARGC GREATER 1)
    runctl_precompile(runctl_precompiled_for_tests GTest::gmock_main)
    target_precompile_headers(${target} REUSE_FROM runctl_precompiled_for_tests)
  else()
    runctl_precompile(runctl_precompiled)
    target_precompile_headers(${target} REUSE_FROM runctl_precompiled)
  endif()
endfunction()
