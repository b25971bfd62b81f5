"""Looking into the emulator's machines from outside, and the writers that tests let run there. Needs root.

What is seen this way is the kernel's own word, not runctl's.
"""
import os
import re
import signal
import subprocess
import threading

import cloud

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


def children_of(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(name))
        except OSError:
            pass  # it has ended meanwhile
    return found


def end(process, how=signal.SIGTERM):
    """Ends what run_on began in the background: the command itself, since a signal to nsenter would leave it running."""
    for pid in children_of(process.pid):
        os.kill(pid, how)
    # It stops with its command, when the emulator holds a machine still, and does not go on with it.
    process.send_signal(signal.SIGCONT)
    process.wait(timeout=60)


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

    def stop(self, how=signal.SIGTERM):
        end(self.process, how)


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


def loop_devices_of(image):
    """The numbers (major:minor) of the loop devices upon an image: one for each machine that has the volume."""
    found = set()
    for name in os.listdir("/sys/block"):
        try:
            with open(f"/sys/block/{name}/loop/backing_file", encoding="utf-8") as file:
                if file.read().rstrip("\n") != image:
                    continue
            with open(f"/sys/block/{name}/dev", encoding="utf-8") as file:
                found.add(file.read().strip())
        except OSError:
            pass  # no loop device, or one that was let go
    return found


def read_write_mounts(image):
    """Which devices of an image are mounted to be written, by the kernel's tables of all mount namespaces."""
    devices = loop_devices_of(image)
    mounted, seen = set(), set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            namespace = os.readlink(f"/proc/{pid}/ns/mnt"), os.stat(f"/proc/{pid}/root").st_ino
            if namespace in seen:
                continue
            seen.add(namespace)
            with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
                for line in file:
                    number, filesystem = line.split()[2], line.rpartition(" - ")[2].split()
                    # By the superblock's own options: a read-only mount may stand beside one that writes.
                    if number in devices and "rw" in filesystem[-1].split(","):
                        mounted.add(number)
        except OSError:
            pass  # it has ended meanwhile
    return mounted


class MountWatch:
    """Looks at the kernel's mount tables all the time that it is entered, for two that can write one image."""

    def __init__(self, image):
        self.image = image
        self.violations = []
        self.samples = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.over.wait(0.003):
            first = read_write_mounts(self.image)
            self.samples += 1
            if len(first) < 2:
                continue
            # The tables are not read at one moment: what both looks show was there between them.
            both = first & read_write_mounts(self.image)
            if len(both) > 1:
                self.violations.append(sorted(both))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class DiskTest(cloud.CloudTest):
    """A test on real devices in real machines."""
    hardware = "block"
    pace = "fast"

    def ebs(self, *words, **options):
        return self.cloud.run("aws", "ebs", *words, **options)

    def done(self, *words):
        return self.succeeded(self.ebs(*words, "--output", "json")).record

    def on(self, machine, command, **options):
        return run_on(self.cloud.state, machine, command, **options)

    def mounted_volume(self, machine, directory, filesystem="ext4", words=(), size=1):
        volume = self.cloud.volume(*words, size=size)
        self.done("attach", volume, "--instance", machine, "--mount", directory, "--format", filesystem)
        return volume

    def image(self, volume):
        return os.path.join(self.cloud.state, "volumes", volume + ".img")

    def inside(self, machine, path):
        """Where a file of a machine is seen from here."""
        return f"/proc/{process_one(self.cloud.state, machine)}/root{path}"

    def write(self, machine, directory, beyond=0):
        """A writer that has acknowledged some records, the last above `beyond`."""
        writer = Writer(self.cloud.state, machine, directory)
        self.addCleanup(writer.stop)
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > beyond + 20, 30), "the writer does not write")
        return writer

    def held_by(self, machine, command):
        """A process of the machine that stays until the test is over, or what this gives is called."""
        holder = self.on(machine, command, background=True)
        self.addCleanup(end, holder, signal.SIGKILL)
        return lambda: end(holder, signal.SIGKILL)

    def attachments_over_time(self, volume):
        """The machines that had the volume, at each change, from the emulator's event log."""
        with open(os.path.join(self.cloud.state, "events.jsonl"), encoding="utf-8") as log:
            events = [cloud.json.loads(line) for line in log if '"attachments"' in line and volume in line]
        return [set(re.findall(r"\bi-[0-9a-f]+", event["to"])) for event in events]

    def check_image(self, volume, filesystem):
        """What the filesystem's own checker says of a volume that nobody has."""
        words = {"ext4": ["e2fsck", "-f", "-n"], "xfs": ["xfs_repair", "-n"]}[filesystem]
        checked = subprocess.run([*words, self.image(volume)], capture_output=True, text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
