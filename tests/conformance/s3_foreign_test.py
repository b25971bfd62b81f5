"""runctl's S3 client against servers that this project did not write: Ceph's RADOS gateway, from Debian, and moto's, where a
Python of this machine has it. What goes up and comes down is compared by SHA-256.

What a server does not have: Ceph 16.2 copies nothing that has a customer's key (SSE-C), and says so; moto takes any credentials and no bucket in the host's name, and gives objects in parts
checksums that are none of theirs, which runctl refuses unless it is told not to look.
"""
import contextlib
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import radosgw
import sigv4

MIB = 1 << 20


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


def moto_python():
    """A Python that has moto's server, or "". Not only the one that runs this."""
    for python in filter(None, dict.fromkeys((sys.executable, shutil.which("python3")))):
        found = subprocess.run([python, "-c", "import moto.server"], capture_output=True, check=False,
                               env={"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/")})
        if found.returncode == 0:
            return python
    return ""


class Moto:
    def __init__(self, python):
        self.python, self.process, self.endpoint = python, None, ""

    def start(self):
        port = radosgw.free_port()
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", self.python, "-m", "moto.server", "-H", "127.0.0.1",
                                         "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.endpoint = f"http://127.0.0.1:{port}"

        def answers():
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(self.endpoint, timeout=5):
                    return True

        if not cloud.wait_until(answers, 60):
            raise RuntimeError("moto does not answer")
        return self

    def stop(self):
        self.process.kill()
        self.process.wait()


class Foreign:
    """The tests; `make` gives the server, `unchecked` lets its checksums of objects in parts pass."""

    unchecked = {}

    @classmethod
    def setUpClass(cls):
        cls.server = cls.make()
        cls.addClassCleanup(cls.server.stop)
        cls.server.start()

    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="runctl-s3-")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.environment = {**cloud.base_environment(self.place), "AWS_ENDPOINT_URL": self.server.endpoint,
                            "AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator", "AWS_DEFAULT_REGION": "us-east-1"}
        self.bucket = "b-" + "".join(random.choices("abcdefghij", k=12))
        self.s3("create", self.uri())

    def uri(self, key=""):
        return f"s3://{self.bucket}/{key}" if key else f"s3://{self.bucket}"

    def path(self, *names):
        return os.path.join(self.place, *names)

    def file(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def digest(self, path):
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def tree(self, root):
        return {os.path.relpath(os.path.join(folder, name), root): self.digest(os.path.join(folder, name))
                for folder, _, names in os.walk(root) for name in names}

    def run3(self, *words, **environment):
        return cloud.Outcome(subprocess.run([cloud.RUNCTL, "s3", *words], capture_output=True, text=True, timeout=180,
                                            env={**self.environment, **environment}, cwd=self.place, check=False))

    def s3(self, *words, code=0, **environment):
        outcome = self.run3(*words, **environment)
        self.assertEqual(outcome.code, code, (words, outcome))
        return outcome

    def listed(self, prefix="", *more):
        return self.s3("list", self.uri(prefix), "--recursive", "--output", "json", *more).record

    def test_objects_of_every_size_go_up_and_down(self):
        for size in (0, 1, 65_537, 5 * MIB - 1, 5 * MIB, 21 * MIB + 3):
            with self.subTest(size=size):
                source = self.file("source", content(size, size))
                self.s3("upload", source, self.uri(f"o-{size}"))
                self.s3("download", self.uri(f"o-{size}"), self.path("back"), **(self.unchecked if size > 5 * MIB else {}))
                self.assertEqual(self.digest(self.path("back")), self.digest(source))
        sizes = {one["key"]: one["bytes"] for one in self.listed()["objects"]}
        self.assertEqual(sizes, {f"o-{size}": size for size in (0, 1, 65_537, 5 * MIB - 1, 5 * MIB, 21 * MIB + 3)})

    def test_parts_and_ranges_meet(self):
        source = self.file("source", content(23 * MIB, 5))
        for kind in ("CRC64NVME", "CRC32C", "CRC32"):
            with self.subTest(kind=kind):
                self.s3("upload", source, self.uri(kind), "--part-size", "5MiB", "--checksum-algorithm", kind)
                self.s3("download", self.uri(kind), self.path(kind), "--part-size", "5MiB", "--concurrency", "5",
                        **self.unchecked)
                self.assertEqual(self.digest(self.path(kind)), self.digest(source))
        cat = subprocess.run([cloud.RUNCTL, "s3", "cat", self.uri("CRC32C")], capture_output=True, timeout=60, check=True,
                             env={**self.environment, **self.unchecked})
        self.assertEqual(hashlib.sha256(cat.stdout).hexdigest(), self.digest(source))

    def test_odd_keys(self):
        odd = ["a b.txt", "plus+sign", "per%20cent", "schön/größe.bin", "deep/er/and/deeper", "quote'd", "&<>\"", "日本", "~tilde",
               "star*", "(paren)", "a=b&c", "semi;colon", "q?uestion", "#hash"]
        for number, name in enumerate(odd):
            self.file(os.path.join("tree", name), content(1 + number * 97, number))
        self.s3("upload", self.path("tree"), self.uri("odd/"), "--recursive")
        self.assertEqual(sorted(one["key"] for one in self.listed("odd/")["objects"]), sorted(f"odd/{name}" for name in odd))
        self.s3("download", self.uri("odd/"), self.path("back"), "--recursive")
        self.assertEqual(self.tree(self.path("back")), self.tree(self.path("tree")))
        self.s3("remove", self.uri("odd/"), "--recursive", "--yes")
        self.assertEqual(self.listed()["count"], 0)

    def test_more_keys_than_a_page_has(self):
        for number in range(1_050):
            self.file(f"tree/{number // 100:02}/{number:04}", b"%d" % number)
        self.s3("upload", self.path("tree"), self.uri("many/"), "--recursive")
        self.assertEqual(self.listed()["count"], 1_050)
        self.assertEqual(self.s3("list", self.uri("many/"), "--output", "json").record["folders"], 11)
        self.assertIn("  1050  ", self.s3("du", self.uri("many/")).out)
        removed = self.s3("remove", self.uri("many/"), "--recursive", "--yes")
        self.assertIn("1,050 objects", removed.out)
        self.assertEqual(self.listed()["count"], 0)

    def test_sync_there_and_back(self):
        for number in range(30):
            self.file(f"tree/d{number % 3}/f{number}", content(1000 + number, number))
        self.s3("sync", self.path("tree"), self.uri("t/"))
        again = self.s3("sync", self.path("tree"), self.uri("t/"))
        self.assertIn("30 files already the same", again.out)
        os.remove(self.path("tree/d0/f0"))
        self.file("tree/d1/f1", b"another content")
        changed = self.s3("sync", self.path("tree"), self.uri("t/"), "--delete", "--yes", "--output", "json").record
        self.assertEqual((changed["uploaded"]["objects"], changed["removed"]["objects"]), (1, 1), changed)
        self.s3("sync", self.uri("t/"), self.path("back"))
        self.assertEqual(self.tree(self.path("back")), self.tree(self.path("tree")))
        self.s3("sync", self.uri("t/"), self.uri("u/"))
        self.s3("download", self.uri("u/"), self.path("copied"), "--recursive")
        self.assertEqual(self.tree(self.path("copied")), self.tree(self.path("tree")))

    def test_a_copy_in_parts(self):
        source = self.file("source", content(17 * MIB, 9))
        self.s3("upload", source, self.uri("a"), "--metadata", "epoch=7")
        self.s3("copy", self.uri("a"), self.uri("b/c"), "--part-size", "5MiB")
        self.s3("download", self.uri("b/c"), self.path("back"), **self.unchecked)
        self.assertEqual(self.digest(self.path("back")), self.digest(source))

    def test_conditions_are_held_by_the_server(self):
        source = self.file("source", b"first")
        self.s3("upload", source, self.uri("k"), "--no-overwrite")
        self.file("source", b"second")
        refused = self.run3("upload", source, self.uri("k"), "--no-overwrite")
        self.assertEqual(refused.code, 4, refused)
        self.assertIn(f"{self.uri('k')} exists already", refused.err)
        self.s3("download", self.uri("k"), self.path("back"))
        with open(self.path("back"), "rb") as file:
            self.assertEqual(file.read(), b"first")

    def test_whoever_has_a_url(self):
        self.s3("upload", self.file("source", b"hello"), self.uri("a key"))
        url = self.s3("presign", self.uri("a key")).out.strip()
        with urllib.request.urlopen(url, timeout=30) as answer:
            self.assertEqual(answer.read(), b"hello")
        url = self.s3("presign", self.uri("put"), "--method", "PUT").out.strip()
        put = urllib.request.Request(url, data=b"there", method="PUT", headers={"content-type": "text/plain"})
        with urllib.request.urlopen(put, timeout=30) as answer:
            self.assertEqual(answer.status, 200)
        self.s3("download", self.uri("put"), self.path("back"))
        self.assertEqual(self.digest(self.path("back")), hashlib.sha256(b"there").hexdigest())

    def test_what_is_not_there(self):
        self.s3("download", self.uri("nothing"), self.path("back"), code=3)
        self.s3("list", "s3://no-such-bucket-of-anybody", code=3)
        self.assertFalse(os.path.exists(self.path("back")))

    def test_versions(self):
        client = sigv4.S3(self.server.endpoint)
        self.addCleanup(client.close)
        body = b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>Enabled</Status></VersioningConfiguration>'
        status, _, answer = client.call("PUT", f"/{self.bucket}", query=[("versioning", "")], body=body)
        self.assertEqual(status, 200, answer)
        for text in (b"one", b"two"):
            self.s3("upload", self.file("source", text), self.uri("k"))
        self.s3("remove", self.uri("k"), "--yes")
        self.assertEqual(self.listed()["count"], 0)
        versions = self.s3("list", self.uri(), "--versions", "--recursive", "--output", "json").out
        self.assertEqual(len(re.findall(r'"version_id"', versions)), 3, versions)

    def test_an_upload_that_was_killed_goes_on(self):
        source = self.file("source", content(40 * MIB, 3))
        words = [cloud.RUNCTL, "s3", "upload", source, self.uri("k"), "--part-size", "5MiB", "--concurrency", "1",
                 "--bandwidth-limit", "20MiB"]
        process = subprocess.Popen(words, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(1.2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertEqual(self.listed()["count"], 0, "it has no name before it is whole")
        again = self.s3("upload", source, self.uri("k"), "--part-size", "5MiB", "--output", "json").record
        self.assertGreaterEqual(again["continued_bytes"], 5 * MIB, again)
        self.s3("download", self.uri("k"), self.path("back"), **self.unchecked)
        self.assertEqual(self.digest(self.path("back")), self.digest(source))
        client = sigv4.S3(self.server.endpoint)
        self.addCleanup(client.close)
        _, _, left = client.call("GET", f"/{self.bucket}", query=[("uploads", "")])
        self.assertNotIn(b"<UploadId>", left)


@unittest.skipIf(radosgw.missing(), radosgw.missing())
class Radosgw(Foreign, unittest.TestCase):
    make = staticmethod(radosgw.Server)

    def test_keys_of_ones_own(self):
        with open(self.path("key"), "wb") as file:
            file.write(content(32, 7))
        with open(self.path("other"), "wb") as file:
            file.write(content(32, 8))
        key, other = ["--sse-c-key", "fileb://key"], ["--sse-c-key", "fileb://other"]
        for size in (5, 300_000, 21 * MIB + 3):
            with self.subTest(size=size):
                source = self.file("source", content(size, size))
                self.s3("upload", source, self.uri("k"), *key, "--part-size", "5MiB")
                self.s3("download", self.uri("k"), self.path("back"), *key, "--part-size", "5MiB")
                self.assertEqual(self.digest(self.path("back")), self.digest(source))
                for wrong in ([], other):
                    self.assertIn(self.run3("cat", self.uri("k"), *wrong).code, (2, 5))
                    self.assertIn(self.run3("download", self.uri("k"), self.path("none"), *wrong).code, (2, 5))
                self.assertFalse(os.path.exists(self.path("none")))
        copied = self.run3("copy", self.uri("k"), self.uri("l"), "--sse-c-copy-source-key", "fileb://key", *other)
        self.assertEqual(copied.code, 1, copied)
        self.assertIn("NotImplemented", copied.err)
        self.assertEqual(self.listed("l")["count"] if self.run3("list", self.uri("l")).code == 0 else 0, 0)

    def test_credentials_are_checked(self):
        self.s3("list", self.uri(), code=5, AWS_SECRET_ACCESS_KEY="another")

    def test_the_bucket_in_the_host_name(self):
        self.s3("upload", self.file("source", b"hello"), self.uri("k"), "--addressing-style", "virtual",
                AWS_ENDPOINT_URL=self.server.endpoint.replace("127.0.0.1", "localhost"))
        self.s3("download", self.uri("k"), self.path("back"), "--addressing-style", "virtual",
                AWS_ENDPOINT_URL=self.server.endpoint.replace("127.0.0.1", "localhost"))
        self.assertEqual(self.digest(self.path("back")), hashlib.sha256(b"hello").hexdigest())


@unittest.skipUnless(moto_python(), "no Python here has moto (pip install 'moto[server]')")
class MotoServer(Foreign, unittest.TestCase):
    make = staticmethod(lambda: Moto(moto_python()))
    unchecked = {"AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required"}

    def test_a_checksum_that_is_wrong_is_no_success(self):
        self.s3("upload", self.file("source", content(6 * MIB)), self.uri("k"), "--part-size", "5MiB")
        refused = self.run3("download", self.uri("k"), self.path("back"))
        self.assertEqual(refused.code, 1, refused)
        self.assertIn("not what is stored", refused.err)
        self.assertFalse(os.path.exists(self.path("back")))


if __name__ == "__main__":
    cloud.main()
