"""runctl's transfers beside rclone and the AWS CLI, on the same S3 server in one run.

    python3 bench/s3.py build/release/src/main/runctl
    python3 bench/s3.py build/release/src/main/runctl --large-mib 256 --small 1000 --keys 5000 --tree 2000 --rounds 3

Rows: one large object up and down, many small ones up and down, a listing of many keys, a sync of an unchanged tree up and
down. Of each: seconds, CPU seconds (user and system) and peak memory, median of the rounds, and their ratios to runctl's.
The server is this runctl's emulator, unless --endpoint names another (credentials from the environment then). Rounds are
interleaved, so that a slow moment hits all alike. What is missing on this machine is named.

`curl` is no peer but the floor: one stream without a checksum, from the server to the disk, or from the disk to the server.

Prints; asserts only that what came down is what went up.
"""
import argparse
import hashlib
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runctl")
    parser.add_argument("--endpoint", help="an S3 server that runs already")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large-mib", type=int, default=2048, help="of the large object")
    parser.add_argument("--small", type=int, default=10_000, help="objects of 16 KiB")
    parser.add_argument("--keys", type=int, default=200_000, help="to be listed")
    parser.add_argument("--tree", type=int, default=20_000, help="files of the tree that is synced")
    parser.add_argument("--only", default="", help="rows whose names have one of these words, with commas between")
    parser.add_argument("--directory", help="where the data lies (default: below $TMPDIR)")
    return parser.parse_args()


def measured(words, environment):
    """Seconds, CPU seconds and peak MiB of a program that must succeed; of its children too, where it has some."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{words}: exit {process.returncode}\n{said.read().decode(errors='replace')[-2000:]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else plain_digest(file)


def plain_digest(file):
    running = hashlib.sha256()
    while piece := file.read(MIB):
        running.update(piece)
    return running.hexdigest()


def make_file(path, size, seed):
    """Bytes that no compression makes less, and no two files have alike."""
    block = random.Random(seed).randbytes(min(size, 8 * MIB))
    with open(path, "wb") as file:
        for number in range(0, size, 8 * MIB):
            piece = block[:min(len(block), size - number)]
            file.write(number.to_bytes(8, "little")[:len(piece)] + piece[8:])


def make_tree(root, count, size):
    for number in range(count):
        directory = os.path.join(root, f"d{number // 1000:03}")
        if number % 1000 == 0:
            os.makedirs(directory)
        make_file(os.path.join(directory, f"f{number:06}"), size, number)
    # Older than anything in the bucket: unchanged to whoever compares times.
    for directory, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(directory, name), (1_600_000_000, 1_600_000_000))


class Runctl:
    def __init__(self, program):
        self.words = [program, "s3"]

    def put(self, path, key): return [*self.words, "upload", path, f"s3://bench/{key}"]
    def get(self, key, path): return [*self.words, "download", f"s3://bench/{key}", path]
    def put_tree(self, root, prefix): return [*self.words, "upload", root, f"s3://bench/{prefix}/", "--recursive"]
    def get_tree(self, prefix, root): return [*self.words, "download", f"s3://bench/{prefix}/", root, "--recursive"]
    def list(self, prefix): return [*self.words, "list", f"s3://bench/{prefix}/", "--recursive"]
    def sync_up(self, root, prefix): return [*self.words, "sync", root, f"s3://bench/{prefix}/"]
    def sync_down(self, prefix, root): return [*self.words, "sync", f"s3://bench/{prefix}/", root]


class Aws:
    def __init__(self, program, endpoint):
        self.words = [program, "--endpoint-url", endpoint, "s3"]

    def put(self, path, key): return [*self.words, "cp", "--only-show-errors", path, f"s3://bench/{key}"]
    def get(self, key, path): return [*self.words, "cp", "--only-show-errors", f"s3://bench/{key}", path]

    def put_tree(self, root, prefix):
        return [*self.words, "cp", "--only-show-errors", "--recursive", root, f"s3://bench/{prefix}/"]

    def get_tree(self, prefix, root):
        return [*self.words, "cp", "--only-show-errors", "--recursive", f"s3://bench/{prefix}/", root]

    def list(self, prefix): return [*self.words, "ls", "--recursive", f"s3://bench/{prefix}/"]
    def sync_up(self, root, prefix): return [*self.words, "sync", "--only-show-errors", root, f"s3://bench/{prefix}/"]
    def sync_down(self, prefix, root): return [*self.words, "sync", "--only-show-errors", f"s3://bench/{prefix}/", root]


class Rclone:
    def __init__(self, program, *more):
        self.words, self.more = program, more

    def run(self, *words): return [self.words, *words, *self.more]
    # It would leave out what is there already.
    def put(self, path, key): return self.run("copyto", "--ignore-times", path, f"s3:bench/{key}")
    def get(self, key, path): return self.run("copyto", f"s3:bench/{key}", path)
    def put_tree(self, root, prefix): return self.run("copy", root, f"s3:bench/{prefix}")
    def get_tree(self, prefix, root): return self.run("copy", f"s3:bench/{prefix}", root)
    def list(self, prefix): return self.run("lsl", "--fast-list", "--use-server-modtime", f"s3:bench/{prefix}")
    # Without --use-server-modtime it asks for every object's metadata, one request each.
    def sync_up(self, root, prefix): return self.run("sync", "--update", "--use-server-modtime", root, f"s3:bench/{prefix}")
    def sync_down(self, prefix, root): return self.run("sync", "--size-only", f"s3:bench/{prefix}", root)


class S5cmd:
    def __init__(self, program, endpoint):
        self.words = [program, "--endpoint-url", endpoint]

    def put(self, path, key): return [*self.words, "cp", path, f"s3://bench/{key}"]
    def get(self, key, path): return [*self.words, "cp", f"s3://bench/{key}", path]
    def put_tree(self, root, prefix): return [*self.words, "cp", root + "/", f"s3://bench/{prefix}/"]
    def get_tree(self, prefix, root): return [*self.words, "cp", f"s3://bench/{prefix}/*", root + "/"]
    def list(self, prefix): return [*self.words, "ls", f"s3://bench/{prefix}/*"]
    def sync_up(self, root, prefix): return [*self.words, "sync", root + "/", f"s3://bench/{prefix}/"]
    def sync_down(self, prefix, root): return [*self.words, "sync", f"s3://bench/{prefix}/*", root + "/"]


def find_tools(runctl, endpoint):
    tools = {"runctl": Runctl(runctl)}
    for aws in dict.fromkeys(filter(None, ("/usr/bin/aws" if os.path.exists("/usr/bin/aws") else None, shutil.which("aws")))):
        tools[f"{aws} s3"] = Aws(aws, endpoint)
    if shutil.which("rclone"):
        tools["rclone"] = Rclone("rclone")
        tools["rclone, 16 at once"] = Rclone("rclone", "--transfers", "16", "--checkers", "16",
                                             "--s3-upload-concurrency", "16", "--multi-thread-streams", "16")
    if shutil.which("s5cmd"):
        tools["s5cmd"] = S5cmd("s5cmd", endpoint)
    for name, package in (("aws", "Debian package awscli"), ("rclone", "Debian package rclone"), ("s5cmd", "not in Debian")):
        if not any(name in tool for tool in tools):
            print(f"{name}: left out, it is not installed ({package})")
    return tools


class Bench:
    def __init__(self, options, environment, tools, directory):
        self.options, self.environment, self.tools, self.directory = options, environment, tools, directory

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def row(self, name, commands, before=lambda tool: None, after=lambda tool: None):
        """`commands`: words by tool. Prints the row's table."""
        samples = {tool: [] for tool in commands}
        for _ in range(self.options.rounds):
            for tool, words in commands.items():
                before(tool)
                samples[tool].append(measured(words, self.environment))
                after(tool)
        medians = {tool: [statistics.median(column) for column in zip(*rounds)] for tool, rounds in samples.items()}
        base = medians["runctl"]
        print(f"\n{name}, median of {self.options.rounds}")
        print(f"  {'':28} {'seconds':>9} {'':>8} {'CPU s':>9} {'':>8} {'MiB':>8}")
        for tool, (seconds, cpu, mib) in medians.items():
            print(f"  {tool:28} {seconds:9.2f} {seconds / base[0]:6.1f} x {cpu:9.2f} {cpu / max(base[1], 0.001):6.1f} x "
                  f"{mib:8.1f} {mib / base[2]:6.1f} x", flush=True)

    def wanted(self, name):
        return any(word in name for word in self.options.only.split(","))

    def large(self):
        size = self.options.large_mib * MIB
        source = self.path("large")
        make_file(source, size, 1)
        expected = digest(source)
        up, down = (f"one object of {self.options.large_mib} MiB {way}" for way in ("up", "down"))
        if self.wanted(up):
            commands = {tool: by.put(source, f"large-{at}") for at, (tool, by) in enumerate(self.tools.items())}
            if shutil.which("curl"):
                url = self.presigned("large-curl", "--method", "PUT")
                commands["curl (floor)"] = ["curl", "-sSf", "-o", "/dev/null", "-T", source, url]
            self.row(up, commands)
        if not self.wanted(down):
            return
        subprocess.run(self.tools["runctl"].put(source, "large"), env=self.environment, check=True, stdout=subprocess.DEVNULL)
        target = self.path("back")

        def check(tool):
            if digest(target) != expected:
                sys.exit(f"{tool}: what came down is not what went up")
            os.remove(target)

        commands = {tool: by.get("large", target) for tool, by in self.tools.items()}
        if shutil.which("curl"):
            commands["curl (floor)"] = ["curl", "-sSf", "-o", target, self.presigned("large")]
        self.row(down, commands, after=check)
        os.remove(source)

    def presigned(self, key, *words):
        return subprocess.run([*self.tools["runctl"].words, "presign", f"s3://bench/{key}", *words], env=self.environment,
                              check=True, capture_output=True, text=True).stdout.strip()

    def small(self):
        count = self.options.small
        source = self.path("small")
        make_tree(source, count, 16 << 10)
        up, down = (f"{count} objects of 16 KiB {way}" for way in ("up", "down"))
        if self.wanted(up):
            self.row(up, {tool: by.put_tree(source, f"small-{at}") for at, (tool, by) in enumerate(self.tools.items())},
                     # rclone would leave out what is there; the others would put it again.
                     before=lambda tool: self.empty(f"small-{list(self.tools).index(tool)}"))
        if self.wanted(down):
            subprocess.run(self.tools["runctl"].put_tree(source, "small"), env=self.environment, check=True,
                           stdout=subprocess.DEVNULL)
            target = self.path("small-back")

            def check(tool):
                found = sum(len(names) for _, _, names in os.walk(target))
                if found != count:
                    sys.exit(f"{tool}: {found} files of {count} came down")
                # Removed at the end of the row: ext4 searches for inodes that were not freed in the last seconds, and who
                # comes next would pay for it.
                done.append(f"{target}-{len(done)}")
                os.rename(target, done[-1])

            done = []
            self.row(down, {tool: by.get_tree("small", target) for tool, by in self.tools.items()},
                     before=lambda tool: os.makedirs(target), after=check)
            for each in done:
                shutil.rmtree(each)
        shutil.rmtree(source)

    def empty(self, prefix):
        subprocess.run([*self.tools["runctl"].words, "remove", f"s3://bench/{prefix}/", "--recursive", "--yes"],
                       env=self.environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listing(self):
        name = f"{self.options.keys} keys listed"
        if not self.wanted(name):
            return
        source = self.path("keys")
        make_tree(source, self.options.keys, 1)
        subprocess.run(self.tools["runctl"].put_tree(source, "keys"), env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(source)
        self.row(name, {tool: by.list("keys") for tool, by in self.tools.items()})

    def sync(self):
        count = self.options.tree
        up, down = (f"sync of an unchanged tree of {count} files {way}" for way in ("up", "down"))
        if not self.wanted(up) and not self.wanted(down):
            return
        source = self.path("tree")
        make_tree(source, count, 1024)
        subprocess.run(self.tools["runctl"].sync_up(source, "tree"), env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)
        if self.wanted(up):
            self.row(up, {tool: by.sync_up(source, "tree") for tool, by in self.tools.items()})
        if self.wanted(down):
            # Each tool has a tree that it has made itself, with the times that it gives.
            for at, by in enumerate(self.tools.values()):
                os.makedirs(self.path(f"tree-{at}"))
                subprocess.run(by.sync_down("tree", self.path(f"tree-{at}")), env=self.environment, check=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.row(down, {tool: by.sync_down("tree", self.path(f"tree-{at}"))
                            for at, (tool, by) in enumerate(self.tools.items())})

    def run(self):
        subprocess.run([*self.tools["runctl"].words, "create", "s3://bench"], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)
        self.large()
        self.small()
        self.listing()
        self.sync()


def environment_for(directory, endpoint):
    # A tester's certificates are not for a server on loopback, and rclone refuses to start with them.
    given = {name: value for name, value in os.environ.items() if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"}
    keys = {"AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator", "AWS_DEFAULT_REGION": "us-east-1"}
    environment = {"PATH": os.environ["PATH"], "HOME": directory, "LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true",
                   **keys, **given, "AWS_ENDPOINT_URL": endpoint}
    environment.update(RCLONE_CONFIG_S3_TYPE="s3", RCLONE_CONFIG_S3_PROVIDER="Other", RCLONE_CONFIG_S3_ENDPOINT=endpoint,
                       RCLONE_CONFIG_S3_ACCESS_KEY_ID=environment["AWS_ACCESS_KEY_ID"],
                       RCLONE_CONFIG_S3_SECRET_ACCESS_KEY=environment["AWS_SECRET_ACCESS_KEY"],
                       RCLONE_CONFIG_S3_REGION=environment["AWS_DEFAULT_REGION"])
    return environment


def main():
    options = arguments()
    runctl = os.path.abspath(options.runctl)
    with tempfile.TemporaryDirectory(prefix="runctl-bench-s3-", dir=options.directory) as directory:
        emulator = None
        endpoint = options.endpoint
        try:
            if not endpoint:
                emulator = subprocess.Popen([runctl, "emulator", "run", "--port", "0", "--state", os.path.join(directory, "state"),
                                             "--hardware", "none", "--pace", "instant"], stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True)
                endpoint = re.search(r"http://\S+", emulator.stdout.readline()).group(0)
            environment = environment_for(directory, endpoint)
            Bench(options, environment, find_tools(runctl, endpoint), directory).run()
            if emulator:
                with open(f"/proc/{emulator.pid}/status", encoding="utf-8") as status:
                    peak = re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)
                print(f"\nthe emulator's own peak memory: {int(peak) / 1024:.1f} MiB")
        finally:
            if emulator:
                emulator.terminate()
                emulator.wait(timeout=60)
                emulator.stdout.close()


if __name__ == "__main__":
    main()
