# Writes OUT, a source file that holds the texts NAMES (a list with | between) below ROOT. See RunctlEmbed.cmake.
cmake_policy(VERSION 3.25)
string(REPLACE "|" ";" names "${NAMES}")
set(rows "")
foreach(name IN LISTS names)
  # In hexadecimal: a text may hold anything, CMake's own list and bracket characters among it.
  file(READ "${ROOT}/${name}" bytes HEX)
  string(LENGTH "${bytes}" digits)
  set(literals "")
  set(at 0)
  while(at LESS digits)
    # Adjacent literals, since a hexadecimal escape has no end of its own.
    string(SUBSTRING "${bytes}" ${at} 160 piece)
    string(REGEX REPLACE "(..)" "\\\\x\\1" piece "${piece}")
    string(APPEND literals "     \"${piece}\"\n")
    math(EXPR at "${at} + 160")
  endwhile()
  if(digits EQUAL 0)
    set(literals "     \"\"\n")
  endif()
  math(EXPR size "${digits} / 2")
  string(APPEND rows "    {\"${name}\", {\n${literals}     , ${size}}},\n")
endforeach()
file(WRITE "${OUT}" "#include \"${HEADER}\"

#include <array>

namespace ${NAMESPACE} {

namespace {

constexpr auto texts = std::to_array<EmbeddedText>({
${rows}});

}  // namespace

std::span<const EmbeddedText> ${FUNCTION}() { return texts; }

}  // namespace ${NAMESPACE}
")
