"""Looking into the emulator's machines from outside, and the writers that tests let run there. Needs root.

What is seen this way is the kernel's own word, not runctl's.
"""
import os
import subprocess

# Appends numbered records with their checksums, each synced before it counts as acknowledged; and makes files, so that
# the filesystem's journal has work. What is acknowledged is kept outside of the volume.
WRITER = r"""
import os, sys, zlib
directory, acknowledged = sys.argv[1:]
records = os.open(directory + "/records", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
with open(directory + "/records") as file:
    number = sum(1 for _ in file)
counter = os.open(acknowledged, os.O_WRONLY | os.O_CREAT, 0o644)
while True:
    number += 1
    text = f"{number} " + "x" * (number % 300)
    os.write(records, f"{text} {zlib.crc32(text.encode())}\n".encode())
    os.fsync(records)
    os.pwrite(counter, str(number).ljust(20).encode(), 0)
    with open(f"{directory}/file-{number % 40}", "w") as file:
        file.write(text)
"""


def process_one(state, instance):
    with open(os.path.join(state, "instances", instance, "process"), encoding="utf-8") as file:
        return file.read().split()[0]


def run_on(state, instance, command, *, check=True, background=False):
    """Runs a shell command as root in a machine; what it said."""
    words = ["nsenter", "-t", process_one(state, instance), "-m", "-p", "-u", "-i", "-r", "-w"]
    if background:
        return subprocess.Popen([*words, "/bin/sh", "-c", command], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = subprocess.run([*words, "/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


class Writer:
    """WRITER at work in a directory of a machine."""

    def __init__(self, state, instance, directory):
        self.acknowledged_file = os.path.join(state, "instances", instance, "upper", "var", "tmp",
                                              "acknowledged-" + directory.strip("/").replace("/", "-"))
        run_on(state, instance, "mkdir -p /var/tmp && cat >/var/tmp/writer.py <<'EOF'\n" + WRITER + "\nEOF")
        inside = "/var/tmp/" + os.path.basename(self.acknowledged_file)
        self.process = run_on(state, instance, f"exec python3 /var/tmp/writer.py {directory} {inside}", background=True)

    def acknowledged(self):
        try:
            with open(self.acknowledged_file, encoding="utf-8") as file:
                return int(file.read() or 0)
        except FileNotFoundError:
            return 0

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=60)


def check_records(path, least):
    """All records of a file are whole and in order, and there are at least `least`. The last line may be cut."""
    import zlib
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    whole = lines[:-1]
    for number, line in enumerate(whole, start=1):
        text, _, checksum = line.rpartition(" ")
        if not text.startswith(f"{number} ") or zlib.crc32(text.encode()) != int(checksum):
            raise AssertionError(f"record {number} of {path} is damaged: {line[:80]!r}")
    if len(whole) < least:
        raise AssertionError(f"{path} has {len(whole)} records, and {least} were acknowledged")
    return len(whole)
