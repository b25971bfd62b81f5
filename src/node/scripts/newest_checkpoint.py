"""Which checkpoint of a directory a training goes on from: the newest that is whole.

    python3 newest_checkpoint.py DIRECTORY

Runs on the machine that has the volume (choose_checkpoint.sh), and travels there as one file. It says what
src/checkpoint/ says, which `runctl checkpoint` uses, in the same words; tests/cli/resume_test.py holds one against the
other. Nothing in a checkpoint is imported, called or built: pickles are read as data. Python 3.6, its standard library
alone. Memory is bounded as it is there (docs/CHECKPOINTS.md, "Limits").

Prints one JSON object. Exit status 0; 3 when the directory cannot be read, and 4 when it holds too many files: then with
the reason instead.
"""
import errno
import itertools
import json
import math
import os
import re
import stat
import struct
import sys
import zlib

SOUND, COMPLETE, UNKNOWN, DAMAGED = "sound", "complete", "unknown", "damaged"
MOST_FILES = 200000
WINDOW = 1 << 20
GREATEST_64 = (1 << 64) - 1


class Damaged(Exception):
    """The bytes break their format."""


class Beyond(Exception):
    """The bytes may be right, and are more than is looked at."""


class TooMany(Exception):
    """The directory is none of checkpoints."""


# What is told of a file

def shown(name):
    return "".join("?" if c < 32 or c >= 127 else chr(c) for c in name[:80])


def trim(text):
    return text.strip(b" \t\r\n")


def bytes_in_words(count):
    value, unit = float(count), 0
    while value >= (1024.0 if unit == 0 else 1023.95) and unit < 4:
        value /= 1024.0
        unit += 1
    return "%d B" % count if unit == 0 else "%.1f %s" % (value, ("B", "KiB", "MiB", "GiB", "TiB")[unit])


class Facts:
    def __init__(self):
        self.epoch = None
        self.step = None
        self.metrics = {}

    def note(self, name, value):
        value = float(value)
        if not math.isfinite(value) or not 0 < len(name) <= 64 or any(c <= 32 or c >= 127 for c in name):
            return
        word = name.lower()
        if word in (b"epoch", b"epochs", b"current_epoch", b"ep"):
            if 0 <= value <= 1 << 53 and self.epoch is None:
                self.epoch = value
        elif word in (b"step", b"steps", b"global_step", b"globalstep", b"current_step", b"training_step", b"iteration",
                      b"iter", b"it", b"iterations"):
            if 0 <= value <= 1 << 53 and value == math.floor(value) and self.step is None:
                self.step = int(value)
        elif len(self.metrics) < 64:
            self.metrics.setdefault(name, value)

    def fill_in(self, more):
        if self.epoch is None:
            self.epoch = more.epoch
        if self.step is None:
            self.step = more.step
        for name, value in more.metrics.items():
            if len(self.metrics) < 64:
                self.metrics.setdefault(name, value)


class Finding:
    def __init__(self, form="other", verdict=UNKNOWN, why="", items=0):
        self.format = form
        self.verdict = verdict
        self.why = why
        self.facts = Facts()
        self.items = items


def read_number(text):
    """What std::from_chars reads of all of `text` as a double; None for what is no number or fits none."""
    if re.fullmatch(rb"-?(inf(inity)?|nan(\([A-Za-z0-9_]*\))?)", text, re.I):
        return float(text.split(b"(")[0])
    if not re.fullmatch(rb"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        return None
    value = float(text)
    lost = value == 0 and re.search(rb"[1-9]", re.split(rb"[eE]", text)[0])
    return None if math.isinf(value) or lost else value


# JSON, as base/json.cpp has it

def refuse_constant(_):
    raise ValueError("no JSON")


def finite(text):
    value = float(text)
    if math.isinf(value):
        raise ValueError("a number that nothing holds")
    return value


def whole_number(text):
    value = int(text)
    return value if -(1 << 63) <= value <= GREATEST_64 else finite(text)


def is_deep(text):
    if text.count("[") + text.count("{") <= 32:
        return False
    depth = 0
    mark = re.compile(r'["\[\]{}]')
    match = mark.search(text)
    while match:
        at = match.end()
        if match.group() == '"':
            at = end_of_text(text, at)
        elif match.group() in "[{":
            depth += 1
            if depth > 32:
                return True
        else:
            depth -= 1
        match = mark.search(text, at)
    return False


def end_of_text(text, at):
    """Behind the quote that ends what begins at `at`, or the end of all. No pattern does this: for each character of what
    a group repeats Python's keeps more than a hundred bytes."""
    while True:
        end = text.find('"', at)
        if end < 0:
            return len(text)
        before = end
        while before > at and text[before - 1] == "\\":
            before -= 1
        at = end + 1
        if (end - before) % 2 == 0:
            return at


def parse_json(raw, constant=refuse_constant):
    """Raises ValueError."""
    text = raw.decode("utf-8")
    if is_deep(text):
        raise ValueError("nested too deeply")
    value = json.loads(text, parse_constant=constant, parse_float=finite, parse_int=whole_number)
    if re.search(r"\\u[dD][89a-fA-F]", text):  # half of a pair is no text
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def note_members(facts, members):
    for key, value in members.items():
        if is_number(value):
            facts.note(key.encode("utf-8"), value)


def facts_of_document(document):
    facts = Facts()
    if not isinstance(document, dict):
        return facts
    note_members(facts, document)
    for name in ("metrics", "logs", "state", "trainer_state"):
        if isinstance(document.get(name), dict):
            note_members(facts, document[name])
    history = document.get("log_history")
    if isinstance(history, list):
        for entry in reversed(history[-100000:]):
            if isinstance(entry, dict):
                note_members(facts, entry)
    return facts


# Where bytes come from

class Progress:
    """For the job that we are part of: bytes to read, and those that were."""

    def __init__(self):
        self.job = os.environ.get("RUNCTL_JOB")
        self.total = 0
        self.unsaid = 0

    def expect(self, count):
        self.total += count
        if self.job:
            with open(os.path.join(self.job, "total"), "w") as file:
                file.write("%d\n" % self.total)

    def done(self, count):
        self.unsaid += count
        if self.job and self.unsaid >= 16 * WINDOW:
            with open(os.path.join(self.job, "done"), "a") as file:
                file.write("%d\n" % self.unsaid)
            self.unsaid = 0


PROGRESS = Progress()


class FileSource:
    def __init__(self, path):
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        state = os.fstat(self.descriptor)
        self.size = state.st_size

    def read_at(self, offset, size):
        size = min(size, self.size - offset)
        return os.pread(self.descriptor, size, offset) if size > 0 else b""

    def close(self):
        os.close(self.descriptor)


class MemorySource:
    def __init__(self, content):
        self.content = content
        self.size = len(content)

    def read_at(self, offset, size):
        return self.content[offset:offset + size]


class PartSource:
    def __init__(self, whole, first, size):
        self.whole = whole
        self.first = first
        self.size = size

    def read_at(self, offset, size):
        size = min(size, self.size - offset)
        return self.whole.read_at(self.first + offset, size) if size > 0 else b""


def read_exactly(source, offset, size):
    pieces, done = [], 0
    while done < size:
        piece = source.read_at(offset + done, size - done)
        if not piece:
            raise Damaged("it ends at byte %d, within what byte %d begins" % (offset + done, offset))
        pieces.append(piece)
        done += len(piece)
    return b"".join(pieces)


def little(content, at, size):
    return int.from_bytes(content[at:at + size], "little")


class Stream:
    """Front to back, through a window of 64 KiB; what is skipped is not read."""

    def __init__(self, source, offset):
        self.source = source
        self.offset = offset
        self.begin = 0
        self.buffer = b""

    def fill(self):
        at = self.offset - self.begin
        if 0 <= at < len(self.buffer):
            return at
        self.begin = self.offset
        self.buffer = self.source.read_at(self.offset, 1 << 16)
        if not self.buffer:
            raise Damaged("it ends at byte %d, and should go on" % self.offset)
        return 0

    def left(self):
        return max(self.source.size - self.offset, 0)

    def byte(self):
        at = self.fill()
        self.offset += 1
        return self.buffer[at]

    def number(self, size):
        return int.from_bytes(self.text(size, size), "little")

    def text(self, size, kept):
        if size > self.left():
            raise Damaged("%d bytes should follow byte %d, and %d do" % (size, self.offset, self.left()))
        wanted, end, out = min(size, kept), self.offset + size, b""
        while len(out) < wanted:
            at = self.fill()
            piece = self.buffer[at:at + wanted - len(out)]
            out += piece
            self.offset += len(piece)
        self.offset = end
        return out

    def line(self):
        """Up to a line end; of 64 KiB at most."""
        out = bytearray()
        while True:
            code = self.byte()
            if code == 10:
                return bytes(out)
            if len(out) == 1 << 16:
                raise Damaged("the line before byte %d has over %d bytes" % (self.offset, 1 << 16))
            out.append(code)


# Pickles, as data (checkpoint/pickle.cpp): a stack machine of which nothing is called

(NONE, BOOLEAN, INTEGER, BIG_INTEGER, REAL, TEXT, BYTES, SEQUENCE, MAPPING, GLOBAL, MADE, PERSISTENT) = range(12)
KEPT_TEXT = 128
NO_ITEMS = ()


class Value:
    __slots__ = ("kind", "number", "text", "items")

    def __init__(self, kind, number=0, text=b"", items=NO_ITEMS):
        self.kind = kind
        self.number = number
        self.text = text
        self.items = items


ELEMENT_SIZES = {
    b"DoubleStorage": 8, b"FloatStorage": 4, b"HalfStorage": 2, b"BFloat16Storage": 2, b"LongStorage": 8, b"IntStorage": 4,
    b"ShortStorage": 2, b"CharStorage": 1, b"ByteStorage": 1, b"BoolStorage": 1, b"UntypedStorage": 1,
    b"ComplexDoubleStorage": 16, b"ComplexFloatStorage": 8, b"QInt8Storage": 1, b"QUInt8Storage": 1, b"QInt32Storage": 4,
    b"QUInt4x2Storage": 1}


def element_size(storage_type):
    return ELEMENT_SIZES.get(storage_type.rsplit(b".", 1)[-1], 0)


class Pickle:
    """The one that begins at `offset`: its root, its storages (key: type, count), its end."""

    def __init__(self, source, offset=0):
        self.stream = Stream(source, offset)
        self.at = 0
        self.root = None
        self.storages = {}
        self.stack = []
        self.marks = []
        self.memo = {}
        self.values = 0
        self.references = 0
        self.kept = 0
        done = 0
        while self.root is None:
            if done == 50000000:
                raise Beyond("the pickle has too many instructions")
            done += 1
            self.at = self.stream.offset
            code = self.stream.byte()
            act = INSTRUCTIONS.get(code)
            if act is None:
                raise self.wrong("there is no instruction 0x%02x" % code)
            act(self, code)
            if self.references > 4000000 or len(self.stack) > 4000000 or len(self.memo) > 1000000:
                raise Beyond("the pickle refers to too many values")
        self.end = self.stream.offset
        self.stack = self.marks = self.memo = None

    def wrong(self, what):
        return Damaged("the pickle is damaged at byte %d: %s" % (self.at, what))

    def push(self, kind, number=0, text=b"", items=NO_ITEMS):
        if self.values == 1000000:
            raise Beyond("the pickle has too many values")
        self.kept += len(text)
        if self.kept > 32 << 20:
            raise Beyond("the pickle has too much text")
        self.values += 1
        self.stack.append(Value(kind, number, text, items))

    def is_bare(self):
        return len(self.stack) <= (self.marks[-1] if self.marks else 0)

    def pop(self):
        if self.is_bare():
            raise self.wrong("it takes more than there is")
        return self.stack.pop()

    def pop_many(self, count):
        return [self.pop() for _ in range(count)][::-1]

    def pop_mark(self):
        if not self.marks:
            raise self.wrong("there is no mark")
        begin = self.marks.pop()
        items = self.stack[begin:]
        del self.stack[begin:]
        return items

    def extend(self, items):
        if self.is_bare():
            raise self.wrong("there is nothing to add to")
        target = self.stack[-1]
        if target.items is NO_ITEMS:
            target.items = []
        target.items.extend(items)
        self.references += len(items)

    # Numbers

    def integer_line(self, code):
        line = self.stream.line()
        if code == 0x49 and line in (b"00", b"01"):
            self.push(BOOLEAN, int(line == b"01"))
            return
        if line.endswith(b"L"):
            line = line[:-1]
        digits = re.match(rb"-?[0-9]+", line)
        if not digits:
            raise self.wrong("that is no number")
        # A number of thousands of digits is not made: Python takes long for it.
        value = int(digits.group()) if len(digits.group()) < 1000 else 1 << 64
        if not -(1 << 63) <= value < 1 << 63:
            self.push(BIG_INTEGER)
        elif digits.end() != len(line):
            raise self.wrong("that is no number")
        else:
            self.push(INTEGER, value)

    def real_line(self, _):
        line = self.stream.line()
        value = read_number(line)
        if value is None:
            # One that fits no double reads as 0, as it does there.
            if not re.fullmatch(rb"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", line):
                raise self.wrong("that is no number")
            value = 0.0
        self.push(REAL, value)

    def real(self, _):
        self.push(REAL, struct.unpack(">d", self.stream.text(8, 8))[0])

    def sized_integer(self, code):
        size = {0x4a: 4, 0x4b: 1, 0x4d: 2}[code]
        self.push(INTEGER, int.from_bytes(self.stream.text(size, size), "little", signed=code == 0x4a))

    def constant(self, code):
        if code == 0x4e:
            self.push(NONE)
        else:
            self.push(BOOLEAN, int(code == 0x88))

    def long(self, code):
        size = self.stream.number(1 if code == 0x8a else 4)
        content = self.stream.text(size, KEPT_TEXT)
        if size > 8:
            self.push(BIG_INTEGER, 0, content)
        else:
            self.push(INTEGER, int.from_bytes(content, "little", signed=True))

    # Texts

    def text_line(self, code):
        line = self.stream.line()
        if code == 0x53:
            if not (len(line) >= 2 and line[0] == line[-1] and line[0] in b"'\""):
                raise self.wrong("that is no text")
            line = line[1:-1]
        self.push(TEXT, 0, line[:KEPT_TEXT])

    def sized_text(self, code):
        size = self.stream.number(TEXT_SIZES[code])
        kind = BYTES if code in (0x42, 0x43, 0x8e, 0x96) else TEXT
        self.push(kind, 0, self.stream.text(size, KEPT_TEXT))

    # Containers

    def mark(self, _):
        self.marks.append(len(self.stack))
        if len(self.marks) > 4000000:
            raise Beyond("the pickle has too many marks")

    def empty(self, code):
        self.push(MAPPING if code == 0x7d else SEQUENCE)

    def marked(self, code):
        items = self.pop_mark()
        if code == 0x64 and len(items) % 2 != 0:
            raise self.wrong("a key has no value")
        self.references += len(items)
        self.push(MAPPING if code == 0x64 else SEQUENCE, items=items)

    def tuple(self, code):
        items = self.pop_many(code - 0x84)
        self.references += len(items)
        self.push(SEQUENCE, items=items)

    def append(self, code):
        self.extend(self.pop_many(1 if code == 0x61 else 2))

    def append_marked(self, code):
        items = self.pop_mark()
        if code == 0x75 and len(items) % 2 != 0:
            raise self.wrong("a key has no value")
        self.extend(items)

    # Memory

    def key(self, size):
        if size > 0:
            return self.stream.number(size)
        line = self.stream.line()
        if not re.fullmatch(rb"[0-9]+", line) or len(line) > 1000 or int(line) > GREATEST_64:
            raise self.wrong("that is no number")
        return int(line)

    def remember(self, code):
        key = len(self.memo) if code == 0x94 else self.key({0x70: 0, 0x71: 1, 0x72: 4}[code])
        if self.is_bare():
            raise self.wrong("there is nothing to remember")
        self.memo[key] = self.stack[-1]

    def recall(self, code):
        key = self.key({0x67: 0, 0x68: 1, 0x6a: 4}[code])
        if key not in self.memo:
            raise self.wrong("it recalls what was not remembered")
        self.stack.append(self.memo[key])

    # What would call something, and leaves only that something would have been made

    def global_lines(self, _):
        module = self.stream.line()
        self.push(GLOBAL, 0, (module + b"." + self.stream.line())[:KEPT_TEXT])

    def stack_global(self, _):
        name = self.pop()
        module = self.pop()
        self.push(GLOBAL, 0, module.text + b"." + name.text)

    def made(self, code):
        for _ in range(3 if code == 0x92 else 2):
            self.pop()
        self.push(MADE)

    def made_of_mark(self, code):
        if code == 0x69:
            self.stream.line()
            self.stream.line()
        self.pop_mark()
        self.push(MADE)

    def build(self, _):
        self.pop()
        if self.is_bare():
            raise self.wrong("there is nothing to build")

    def extension(self, code):
        self.stream.text({0x82: 1, 0x83: 2, 0x84: 4}[code], 0)
        self.push(GLOBAL)

    def persistent_line(self, _):
        self.stream.line()
        self.push(PERSISTENT)

    def refer(self, _):
        """('storage', type, key, location, count, …) is PyTorch's."""
        identity = self.pop()
        items = identity.items
        if (identity.kind == SEQUENCE and len(items) >= 5 and items[0].text == b"storage" and items[2].kind == TEXT
                and items[4].kind == INTEGER):
            if items[4].number < 0:
                raise self.wrong("a tensor has fewer than no numbers")
            self.storages.setdefault(items[2].text, (items[1].text, items[4].number))
        self.push(PERSISTENT)

    # The rest

    def stop(self, _):
        root = self.pop()
        if self.stack or self.marks:
            raise self.wrong("it stops with values left over")
        self.root = root

    def drop(self, _):
        if self.marks and len(self.stack) == self.marks[-1]:
            self.marks.pop()
        else:
            self.pop()

    def drop_mark(self, _):
        self.pop_mark()

    def double(self, _):
        if self.is_bare():
            raise self.wrong("there is nothing to double")
        self.stack.append(self.stack[-1])

    def protocol(self, _):
        protocol = self.stream.byte()
        if protocol > 5:
            raise self.wrong("there is no protocol %d" % protocol)

    def frame(self, _):
        if self.stream.number(8) > self.stream.left():
            raise self.wrong("a frame ends behind the file")

    def buffer(self, code):
        if code == 0x97:
            self.push(PERSISTENT)
        elif self.is_bare():
            raise self.wrong("there is no buffer")

    def facts(self):
        facts = Facts()

        def pairs(value):
            return zip(value.items[0::2], value.items[1::2])

        def note_items(value):
            for key, item in pairs(value):
                if key.kind == TEXT and item.kind in (INTEGER, REAL):
                    facts.note(key.text, item.number)

        if self.root.kind in (MAPPING, MADE):
            note_items(self.root)
            for key, item in pairs(self.root):
                if key.text in (b"metrics", b"logs") and item.kind in (MAPPING, MADE):
                    note_items(item)
        return facts


TEXT_SIZES = {0x54: 4, 0x58: 4, 0x55: 1, 0x8c: 1, 0x8d: 8, 0x42: 4, 0x43: 1, 0x8e: 8, 0x96: 8}
INSTRUCTIONS = {}
for codes, instruction in (
        (b"IL", Pickle.integer_line), (b"F", Pickle.real_line), (b"G", Pickle.real), (b"JKM", Pickle.sized_integer),
        (b"N\x88\x89", Pickle.constant), (b"\x8a\x8b", Pickle.long), (b"SV", Pickle.text_line),
        (bytes(TEXT_SIZES), Pickle.sized_text), (b"(", Pickle.mark), (b"])}\x8f", Pickle.empty), (b"ltd\x91", Pickle.marked),
        (b"\x85\x86\x87", Pickle.tuple), (b"as", Pickle.append), (b"eu\x90", Pickle.append_marked),
        (b"pqr\x94", Pickle.remember), (b"ghj", Pickle.recall), (b"c", Pickle.global_lines), (b"\x93", Pickle.stack_global),
        (b"R\x81\x92", Pickle.made), (b"oi", Pickle.made_of_mark), (b"b", Pickle.build), (b"\x82\x83\x84", Pickle.extension),
        (b"P", Pickle.persistent_line), (b"Q", Pickle.refer), (b".", Pickle.stop), (b"0", Pickle.drop), (b"1", Pickle.drop_mark),
        (b"2", Pickle.double), (b"\x80", Pickle.protocol), (b"\x95", Pickle.frame), (b"\x97\x98", Pickle.buffer)):
    for each in codes:
        INSTRUCTIONS[each] = instruction


# PyTorch before 1.6, and plain pickles (checkpoint/torch_legacy.cpp)

def read_torch_legacy(source):
    magic = Pickle(source)
    version = Pickle(source, magic.end)
    if version.root.kind != INTEGER or version.root.number != 1001:
        raise Beyond("its version is not known")
    machine = Pickle(source, version.end)
    content = Pickle(source, machine.end)
    finding = Finding("torch_legacy", COMPLETE, "every tensor is there to the last byte; the format has no checksum of them",
                      len(content.storages))
    finding.facts = content.facts()
    keys = Pickle(source, content.end)
    items = keys.root.items
    if keys.root.kind != SEQUENCE or len(items) != len(content.storages):
        raise Damaged("its list of tensors is not that of its pickle")
    at = keys.end
    for item in items:
        if item.text not in content.storages:
            raise Damaged("its list of tensors is not that of its pickle")
        at = pass_storage(source, content.storages[item.text], at)
    if at != source.size:
        raise Damaged("%d bytes follow its last tensor" % (source.size - at))
    return finding


def pass_storage(source, storage, at):
    kind, expected = storage
    count = little(read_exactly(source, at, 8), 0, 8)
    if count != expected:
        raise Damaged("at byte %d it has %d numbers of a tensor of %d" % (at, count, expected))
    at += 8
    element = element_size(kind)
    if element == 0:
        raise Beyond("the type of a tensor's numbers is not known")
    if count > (source.size - at) // element:
        raise Damaged("it ends at byte %d, within a tensor that begins at byte %d: it was cut off" % (source.size, at))
    return at + count * element


def read_pickles(source):
    finding = Finding("pickle", COMPLETE, "it is a pickle to its last byte; the format has no checksum")
    pickles = at = 0
    while at < source.size:
        pickles += 1
        if pickles > 100000:
            raise Beyond("it has too many pickles")
        pickle = Pickle(source, at)
        finding.facts.fill_in(pickle.facts())
        finding.items += len(pickle.storages)
        at = pickle.end
    return finding


# NumPy's arrays (checkpoint/npy.cpp)

LONGEST_NPY_HEADER = 1 << 16


class NpyHeader:
    def __init__(self, size):
        self.size = size
        self.type = b""
        self.bytes = None
        self.is_scalar = False


def npy_count(text):
    if not re.fullmatch(rb"[0-9]+", text) or len(text) > 1000 or int(text) > GREATEST_64:
        return None
    return int(text)


def npy_item_size(kind):
    wrong = Damaged("'%s' is no type of numbers" % kind[:32].decode("latin-1"))
    if len(kind) < 2 or kind[0] not in b"<>|=":
        raise wrong
    if kind[1] in b"O":
        return None
    digits = kind[2:]
    if kind[1] in b"mM" and b"[" in digits:
        digits = digits[:digits.index(b"[")]
    count = npy_count(digits)
    if kind[1] not in b"biufcmMSUV" or count is None:
        raise wrong
    if count > 1 << 32:
        raise Damaged("its items are too large to be any")
    return count * 4 if kind[1] in b"U" else count


def set_npy_bytes(header, shape, item):
    end = shape.find(b")")
    if not shape.startswith(b"(") or end < 0:
        raise Damaged("it has no shape")
    inner = trim(shape[1:end])
    product = item
    header.is_scalar = not inner
    for piece in inner.split(b",") if inner else ():
        word = trim(piece)
        if not word:
            continue
        dimension = npy_count(word[:-1] if word.endswith(b"L") else word)
        if dimension is None:
            raise Damaged("its shape is not one of numbers")
        if dimension != 0 and product > GREATEST_64 // dimension:
            raise Damaged("its shape is larger than any file")
        product *= dimension
    header.bytes = product


def read_npy_header(begin):
    if len(begin) < 10:
        raise Damaged("it ends at byte %d, within its header" % len(begin))
    if not begin.startswith(b"\x93NUMPY"):
        raise Damaged("it does not begin as a .npy file does")
    version = begin[6]
    if not 1 <= version <= 3:
        raise Damaged("there is no version %d of .npy" % version)
    length_size = 2 if version == 1 else 4
    if len(begin) < 8 + length_size:
        raise Damaged("it ends within its header")
    length = little(begin, 8, length_size)
    header = NpyHeader(8 + length_size + length)
    if header.size > LONGEST_NPY_HEADER:
        raise Beyond("its header says that it has %d bytes" % header.size)
    if header.size > len(begin):
        raise Damaged("it ends within its header")
    text = begin[8 + length_size:header.size]

    def value_of(key):
        at = text.find(key)
        return None if at < 0 else trim(text[at + len(key):])

    kind, shape = value_of(b"'descr':"), value_of(b"'shape':")
    if not trim(text).startswith(b"{") or not trim(text).endswith(b"}") or kind is None or shape is None:
        raise Damaged("its header does not say what the numbers are")
    if kind.startswith(b"["):
        return header
    if not kind.startswith(b"'"):
        raise Damaged("its header names no type")
    end = kind.find(b"'", 1)
    header.type = kind[1:end] if end >= 0 else kind[1:]
    item = npy_item_size(header.type)
    if item is not None:
        set_npy_bytes(header, shape, item)
    return header


def npy_number(header, content):
    size = len(content)
    if not header.is_scalar or len(header.type) != 3 or size != header.bytes or size > 8 or header.type[1] not in b"iuf":
        return None
    order = "big" if header.type[0] in b">" else "little"
    if header.type[1] in b"f":
        form = {4: "f", 8: "d"}.get(size)
        return struct.unpack((">" if order == "big" else "<") + form, content)[0] if form else None
    return int.from_bytes(content, order, signed=header.type[1] in b"i")


def npy_text(header, content):
    if not header.is_scalar or not header.type.startswith(b"<U") or len(content) != header.bytes:
        return None
    units = [little(content, at, 4) for at in range(0, len(content) - 3, 4)]
    return None if any(unit > 127 for unit in units) else bytes(units)


def read_npy(source):
    header = read_npy_header(read_exactly(source, 0, min(source.size, LONGEST_NPY_HEADER)))
    if header.bytes is None:
        raise Beyond("its numbers are of a type whose size is not known")
    there = source.size - header.size
    if header.bytes > there:
        raise Damaged("it has %d bytes of numbers, and should have %d: it was cut off" % (there, header.bytes))
    if header.bytes < there:
        raise Damaged("%d bytes follow its numbers" % (there - header.bytes))
    return Finding("npy", COMPLETE, "its size is that of its shape; the format has no checksum", 1)


# safetensors (checkpoint/safetensors.cpp)

TENSOR_BITS = {
    "F64": 64, "F32": 32, "F16": 16, "BF16": 16, "I64": 64, "I32": 32, "I16": 16, "I8": 8, "U64": 64, "U32": 32, "U16": 16,
    "U8": 8, "BOOL": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "C64": 64,
    "F8_E4M3FNUZ": 8}


def is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def read_tensor(name, tensor):
    def wrong(what):
        return Damaged("its tensor %s %s" % (shown(name), what))

    fields = tensor if isinstance(tensor, dict) else {}
    kind, shape, offsets = fields.get("dtype"), fields.get("shape"), fields.get("data_offsets")
    if not isinstance(kind, str) or not isinstance(shape, list) or not isinstance(offsets, list) or len(offsets) != 2:
        raise wrong("has no type, shape or place")
    begin, end = offsets
    if not is_count(begin) or not is_count(end) or begin > end:
        raise wrong("has no place")
    bits = TENSOR_BITS.get(kind, 0)
    for dimension in shape:
        if not is_count(dimension):
            raise wrong("has a shape that is not one of numbers")
        if dimension != 0 and bits > GREATEST_64 // dimension:
            raise wrong("is larger than any file")
        bits *= dimension
    if kind in TENSOR_BITS and (bits % 8 != 0 or bits // 8 != end - begin):
        raise wrong("has %d bytes where its type and shape take %d" % (end - begin, bits // 8))
    return begin, end, name


def read_safetensors(source):
    if source.size < 8:
        raise Damaged("it ends at byte %d, within its header's size" % source.size)
    size = little(read_exactly(source, 0, 8), 0, 8)
    if size > source.size - 8:
        raise Damaged("its header should have %d bytes, and %d are there" % (size, source.size - 8))
    if size > 32 << 20:
        raise Beyond("its header has " + bytes_in_words(size))
    try:
        header = parse_json(read_exactly(source, 8, size))
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise Damaged("its header is not JSON")
    finding = Finding("safetensors", COMPLETE, "every tensor is there to the last byte; the format has no checksum of them")
    spans = []
    for key, value in header.items():
        if key != "__metadata__":
            spans.append(read_tensor(key.encode("utf-8"), value))
        elif isinstance(value, dict):
            for name, text in value.items():
                number = read_number(text.encode("utf-8")) if isinstance(text, str) else None
                if number is not None:
                    finding.facts.note(name.encode("utf-8"), number)
    check_spans(sorted(spans), source.size - 8 - size)
    finding.items = len(spans)
    return finding


def check_spans(spans, size):
    at = 0
    for begin, end, name in spans:
        if begin != at:
            raise Damaged("its tensor %s begins at byte %d of the data, where %d ends" % (shown(name), begin, at))
        at = end
    if at > size:
        raise Damaged("it ends at byte %d of the data, and should have %d: it was cut off" % (size, at))
    if at < size:
        raise Damaged("%d bytes follow its last tensor" % (size - at))


# HDF5 (checkpoint/hdf5.cpp)

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


def rotated(value, by):
    return ((value << by) | (value >> (32 - by))) & 0xffffffff


def lookup3(content):
    mask = 0xffffffff
    a = b = c = (0xdeadbeef + len(content)) & mask
    while len(content) > 12:
        a, b, c = ((value + little(content, at, 4)) & mask for value, at in ((a, 0), (b, 4), (c, 8)))
        for first, second, third in ((4, 6, 8), (16, 19, 4)):
            a = ((a - c) & mask) ^ rotated(c, first)
            c = (c + b) & mask
            b = ((b - a) & mask) ^ rotated(a, second)
            a = (a + c) & mask
            c = ((c - b) & mask) ^ rotated(b, third)
            b = (b + a) & mask
        content = content[12:]
    content = content.ljust(12, b"\0")
    a, b, c = ((value + little(content, at, 4)) & mask for value, at in ((a, 0), (b, 4), (c, 8)))
    c = ((c ^ b) - rotated(b, 14)) & mask
    a = ((a ^ c) - rotated(c, 11)) & mask
    b = ((b ^ a) - rotated(a, 25)) & mask
    c = ((c ^ b) - rotated(b, 16)) & mask
    a = ((a ^ c) - rotated(c, 4)) & mask
    b = ((b ^ a) - rotated(a, 14)) & mask
    return ((c ^ b) - rotated(b, 24)) & mask


def find_superblock(source):
    at = 0
    while at <= 1 << 20 and at + 8 <= source.size:
        if read_exactly(source, at, 8) == HDF5_SIGNATURE:
            return at
        at = 512 if at == 0 else at * 2
    return None


def read_superblock(source, at, version):
    """Base, end of file, root."""
    head = read_exactly(source, at, 24 if version < 2 else 12)
    size, lengths = (head[13], head[14]) if version < 2 else (head[9], head[10])
    if size not in (2, 4, 8) or lengths not in (2, 4, 8):
        raise Damaged("its addresses of %d bytes are none" % size)
    if version < 2:
        rest = read_exactly(source, at + (24 if version == 0 else 28), size * 6)
        return little(rest, 0, size), little(rest, size * 2, size), little(rest, size * 5, size)
    whole = 12 + size * 4
    content = read_exactly(source, at, whole + 4)
    if lookup3(content[:whole]) != little(content, whole, 4):
        raise Damaged("the checksum of its superblock is wrong")
    if head[11] & 5:
        raise Damaged("its writer has not closed it: it is being written, or was cut off")
    return little(content, 12, size), little(content, 12 + size * 2, size), little(content, 12 + size * 3, size)


def read_hdf5(source):
    at = find_superblock(source)
    if at is None:
        raise Damaged("it does not begin as an HDF5 file does")
    version = read_exactly(source, at + 8, 1)[0]
    if version > 3:
        raise Beyond("its superblock is of version %d" % version)
    base, end, root = read_superblock(source, at, version)
    if end > source.size:
        raise Damaged("it ends at byte %d, and should at byte %d: it was cut off, or is being written" % (source.size, end))
    if base > source.size or root > source.size - base:
        raise Damaged("its root is behind the file's end")
    begin = read_exactly(source, base + root, 4)
    if begin != b"OHDR" and begin[0] != 1:
        raise Damaged("there is no object at byte %d, where its root should be" % (base + root))
    why = "superblock, root and end are right; what lies between is not looked at"
    if end < source.size:
        why += "; %d bytes follow its end" % (source.size - end)
    return Finding("hdf5", COMPLETE, why)


# Zip archives (checkpoint/zip_directory.cpp, zip_content.cpp)

IN_ZIP64 = 0xffffffff


class Member:
    __slots__ = ("name", "method", "encrypted", "crc", "packed", "size", "header", "data")

    def is_readable(self):
        return not self.encrypted and self.method in (0, 8)

    def wrong(self, what):
        return Damaged("its member %s (bytes %d to %d) %s" % (shown(self.name), self.data, self.data + self.packed, what))


def find_zip_end(source):
    size = source.size
    if size < 22:
        raise Damaged("it ends before the directory of the archive")
    window = min(size, 22 + 65535)
    tail = read_exactly(source, size - window, window)
    at = tail.rfind(b"PK\x05\x06", 0, window - 22 + 4)
    while at >= 0:
        if at + 22 + little(tail, at + 20, 2) == window:
            return size - window + at
        at = tail.rfind(b"PK\x05\x06", 0, at + 3)
    raise Damaged("the directory at its end is missing: it was cut off, or is not yet written")


def read_zip_end64(source, end):
    """Offset, size, members, end of the directory."""
    if end < 20:
        raise Damaged("its zip64 record is missing")
    locator = read_exactly(source, end - 20, 20)
    at = little(locator, 8, 8)
    if end < 20 + 56 or at > end - 20 - 56:
        raise Damaged("its zip64 record is behind the file's end")
    record = read_exactly(source, at, 56)
    if record[:4] != b"PK\x06\x06":
        raise Damaged("its zip64 record is none")
    if little(record, 4, 8) != end - 20 - at - 12:
        raise Damaged("its zip64 record has another size")
    if record[16:20] != record[20:24]:
        raise Beyond("the archive is one of several files")
    return little(record, 48, 8), little(record, 40, 8), little(record, 32, 8), at


def find_zip_directory(source):
    end = find_zip_end(source)
    record = read_exactly(source, end, 22)
    if record[4:6] != record[6:8]:
        raise Beyond("the archive is one of several files")
    offset, size, members = little(record, 16, 4), little(record, 12, 4), little(record, 10, 2)
    wide = None
    if end >= 20 and read_exactly(source, end - 20, 4) == b"PK\x06\x07":
        wide = read_zip_end64(source, end)
    if (offset == IN_ZIP64 or size == IN_ZIP64 or members == 0xffff) and wide is None:
        raise Damaged("its zip64 record is missing")
    if wide is not None:
        if not (offset in (IN_ZIP64, wide[0]) and size in (IN_ZIP64, wide[1]) and members in (0xffff, wide[2])):
            raise Damaged("its two end records disagree")
        offset, size, members, end = wide
    if offset > end or size != end - offset:
        raise Damaged("its directory of %d bytes at byte %d does not end at byte %d" % (size, offset, end))
    return offset, size, members


def read_wide(extra, values, name):
    """`values` with those that stand in the zip64 field, in their order."""
    wanted = [i for i, value in enumerate(values) if value == IN_ZIP64]
    if not wanted:
        return values
    at = 0
    while at + 4 <= len(extra):
        kind, size = little(extra, at, 2), little(extra, at + 2, 2)
        at += 4
        if size > len(extra) - at:
            break
        if kind == 1:
            if size < len(wanted) * 8:
                break
            for i, index in enumerate(wanted):
                values[index] = little(extra, at + i * 8, 8)
            return values
        at += size
    raise Damaged("the zip64 sizes of its member %s are missing" % shown(name))


def read_entry(content, at):
    """A member, and where the next one begins."""
    if len(content) - at < 46 or content[at:at + 4] != b"PK\x01\x02":
        raise Damaged("its directory is damaged")
    name_size, extra_size, comment_size = (little(content, at + place, 2) for place in (28, 30, 32))
    if len(content) - at - 46 < name_size + extra_size + comment_size:
        raise Damaged("its directory is damaged")
    member = Member()
    begin = at + 46
    member.name = content[begin:begin + name_size]
    member.method = little(content, at + 10, 2)
    member.encrypted = content[at + 8] & 1 != 0
    member.crc = little(content, at + 16, 4)
    values = [little(content, at + 24, 4), little(content, at + 20, 4), little(content, at + 42, 4)]
    extra = content[begin + name_size:begin + name_size + extra_size]
    member.size, member.packed, member.header = read_wide(extra, values, member.name)
    if member.method == 0 and not member.encrypted and member.packed != member.size:
        raise Damaged("its member %s is stored in another size than it has" % shown(member.name))
    return member, begin + name_size + extra_size + comment_size


def read_local(source, member, end):
    """Holds the header before a member's content against its entry. `end` is where the next thing begins."""
    def wrong(what):
        return Damaged("its member %s at byte %d %s" % (shown(member.name), member.header, what))

    if member.header > end or end - member.header < 30:
        raise wrong("has no room for its header")
    text = read_exactly(source, member.header, min(end - member.header, 30 + 1024))
    if text[:4] != b"PK\x03\x04":
        raise wrong("has no header")
    name_size, extra_size = little(text, 26, 2), little(text, 28, 2)
    whole = 30 + name_size + extra_size
    if end - member.header < whole:
        raise wrong("has a header that reaches into the next")
    if whole > len(text):
        text = read_exactly(source, member.header, whole)
    if text[30:30 + name_size] != member.name:
        raise wrong("has another name in its header")
    if little(text, 8, 2) != member.method:
        raise wrong("is packed in another way than its header says")
    behind = little(text, 6, 2) & 8 != 0
    size, packed = read_wide(text[30 + name_size:whole], [little(text, 22, 4), little(text, 18, 4)], member.name)
    for here, there in ((packed, member.packed), (size, member.size), (little(text, 14, 4), member.crc)):
        if here != there and not (behind and here == 0):
            raise wrong("has other sizes or another checksum in its header")
    member.data = member.header + whole
    if member.packed > end - member.data:
        raise wrong("reaches into what follows it")


def read_zip(source):
    offset, size, count = find_zip_directory(source)
    if size > 64 << 20 or count > 1000000:
        raise Beyond("its directory has %d members in %s" % (count, bytes_in_words(size)))
    content = read_exactly(source, offset, size)
    members, at = [], 0
    while at < len(content):
        member, at = read_entry(content, at)
        members.append(member)
    if len(members) != count:
        raise Damaged("its directory has %d members, and says %d" % (len(members), count))
    members.sort(key=lambda member: member.header)
    for i, member in enumerate(members):
        read_local(source, member, members[i + 1].header if i + 1 < len(members) else offset)
    return members


def pieces_stored(source, member, piece):
    done = 0
    while done < member.packed:
        content = source.read_at(member.data + done, min(piece, member.packed - done))
        if not content:
            raise member.wrong("is cut off")
        done += len(content)
        yield content


def pieces_deflated(source, member, piece):
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting, taken, given = b"", 0, 0
    while not inflater.eof:
        if not waiting and taken < member.packed:
            waiting = source.read_at(member.data + taken, min(piece, member.packed - taken))
            if not waiting:
                raise member.wrong("is cut off")
            taken += len(waiting)
        at_end = not waiting
        try:
            content = inflater.decompress(waiting, piece)
        except zlib.error:
            raise member.wrong("cannot be unpacked") from None
        waiting = inflater.unconsumed_tail
        if at_end and not content and not inflater.eof:
            raise member.wrong("cannot be unpacked")
        given += len(content)
        if given > member.size:
            raise member.wrong("unpacks to more than its size")
        if content:
            yield content
    if taken != member.packed or inflater.unused_data or waiting:
        raise member.wrong("ends before its packed bytes do")
    if given != member.size:
        raise member.wrong("unpacks to less than its size")


def pieces_of(source, member, piece):
    return pieces_stored(source, member, piece) if member.method == 0 else pieces_deflated(source, member, piece)


def check_content(source, member):
    crc = 0
    for content in pieces_of(source, member, WINDOW):
        crc = zlib.crc32(content, crc)
        PROGRESS.done(len(content))
    crc &= 0xffffffff
    if crc != member.crc:
        raise member.wrong("has the checksum %08x, and %08x was written" % (crc, member.crc))


def read_content(source, member, most):
    content = b""
    for piece in pieces_of(source, member, min(max(most, 1), WINDOW)):
        content += piece[:most - len(content)]
        if len(content) >= most:
            break
    return content


# What an archive should hold (checkpoint/archive.cpp)

def within(damaged, doing):
    """The same damage, with where it was found behind it."""
    return Damaged("%s (%s)" % (damaged, doing))


def read_torch(source, members, data, finding):
    folder = data.name[:data.name.index(b"/") + 1]
    script = any(member.name == folder + b"constants.pkl" for member in members)
    finding.format = "torchscript" if script else "torch"
    if not data.is_readable() or (data.method != 0 and data.size > 64 << 20):
        return
    try:
        if data.method == 0:
            pickle = Pickle(PartSource(source, data.data, data.size))
        else:
            pickle = Pickle(MemorySource(read_content(source, data, 64 << 20)))
    except Beyond:
        return
    except Damaged as damaged:
        raise within(damaged, "reading data.pkl") from None
    if pickle.end != data.size:
        raise Damaged("%d bytes follow the pickle in data.pkl" % (data.size - pickle.end))
    finding.facts = pickle.facts()
    finding.items = len(pickle.storages)
    if finding.format == "torch":
        check_storages(pickle, members, folder)


def check_storages(pickle, members, folder):
    by_name = {}
    for member in members:
        by_name.setdefault(member.name, member)
    for key, (kind, count) in pickle.storages.items():
        member = by_name.get(folder + b"data/" + key)
        if member is None:
            raise Damaged("its tensor data/%s is missing" % shown(key))
        element = element_size(kind)
        if element != 0 and count * element != member.size:
            raise Damaged("its tensor data/%s has %d bytes where %d numbers of %s belong"
                          % (shown(key), member.size, count, shown(kind)))


def read_npz(source, members, finding):
    finding.format = "npz"
    for member in members:
        if not member.is_readable():
            continue
        begin = read_content(source, member, min(member.size, LONGEST_NPY_HEADER))
        try:
            header = read_npy_header(begin)
        except Beyond:
            continue
        except Damaged as damaged:
            raise Damaged("its array %s: %s" % (shown(member.name), damaged)) from None
        if header.bytes is not None and header.bytes != member.size - header.size:
            raise Damaged("its array %s has %d bytes where its shape takes %d"
                          % (shown(member.name), member.size - header.size, header.bytes))
        if not header.is_scalar or member.size > 4 << 20:
            continue
        if len(begin) < member.size:
            begin = read_content(source, member, member.size)
        note_scalar(header, begin[header.size:], member.name[:-4], finding.facts)


def note_scalar(header, content, name, facts):
    number = npy_number(header, content)
    if number is not None:
        facts.note(name, number)
    text = npy_text(header, content)
    if text is not None and text.startswith(b"{"):
        try:
            facts.fill_in(facts_of_document(parse_json(text)))
        except ValueError:
            pass


def read_archive(source, contents):
    members = read_zip(source)
    if not members:
        raise Damaged("nothing is in it")
    finding = Finding("zip", COMPLETE, items=len(members))
    data = next((member for member in members if member.name.partition(b"/")[1:] == (b"/", b"data.pkl")), None)
    weights = next((member for member in members if member.name == b"model.weights.h5"), None)
    if data is not None:
        read_torch(source, members, data, finding)
    elif all(member.name.endswith(b".npy") for member in members):
        read_npz(source, members, finding)
    elif weights is not None:
        finding.format = "keras"
        if weights.method == 0 and not weights.encrypted:
            try:
                read_hdf5(PartSource(source, weights.data, weights.size))
            except Beyond:
                pass
            except Damaged as damaged:
                raise within(damaged, "reading model.weights.h5") from None
    if not contents:
        finding.why = "its directory, headers and sizes are right; checksums were not compared"
        return finding
    unread = 0
    for member in members:
        if member.is_readable():
            check_content(source, member)
        else:
            unread += 1
    if unread:
        finding.why = "%d of its %d members are packed in a way that is not read here" % (unread, len(members))
    else:
        finding.verdict = SOUND
    return finding


# Names (checkpoint/names.cpp, transfer/cleanup_plan.cpp)

DATA_EXTENSIONS = frozenset((
    b".pt", b".pth", b".ckpt", b".bin", b".safetensors", b".h5", b".hdf5", b".keras", b".npy", b".npz", b".pkl", b".pickle",
    b".tar", b".gguf", b".onnx", b".msgpack", b".model", b".params", b".zip", b".joblib", b".distcp", b".weight", b".pdparams",
    b".weights"))
TEXT_EXTENSIONS = frozenset((
    b".json", b".jsonl", b".txt", b".log", b".csv", b".tsv", b".yaml", b".yml", b".toml", b".md", b".png", b".jpg", b".svg",
    b".html", b".py", b".sh", b".out", b".err", b".lock", b".pid", b".sha256", b".md5", b".cfg", b".ini"))
METRIC_WORDS = frozenset((
    b"loss", b"acc", b"accuracy", b"f1", b"auc", b"score", b"ppl", b"perplexity", b"error", b"rmse", b"mae", b"mse", b"wer",
    b"cer", b"bleu", b"iou", b"dice", b"reward"))
UNFINISHED_ENDINGS = (b".tmp", b".temp", b".part", b".partial", b".incomplete", b".writing", b".crdownload", b"~")
UNFINISHED_BEGINNINGS = (b".writing-", b".runctl-", b".tmp", b"tmp-", b"tmp_", b".~", b".nfs")
UNFINISHED_MIDDLES = (b".tmp.", b".tmp-", b".tmp_")
NUMBERED_WORDS = (b"checkpoint", b"iteration", b"chkpt", b"epoch", b"round", b"ckpt", b"iter", b"step")


def extension_of(name):
    dot = name.rfind(b".")
    return b"" if dot <= 0 else name[dot:].lower()


def stem_of(name):
    return name[:len(name) - len(extension_of(name))]


def base_name(name):
    return name.rsplit(b"/", 1)[-1]


def is_data_name(name):
    return extension_of(name) in DATA_EXTENSIONS


def is_text_name(name):
    return extension_of(name) in TEXT_EXTENSIONS


def is_unfinished_name(name):
    text = name.lower()
    return (text.startswith(UNFINISHED_BEGINNINGS) or text.endswith(UNFINISHED_ENDINGS)
            or any(middle in text for middle in UNFINISHED_MIDDLES))


def is_letter(text, at):
    return 0 <= at < len(text) and 97 <= text[at] <= 122


def words_of(name):
    return re.findall(rb"[a-z]+", name)


def is_named_for_being_last(name):
    return any(word in (b"last", b"latest") for word in words_of(name.lower()))


def number_end(text, at):
    """Behind a numbered word at `at` and its number; None where there is none."""
    token = token_at(text, at)
    return None if token is None else token[2]


def token_at(text, at):
    """The numbered word at `at`, its number, and what is behind that; None where there is none."""
    if is_letter(text, at - 1):
        return None
    for word in NUMBERED_WORDS:
        if not text.startswith(word, at):
            continue
        digits = re.match(rb"[-_=.]?([0-9]*)", text[at + len(word):])
        if len(digits.group(1)) > 18:
            return None
        if digits.group(1):
            return word, int(digits.group(1)), at + len(word) + digits.end()
    return None


def series_of(name):
    """What a numbered name has in common with its siblings, and its numbers (transfer/cleanup_plan.cpp)."""
    text, at, series, numbers = name.lower(), 0, b"", []
    while at < len(text):
        token = token_at(text, at)
        if token is None:
            at += 1
            continue
        series = (series if numbers else name[:at]) + token[0] + b"*"
        numbers.append(token[1])
        at = token[2]
    return series, numbers


def has_number(name):
    """Of one component: whether it says which of a series it is."""
    text, at, found = name.lower(), 0, False
    while at < len(text):
        end = number_end(text, at)
        found = found or end is not None
        at = at + 1 if end is None else end
    return found and not any(word in (b"best", b"latest", b"last", b"final") for word in words_of(text))


def number_in_name(name, match):
    """The key before a number, whether it is assigned, and the value."""
    value = read_number(match.group())
    value = math.inf if value is None else value
    before, negative, assigned = match.start(), False, False
    if name[:before].endswith(b"=-"):
        negative, before = True, before - 1
    if before > 0 and name[before - 1] in b"=_-.":
        before -= 1
        assigned = name[before] in b"="
    begin = before
    allowed = b"abcdefghijklmnopqrstuvwxyz_" + (b"0123456789/" if assigned else b"")
    while begin > 0 and name[begin - 1] in allowed:
        begin -= 1
    while begin < before and not is_letter(name, begin):
        begin += 1
    return name[begin:before], assigned, -value if negative else value


def facts_of_name(written):
    name = written.lower()
    if extension_of(name) in DATA_EXTENSIONS:
        name = stem_of(name)
    facts, of_checkpoint = Facts(), None
    for match in re.finditer(rb"[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?", name):
        key, assigned, value = number_in_name(name, match)
        word = key.rsplit(b"_", 1)[-1]
        if word in (b"epoch", b"ep"):
            facts.note(b"epoch", value)
        elif word in (b"step", b"iter", b"iteration"):
            facts.note(b"step", value)
        elif word in (b"checkpoint", b"ckpt", b"chkpt", b"round"):
            of_checkpoint = value
        elif key and (assigned or (match.group(1) and any(one in METRIC_WORDS for one in words_of(key)))):
            facts.note(key, value)
    if of_checkpoint is not None and facts.epoch is None:
        facts.note(b"step", of_checkpoint)
    return facts


def read_tensorflow_name(name):
    """(checkpoint, shard, shards) of TensorFlow's files; shard is None of an index."""
    dot = name.rfind(b".")
    if dot <= 0:
        return None
    kind = name[dot + 1:]
    if kind in (b"index", b"meta"):
        return name[:dot], None, 0
    match = re.fullmatch(rb"data-([0-9]{5})-of-([0-9]{5})", kind)
    return (name[:dot], int(match.group(1)), int(match.group(2))) if match else None


# One file (checkpoint/inspect.cpp)

PROMISED = {
    b".safetensors": "safetensors", b".npz": "npz", b".npy": "npy", b".h5": "hdf5", b".hdf5": "hdf5", b".keras": "keras",
    b".pt": "torch", b".pth": "torch", b".pkl": "pickle", b".pickle": "pickle", b".zip": "zip"}
TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
READERS = {"torch_legacy": read_torch_legacy, "pickle": read_pickles, "safetensors": read_safetensors, "hdf5": read_hdf5,
           "npy": read_npy}


def format_of(source, begin, promised, name):
    """None for a file that does not begin as its extension promises."""
    if begin.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if begin.startswith(TORCH_LEGACY_MAGIC):
        return "torch_legacy"
    if begin.startswith(b"\x93NUMPY"):
        return "npy"
    if begin.startswith(HDF5_SIGNATURE):
        return "hdf5"
    pickled = begin[0] == 0x80 and promised != "safetensors"
    tensors = len(begin) > 8 and begin[8] == 0x7b and little(begin, 0, 8) <= source.size - 8
    if promised == "torch":
        return "pickle" if pickled else None
    if pickled and promised == "other" and is_data_name(name):
        return "pickle"
    if not pickled and tensors and promised == "other":
        return "safetensors"
    return promised


def inspect_file(source, name, contents):
    promised = PROMISED.get(extension_of(name), "other")
    if source.size == 0:
        return Finding(promised, DAMAGED, "it is empty")
    begin = read_exactly(source, 0, min(source.size, 16))
    form = format_of(source, begin, promised, name)
    if form is None:
        return Finding(promised, DAMAGED, "it does not begin as a PyTorch file does")
    told = promised if form == "zip" and promised != "other" else form
    try:
        if form in ("zip", "torch", "npz", "keras"):
            return read_archive(source, contents)
        if form in READERS:
            return READERS[form](source)
        raise Beyond("its format is not known")
    except Damaged as damaged:
        return Finding(told, DAMAGED, str(damaged))
    except Beyond as beyond:
        return Finding(told, UNKNOWN, str(beyond))
    except MemoryError:
        return Finding(told, UNKNOWN, "it takes more memory than there is")


# The files of a place (checkpoint/local_place.cpp)

class PlaceFile:
    __slots__ = ("name", "size", "modified")

    def __init__(self, name, state):
        self.name = name
        self.size = state.st_size
        self.modified = state.st_mtime_ns


def is_clean(path):
    if any(c < 32 or c == 127 for c in path):
        return False
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def files_of(root):
    """All files in it and below, in the order of their names. Links are followed, but in no circle."""
    files = []

    def walk(prefix, above):
        here = os.stat(os.path.join(root, prefix))
        identity = (here.st_dev, here.st_ino)
        if identity in above:
            return
        entries = []
        for name in os.listdir(os.path.join(root, prefix)):
            try:
                state = os.stat(os.path.join(root, prefix, name))
            except OSError:
                continue  # gone by now, or a link that leads nowhere
            entries.append((name + b"/" if stat.S_ISDIR(state.st_mode) else name, state))
        for name, state in sorted(entries, key=lambda entry: entry[0]):
            path = prefix + name
            if stat.S_ISDIR(state.st_mode):
                if not is_clean(path) or len(path) > 1025 or name.startswith(b".runctl-part-"):
                    continue
                try:
                    walk(path, above + (identity,))
                except OSError:
                    continue  # what cannot be read says nothing
            elif stat.S_ISREG(state.st_mode):
                if name.startswith(b".runctl-part-") and is_clean(path):
                    continue
                if len(files) == MOST_FILES:
                    raise TooMany("%s holds over %d files" % (os.fsdecode(root), MOST_FILES))
                files.append(PlaceFile(path, state))

    walk(b"", ())
    return files


# Which files are a checkpoint together (checkpoint/group.cpp)

class Checkpoint:
    def __init__(self, name=b""):
        self.name = name
        self.files = []
        self.bytes = 0
        self.written = 0
        self.is_folder = False
        self.is_unfinished = False
        self.is_tensorflow = False
        self.lacks = b""
        self.finding = Finding()

    def add(self, file):
        self.bytes += file.size
        self.written = max(self.written, file.modified) if self.files else file.modified
        self.files.append(file)

    def is_candidate(self):
        return not self.is_unfinished and self.finding.verdict != DAMAGED

    def is_good(self):
        return not self.is_unfinished and self.finding.verdict in (SOUND, COMPLETE)

    def state(self):
        return "unfinished" if self.is_unfinished else self.finding.verdict

    def why_not(self):
        return "its name is that of an unfinished file" if self.is_unfinished else self.finding.why


def group_files(files, own_name):
    found, owner, by_stem = {}, {}, {}
    for file in files:
        top, slash, rest = file.name.partition(b"/")
        if slash and (has_number(top) or (b"/" not in rest and is_data_name(rest))) and not top.startswith(b".git"):
            one = found.setdefault(top, Checkpoint(top))
            one.is_folder = True
            one.is_unfinished = is_unfinished_name(top)
    for file in files:
        if b"/" in file.name:
            continue
        tensorflow = read_tensorflow_name(file.name)
        is_file = not is_text_name(file.name) and (is_data_name(file.name) or has_number(file.name))
        if not tensorflow and not is_file and not is_unfinished_name(file.name):
            continue
        key = tensorflow[0] if tensorflow else file.name
        one = found.setdefault(key, Checkpoint(key))
        one.is_unfinished = is_unfinished_name(file.name)
        one.is_tensorflow = one.is_tensorflow or tensorflow is not None
        if not tensorflow:
            by_stem.setdefault(stem_of(file.name), set()).add(key)
        owner[file.name] = key
    for file in files:
        for key in owners_of(file.name, found, owner, by_stem):
            found[key].add(file)
    checkpoints = [found[key] for key in sorted(found)]
    if (checkpoints and not any(has_number(one.name) for one in checkpoints) and has_number(own_name)
            and not is_data_name(own_name)):
        whole = Checkpoint()
        whole.is_folder = True
        for file in files:
            whole.add(file)
        return [whole]
    return checkpoints


def owners_of(name, found, owner, by_stem):
    top, slash, _ = name.partition(b"/")
    if slash:
        return [top] if top in found else []
    if name in owner:
        return [owner[name]]
    if not name.endswith(b".json"):
        return []
    stem = name[:-5]
    if stem in found and not found[stem].is_folder:
        return [stem]
    return sorted(by_stem.get(stem, ()))


# What the files of one checkpoint add up to (checkpoint/survey.cpp)

OF_A_FOLDER = (b"metadata.json", b"trainer_state.json", b"metrics.json", b"all_results.json", b"state.json")


class Gone(Exception):
    """Removed meanwhile."""


def finding_of_error(error):
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        raise Gone() from None
    why = "it cannot be read: " + (error.strerror or "")
    return Finding(verdict=UNKNOWN if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else DAMAGED, why=why)


class Sum:
    def __init__(self, root, checkpoint, contents):
        self.root = root
        self.checkpoint = checkpoint
        self.contents = contents
        self.sum = Finding("tensorflow" if checkpoint.is_tensorflow else "other", SOUND)
        self.beside = Facts()
        self.why_complete = ""
        self.why_unknown = ""
        self.known = 0
        self.unfinished = 0
        self.named = set()
        self.shards = {}

    def of_all(self):
        for file in self.checkpoint.files:
            if file.name.endswith(b".json"):
                self.add_json(file)
            else:
                self.add(file)
        left = self.named - {file.name for file in self.checkpoint.files}
        if left:
            self.damage(base_name(min(left)), "its index names it, and it is missing")
        self.check_shards()
        self.finish()
        return self.sum

    def shown(self, file):
        folder = self.checkpoint.name
        return file.name[len(folder) + 1:] if self.checkpoint.is_folder and folder else file.name

    def damage(self, where, why):
        if self.sum.verdict != DAMAGED:
            self.sum.verdict = DAMAGED
            self.sum.why = os.fsdecode(where) + ": " + why if where else why

    def inspect(self, file, name):
        try:
            source = FileSource(os.path.join(self.root, file.name))
            try:
                return inspect_file(source, name, self.contents)
            finally:
                source.close()
        except Damaged as damaged:  # it became shorter
            return Finding(verdict=DAMAGED, why=str(damaged))
        except OSError as error:
            return finding_of_error(error)

    def add(self, file):
        name = base_name(file.name)
        self.note_shard(name)
        is_folder = self.checkpoint.is_folder
        if is_text_name(name):
            return
        if is_folder and is_unfinished_name(name):
            self.unfinished += 1
            return
        if is_folder and not is_data_name(name) and file.size == 0:
            return  # a mark
        finding = self.inspect(file, name)
        if finding.format != "other" and not is_folder and self.sum.format == "other":
            self.sum.format = finding.format
        self.sum.facts.fill_in(finding.facts)
        self.sum.items += finding.items
        if finding.verdict == DAMAGED:
            self.damage(self.shown(file) if is_folder else b"", finding.why)
        if self.sum.verdict == DAMAGED:
            return
        if finding.verdict == UNKNOWN:
            self.why_unknown = self.why_unknown or finding.why
            return
        if finding.verdict == COMPLETE:
            self.why_complete = self.why_complete or finding.why
        self.known += 1

    def read_document(self, file):
        """(document, damage): None and "" for one that says nothing here."""
        if file.size == 0:
            return None, "it is empty"
        if file.size > 16 << 20:
            return None, ""
        try:
            source = FileSource(os.path.join(self.root, file.name))
            try:
                content = read_exactly(source, 0, source.size)
            finally:
                source.close()
        except Damaged as damaged:
            return None, str(damaged)
        except OSError as error:
            return None, finding_of_error(error).why
        try:
            # Python writes NaN and Infinity for a loss that is none: here a text, which is no metric.
            return parse_json(content, lambda name: ""), ""
        except MemoryError:
            return None, ""
        except ValueError:
            pass
        return None, "" if trim(content).endswith((b"}", b"]")) else "it ends within its JSON"

    def add_json(self, file):
        document, damage = self.read_document(file)
        if damage:
            self.damage(self.shown(file), damage)
        if document is None:
            return
        name = base_name(file.name)
        if not self.checkpoint.is_folder or name in OF_A_FOLDER:
            self.beside.fill_in(facts_of_document(document))
        shards = document.get("weight_map") if isinstance(document, dict) else None
        if isinstance(shards, dict) and name.endswith(b".index.json"):
            folder = file.name[:len(file.name) - len(name)]
            self.named.update(folder + shard.encode("utf-8") for shard in shards.values() if isinstance(shard, str))

    def note_shard(self, name):
        extension = extension_of(name)
        match = re.fullmatch(rb"(.*)-([0-9]{5})-of-([0-9]{5})", stem_of(name), re.S)
        if match:
            self.shards.setdefault((match.group(1) + extension, int(match.group(3))), set()).add(int(match.group(2)))

    def check_shards(self):
        for (name, count), numbers in sorted(self.shards.items()):
            if len(numbers) != count:
                self.damage(b"", "of the %d files of %s %d are there" % (count, os.fsdecode(name), len(numbers)))
        if not self.checkpoint.is_tensorflow:
            return
        shards, has_index = {}, False
        for file in self.checkpoint.files:
            name = read_tensorflow_name(file.name)
            if name:
                has_index = has_index or file.name.endswith(b".index")
                if name[1] is not None:
                    shards.setdefault(name[2], set()).add(name[1])
        if not has_index:
            self.damage(b"", "its .index file is missing")
        if not shards:
            self.damage(b"", "its .data files are missing")
        for count, numbers in sorted(shards.items()):
            if len(numbers) != count:
                self.damage(b"", "of its %d .data files %d are there" % (count, len(numbers)))

    def finish(self):
        if self.checkpoint.is_tensorflow:
            self.sum.format = "tensorflow"
        if self.checkpoint.is_folder:
            self.sum.format = "folder"
            self.sum.facts, self.beside = self.beside, self.sum.facts
        self.sum.facts.fill_in(self.beside)
        if self.unfinished and self.known == 0:
            self.damage(b"", "its files are unfinished")
        if self.sum.verdict == DAMAGED:
            return
        if self.known == 0:
            self.sum.verdict = UNKNOWN
            self.sum.why = self.why_unknown or "it has no file of weights"
            return
        self.sum.verdict = COMPLETE if self.why_complete or self.why_unknown else SOUND
        self.sum.why = self.why_complete or self.why_unknown


# Folders that their writer did not come to finish (checkpoint/half_saved.cpp)

LAST_WRITTEN = b"trainer_state.json"


def below(one, file):
    return file.name[len(one.name) + 1:] if one.name else file.name


def patterns_of(one):
    """What a folder has that another one of its series should have too."""
    patterns = set()
    for file in one.files:
        base = base_name(file.name)
        if (is_data_name(base) and not is_unfinished_name(base)) or base == LAST_WRITTEN:
            patterns.add(re.sub(rb"[0-9]+", b"N", below(one, file)))
    return patterns


def find_lacking(checkpoints):
    series = {}
    for one in checkpoints:
        if one.is_folder and not one.is_unfinished and has_number(one.name):
            name, numbers = series_of(one.name)
            series.setdefault(name, []).append((numbers, one))
    for members in series.values():
        common = None  # of the older good ones
        for _, alike in itertools.groupby(sorted(members, key=lambda member: member[0]), lambda member: member[0]):
            good = []
            for _, one in alike:
                has = patterns_of(one)
                lacking = (common or set()) - has
                one.lacks = min(lacking) if lacking else b""
                if one.is_good():
                    good.append(has)
            if good:
                common = set.intersection(*good) if common is None else common.intersection(*good)


def judge_whole(one, own_name):
    if one.finding.verdict == DAMAGED or not one.is_folder:
        return
    names = {below(one, file) for file in one.files}
    why = ""
    if re.fullmatch(rb"checkpoint-[0-9]+", own_name) and b"training_args.bin" in names and LAST_WRITTEN not in names:
        why = "trainer_state.json is missing, which its writer writes last"
    elif one.lacks:
        why = os.fsdecode(one.lacks) + " is missing, which all older ones of its series have"
    if why:
        one.finding.verdict = DAMAGED
        one.finding.why = why


def inspect(root, own_name, checkpoint, contents):
    """Raises Gone."""
    checkpoint.finding = Sum(root, checkpoint, contents).of_all()
    name = base_name(checkpoint.name or own_name)
    checkpoint.finding.facts.fill_in(facts_of_name(name))
    judge_whole(checkpoint, name)


def survey(root, contents):
    """The checkpoints in the order of their names. Raises TooMany, OSError."""
    own_name = os.path.basename(os.path.realpath(root))
    seen = []
    for checkpoint in group_files(files_of(root), own_name):
        try:
            inspect(root, own_name, checkpoint, contents)
        except Gone:
            continue
        seen.append(checkpoint)
    find_lacking(seen)
    for checkpoint in seen:
        if checkpoint.lacks:
            judge_whole(checkpoint, checkpoint.name)
    return seen


# Which one is the newest (checkpoint/newest.cpp)

def order_of(checkpoints):
    """What they are ordered by, and they, the newest first."""
    any_candidate = any(one.is_candidate() for one in checkpoints)
    any_number = any(one.is_candidate() and has_facts(one) for one in checkpoints)

    def rank(one):
        if not one.is_candidate():
            return 2 if any_candidate else 0
        return 0 if not any_number or has_facts(one) or is_named_for_being_last(one.name) else 1

    first = [one for one in checkpoints if rank(one) == 0]
    by = "time"
    if all(one.finding.facts.epoch is not None for one in first):
        by = "epoch"
    if all(one.finding.facts.step is not None for one in first):
        by = "step"

    def age(one):
        facts = one.finding.facts
        step = -1 if by != "step" or facts.step is None else facts.step
        epoch = -1.0 if by == "time" or facts.epoch is None else facts.epoch
        return -rank(one), step, epoch, one.written, one.name

    return by, sorted(checkpoints, key=age, reverse=True)


def has_facts(one):
    return one.finding.facts.step is not None or one.finding.facts.epoch is not None


def would_be_newer(one, than, by):
    facts, others = one.finding.facts, than.finding.facts
    if by == "step" and facts.step is not None and others.step is not None:
        return facts.step >= others.step
    if by == "epoch" and facts.epoch is not None and others.epoch is not None:
        return facts.epoch >= others.epoch
    return one.written >= than.written


def find_newest(root):
    """The newest that is whole, or None; what they are ordered by; those passed over; what was written later, or None."""
    own_name = os.path.basename(os.path.realpath(root))
    by, checkpoints = order_of(survey(root, False))
    newest = None
    for one in checkpoints:
        if not one.is_good():
            continue
        PROGRESS.expect(one.bytes)
        try:
            inspect(root, own_name, one, True)
        except Gone:
            continue
        if one.is_good():
            newest = one
            break
    skipped, later = [], None
    for one in checkpoints:
        if one is newest:
            continue
        if not one.is_good():
            if newest is None or would_be_newer(one, newest, by):
                skipped.append(one)
        elif newest is not None and one.written > newest.written and later is None:
            later = one
    return newest, by, skipped, later


# The record. Names are any bytes: as hexadecimal digits.

MOST_TOLD = 20  # of those passed over: the record must fit what a machine may say


def record_of(root):
    newest, by, skipped, later = find_newest(root)
    record = {
        "ordered_by": by,
        "skipped_count": len(skipped),
        "skipped_bad": sum(not one.is_unfinished for one in skipped),
        "skipped": [{"name": one.name[:255].hex(), "state": one.state(), "why": printable(one.why_not()[:200])}
                    for one in skipped[:MOST_TOLD]]}
    if later is not None:
        record["written_later"] = later.name[:255].hex()
    if newest is not None:
        facts = newest.finding.facts
        record["checkpoint"] = {
            "name": newest.name.hex(), "format": newest.finding.format, "state": newest.state(),
            "why": printable(newest.finding.why), "bytes": newest.bytes, "written": newest.written // 1000000000}
        if facts.epoch is not None:
            record["checkpoint"]["epoch"] = facts.epoch
        if facts.step is not None:
            record["checkpoint"]["step"] = facts.step
    return record


def printable(text):
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def main():
    directory = os.fsencode(sys.argv[1])
    try:
        print(json.dumps(record_of(directory)))
    except OSError as error:
        print("%s: %s" % (printable(os.fsdecode(error.filename or directory)), error.strerror))
        return 3
    except TooMany as many:
        print(printable(str(many)))
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
