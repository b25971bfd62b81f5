"""Rules of the house that no compiler knows: who may read clocks and variables, and that no test is left out."""
import os
import re
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What only io/ may do, because everything else has to be testable without it. `main` sets the process up.
BANNED = {
    r"\b(std::|::)?(secure_)?getenv\(": "reads the environment: take an Environment",
    r"\b(system_clock|steady_clock|high_resolution_clock)::now\(": "reads a clock: take a Clock",
    r"\bthis_thread::sleep": "sleeps: take a Clock",
    r"(?<![\w.>])(::)?(usleep|nanosleep|clock_gettime|gettimeofday)\(": "reads a clock or sleeps: take a Clock",
    r"\bstd::random_device\b": "takes randomness: take a Random",
    r"\bstd::async\b|\.detach\(\)": "starts a thread that nobody waits for",
    r"\bthread_local\b": "hides state in threads",
}
# Inside a machine of the emulator there is no Clock to take: process 1 of it is a few system calls after a fork.
ALLOWED = re.compile(r"^(io/|main/|emulator/hardware/)")


def strip_comments(text):
    """Keeps the line numbers."""
    return re.sub(r"//[^\n]*", "", text)


def is_for_tests(path):
    """Support of tests that lies beside them says so in the first line of its header."""
    header = os.path.splitext(path)[0] + ".hpp"
    if not os.path.exists(header):
        return False
    with open(header, encoding="utf-8") as file:
        return file.readline().startswith("// For tests: ")


def banned_calls(src):
    found = []
    for folder, _, names in os.walk(src):
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), src)
            if not path.endswith((".cpp", ".hpp")) or path.endswith("_test.cpp") or ALLOWED.match(path):
                continue
            if is_for_tests(os.path.join(folder, name)):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                for number, line in enumerate(strip_comments(file.read()).splitlines(), 1):
                    found += [f"{path}:{number}: {why}" for what, why in BANNED.items() if re.search(what, line)]
    return found


def tests_in_no_target(root):
    """Test files that no CMakeLists.txt at or above their folder names."""
    left_out = []
    for folder, _, names in os.walk(root):
        if os.path.relpath(folder, root).split(os.sep)[0] in ("build", ".git"):
            continue
        for name in sorted(names):
            if not re.search(r"_test\.(cpp|py)$", name):
                continue
            path = os.path.relpath(os.path.join(folder, name), root)
            if not named_in_cmake(root, path):
                left_out.append(path)
    return left_out


def named_in_cmake(root, path):
    folder, name = os.path.split(path)
    while True:
        lists = os.path.join(root, folder, "CMakeLists.txt")
        if os.path.exists(lists):
            with open(lists, encoding="utf-8") as file:
                words = set(re.findall(r"[\w./]+", file.read()))
            stem = os.path.splitext(name)[0].removesuffix("_test")
            relative = os.path.relpath(os.path.join(root, path), os.path.dirname(lists))
            # A Python test is listed by folder and stem: runctl_python_test(cli volumes).
            listed = relative in words or (name.endswith(".py") and stem in words)
            if listed:
                return True
        if not folder:
            return False
        folder = os.path.dirname(folder)


def anchors_of(path):
    """The anchors that GitHub, and `runctl help`, make of a document's headings."""
    with open(path, encoding="utf-8") as file:
        headings = re.findall(r"^#+ (.+)$", file.read(), re.M)
    return {re.sub(r"[^a-z0-9-]", "", heading.lower().replace(" ", "-")) for heading in headings}


def dead_references(root):
    """What the sources and the documents name of the documents that is not there."""
    dead = []
    for folder in ("src", "docs", "."):
        for where, folders, names in os.walk(os.path.join(root, folder)):
            if folder == ".":
                folders.clear()
            for name in sorted(names):
                path = os.path.join(where, name)
                if not name.endswith((".cpp", ".hpp", ".md")):
                    continue
                with open(path, encoding="utf-8") as file:
                    text = file.read()
                here = os.path.relpath(path, root)
                dead += [f"{here}: {document}#{anchor}" for document, anchor in re.findall(r"([A-Z_]+\.md)#([a-z0-9-]+)", text)
                         if not has_anchor(os.path.join(root, "docs", document), anchor)]
                if name.endswith(".md"):
                    dead += [f"{here}: {target}" for target in re.findall(r"\]\(([^)]+)\)", text)
                             if not is_link(path, target)]
    return dead


def has_anchor(path, anchor):
    return os.path.exists(path) and anchor in anchors_of(path)


def is_link(path, target):
    if re.match(r"[a-z]+:", target):
        return True
    document, _, anchor = target.partition("#")
    document = os.path.join(os.path.dirname(path), document) if document else path
    return os.path.exists(document) and (not anchor or anchor in anchors_of(document))


class Sources(unittest.TestCase):
    def test_only_io_meets_the_world(self):
        self.assertEqual(banned_calls(os.path.join(ROOT, "src")), [])

    def test_each_test_is_in_a_target(self):
        self.assertEqual(tests_in_no_target(ROOT), [])

    def test_what_is_named_of_the_documents_is_there(self):
        self.assertEqual(dead_references(ROOT), [])

    def test_nothing_is_left_to_do(self):
        found = []
        for folder in ("src", "tests", "scripts", "cmake", "examples", "docs"):
            for where, _, names in os.walk(os.path.join(ROOT, folder)):
                for name in names:
                    path = os.path.join(where, name)
                    if path == os.path.abspath(__file__) or not name.endswith((".cpp", ".hpp", ".py", ".sh", ".md", ".cmake")):
                        continue
                    with open(path, encoding="utf-8") as file:
                        found += [f"{os.path.relpath(path, ROOT)}:{number}" for number, line in enumerate(file, 1)
                                  if re.search(r"\b(TODO|FIXME|XXX)\b(?!X)", line)]
        self.assertEqual(found, [])


class TheRulesThemselves(unittest.TestCase):
    """Each rule is seen to fail on something planted."""

    def planted(self, files):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, text in files.items():
            path = os.path.join(folder.name, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return folder.name

    def test_banned_calls_are_found(self):
        lines = ["auto a = std::getenv(\"X\");", "auto b = std::chrono::steady_clock::now();",
                 "std::this_thread::sleep_for(x);", "::usleep(1);", "std::random_device d;", "std::async(f);",
                 "t.detach();", "thread_local int x;"]
        root = self.planted({"volume/a.cpp": "\n".join(lines), "io/a.cpp": lines[0], "volume/a_test.cpp": lines[2],
                             "volume/bench.hpp": "// For tests: a bench.\n", "volume/bench.cpp": lines[3],
                             "volume/b.cpp": "// std::getenv( is for io/\nfield.getenvelope();\n"})
        self.assertEqual([line.split(": ")[0] for line in banned_calls(root)],
                         [f"volume/a.cpp:{number}" for number in range(1, len(lines) + 1)])

    def test_dead_references_are_found(self):
        root = self.planted({"docs/GUIDE.md": "# A guide\n## Held volume!\n[a](#held-volume) [b](#gone) [c](x.md)\n",
                             "src/a.cpp": '"GUIDE.md#held-volume" "GUIDE.md#gone" "OTHER.md#a"\n',
                             "README.md": "[guide](docs/GUIDE.md#a-guide) [none](docs/NONE.md) [out](https://x)\n"})
        self.assertEqual(dead_references(root), ["src/a.cpp: GUIDE.md#gone", "src/a.cpp: OTHER.md#a", "docs/GUIDE.md: #gone",
                                                 "docs/GUIDE.md: x.md", "README.md: docs/NONE.md"])

    def test_a_test_in_no_target_is_found(self):
        root = self.planted({"src/a/CMakeLists.txt": "runctl_test(a SOURCES one_test.cpp deep/two_test.cpp)",
                             "src/a/one_test.cpp": "", "src/a/deep/two_test.cpp": "", "src/a/three_test.cpp": "",
                             "src/a/deep/one_test.cpp": "",
                             "tests/CMakeLists.txt": "runctl_python_test(cli four)", "tests/cli/four_test.py": "",
                             "tests/cli/five_test.py": ""})
        self.assertEqual(sorted(tests_in_no_target(root)),
                         ["src/a/deep/one_test.cpp", "src/a/three_test.cpp", "tests/cli/five_test.py"])


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
