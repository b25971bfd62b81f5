"""How long runctl takes to start, beside /bin/true, and the emulator to answer.

    python3 bench/startup.py build/release/src/main/runctl

Prints medians and ratios of one run on this machine; asserts nothing.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request


def spawn_seconds(argv):
    """Wall seconds from before posix_spawn to the end of the process."""
    null = os.open(os.devnull, os.O_RDWR)
    start = time.perf_counter()
    pid = os.posix_spawn(
        argv[0],
        argv,
        {"HOME": "/nonexistent", "PATH": "/usr/bin:/bin"},
        file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)],
    )
    os.waitpid(pid, 0)
    elapsed = time.perf_counter() - start
    os.close(null)
    return elapsed


def start_up(runctl, rounds=200):
    samples = {"/bin/true": [], "runctl --version": [], "runctl --help": []}
    for _ in range(rounds):  # interleaved, so that a slow moment hits all alike
        samples["/bin/true"].append(spawn_seconds(["/bin/true"]))
        samples["runctl --version"].append(spawn_seconds([runctl, "--version"]))
        samples["runctl --help"].append(spawn_seconds([runctl, "--help"]))
    base = statistics.median(samples["/bin/true"])
    print(f"start-up, median of {rounds}:")
    for name, values in samples.items():
        median = statistics.median(values)
        print(f"  {name:20} {median * 1e3:7.2f} ms  {median / base:5.1f} x  +{(median - base) * 1e3:.2f} ms")


def first_answer(runctl, hardware, rounds=10):
    """Seconds from spawning `emulator run` to its first HTTP answer."""
    values = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="runctl-bench-") as state:
            start = time.perf_counter()
            process = subprocess.Popen(
                [runctl, "emulator", "run", "--port", "0", "--state", state, "--hardware", hardware],
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                endpoint = process.stdout.readline().split()[-1]
                with urllib.request.urlopen(endpoint + "/_runctl/status", timeout=10) as answer:
                    json.load(answer)
                values.append(time.perf_counter() - start)
            finally:
                process.terminate()
                process.wait(timeout=20)
                process.stdout.close()
    median = statistics.median(values)
    print(f"emulator, {hardware:5}: first answer after {median * 1e3:.1f} ms (median of {rounds}, most {max(values) * 1e3:.1f} ms)")


def main():
    runctl = os.path.abspath(sys.argv[1])
    start_up(runctl)
    for hardware in ("none", "files") + (("block",) if os.geteuid() == 0 else ()):
        first_answer(runctl, hardware)


if __name__ == "__main__":
    main()
