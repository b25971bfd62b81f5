"""Drives the real runctl against a real emulator of its own. Standard library only.

RUNCTL in the environment is the program under test.
"""
import contextlib
import functools
import json
import mmap
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

RUNCTL = os.environ.get("RUNCTL", "")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def block_hardware_missing():
    """Why the emulator cannot have block hardware here, or "" when it can."""
    if os.geteuid() != 0:
        return "needs root: block hardware makes loop devices and namespaces"
    if not os.path.exists("/dev/loop-control"):
        return "needs /dev/loop-control"
    return ""


def base_environment(home):
    """Nothing of the tester's own configuration reaches the program, nor the role of a rented machine that tests run on."""
    told = {name: os.environ[name] for name in ("ASAN_OPTIONS", "TSAN_OPTIONS") if name in os.environ}
    return {"HOME": home, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true",
            **told}


def private_mounts_missing():
    """Why a process of ours cannot have mounts of its own here, or "" when it can."""
    if os.geteuid() != 0:
        return "needs root: mounts in a namespace of its own"
    if "/" not in mounts_under("/"):
        return "/ is no mount point: a bare chroot, whose mount cannot be made private"
    return ""


class Outcome:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def record(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


class Cloud:
    """One emulator on a state directory of its own, and runctl pointed at it."""

    def __init__(self, hardware="none", pace="instant"):
        self.hardware = hardware
        self.pace = pace
        self.directory = tempfile.mkdtemp(prefix="runctl-test-")
        self.state = os.path.join(self.directory, "state")
        self.environment = base_environment(self.directory)
        self.process = None
        self.endpoint = None
        self.wrapper = []  # words before the emulator's own
        self.extra = []    # words after them
        self.drain = None

    def start(self):
        self.process = subprocess.Popen(
            [*self.wrapper, RUNCTL, "emulator", "run", "--port", "0", "--state", self.state,
             "--hardware", self.hardware, "--pace", self.pace, *self.extra],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment, cwd=self.directory)
        line = self.process.stdout.readline()
        match = re.match(r"listening on (http://127\.0\.0\.1:\d+)$", line)
        if not match:
            self.process.kill()
            said = self.process.communicate()
            self.process = None
            raise AssertionError(f"the emulator did not start: {line!r} {said}")
        self.endpoint = match.group(1)
        # The emulator's log is drained, so that it can never block on it.
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()
        self.environment.update(
            AWS_ENDPOINT_URL=self.endpoint, AWS_ACCESS_KEY_ID="emulator",
            AWS_SECRET_ACCESS_KEY="emulator", AWS_DEFAULT_REGION="us-east-1")
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
        if self.process:
            self.process.stdout.close()
            self.drain.join(timeout=10)
            self.process.stderr.close()
        self.process = None

    def remove(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *words, environment=None, stdin="", timeout=120):
        """Runs runctl to its end."""
        return Outcome(subprocess.run(
            [RUNCTL, *map(str, words)], capture_output=True, text=True, input=stdin,
            timeout=timeout, env={**self.environment, **(environment or {})}, cwd=self.directory))

    def id_of(self, *words):
        """Runs a command that must succeed and gives the id it prints."""
        outcome = self.run(*words, "--output", "id")
        if outcome.code != 0:
            raise AssertionError(f"runctl {' '.join(map(str, words))}: {outcome}")
        return outcome.out.strip()

    def machine(self, name=None, zone="us-east-1a"):
        words = ["aws", "create", "t3.medium", "--availability-zone", zone, "--wait"]
        return self.id_of(*words, *(["--name", name] if name else []))

    def volume(self, *words, size=1, zone="us-east-1a"):
        return self.id_of("aws", "ebs", "create", "--size", size, "--availability-zone", zone, *words)

    def requests(self):
        """The actions that the emulator was asked for, in order, from its event log."""
        actions = []
        with open(os.path.join(self.state, "events.jsonl"), encoding="utf-8") as log:
            for line in log:
                event = json.loads(line)
                if event.get("action"):
                    actions.append(event["action"])
        return actions


class CloudTest(unittest.TestCase):
    """A test case with one emulator for all of its tests."""

    hardware = "none"
    pace = "instant"

    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud(cls.hardware, cls.pace)
        cls.addClassCleanup(cls.cloud.remove)
        cls.cloud.start()

    def refused(self, outcome, *texts, code=4):
        """The outcome is a refusal that says all of `texts`."""
        self.assertEqual(outcome.code, code, outcome)
        for text in texts:
            self.assertIn(text, outcome.err, outcome)

    def succeeded(self, outcome):
        self.assertEqual(outcome.code, 0, outcome)
        return outcome


@contextlib.contextmanager
def misbehaving_server(answer):
    """A server on loopback that sends `answer` (bytes) to whoever connects, or None: says nothing at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def serve():
        listener.settimeout(0.1)
        kept = []
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                continue
            if answer is None:
                kept.append(connection)
                continue
            with connection:
                connection.settimeout(2)
                with contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(answer)
        for connection in kept:
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join()
        listener.close()


def loop_devices_under(directory):
    """The loop devices whose files are below `directory`."""
    found = []
    base = "/sys/block"
    for name in os.listdir(base):
        with contextlib.suppress(OSError):
            with open(os.path.join(base, name, "loop", "backing_file"), encoding="utf-8") as file:
                if file.read().startswith(directory):
                    found.append(name)
    return found


def mounts_under(directory):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line.split()[4] for line in file if line.split()[4].startswith(directory)]


def processes_naming(text):
    """The processes with `text` in their command line or environment, but for this one."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            for name in ("cmdline", "environ"):
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    if text.encode() in file.read():
                        found.append(int(pid))
                        break
    return found


def is_running(pid):
    """Whether a process has that number and is more than a zombie, which its parent has not looked at yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def write_file(path, content=b"", mtime=None):
    """A file and the directories that it lies in; gives the path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


@functools.cache
def sanitizer():
    """What runctl was built with: "address", "thread" or None. Each names the function that it starts by."""
    with open(RUNCTL, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program:
        for name, start in (("address", b"__asan_init"), ("thread", b"__tsan_init")):
            if program.find(start) >= 0:
                return name
    return None


def wait_until(condition, seconds=10):
    """Whether `condition()` came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


def main():
    if not RUNCTL or not os.access(RUNCTL, os.X_OK):
        sys.exit("set RUNCTL to the program under test")
    unittest.main(verbosity=2)
