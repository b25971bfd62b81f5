// A program that reads a whole block device once, past the page cache, with 32 requests of 1 MiB
// under way, and writes nothing but what it says. It is sent along with a script (warm.sh) to
// machines of which nothing is known, so it is built on the kernel alone: no C library, no loader,
// a few KiB. docs/decisions/0005-a-reader-without-a-c-library.md says why it is there.
//
//   block_reader DEVICE BYTES
//
// Standard output: a line for each quarter of a second or so, the bytes that were passed in it.
// Standard error, when something cannot be read: FIRST COUNT END, the first such byte, how many
// there are (by pieces of 4 KiB in the first 16 requests that fail, by whole ones of 1 MiB after
// them), and where the reading ended: before BYTES when 1024 requests in a row had failed.
// Exit status: 0 all was read; 1 it was not, and standard error says what; 3 nothing was read,
// because it cannot work here (kernel, limits, filters, device); 4 it had to end in the middle.

namespace {

using Int = long;  // a register of both processors
using Unsigned = unsigned long;
static_assert(sizeof(Int) == 8 && sizeof(void*) == 8);

// Source: the kernel's arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h
// and the fcntl.h of each.
#if defined(__x86_64__)
enum Call : Int {
  call_write = 1,
  call_pread = 17,
  call_io_setup = 206,
  call_io_getevents = 208,
  call_io_submit = 209,
  call_clock_gettime = 228,
  call_exit_group = 231,
  call_openat = 257,
};
constexpr Int o_direct = 040000;

Int kernel(Call call, Int a = 0, Int b = 0, Int c = 0, Int d = 0, Int e = 0) {
  register Int r10 asm("r10") = d;
  register Int r8 asm("r8") = e;
  Int result = call;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
               : "rcx", "r11", "memory");
  return result;
}

// The kernel enters with the arguments on the stack.
asm(".global _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call run\n");
#elif defined(__aarch64__)
enum Call : Int {
  call_io_setup = 0,
  call_io_submit = 2,
  call_io_getevents = 4,
  call_openat = 56,
  call_write = 64,
  call_pread = 67,
  call_exit_group = 94,
  call_clock_gettime = 113,
};
constexpr Int o_direct = 0200000;

Int kernel(Call call, Int a = 0, Int b = 0, Int c = 0, Int d = 0, Int e = 0) {
  register Int x8 asm("x8") = call;
  register Int x0 asm("x0") = a;
  register Int x1 asm("x1") = b;
  register Int x2 asm("x2") = c;
  register Int x3 asm("x3") = d;
  register Int x4 asm("x4") = e;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
}

asm(".global _start\n_start:\n  mov x0, sp\n  bl run\n");
#else
#error "the reader is made for x86_64 and aarch64"
#endif

constexpr Int at_cwd = -100;
constexpr Int o_cloexec = 02000000;
constexpr Int clock_monotonic = 1;
constexpr Int eagain = -11;
constexpr Int eintr = -4;

enum Status : unsigned char { all_read = 0, not_all_read = 1, cannot_work = 3, cut_short = 4 };

// Source: include/uapi/linux/aio_abi.h; both processors are little endian.
struct Request {
  Unsigned data;
  unsigned key;
  unsigned rw_flags;
  unsigned short operation;  // 0 is a read
  short priority;
  unsigned descriptor;
  Unsigned buffer;
  Unsigned length;
  Int offset;
  Unsigned reserved;
  unsigned flags;
  unsigned event_descriptor;
};
static_assert(sizeof(Request) == 64);
struct Event {
  Unsigned data;
  Unsigned request;
  Int result;
  Int result2;
};
static_assert(sizeof(Event) == 32);

constexpr Unsigned block = Unsigned{1} << 20U;
constexpr Unsigned depth = 32;
constexpr Unsigned piece = 4096;
constexpr Unsigned most_looked_into = 16;
constexpr Unsigned most_in_a_row = 1024;
constexpr Unsigned quarter_second = 250'000'000;

// What is read is of no interest, so all requests may read to the same place: it stays in the
// processor's cache, which makes this faster than a buffer for each. Without a C library, memory
// that is zero and aligned is had in this way.
// NOLINTBEGIN(modernize-avoid-c-arrays)
alignas(4096) unsigned char sink[block];
alignas(4096) unsigned char piece_sink[piece];
Request requests[depth];
Request* waiting[depth];  // to be submitted
Event events[depth];
// NOLINTEND(modernize-avoid-c-arrays)

template <class T>
Int address(T* pointer) {
  return reinterpret_cast<Int>(pointer);
}

struct Reading {
  Int descriptor = -1;
  Unsigned size = 0;
  Unsigned next = 0;  // where the next request begins
  Unsigned passed = 0;
  Unsigned told = 0;
  Unsigned told_at = 0;
  Unsigned first_bad = 0;
  Unsigned bad = 0;         // bytes
  Unsigned first_size = 0;  // of what was noted at first_bad
  Unsigned looked_into = 0;
  Unsigned failed_in_a_row = 0;
};

[[noreturn]] void leave(Status status) {
  kernel(call_exit_group, status);
  __builtin_unreachable();
}

void say(Int where, Unsigned number, char end) {
  char text[21];  // NOLINT(modernize-avoid-c-arrays)
  Unsigned at = sizeof text;
  text[--at] = end;
  do {
    text[--at] = static_cast<char>('0' + (number % 10));
    number /= 10;
  } while (number > 0);
  kernel(call_write, where, address(&text[at]), static_cast<Int>(sizeof text - at));
}

Unsigned now() {
  struct {
    Int seconds;
    Int nanoseconds;
  } time{};
  kernel(call_clock_gettime, clock_monotonic, address(&time));
  return (static_cast<Unsigned>(time.seconds) * 1'000'000'000U) +
         static_cast<Unsigned>(time.nanoseconds);
}

Unsigned least(Unsigned a, Unsigned b) { return a < b ? a : b; }

void note_bad(Reading& reading, Unsigned offset, Unsigned length) {
  if (reading.bad == 0 || offset < reading.first_bad) {
    reading.first_bad = offset;
    reading.first_size = length;
  }
  reading.bad += length;
}

bool is_read(const Reading& reading, Unsigned offset, Unsigned length) {
  return kernel(call_pread, reading.descriptor, address(&piece_sink[0]), static_cast<Int>(length),
                static_cast<Int>(offset)) == static_cast<Int>(length);
}

// A request that failed: what of it can be read, is.
void look_into(Reading& reading, Unsigned offset, Unsigned length) {
  if (reading.looked_into == most_looked_into) {
    note_bad(reading, offset, length);
    return;
  }
  ++reading.looked_into;
  for (Unsigned at = offset; at < offset + length; at += piece) {
    const Unsigned size = least(piece, offset + length - at);
    if (!is_read(reading, at, size)) note_bad(reading, at, size);
  }
}

// Which byte it is exactly: requests end in any order, so the first may not have been looked into.
void find_first(Reading& reading) {
  while (reading.first_size > piece && is_read(reading, reading.first_bad, piece)) {
    reading.first_bad += piece;
    reading.first_size -= piece;
    reading.bad -= piece;
  }
}

// Makes `request` the next one; false when there is none.
bool prepare(Reading& reading, Request& request) {
  if (reading.next >= reading.size || reading.failed_in_a_row >= most_in_a_row) return false;
  request.descriptor = static_cast<unsigned>(reading.descriptor);
  request.buffer = static_cast<Unsigned>(address(&sink[0]));
  request.offset = static_cast<Int>(reading.next);
  request.length = least(block, reading.size - reading.next);
  reading.next += request.length;
  return true;
}

void tell(Reading& reading) {
  const Unsigned time = now();
  const bool at_end = reading.passed == reading.size;
  if (!at_end && time - reading.told_at < quarter_second) return;
  say(1, reading.passed - reading.told, '\n');
  reading.told = reading.passed;
  reading.told_at = time;
}

void read_all(Reading& reading, Unsigned context) {
  Unsigned under_way = 0;
  Unsigned ready = 0;
  for (; ready < depth; ++ready) {
    requests[ready].data = ready;  // comes back with its event
    if (!prepare(reading, requests[ready])) break;
    waiting[ready] = &requests[ready];
  }
  while (ready + under_way > 0) {
    if (ready > 0) {
      // The kernel takes them in order, and may take only the first ones.
      const Int taken = kernel(call_io_submit, static_cast<Int>(context), static_cast<Int>(ready),
                               address(&waiting[0]));
      if (taken < 0 && (taken != eagain || under_way == 0))
        leave(reading.passed + under_way == 0 ? cannot_work : cut_short);
      const Unsigned count = taken < 0 ? 0 : static_cast<Unsigned>(taken);
      for (Unsigned i = count; i < ready; ++i) waiting[i - count] = waiting[i];
      ready -= count;
      under_way += count;
    }
    const Int ended = kernel(call_io_getevents, static_cast<Int>(context), 1,
                             static_cast<Int>(depth), address(&events[0]));
    if (ended == eintr) continue;
    if (ended < 0) leave(cut_short);
    for (Int i = 0; i < ended; ++i) {
      Request& request = requests[events[i].data];
      if (events[i].result == static_cast<Int>(request.length)) {
        reading.failed_in_a_row = 0;
      } else {
        ++reading.failed_in_a_row;
        look_into(reading, static_cast<Unsigned>(request.offset), request.length);
      }
      reading.passed += request.length;
      --under_way;
      if (prepare(reading, request)) waiting[ready++] = &request;
    }
    tell(reading);
  }
}

Unsigned number(const char* text) {
  Unsigned value = 0;
  for (; *text >= '0' && *text <= '9'; ++text)
    value = (value * 10) + static_cast<Unsigned>(*text - '0');
  return *text == '\0' ? value : 0;
}

}  // namespace

// `stack` is the count of arguments, in place of a pointer, then the arguments.
extern "C" [[noreturn]] void run(const char* const* stack) {
  if (address(stack[0]) != 3) leave(cannot_work);
  Reading reading;
  reading.size = number(stack[3]);
  reading.descriptor = kernel(call_openat, at_cwd, address(stack[2]), o_direct | o_cloexec);
  Unsigned context = 0;
  if (reading.size == 0 || reading.descriptor < 0 ||
      kernel(call_io_setup, static_cast<Int>(depth), address(&context)) < 0) {
    leave(cannot_work);
  }
  reading.told_at = now();
  read_all(reading, context);
  if (reading.bad == 0) leave(all_read);
  find_first(reading);
  say(2, reading.first_bad, ' ');
  say(2, reading.bad, ' ');
  say(2, reading.next, '\n');
  leave(not_all_read);
}
