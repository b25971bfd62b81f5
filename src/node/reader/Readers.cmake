# The programs of block_readers(), one for each processor that the compilers found here can make them for; sets
# RUNCTL_BLOCK_READERS to their names, files of RUNCTL_BLOCK_READERS_ROOT. docs/decisions/0005-a-reader-without-a-c-library.md
set(compile_flags -std=c++20 -Os -ffreestanding -fno-builtin -fno-exceptions -fno-rtti -fno-pic -fno-stack-protector
  -fno-asynchronous-unwind-tables -fno-unwind-tables)
set(link_flags -nostdlib -static -s -Wl,--build-id=none)
set(source ${CMAKE_CURRENT_LIST_DIR}/block_reader.cpp)
set(RUNCTL_BLOCK_READERS_ROOT ${CMAKE_CURRENT_BINARY_DIR}/readers)
file(MAKE_DIRECTORY ${RUNCTL_BLOCK_READERS_ROOT})
set(RUNCTL_BLOCK_READERS "")

# For this machine's processor: a target, so that it is in compile_commands.json. None of the build's sanitizers.
string(REPLACE AMD64 x86_64 own "${CMAKE_SYSTEM_PROCESSOR}")
if(own MATCHES "^(x86_64|aarch64)$")
  add_executable(runctl_block_reader ${source})
  set_target_properties(runctl_block_reader PROPERTIES
    OUTPUT_NAME ${own} RUNTIME_OUTPUT_DIRECTORY ${RUNCTL_BLOCK_READERS_ROOT})
  target_compile_options(runctl_block_reader PRIVATE ${compile_flags} -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion
    $<$<BOOL:${RUNCTL_WERROR}>:-Werror>)
  target_link_options(runctl_block_reader PRIVATE ${link_flags} -no-pie -Wl,-z,noseparate-code)
  list(APPEND RUNCTL_BLOCK_READERS ${own})
endif()

# For the other: by a cross compiler, or by clang and lld, which are for both.
find_program(RUNCTL_CLANG NAMES clang++-19 clang++)
find_program(RUNCTL_LLD NAMES ld.lld-19 ld.lld)
foreach(processor x86_64 aarch64)
  if(processor STREQUAL own)
    continue()
  endif()
  find_program(RUNCTL_CROSS_${processor} ${processor}-linux-gnu-g++)
  set(program ${RUNCTL_BLOCK_READERS_ROOT}/${processor})
  set(compiler "")
  if(RUNCTL_CROSS_${processor})
    set(compiler ${RUNCTL_CROSS_${processor}} -no-pie)
  elseif(RUNCTL_CLANG AND RUNCTL_LLD)
    set(compiler ${RUNCTL_CLANG} --target=${processor}-linux-gnu -fuse-ld=lld)
  endif()
  list(APPEND compiler ${compile_flags} ${link_flags} ${source} -o ${program})
  execute_process(COMMAND ${compiler} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
  if(failed)
    message(STATUS "no compiler for ${processor}: on such machines `ebs warm` reads with dd (clang and lld make one)")
    continue()
  endif()
  add_custom_command(OUTPUT ${program} COMMAND ${compiler} DEPENDS ${source} VERBATIM)
  list(APPEND RUNCTL_BLOCK_READERS ${processor})
endforeach()
