#include "node/block_reader_fixture.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <sys/utsname.h>

#include <elf.h>

#include "node/block_readers.hpp"

namespace runctl::node::testing {

using namespace std::string_view_literals;

#if defined(__x86_64__)
// mov $3, %edi; mov $231, %eax (exit_group); syscall
constexpr std::string_view leaves_with_3 = "\xbf\3\0\0\0\xb8\xe7\0\0\0\x0f\5"sv;
constexpr std::string_view illegal_instruction = "\x0f\x0b"sv;  // ud2
constexpr std::string_view never_ends = "\xeb\xfe"sv;           // jmp to itself
#else
// mov x0, #3; mov x8, #94 (exit_group); svc #0
constexpr std::string_view leaves_with_3 = "\x60\0\x80\xd2\xc8\x0b\x80\xd2\1\0\0\xd4"sv;
constexpr std::string_view illegal_instruction = "\0\0\0\0"sv;  // udf #0
constexpr std::string_view never_ends = "\0\0\0\x14"sv;         // b to itself
#endif

std::optional<std::string> own_reader() {
  struct utsname machine{};
  ::uname(&machine);
  const auto found =
      std::ranges::find(block_readers(), std::string_view{machine.machine}, &EmbeddedText::name);
  if (found == block_readers().end()) return {};
  return std::string{found->text};
}

std::string reader_that(std::string_view code) {
  std::string program = own_reader().value();
  Elf64_Ehdr header{};
  std::memcpy(&header, program.data(), sizeof header);
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    std::memcpy(&part, program.data() + header.e_phoff + (i * sizeof part), sizeof part);
    const auto inside = header.e_entry - part.p_vaddr;
    if (part.p_type != PT_LOAD || header.e_entry < part.p_vaddr || inside >= part.p_filesz)
      continue;
    return program.replace(part.p_offset + inside, code.size(), code);
  }
  throw std::runtime_error{"the reader has no start"};
}

}  // namespace runctl::node::testing
