# runctl_module(<name> SOURCES ... HEADERS ... [USES <module>...] [LINKS <target>...]
#               [LINKS_PRIVATE <target>...])
# USES is the module's whole permission to include other modules; the layer check reads it.
function(runctl_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;USES;LINKS;LINKS_PRIVATE")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "runctl_module(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  string(REPLACE ";" "," rule "${arg_USES}")
  set_property(GLOBAL APPEND PROPERTY RUNCTL_LAYER_RULES "${name}:${rule}")
  list(TRANSFORM arg_USES PREPEND runctl::)
  if(NOT arg_SOURCES)  # a room whose tenants have not moved in: it has its rule, and nothing to build
    add_library(runctl_${name} INTERFACE)
    add_library(runctl::${name} ALIAS runctl_${name})
    target_link_libraries(runctl_${name} INTERFACE ${arg_USES} ${arg_LINKS})
    return()
  endif()
  add_library(runctl_${name} STATIC ${arg_SOURCES})
  add_library(runctl::${name} ALIAS runctl_${name})
  target_sources(runctl_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR}/src FILES ${arg_HEADERS})
  target_link_libraries(runctl_${name}
    PUBLIC ${arg_USES} ${arg_LINKS}
    PRIVATE ${arg_LINKS_PRIVATE} runctl_settings runctl_warnings)
  target_compile_features(runctl_${name} PUBLIC cxx_std_23)
  runctl_precompiled(runctl_${name})
  set_target_properties(runctl_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# runctl_test(<module> SOURCES <file>... [LINKS <target>...] [ONE_THREAD]): one binary a module, one ctest entry a
# TEST(). ONE_THREAD: the module works in its caller's thread only, and ThreadSanitizer has nothing to see in it. The
# time-out is for what hangs: a sanitizer beside another test takes a minute for what takes two seconds. Tests run with
# the source tree's root in RUNCTL_SOURCE_DIR, for the data that they read.
function(runctl_test module)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "ONE_THREAD" "" "SOURCES;LINKS")
  if(arg_ONE_THREAD AND RUNCTL_SANITIZE MATCHES thread)
    return()
  endif()
  add_executable(${module}_tests ${arg_SOURCES})
  target_link_libraries(${module}_tests
    PRIVATE runctl::${module} ${arg_LINKS} runctl_settings runctl_warnings GTest::gmock_main)
  target_compile_definitions(${module}_tests PRIVATE RUNCTL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  runctl_precompiled(${module}_tests TEST)
  gtest_discover_tests(${module}_tests
    TEST_PREFIX ${module}. DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 300)
endfunction()

# Call once, last: turns the USES lists into a test, and proves that the test can fail.
function(runctl_layer_test)
  get_property(rules GLOBAL PROPERTY RUNCTL_LAYER_RULES)
  list(JOIN rules "|" rules)
  add_test(NAME layers COMMAND ${CMAKE_COMMAND}
    -DSRC=${PROJECT_SOURCE_DIR}/src "-DRULES=${rules}"
    -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayers.cmake)
  add_test(NAME layers_planted_violation COMMAND ${CMAKE_COMMAND}
    -DSRC=${PROJECT_SOURCE_DIR}/tests/tidy/planted "-DRULES=base:|io:base|volume:base,io"
    -P ${PROJECT_SOURCE_DIR}/cmake/CheckLayers.cmake)
  set_tests_properties(layers_planted_violation PROPERTIES
    PASS_REGULAR_EXPRESSION "base/upward\\.hpp: #include \"volume/plan\\.hpp\"")
  set_tests_properties(layers layers_planted_violation PROPERTIES LABELS tidy)
endfunction()
