"""runctl's transfers on the emulator's S3, with faults from a seed, killed and taken up again at random points.

RUNCTL                       path of the program
RUNCTL_TRANSFER_SEED         the first story (default 1)
RUNCTL_TRANSFER_ROUNDS       how many (default 3)

What arrives is compared by SHA-256, over requests that this file signs itself. While a download runs, whatever has a
final name is complete. Whatever multipart upload is open in the end, somebody was told of.
"""
import base64
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import sigv4

MIB = 1 << 20
SEED = int(os.environ.get("RUNCTL_TRANSFER_SEED", "1"))
ROUNDS = int(os.environ.get("RUNCTL_TRANSFER_ROUNDS", "3"))
PARTIAL = ".runctl-part-"


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Watch:
    """Looks at a tree again and again: a file that is visible is one that is wanted, whole."""

    def __init__(self, root, wanted):
        self.root, self.wanted = root, wanted
        self.wrong, self.seen = [], {}
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def look(self):
        for directory, _, names in os.walk(self.root):
            for name in names:
                path = os.path.join(directory, name)
                if name.startswith(PARTIAL):
                    continue
                try:
                    inode = os.stat(path).st_ino
                    if self.seen.get(path) == inode:
                        continue
                    with open(path, "rb") as file:
                        found = digest(file.read())
                except FileNotFoundError:
                    continue
                self.seen[path] = inode
                if found != self.wanted.get(os.path.relpath(path, self.root)):
                    self.wrong.append(path)

    def run(self):
        while not self.ended.is_set():
            self.look()
            time.sleep(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.look()


class S3TransfersTest(cloud.CloudTest):
    def setUp(self):
        home = tempfile.TemporaryDirectory(prefix="runctl-s3-faults-")
        self.addCleanup(home.cleanup)
        self.home = home.name
        self.client = sigv4.S3(self.cloud.endpoint)
        self.addCleanup(self.client.close)
        self.addCleanup(self.clear_faults)

    def clear_faults(self):
        self.ok("emulator", "fault", "clear", "--state", self.cloud.state)

    def ok(self, *words):
        outcome = self.cloud.run(*words)
        self.assertEqual(outcome.code, 0, f"{words}: {outcome}")
        return outcome

    def make_bucket(self, name):
        self.ok("s3", "create", f"s3://{name}")

    def get(self, bucket, key, headers=None):
        status, _, body = self.client.call("GET", f"/{bucket}/{urllib.parse.quote(key)}", headers=headers or {})
        return body if status == 200 else None

    def open_uploads(self, bucket):
        status, _, body = self.client.call("GET", f"/{bucket}", [("uploads", "")])
        self.assertEqual(status, 200, body)
        return set(re.findall(r"<UploadId>([^<]+)</UploadId>", body.decode()))

    def make_faults(self, story):
        self.clear_faults()
        for action, effects in (("PutObject", ("throttle", "drop-reply", "reset", "bit-flip")),
                                ("UploadPart", ("throttle", "drop-reply", "reset", "bit-flip")),
                                ("GetObject", ("throttle", "truncate", "reset", "bit-flip")),
                                ("CreateMultipartUpload", ("throttle", "drop-reply")),
                                ("CompleteMultipartUpload", ("throttle", "drop-reply", "drop-before")),
                                ("HeadObject", ("throttle", "drop-reply"))):
            effect = story.choice(effects)
            self.ok("emulator", "fault", "add", action, effect, f"rate={story.choice((0.02, 0.05, 0.15))}",
                    "--state", self.cloud.state)

    def run_interrupted(self, story, *words):
        """Runs it, and ends it at some moment; what it says, if it came to that."""
        process = subprocess.Popen([cloud.RUNCTL, *words, "--output", "json"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.cloud.environment, cwd=self.home)
        try:
            process.communicate(timeout=story.uniform(0.02, 1.5))
            how = None
        except subprocess.TimeoutExpired:
            how = story.choice((signal.SIGKILL, signal.SIGINT, signal.SIGTERM))
            process.send_signal(how)
        out, err = process.communicate(timeout=120)
        if how != signal.SIGKILL:
            # The signal may come before there is a handler, and before anything was done.
            struck = () if how is None or err or out else (-how,)
            self.assertIn(process.returncode, (0, 1, 6, 7, 130, *struck), err)
        return out + err

    def make_tree(self, story, root):
        wanted = {}
        for number in range(story.randint(2, 8)):
            size = story.choice((0, story.randint(1, 4000), story.randint(200_000, 2 * MIB),
                                 story.randint(5 * MIB, 40 * MIB)))
            name = os.path.join(story.choice(("", "a", "a/b")), f"f{number}")
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            data = random.Random(story.random()).randbytes(size)
            with open(path, "wb") as file:
                file.write(data)
            wanted[name] = digest(data)
        return wanted

    def test_uploads_arrive_whole_or_not_at_all(self):
        for seed in range(SEED, SEED + ROUNDS):
            with self.subTest(RUNCTL_TRANSFER_SEED=seed):
                story, bucket = random.Random(seed), f"up-{seed}"
                self.make_bucket(bucket)
                tree = os.path.join(self.home, bucket)
                wanted = self.make_tree(story, tree)
                words = ("s3", "upload", tree, f"s3://{bucket}/in/", "--recursive", "--part-size", "5MiB",
                         "--on-interrupt", story.choice(("keep", "keep", "abort")))
                said = ""
                for _ in range(5):
                    self.make_faults(story)
                    said += self.run_interrupted(story, *words)
                    self.clear_faults()
                    for name, expected in wanted.items():
                        data = self.get(bucket, "in/" + name)
                        self.assertTrue(data is None or digest(data) == expected, f"{name} is visible, and torn")
                last = self.ok(*words, "--output", "json")
                said += last.out
                for name, expected in wanted.items():
                    data = self.get(bucket, "in/" + name)
                    self.assertIsNotNone(data, f"{name} is missing")
                    self.assertEqual(digest(data), expected, name)
                for upload_id in self.open_uploads(bucket):
                    self.assertIn(upload_id, said, "nobody was told of an open upload")

    def test_downloads_arrive_whole_or_not_at_all(self):
        for seed in range(SEED, SEED + ROUNDS):
            with self.subTest(RUNCTL_TRANSFER_SEED=seed):
                story, bucket = random.Random(1000 + seed), f"down-{seed}"
                self.make_bucket(bucket)
                source = os.path.join(self.home, "source-" + bucket)
                wanted = self.make_tree(story, source)
                self.ok("s3", "upload", source, f"s3://{bucket}/in/", "--recursive")
                tree = os.path.join(self.home, bucket)
                os.makedirs(tree)
                words = ("s3", "download", f"s3://{bucket}/in/", tree, "--recursive", "--part-size", "5MiB")
                for _ in range(5):
                    self.make_faults(story)
                    with Watch(tree, wanted) as watch:
                        self.run_interrupted(story, *words)
                    self.assertEqual(watch.wrong, [])
                self.clear_faults()
                self.ok(*words)
                found = {}
                for directory, _, names in os.walk(tree):
                    for name in names:
                        with open(os.path.join(directory, name), "rb") as file:
                            found[os.path.relpath(os.path.join(directory, name), tree)] = digest(file.read())
                self.assertEqual(found, wanted)

    def test_what_has_a_key_of_its_owners_arrives_whole_or_not_at_all(self):
        """One large object, encrypted with a customer's key (SSE-C), both ways."""
        story, bucket = random.Random(2000 + SEED), f"keys-{SEED}"
        self.make_bucket(bucket)
        key = story.randbytes(32)
        with open(os.path.join(self.home, "key"), "wb") as file:
            file.write(key)
        headers = {f"x-amz-server-side-encryption-customer-{name}": value for name, value in (
            ("algorithm", "AES256"), ("key", base64.b64encode(key).decode()),
            ("key-md5", base64.b64encode(hashlib.md5(key).digest()).decode()))}
        data = story.randbytes(48 * MIB)
        path, back = os.path.join(self.home, "large"), os.path.join(self.home, "back")
        os.mkdir(back)
        with open(path, "wb") as file:
            file.write(data)
        how = ("--part-size", "5MiB", "--concurrency", "2", "--sse-c-key", "fileb://" + os.path.join(self.home, "key"))
        said = ""
        for words in (("s3", "upload", path, f"s3://{bucket}/large", *how),
                      ("s3", "download", f"s3://{bucket}/large", os.path.join(back, "large"), *how)):
            for _ in range(4):
                self.make_faults(story)
                with Watch(back, {"large": digest(data)}) as watch:
                    said += self.run_interrupted(story, *words, "--bandwidth-limit", "24MiB")
                self.assertEqual(watch.wrong, [])
                self.clear_faults()
                there = self.get(bucket, "large", headers)
                self.assertTrue(there is None or digest(there) == digest(data), "it is visible, and torn")
            said += self.ok(*words, "--output", "json").out
        self.assertEqual(digest(self.get(bucket, "large", headers)), digest(data))
        self.assertIsNone(self.get(bucket, "large"), "it opens without its key")
        with open(os.path.join(back, "large"), "rb") as file:
            self.assertEqual(digest(file.read()), digest(data))
        for upload_id in self.open_uploads(bucket):
            self.assertIn(upload_id, said, "nobody was told of an open upload")

    def test_what_arrived_is_not_moved_again(self):
        """Ended gently in the middle of one large object, each way: the second run moves only the rest."""
        bucket, size = "resume", 96 * MIB
        self.make_bucket(bucket)
        path = os.path.join(self.home, "large")
        with open(path, "wb") as file:
            file.write(random.Random(1).randbytes(size))
        self.check_resumes("UploadPart", ("s3", "upload", path, f"s3://{bucket}/large"))
        self.assertEqual(self.open_uploads(bucket), set())
        back = os.path.join(self.home, "back")
        self.check_resumes("GetObject", ("s3", "download", f"s3://{bucket}/large", back))
        with open(path, "rb") as one, open(back, "rb") as other:
            self.assertEqual(digest(one.read()), digest(other.read()))

    def check_resumes(self, action, words):
        words = (*words, "--part-size", "5MiB", "--concurrency", "2", "--output", "json")
        # Slow enough to be ended in the middle.
        self.ok("emulator", "fault", "add", action, "slow", f"bps={12 * MIB}", "--state", self.cloud.state)
        process = subprocess.Popen([cloud.RUNCTL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.cloud.environment, cwd=self.home)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, out + err)
        self.clear_faults()
        second = self.ok(*words).record
        self.assertGreater(second["continued_bytes"], 5 * MIB, second)
        self.assertLessEqual(second["continued_bytes"] + second["moved_bytes"], 96 * MIB + 2 * MIB, second)


if __name__ == "__main__":
    cloud.main()
