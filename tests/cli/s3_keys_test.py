"""Objects with keys of the user's own (SSE-C) on the emulator: how a key is named, what needs it, what says so, and that it is
found nowhere afterwards.
"""
import base64
import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
from s3_test import MIB, S3Test

SSE = "x-amz-server-side-encryption-customer-"


class KeysTest(S3Test):
    def setUp(self):
        super().setUp()
        self.key, self.other = os.urandom(32), os.urandom(32)
        self.key_words = ["--sse-c-key", "fileb://" + self.file("key", self.key)]
        self.other_words = ["--sse-c-key", "fileb://" + self.file("other", self.other)]
        self.source_words = ["--sse-c-copy-source-key", "fileb://" + self.path("key")]

    def bytes_of(self, key, *words):
        outcome = subprocess.run([cloud.RUNCTL, "s3", "cat", self.uri(key), *words], capture_output=True, timeout=60,
                                 env=self.cloud.environment, cwd=self.place, check=False)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        return outcome.stdout

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


class OneKey(KeysTest):
    def test_what_went_up_with_a_key_comes_down_with_it_alone(self):
        for size in (0, 5, 300_000, 6 * MIB, 21 * MIB + 3):  # buffered, streamed, in parts; down whole and in ranges
            with self.subTest(size=size):
                data = os.urandom(size)
                path = self.file("source", data)
                self.s3("upload", path, self.uri("k"), *self.key_words, "--part-size", "5MiB")
                self.s3("download", self.uri("k"), self.path("back"), *self.key_words, "--part-size", "5MiB")
                self.assertEqual(hashlib.sha256(self.read("back")).digest(), hashlib.sha256(data).digest())
                os.remove(self.path("back"))
                self.fails(2, "download", self.uri("k"), self.path("back"), says=["--sse-c-key fileb://FILE"])
                self.fails(5, "download", self.uri("k"), self.path("back"), *self.other_words, says=["Is it the key"])
                self.assertFalse(os.path.exists(self.path("back")))
        data = self.read("source")
        self.assertEqual(self.bytes_of("k", *self.key_words, "--range", "100-199"), data[100:200])
        self.fails(2, "cat", self.uri("k"), says=["stored using a form of Server Side Encryption", "--sse-c-key"])
        self.fails(5, "cat", self.uri("k"), *self.other_words, says=["the correct secret key", "Is it the key"])
        self.put("plain")
        self.fails(2, "cat", self.uri("plain"), *self.key_words, says=["not applicable", "leave --sse-c-key out"])
        self.fails(2, "download", self.uri("plain"), self.path("x"), *self.key_words, says="leave --sse-c-key out")
        # Listing, counting and removing need no key.
        self.assertEqual(self.keys(), ["k", "plain"])
        self.s3("remove", self.uri("k"), "--yes")

    def test_every_way_to_name_a_key(self):
        text = base64.b64encode(self.key).decode()
        path = self.file("source", b"hello")
        for words, environment in [
            (["--sse-c", "AES256", "--sse-c-key", "fileb://" + self.path("key")], {}),
            (["--sse-c", "--sse-c-key", "fileb://key"], {}),  # AWS's own tool takes it without the word, too
            (["--sse-c-key=file://" + self.file("text", text + "\n")], {}),
            (["--sse-c-key", "env://MY_KEY"], {"MY_KEY": text}),
            (["--sse-c-key", text], {}),
        ]:
            with self.subTest(words=words):
                up = subprocess.run([cloud.RUNCTL, "s3", "upload", path, self.uri("k"), *words], capture_output=True, text=True,
                                    timeout=60, env={**self.cloud.environment, **environment}, cwd=self.place, check=False)
                self.assertEqual(up.returncode, 0, up.stderr)
                self.assertEqual(self.bytes_of("k", *self.key_words), b"hello")
                self.assertEqual("list of processes" in up.stderr, text in words, up.stderr)

    def test_what_is_no_key_is_refused_before_anything_is_sent(self):
        path = self.file("source", b"hello")
        text = base64.b64encode(self.key).decode()
        before = len(self.cloud.requests())
        for words, says in [
            (["--sse-c-key", "fileb://" + self.file("short", self.key[:31])], "32 bytes, not 31"),
            (["--sse-c-key", "fileb://" + self.file("long", self.key + b"\n")], "32 bytes, not 33"),
            (["--sse-c-key", "fileb://" + self.file("text", text + "\n")], "It is a key in base64: file://"),
            (["--sse-c-key", "fileb://" + self.path("none")], "No such file"),
            (["--sse-c-key", "file://" + self.path("key")], "not in base64"),
            (["--sse-c-key", "env://NO_SUCH_VARIABLE"], "no variable"),
            (["--sse-c-key", text[:-4]], "not in base64" if len(text[:-4]) % 4 else "32 bytes, not 30"),
            (["--sse-c-key", base64.b64encode(self.key[:16]).decode()], "32 bytes, not 16"),
            (["--sse-c-key", "open sesame"], "not in base64"),
            (["--sse-c"], "--sse-c-key fileb://FILE"),
            (["--sse-c", "AES256"], "--sse-c-key fileb://FILE"),
            (["--sse-c", "AES128", *self.key_words], "AES256 and nothing else"),
            (["--sse", "AES256", *self.key_words], "exclude each other"),
        ]:
            with self.subTest(words=words):
                outcome = self.fails(2, "upload", path, self.uri("k"), *words, says=says)
                for secret in (text, text[:-4], base64.b64encode(self.key[:16]).decode(), "open sesame"):
                    self.assertNotIn(secret, outcome.err)
        self.fails(2, "sync", self.place, self.uri("t"), *self.source_words, says="copied inside S3")
        self.assertEqual(len(self.cloud.requests()), before)
        self.assertEqual(self.keys(), [])

    def test_a_key_is_not_sent_in_the_clear(self):
        path = self.file("source", b"hello")
        far = {"AWS_ENDPOINT_URL": "http://192.0.2.1:9"}  # of a network for documentation: nobody is there
        for words in (["upload", path, self.uri("k")], ["cat", self.uri("k")], ["presign", self.uri("k")]):
            self.fails(2, *words, *self.key_words, says=["https only", "http://192.0.2.1:9"], environment=far)

    def test_whoever_has_the_url_needs_the_key_as_well(self):
        self.s3("upload", self.file("source", b"hello"), self.uri("k"), *self.key_words)
        headers = {SSE + "algorithm": "AES256", SSE + "key": base64.b64encode(self.key).decode(),
                   SSE + "key-MD5": base64.b64encode(hashlib.md5(self.key).digest()).decode()}
        made = self.s3("presign", self.uri("k"), *self.key_words, "--output", "json")
        self.assertEqual([name.lower() for name in made.record["headers"]], [name.lower() for name in headers])
        self.assertIn("sends the key along", made.err)
        url = made.record["url"]
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            self.assertEqual(answer.read(), b"hello")
        wrong = {**headers, SSE + "key": base64.b64encode(self.other).decode(),
                 SSE + "key-MD5": base64.b64encode(hashlib.md5(self.other).digest()).decode()}
        for refused in ({}, wrong):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(urllib.request.Request(url, headers=refused), timeout=30)
            self.assertIn(caught.exception.code, (400, 403))
            caught.exception.close()
        put = self.s3("presign", self.uri("put"), "--method", "PUT", *self.key_words).out.strip()
        with urllib.request.urlopen(urllib.request.Request(put, data=b"there", method="PUT", headers=headers), timeout=30):
            pass
        self.assertEqual(self.bytes_of("put", *self.key_words), b"there")

    def test_a_key_is_found_nowhere_afterwards(self):
        path = self.file("big", os.urandom(12 * MIB))
        self.s3("upload", path, self.uri("k"), *self.key_words, "--part-size", "5MiB")
        process = subprocess.Popen([cloud.RUNCTL, "s3", "upload", path, self.uri("l"), *self.key_words, "--part-size", "5MiB",
                                    "--bandwidth-limit", "4MiB", "-vv"], env=self.cloud.environment, cwd=self.place,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, err)
        said = out + err + self.fails(5, "cat", self.uri("k"), *self.other_words, "-vv").err.encode()
        digest = hashlib.md5(self.key).digest()
        secrets = {form for raw in (self.key, digest) for form in
                   (raw, raw.hex().encode(), base64.b64encode(raw), base64.b64encode(raw).rstrip(b"="))}
        for secret in secrets:
            self.assertNotIn(secret, said)
        looked = 0
        for root in (self.cloud.directory,):  # the emulator's state, and the journal and notes of the user's home
            for directory, _, names in os.walk(root):
                for name in names:
                    with contextlib.suppress(OSError), open(os.path.join(directory, name), "rb") as file:
                        content = file.read()
                        looked += 1
                        for secret in secrets:
                            self.assertNotIn(secret, content, os.path.join(directory, name))
        self.assertGreater(looked, 5)


class ManyObjects(KeysTest):
    def test_a_sync_knows_what_it_has(self):
        for number in range(20):
            self.file(f"tree/{number:02}", os.urandom(1000 + number), mtime=1_600_000_000)
        self.file("tree/big", os.urandom(11 * MIB), mtime=1_600_000_000)
        there = ["sync", self.path("tree"), self.uri("t"), *self.key_words, "--part-size", "5MiB", "--output", "json"]
        self.assertEqual(self.s3(*there).record["uploaded"]["objects"], 21)
        for more in ([], ["--checksum"]):
            record = self.s3(*there, *more).record
            self.assertEqual((record["uploaded"]["objects"], record["unchanged"]["objects"]), (0, 21), more)
        back = ["sync", self.uri("t"), self.path("back"), *self.key_words, "--output", "json"]
        self.assertEqual(self.s3(*back).record["downloaded"]["objects"], 21)
        self.assertEqual(self.s3(*back, "--checksum").record["unchanged"]["objects"], 21)
        self.assertEqual({name: self.read("back/" + name) for name in os.listdir(self.path("back"))},
                         {name: self.read("tree/" + name) for name in os.listdir(self.path("tree"))})
        without = self.fails(7, "sync", self.uri("t"), self.path("none"), says="--sse-c-key fileb://FILE")
        self.assertEqual(len(re.findall(r"--sse-c-key", without.err)), 21, without)
        # Inside S3, each side has a key of its own.
        self.s3("sync", self.uri("t"), self.uri("u"), *self.source_words, *self.other_words)
        again = self.s3("sync", self.uri("t"), self.uri("u"), *self.source_words, *self.other_words, "--checksum", "--output",
                        "json").record
        self.assertEqual((again["copied"]["objects"], again["unchanged"]["objects"]), (0, 21))
        self.assertEqual(self.bytes_of("u/big", *self.other_words), self.read("tree/big"))

    def test_copies_between_keys(self):
        data = os.urandom(11 * MIB)
        self.s3("upload", self.file("source", data), self.uri("a"), *self.key_words)
        self.s3("copy", self.uri("a"), self.uri("plain"), *self.source_words)
        self.assertEqual(self.bytes_of("plain"), data)
        self.s3("copy", self.uri("plain"), self.uri("b"), *self.other_words)
        self.assertEqual(self.bytes_of("b", *self.other_words), data)
        self.s3("copy", self.uri("a"), self.uri("c"), "--sse-c-copy-source", "AES256", *self.source_words, *self.other_words,
                "--part-size", "5MiB")
        self.assertEqual(self.bytes_of("c", *self.other_words), data)
        # Another key for an object, where it is.
        self.s3("copy", self.uri("a"), self.uri("a"), *self.source_words, *self.other_words)
        self.assertEqual(self.bytes_of("a", *self.other_words), data)
        self.fails(5, "copy", self.uri("a"), self.uri("x"), *self.source_words, says="Is it the key")
        self.fails(2, "copy", self.uri("a"), self.uri("x"), says="--sse-c-copy-source-key fileb://FILE")
        self.fails(2, "copy", self.uri("plain"), self.uri("x"), *self.source_words, says="leave --sse-c-copy-source-key out")
        self.assertNotIn("x", self.keys())


class Interrupted(KeysTest):
    def stopped(self, *words, how=signal.SIGKILL, code=-signal.SIGKILL):
        """Runs it until some of it has moved, and ends it."""
        process = subprocess.Popen([cloud.RUNCTL, "s3", *words, "--part-size", "5MiB", "--concurrency", "1",
                                    "--bandwidth-limit", "8MiB"], env=self.cloud.environment, cwd=self.place,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(2)
        finally:
            process.send_signal(how)
            self.assertEqual(process.wait(timeout=60), code)

    def test_an_upload_goes_on_with_the_same_key_alone(self):
        data = os.urandom(40 * MIB)
        path = self.file("big", data)
        self.stopped("upload", path, self.uri("k"), *self.key_words)
        again = self.s3("upload", path, self.uri("k"), *self.key_words, "--part-size", "5MiB", "--output", "json").record
        self.assertGreaterEqual(again["continued_bytes"], 5 * MIB, again)
        self.assertEqual(self.bytes_of("k", *self.key_words), data)
        self.stopped("upload", path, self.uri("m"), *self.key_words)
        time.sleep(1.1)
        clean = ["cleanup", self.uri("m"), "--multipart", "--older-than", "1s", "--output", "json"]
        [left] = self.s3(*clean, "--dry-run").record["unfinished"]
        self.assertIsNone(left["bytes"], "what is there of it S3 tells to who has the key alone")
        self.assertEqual(len(self.s3(*clean, "--yes").record["aborted"]), 1)
        self.stopped("upload", path, self.uri("l"), *self.key_words)
        anew = self.s3("upload", path, self.uri("l"), *self.other_words, "--part-size", "5MiB", "--output", "json")
        self.assertEqual(anew.record["continued_bytes"], 0, anew)
        self.assertEqual(self.bytes_of("l", *self.other_words), data)
        time.sleep(1.1)
        self.assertIn("no unfinished upload", self.s3("cleanup", self.uri(""), "--multipart", "--older-than", "1s").out)

    def test_a_download_goes_on(self):
        data = os.urandom(40 * MIB)
        self.s3("upload", self.file("big", data), self.uri("k"), *self.key_words, "--part-size", "5MiB")
        self.stopped("download", self.uri("k"), self.path("back"), *self.key_words, how=signal.SIGINT, code=130)
        self.fails(5, "download", self.uri("k"), self.path("back"), *self.other_words)
        again = self.s3("download", self.uri("k"), self.path("back"), *self.key_words, "--part-size", "5MiB", "--output",
                        "json").record
        self.assertGreater(again["continued_bytes"], 0, again)
        self.assertEqual(self.read("back"), data)


if __name__ == "__main__":
    cloud.main()
