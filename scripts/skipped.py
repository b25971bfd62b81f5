"""Lists the tests that a run of CTest left out, with the reason that each gave. Argument: CTest's LastTest.log."""
import re
import sys

START = re.compile(r"^\d+/\d+ Testing: (\S+)$")
UNITTEST = re.compile(r"^(?:(?P<name>\w+) \(.*\)|.*?)(?: \.\.\.)? ?skipped ['\"](?P<reason>.*)['\"]$")
METHOD = re.compile(r"^(\w+) \([\w.]+\)$")


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


def main():
    with open(sys.argv[1], encoding="utf-8", errors="replace") as log:
        found = sorted(set(skipped(log)))
    for test, reason in found:
        print(f"  {test}: {reason}")
    print(f"{len(found)} left out" if found else "nothing")


if __name__ == "__main__":
    main()
