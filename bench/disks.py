"""What runctl adds to the cloud's own time, and how fast it reads, beside the tools that people use for the same.

    sudo python3 bench/disks.py build/release/src/main/runctl [attach] [verify] [warm]

1. `attach --mount` and `detach`: wall time beside the emulator's own time for the calls (from its event log) and the
   machine's for the mount and the unmount (as SSM tells it), the rest being the tool's; and how many API calls each takes.
2. `verify` beside sha256sum, b2sum and openssl over the same files, started by xargs on all cores, on the same machine.
3. `warm` beside fio (io_uring, 32 requests of 1 MiB at a time) and `dd bs=1M iflag=direct`, on the same device: a plain loop
   device, and one that answers late (nbdkit's delay filter).

Prints medians and ratios; asserts nothing. What is missing on this machine is named. Caches are dropped before each run.
"""
import collections
import contextlib
import datetime
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
os.environ["RUNCTL"] = os.path.abspath(sys.argv[1])
import cloud
import machines

ROUNDS = int(os.environ.get("RUNCTL_BENCH_ROUNDS", "5"))
DELAY_MS = 2  # for each 128 KiB, as which FUSE asks


def drop_caches():
    os.sync()
    with contextlib.suppress(OSError), open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("3")


class Bench:
    def __init__(self, pace):
        self.cloud = cloud.Cloud("block", pace)

    def __enter__(self):
        self.cloud.start()
        return self

    def __exit__(self, *_):
        self.cloud.remove()

    def done(self, *words):
        """A command's record, and the wall seconds that it took."""
        began = time.perf_counter()
        outcome = self.cloud.run(*words, "--output", "json", timeout=900)
        seconds = time.perf_counter() - began
        if outcome.code != 0:
            sys.exit(f"runctl {' '.join(map(str, words))}: {outcome}")
        return outcome.record, seconds

    def on(self, machine, command):
        words = ["nsenter", "-t", machines.process_one(self.cloud.state, machine), "-m", "-p", "-u", "-i", "-r", "-w"]
        began = time.perf_counter()
        said = subprocess.run([*words, "/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        if said.returncode != 0:
            raise RuntimeError(f"{command}: {said.stdout}{said.stderr}")
        return said.stdout, time.perf_counter() - began

    def events(self):
        with open(os.path.join(self.cloud.state, "events.jsonl"), encoding="utf-8") as log:
            return [json.loads(line) for line in log]


def moment(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


def cloud_seconds(events, action, volume, settled):
    """From the request to the moment at which the emulator itself calls it done."""
    end = [moment(each) for each in events if each.get("id") == volume and settled(each)][-1]
    begin = [moment(each) for each in events if each["event"] == "request" and each.get("action") == action][-1]
    return max(end - begin, 0.0)


class Commands:
    """How long the machines were busy with what they were told, by the emulator's SSM."""

    def __init__(self, bench):
        self.bench = bench
        self.seen = set()

    def new_seconds(self):
        if not shutil.which("aws"):
            return None
        said = subprocess.run(["aws", "--endpoint-url", self.bench.cloud.endpoint, "ssm", "list-command-invocations", "--details", "--output", "json"],
                              capture_output=True, text=True, check=True, env=self.bench.cloud.environment).stdout
        total = 0.0
        for invocation in json.loads(said)["CommandInvocations"]:
            if invocation["CommandId"] in self.seen:
                continue
            self.seen.add(invocation["CommandId"])
            for plugin in invocation["CommandPlugins"]:
                began, ended = (datetime.datetime.fromisoformat(str(plugin[name])).timestamp()
                                for name in ("ResponseStartDateTime", "ResponseFinishDateTime"))
                total += ended - began
        return total


def compare_attach(pace):
    rounds = ROUNDS if pace == "fast" else 3
    samples = collections.defaultdict(list)
    calls = {}
    with Bench(pace) as bench:
        machine = bench.cloud.machine()
        volume = bench.cloud.volume()
        commands = Commands(bench)
        bench.done("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data", "--format", "ext4")
        bench.done("aws", "ebs", "detach", volume)
        commands.new_seconds()
        for _ in range(rounds):
            for verb, words, action, settled in (
                    ("attach --mount", ("attach", volume, "--instance", machine, "--mount", "/data"), "AttachVolume",
                     lambda e: e["event"] == "attachments" and e["to"].startswith("attached")),
                    ("detach", ("detach", volume), "DetachVolume",
                     lambda e: e["event"] == "volume" and e["to"] == "available")):
                before = len(bench.events())
                _, wall = bench.done("aws", "ebs", *words)
                events = bench.events()[before:]
                samples[verb, "wall"].append(wall)
                samples[verb, "cloud"].append(cloud_seconds(events, action, volume, settled))
                samples[verb, "machine"].append(commands.new_seconds())
                calls[verb] = collections.Counter(e["action"] for e in events if e["event"] == "request" and
                                                  not e["action"].startswith("ListCommand"))
    print(f"pace {pace}, median of {rounds}:")
    for verb in calls:
        wall, own = (statistics.median(samples[verb, name]) for name in ("wall", "cloud"))
        inside = samples[verb, "machine"]
        line = f"  {verb:15} {wall * 1e3:7.0f} ms; the emulator's own {action_name(verb)} {own * 1e3:6.0f} ms"
        if None in inside:
            line += "; the machine's part is not known: no AWS CLI (Debian package awscli)"
        else:
            share = statistics.median(1 - (o + i) / w for o, i, w in
                                      zip(samples[verb, "cloud"], inside, samples[verb, "wall"]))
            line += f", the machine's {statistics.median(inside) * 1e3:5.0f} ms; the tool's share {share * 100:.0f} %"
        print(line)
        print(f"  {'':15} {sum(calls[verb].values())} calls: " +
              ", ".join(f"{count} {name}" for name, count in calls[verb].most_common()))


def action_name(verb):
    return {"attach --mount": "AttachVolume", "detach": "DetachVolume"}[verb]


FILL = """
cd /data && mkdir small large
python3 - <<'EOF'
import os
for number in range(2000):
    with open(f"small/{number}", "wb") as file: file.write(os.urandom(20000 + number * 17))
for number in range(12):
    with open(f"large/{number}", "wb") as file:
        for _ in range(5): file.write(os.urandom(10 << 20))
with open("one", "wb") as file:
    for _ in range(30): file.write(os.urandom(10 << 20))
EOF
sync"""


def compare_verify():
    with Bench("fast") as bench:
        machine = bench.cloud.machine()
        volume = bench.cloud.volume(size=2)
        bench.done("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data", "--format", "ext4")
        bench.on(machine, FILL)
        sealed, _ = bench.done("aws", "ebs", "seal", volume)
        peers = {}
        for name in ("sha256sum", "b2sum", "b3sum", "openssl dgst -sha256"):
            if shutil.which(name.split()[0]):
                peers[name] = (f"cd /data && find . -path ./.runctl -prune -o -type f -print0 | "
                               f"xargs -0 -P {os.cpu_count()} -n 64 {name} >/dev/null")
            else:
                print(f"{name}: left out, it is not installed")
        samples = collections.defaultdict(list)
        for _ in range(ROUNDS):
            drop_caches()
            record, wall = bench.done("aws", "ebs", "verify", volume)
            if not record["intact"]:
                sys.exit(f"verify: {record}")
            samples["runctl aws ebs verify"].append(wall)
            for name, command in peers.items():
                drop_caches()
                samples[name].append(bench.on(machine, command)[1])
    size = sealed["bytes"]
    base = statistics.median(samples["sha256sum"])
    print(f"verify of {sealed['files']} files, {size / 2**20:.0f} MiB, on {os.cpu_count()} cores, median of {ROUNDS}:")
    for name, values in samples.items():
        median = statistics.median(values)
        print(f"  {name:24} {median:6.2f} s  {size / median / 2**20:6.0f} MiB/s  {base / median:5.2f} x sha256sum's speed")


@contextlib.contextmanager
def late_device(bench, volume):
    """The volume's image behind a server that answers late: the emulator finds it at the image's own place."""
    image = os.path.join(bench.cloud.state, "volumes", volume + ".img")
    real = os.path.join(bench.cloud.directory, "late.img")
    mount = os.path.join(bench.cloud.directory, "late")
    os.rename(image, real)
    os.mkdir(mount)
    server = subprocess.Popen(["nbdfuse", mount, "--command", "nbdkit", "-s", "--filter=delay", "file", real,
                               f"rdelay={DELAY_MS}ms"], stdin=subprocess.DEVNULL)
    try:
        if not cloud.wait_until(lambda: os.path.exists(os.path.join(mount, "nbd"))):
            sys.exit("nbdfuse does not come up")
        os.symlink(os.path.join(mount, "nbd"), image)
        yield
    finally:
        subprocess.run(["umount", mount], check=False)
        server.wait(timeout=30)


def time_readers(bench, machine, volume, device):
    size = int(bench.on(machine, "blockdev --getsize64 /dev/nvme1n1")[0])
    peers = {"dd": "dd if=/dev/nvme1n1 of=/dev/null bs=1M iflag=direct 2>/dev/null"}
    if shutil.which("fio"):
        peers["fio io_uring"] = ("fio --name=read --filename=/dev/nvme1n1 --readonly --rw=read --bs=1M --iodepth=32 "
                                 "--ioengine=io_uring --direct=1 --output-format=json")
    else:
        print("fio: left out, it is not installed (Debian package fio)")
    samples = collections.defaultdict(list)
    for _ in range(ROUNDS):
        drop_caches()
        record, wall = bench.done("aws", "ebs", "warm", volume)
        samples["warm, the reading itself"].append(record["seconds"])
        samples["warm, the whole command"].append(wall)
        for name, command in list(peers.items()):
            drop_caches()
            try:
                said, seconds = bench.on(machine, command)
            except RuntimeError as problem:
                print(f"{name}: left out, it fails here: {str(problem)[-300:]}")
                del peers[name]
                continue
            if name.startswith("fio"):
                seconds = json.loads(said[said.index("{"):])["jobs"][0]["read"]["runtime"] / 1e3
            samples[name].append(seconds)
    base, against = (samples["fio io_uring"], "fio") if "fio io_uring" in samples else (samples["dd"], "dd")
    print(f"warm of {size / 2**20:.0f} MiB on {device}, median of {ROUNDS}:")
    for name, values in samples.items():
        median = statistics.median(values)
        print(f"  {name:26} {median:7.2f} s  {size / median / 2**20:7.0f} MiB/s  "
              f"{statistics.median(base) / median:5.2f} x {against}'s speed")


def full_volume(bench, gib):
    """One without holes, which are read without a disk."""
    volume = bench.cloud.volume(size=gib)
    with open(os.path.join(bench.cloud.state, "volumes", volume + ".img"), "r+b") as file:
        for _ in range(gib << 10):
            file.write(os.urandom(1 << 20))
    return volume


def compare_warm():
    with Bench("fast") as bench:
        machine = bench.cloud.machine()
        volume = full_volume(bench, 2)
        bench.done("aws", "ebs", "attach", volume, "--instance", machine)
        time_readers(bench, machine, volume, "a loop device")
        bench.done("aws", "ebs", "detach", volume)
        if not (shutil.which("nbdkit") and shutil.which("nbdfuse")):
            print("a device that answers late: left out, nbdkit and nbdfuse are not installed (Debian packages nbdkit, libnbd-bin)")
            return
        late = full_volume(bench, 4)
        with late_device(bench, late):
            bench.done("aws", "ebs", "attach", late, "--instance", machine)
            try:
                time_readers(bench, machine, late, f"a device that answers {DELAY_MS} ms late")
            finally:
                bench.done("aws", "ebs", "detach", late)


def main():
    if problem := cloud.block_hardware_missing():
        sys.exit(problem)
    # Nothing is left behind when it is ended early.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    what = sys.argv[2:] or ["attach", "verify", "warm"]
    if "attach" in what:
        for pace in ("fast", "aws"):
            compare_attach(pace)
    if "verify" in what:
        compare_verify()
    if "warm" in what:
        compare_warm()


if __name__ == "__main__":
    main()
