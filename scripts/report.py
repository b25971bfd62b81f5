"""Tells how a run of CTest went, from its LastTest.log: what it left out, with the reason that each gave, or what failed, with
the end of what each printed.

`report.py skipped LOG`, `report.py failed LOG`. `failed` exits with 3 if what failed must not be tried again: a sanitizer's
report is never a matter of luck.
"""
import re
import sys

START = re.compile(r"^\d+/\d+ Testing: (\S+)$")
UNITTEST = re.compile(r"^(?:(?P<name>\w+) \(.*\)|.*?)(?: \.\.\.)? ?skipped ['\"](?P<reason>.*)['\"]$")
METHOD = re.compile(r"^(\w+) \([\w.]+\)$")
SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|: runtime error: ")
SHOWN = 60  # lines of a test that failed: a traceback and the two outputs that it compares
WIDEST = 300  # characters of a line


def skipped(lines):
    """Yields (test, reason)."""
    test, method, in_gtest = None, None, False
    for line in lines:
        line = line.rstrip("\n")
        if start := START.match(line):
            test, method, in_gtest = start[1], None, False
        elif in_gtest:  # GTEST_SKIP() puts its reason on the line after the place
            yield test, line or "no reason given"
            in_gtest = False
        elif line.endswith(": Skipped"):
            in_gtest = True
        elif line.startswith("skipped: "):
            yield test, line.removeprefix("skipped: ")
        elif named := METHOD.match(line):  # a test with a docstring: the outcome is on the next line
            method = named[1]
        elif found := UNITTEST.match(line):
            yield f"{test}.{found['name'] or method or 'class'}", found["reason"]
            method = None


def failed(lines):
    """Yields (test, the lines that it printed)."""
    test, printed = None, []
    for line in lines:
        line = line.rstrip("\n")
        if start := START.match(line):
            test, printed = start[1], []
        elif line == "Test Failed.":  # also when its time was out
            yield test, printed[printed.index("Output:") + 2:-3]  # a rule; then the output's end, the time, a rule
        else:
            printed.append(line)


def main():
    what, path = sys.argv[1:]
    with open(path, encoding="utf-8", errors="replace") as log:
        if what == "skipped":
            found = sorted(set(skipped(log)))
            for test, reason in found:
                print(f"  {test}: {reason}")
            print(f"{len(found)} left out" if found else "nothing")
            return 0
        final = False
        for test, printed in failed(log):
            reported = [line for line in printed if SANITIZER.search(line)]
            final = final or bool(reported)
            print(f"-- {test}{': a sanitizer reported' if reported else ''}")
            for line in reported[:3] + printed[-SHOWN:]:
                print(f"   {line[:WIDEST]}")
    return 3 if final else 0


if __name__ == "__main__":
    sys.exit(main())
