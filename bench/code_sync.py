"""How long the code of a project takes to get to a machine, beside the tools that people use for the same.

    python3 bench/code_sync.py build/release/src/main/runctl

A tree of 20,000 files in a git repository, on this machine, three ways: `aws train` to a machine of the emulator (directories
for volumes, through its S3), `rsync -a` to another directory, and `tar | zstd` to a file, unpacked again. First to
where there is nothing, then unchanged. Of runctl two figures: what is done here (the walk, reading, hashing, compressing), by its own
log, which is what `tar | zstd` does; and the whole command, which also starts the program, uploads, unpacks, writes back to the
disk, makes the run's own copy and starts the run. Prints medians and ratios; asserts nothing.
"""
import collections
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
os.environ["RUNCTL"] = os.path.abspath(sys.argv[1])
import cloud

ROUNDS = int(os.environ.get("RUNCTL_BENCH_ROUNDS", "5"))
FILES = 20_000
WORDS = "import def return self model data batch loss = ( ) : , . for in if else not None True 0 1 torch np".split()


def make_tree(root):
    """Text of source code's kind, 0.2 to 16 KB a file, in 500 folders; the same bytes each time."""
    chance = random.Random(7)
    total = 0
    for number in range(FILES):
        folder = os.path.join(root, f"pkg{number % 20}", f"part{number % 500}")
        os.makedirs(folder, exist_ok=True)
        size = int(200 * 80 ** chance.random())
        text = " ".join(chance.choices(WORDS, k=size // 5)) + hex(chance.getrandbits(256))
        with open(os.path.join(folder, f"m{number}.py"), "w", encoding="ascii") as file:
            file.write(text)
        total += len(text)
    with open(os.path.join(root, "train.py"), "w", encoding="ascii") as file:
        file.write("print('trained')\n")
    subprocess.run(["git", "init", "-q", "."], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return total


def seconds_of(command, **options):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    return time.perf_counter() - began


class Peers:
    def __init__(self, root, folder):
        self.root, self.folder = root, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def clean(self):
        for name in ("rsync", "untar"):
            shutil.rmtree(self.path(name), ignore_errors=True)
        os.makedirs(self.path("untar"))

    def measure(self, samples, which):
        if shutil.which("rsync"):
            samples[which, "rsync -a"].append(
                seconds_of(["rsync", "-a", "--delete", "--exclude", ".git", self.root + "/", self.path("rsync") + "/"]))
        samples[which, "tar | zstd"].append(
            seconds_of(["sh", "-c", f"tar -C {self.root} --exclude .git -cf - . | zstd -q -f -o {self.path('archive')}"]))
        samples[which, "tar | zstd | zstd -d | tar"].append(
            seconds_of(["sh", "-c", f"tar -C {self.root} --exclude .git -cf - . | zstd -q | zstd -q -d | "
                                    f"tar -C {self.path('untar')} -xf -"]))


def train(own, machine, root, samples, which):
    words = ["aws", "train", machine, os.path.join(root, "train.py"), "--code-bucket", "code", "-v", "--log-format", "json",
             "--output", "json"]
    began = time.perf_counter()
    outcome = own.run(*words, timeout=900)
    wall = time.perf_counter() - began
    if outcome.code != 0:
        sys.exit(f"runctl {' '.join(words)}: {outcome}")
    took = collections.Counter()
    for line in outcome.err.splitlines():
        if line.startswith("{") and '"code.' in line:
            event = json.loads(line)
            took[event["event"]] += int(event["elapsed_ms"]) / 1e3
    samples[which, "aws train"].append(wall)
    samples[which, "aws train: here"].append(took["code.looked"] + took["code.known"] + took["code.packed"])
    samples[which, "aws train: on the machine"].append(took["code.placed"])
    return outcome.record["code"]


def show(samples, which, reference):
    base = statistics.median(samples[which, reference])
    print(f"{which} sync, median of {ROUNDS}:")
    for (when, name), values in samples.items():
        if when == which:
            median = statistics.median(values)
            print(f"  {name:28} {median:7.3f} s   {base / median:6.2f} x the speed of {reference}")


def main():
    samples = collections.defaultdict(list)
    own = cloud.Cloud("files", "instant")
    folder = tempfile.mkdtemp(prefix="runctl-bench-")
    try:
        own.start()
        root = os.path.join(folder, "project")
        os.makedirs(root)
        total = make_tree(root)
        machine = own.machine()
        own.run("s3", "create", "s3://code")
        peers = Peers(root, folder)
        time.sleep(3)  # what was changed within two seconds is read again, as git does it
        for _ in range(ROUNDS):
            peers.clean()
            shutil.rmtree(os.path.join(own.directory, ".cache"), ignore_errors=True)
            for name in ("projects", "code"):
                shutil.rmtree(os.path.join(own.state, "instances", machine, "root/var/lib/runctl", name), ignore_errors=True)
            os.sync()
            for which in ("first", "unchanged"):
                sent = train(own, machine, root, samples, which)
                if which == "first":
                    first = sent
                peers.measure(samples, which)
        size = os.path.getsize(peers.path("archive"))
        print(f"{FILES + 1} files, {total / 2**20:.0f} MiB; compressed: runctl {first['archive_bytes'] / 2**20:.1f} MiB, "
              f"tar | zstd {size / 2**20:.1f} MiB; the unchanged sync sent {sent['archive_bytes']} bytes ({sent['way']})")
        for which in ("first", "unchanged"):
            show(samples, which, "tar | zstd")
    finally:
        own.remove()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
