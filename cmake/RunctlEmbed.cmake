# runctl_embed(<target> HEADER <path below src> NAMESPACE <ns> FUNCTION <name> ROOT <dir> FILES <file>...)
# Compiles text files into <target> as `std::span<const EmbeddedText> <ns>::<name>()`, named relative to ROOT.
# The type is in base/embedded_text.hpp.
function(runctl_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;NAMESPACE;FUNCTION;ROOT" "FILES")
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_${arg_FUNCTION}.cpp)
  list(TRANSFORM arg_FILES PREPEND ${arg_ROOT}/ OUTPUT_VARIABLE paths)
  string(REPLACE ";" "|" names "${arg_FILES}")
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DHEADER=${arg_HEADER} -DNAMESPACE=${arg_NAMESPACE}
      -DFUNCTION=${arg_FUNCTION} -DROOT=${arg_ROOT} "-DNAMES=${names}"
      -P ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${paths} ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${out})
  # A text may be longer than the literal that every compiler has to take; those that we build with take it.
  set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
