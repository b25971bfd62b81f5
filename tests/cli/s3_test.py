"""S3's commands on the emulator: every verb, hostile names and trees, partial failure, interruption, common mistakes."""
import contextlib
import filecmp
import hashlib
import json
import os
import pty
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

MIB = 1 << 20


@contextlib.contextmanager
def merging_directory(place):
    """A directory on a file system that takes "Foo" and "foo" for one, or None with the reason."""
    if cloud.private_mounts_missing() or cloud.block_hardware_missing():
        yield None, "needs root, to mount a file system"
        return
    image, point = os.path.join(place, "image"), os.path.join(place, "point")
    os.mkdir(point)
    for make in [["mkfs.vfat"], ["mkfs.ext4", "-q", "-O", "casefold", "-E", "encoding=utf8"], ["mkfs.xfs", "-q", "-n", "version=ci"]]:
        with open(image, "wb") as file:
            file.truncate(320 * MIB)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with contextlib.suppress(OSError):
            if subprocess.run([*make, image], check=False, **quiet).returncode == 0 \
                    and subprocess.run(["mount", "-o", "loop", image, point], check=False, **quiet).returncode == 0:
                try:
                    inside = os.path.join(point, "d")
                    os.mkdir(inside)
                    subprocess.run(["chattr", "+F", inside], check=False, **quiet)
                    yield inside, ""
                finally:
                    subprocess.run(["umount", point], check=True)
                return
        os.remove(image)
    yield None, "no file system of this kernel takes two names for one (tried FAT, ext4 with casefold, XFS with version=ci)"


class S3Test(cloud.CloudTest):
    """One emulator, a bucket and a directory for each test."""

    def setUp(self):
        self.bucket = "b-" + "".join(random.choices("abcdefghij", k=12))
        self.place = tempfile.mkdtemp(prefix="runctl-s3-")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.s3("create", self.uri(""))

    def uri(self, key):
        return f"s3://{self.bucket}/{key}" if key else f"s3://{self.bucket}"

    def path(self, *names):
        return os.path.join(self.place, *names)

    def file(self, name, content=b"x", mtime=None):
        path = self.path(*name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def run3(self, *words, **how):
        return self.cloud.run("s3", *words, **how)

    def s3(self, *words, **how):
        return self.succeeded(self.run3(*words, **how))

    def fails(self, code, *words, says=(), **how):
        outcome = self.run3(*words, **how)
        self.assertEqual(outcome.code, code, (words, outcome))
        said = (outcome.err + outcome.out).lower()  # a sentence begins with a capital
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text.lower(), said, (words, outcome))
        return outcome

    def put(self, key, content="x"):
        """An object of any key: by a presigned URL, as curl would."""
        url = self.s3("presign", self.uri(key), "--method", "PUT").out.strip()
        data = content if isinstance(content, bytes) else content.encode()
        request = urllib.request.Request(url, data=data, method="PUT")
        with urllib.request.urlopen(request, timeout=30) as answer:
            self.assertEqual(answer.status, 200)

    def keys(self, prefix=""):
        listed = self.s3("list", self.uri(prefix), "--recursive", "--output", "json") if self.any(prefix) else None
        return [one["key"] for one in listed.record["objects"]] if listed else []

    def any(self, prefix):
        return self.run3("list", self.uri(prefix)).code == 0

    def content(self, key):
        outcome = subprocess.run([cloud.RUNCTL, "s3", "cat", self.uri(key)], capture_output=True, timeout=60,
                                 env=self.cloud.environment, cwd=self.place)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        return outcome.stdout

    def names_below(self, directory):
        found = []
        for where, folders, names in os.walk(directory):
            found += [os.path.relpath(os.path.join(where, name), directory) for name in names]
            found += [os.path.relpath(os.path.join(where, name), directory) for name in folders
                      if os.path.islink(os.path.join(where, name))]
        return sorted(found)


class OneObject(S3Test):
    def test_a_file_goes_up_and_comes_down_as_it_was(self):
        path = self.file("model.pt", os.urandom(3 * MIB + 17), mtime=1_600_000_000)
        up = self.s3("upload", path, self.uri("m/a.pt"))
        self.assertRegex(up.out, r"^Uploaded 1 object \(3\.0 MiB\) in ")
        self.s3("download", self.uri("m/a.pt"), self.path("back.pt"))
        self.assertTrue(filecmp.cmp(path, self.path("back.pt"), shallow=False))
        self.assertEqual(os.stat(self.path("back.pt")).st_mtime, 1_600_000_000)

    def test_a_slash_at_the_end_keeps_the_name_both_ways(self):
        path = self.file("model.pt", "1")
        self.s3("upload", path, self.uri("m/"))
        self.s3("upload", path, self.uri(""))
        self.assertEqual(self.keys(), ["m/model.pt", "model.pt"])
        os.mkdir(self.path("d"))
        self.s3("download", self.uri("m/model.pt"), self.path("d"))
        self.s3("download", self.uri("m/model.pt"), self.path("new") + "/")
        self.assertEqual(self.names_below(self.place), ["d/model.pt", "model.pt", "new/model.pt"])

    def test_an_empty_file_is_an_object(self):
        self.s3("upload", self.file("empty", b""), self.uri("empty"))
        self.assertEqual(self.content("empty"), b"")
        self.s3("download", self.uri("empty"), self.path("back"))
        self.assertEqual(os.path.getsize(self.path("back")), 0)

    def test_a_large_file_goes_in_parts_and_its_records_say_so(self):
        path = self.file("large", os.urandom(17 * MIB))
        up = self.s3("upload", path, self.uri("large"), "--part-size", "5MiB", "--concurrency", "3", "-v", "--output", "json")
        lines = [json.loads(line) for line in up.out.splitlines()]
        self.assertEqual([line.get("action") for line in lines], ["upload", None])
        self.assertEqual((lines[0]["bytes"], lines[0]["result"]), (17 * MIB, "done"))
        self.assertEqual(lines[1]["summary"]["uploaded"], {"objects": 1, "bytes": 17 * MIB})
        down = self.s3("download", self.uri("large"), self.path("back"), "--part-size", "5MiB", "--output", "json")
        self.assertEqual(down.record["downloaded"]["bytes"], 17 * MIB)
        self.assertTrue(filecmp.cmp(path, self.path("back"), shallow=False))

    def test_what_an_object_says_of_itself(self):
        path = self.file("page", "<p>")
        self.s3("upload", path, self.uri("page"), "--content-type", "text/html", "--cache-control", "max-age=9",
                "--metadata", "Owner=ann", "--metadata", "run=7", "--storage-class", "STANDARD_IA", "--sse", "AES256",
                "--content-encoding", "identity", "--acl", "bucket-owner-full-control", "--checksum-algorithm", "crc32c")
        url = self.s3("presign", self.uri("page")).out.strip()
        with urllib.request.urlopen(url, timeout=30) as answer:
            self.assertEqual(answer.headers["content-type"], "text/html")
            self.assertEqual(answer.headers["cache-control"], "max-age=9")
            self.assertEqual(answer.headers["x-amz-meta-owner"], "ann")
            self.assertEqual(answer.headers["x-amz-meta-run"], "7")
            self.assertEqual(answer.headers["x-amz-storage-class"], "STANDARD_IA")
            self.assertEqual(answer.headers["x-amz-server-side-encryption"], "AES256")
        listed = self.s3("list", self.uri("page")).out
        self.assertIn("[STANDARD_IA]", listed)

    def test_what_is_there_is_kept_when_asked(self):
        self.put("k", "first")
        self.fails(4, "upload", self.file("f", "second"), self.uri("k"), "--if-none-match")
        self.assertEqual(self.content("k"), b"first")
        self.s3("upload", self.file("f", "second"), self.uri("k"))
        self.assertEqual(self.content("k"), b"second")

    def test_a_link_that_is_named_means_what_it_leads_to(self):
        self.file("real", "data")
        os.symlink("real", self.path("link"))
        self.s3("upload", self.path("link"), self.uri("k"))
        self.assertEqual(self.content("k"), b"data")

    def test_nothing_partial_is_seen_and_nothing_is_left_beside(self):
        self.put("k", os.urandom(MIB))
        self.s3("download", self.uri("k"), self.path("d/e/f"))
        self.assertEqual(self.names_below(self.place), ["d/e/f"])

    def test_a_dry_run_does_nothing(self):
        path = self.file("f", "1")
        self.assertIn("upload", self.s3("upload", path, self.uri("k"), "--dry-run").out)
        self.assertEqual(self.keys(), [])
        self.put("k")
        self.s3("download", self.uri("k"), self.path("new"), "--dry-run")
        self.assertFalse(os.path.exists(self.path("new")))
        self.s3("copy", self.uri("k"), self.uri("k2"), "--dry-run")
        self.s3("remove", self.uri("k"), "--dry-run")
        self.assertEqual(self.keys(), ["k"])

    def test_cat_writes_all_or_a_range(self):
        self.put("k", "0123456789")
        self.assertEqual(self.content("k"), b"0123456789")
        for text, expected in [("2-4", "234"), ("7-", "789"), ("-3", "789")]:
            self.assertEqual(self.s3("cat", self.uri("k"), "--range", text).out, expected)
        for text in ["x", "4", "-", "a-b", "1-2,4-5"]:
            self.fails(2, "cat", self.uri("k"), "--range", text, says="--range takes")

    def test_cat_never_says_of_damaged_bytes_that_they_are_the_object(self):
        data = random.Random(7).randbytes(3 * MIB)
        self.put("k", data)
        # S3 has no checksum of a range: only what comes twice can be compared.
        for words, expected, faults in [([], data, ["truncate"]), ([], data, ["bit-flip"]),
                                        *8 * [(["--range", f"{MIB}-"], data[MIB:], ["bit-flip", "truncate"])]]:
            for fault in faults:
                self.succeeded(self.cloud.run("emulator", "fault", "add", "GetObject", fault, "times=1", "--state", self.cloud.state))
            outcome = subprocess.run([cloud.RUNCTL, "s3", "cat", self.uri("k"), *words], capture_output=True, timeout=60,
                                     env=self.cloud.environment, cwd=self.place)
            self.succeeded(self.cloud.run("emulator", "fault", "clear", "--state", self.cloud.state))
            intact = outcome.stdout == expected
            self.assertEqual(outcome.returncode, 0 if intact else 1, (words, faults, outcome.stderr))
            if intact:
                self.assertNotEqual(faults, ["bit-flip"])
            else:
                self.assertIn(b"Do not use it", outcome.stderr)

    def test_a_reader_that_had_enough_is_no_failure(self):
        self.put("k", b"line\n" * (MIB // 2))
        outcome = subprocess.run(["/bin/sh", "-c", f"'{cloud.RUNCTL}' s3 cat {self.uri('k')} | head -n 1"],
                                 capture_output=True, text=True, env=self.cloud.environment, timeout=60)
        self.assertEqual((outcome.stdout, outcome.stderr), ("line\n", ""))

    def test_copy_keeps_what_the_object_says_unless_told(self):
        self.s3("upload", self.file("f", "data"), self.uri("a"), "--content-type", "text/x-one", "--metadata", "k=v")
        self.s3("copy", self.uri("a"), self.uri("copies/"))
        self.s3("copy", self.uri("a"), self.uri("b"), "--content-type", "text/x-two")
        self.assertEqual(self.keys(), ["a", "b", "copies/a"])
        for key, kind in [("copies/a", "text/x-one"), ("b", "text/x-two")]:
            with urllib.request.urlopen(self.s3("presign", self.uri(key)).out.strip(), timeout=30) as answer:
                self.assertEqual(answer.headers["content-type"], kind, key)
                self.assertEqual(answer.read(), b"data")

    def headers(self, key):
        with urllib.request.urlopen(self.s3("presign", self.uri(key)).out.strip(), timeout=30) as answer:
            return answer.headers

    def test_a_copy_that_is_stored_in_another_way_says_of_itself_what_its_source_says(self):
        self.s3("upload", self.file("f", "data"), self.uri("t/a"), "--content-type", "text/x-one", "--metadata", "k=v")
        how = ["--storage-class", "STANDARD_IA", "--sse", "AES256", "--acl", "bucket-owner-full-control"]
        self.s3("copy", self.uri("t/a"), self.uri("b"), *how)
        self.s3("copy", self.uri("t"), self.uri("u"), "-r", *how)
        self.s3("sync", self.uri("t"), self.uri("v"), *how)
        self.s3("copy", self.uri("t/a"), self.uri("t/a"), "--storage-class", "STANDARD_IA")
        for key in ["b", "u/a", "v/a", "t/a"]:
            headers = self.headers(key)
            self.assertEqual(headers["content-type"], "text/x-one", key)
            self.assertEqual(headers["x-amz-meta-k"], "v", key)
            self.assertEqual(headers["x-amz-storage-class"], "STANDARD_IA", key)
        self.s3("sync", self.uri("t"), self.uri("w"), "--metadata", "k=w", *how)
        self.assertEqual(self.headers("w/a")["x-amz-meta-k"], "w")

    def test_remove_asks_and_is_idempotent(self):
        self.put("k")
        self.fails(4, "remove", self.uri("k"), says=["Remove", "--yes"])
        self.assertEqual(self.keys(), ["k"])
        self.s3("remove", self.uri("k"), "--yes")
        self.assertEqual(self.keys(), [])
        self.assertIn("nothing to remove", self.s3("remove", self.uri("k"), "--yes").out)

    def test_presign_is_good_for_who_has_it_alone(self):
        self.put("k", "secret")
        url = self.s3("presign", self.uri("k"), "--expires", "10m").out.strip()
        with urllib.request.urlopen(url, timeout=30) as answer:
            self.assertEqual(answer.read(), b"secret")
        for bad in [url.replace("/k?", "/other?"), url[:-1] + ("0" if url[-1] != "0" else "1")]:
            with self.assertRaises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(bad, timeout=30)
            self.assertEqual(raised.exception.code, 403)
        record = self.s3("presign", self.uri("k"), "--output", "json").record
        self.assertEqual(record["method"], "GET")
        self.fails(2, "presign", self.uri("k"), "--expires", "8d", says="7 days")
        self.fails(2, "presign", self.uri("k"), "--method", "POST")

    def test_keys_that_look_strange_are_objects_like_others(self):
        for key in ["a b+c%20&d=e?f#g", "ä/😀", "a//b", "../up", "/lead", "trail/", "./dot", "-rf", "k" * 1024, "'\"`$(x)"]:
            self.put(key, key)
            if not key.endswith("/"):
                self.assertEqual(self.content(key), key.encode(), key)
            self.assertIn(key, self.keys(), key)
            if not key.endswith("/"):
                self.s3("copy", self.uri(key), self.uri("copy"))
                self.assertEqual(self.content("copy"), key.encode())
                self.s3("remove", self.uri(key), "--yes")
                self.assertNotIn(key, self.keys())


class Listing(S3Test):
    def setUp(self):
        super().setUp()
        for key in ["a.txt", "data", "data/x", "data/deep/y", "data/deep/z", "database/q"]:
            self.put(key, key)

    def test_buckets_are_listed(self):
        self.assertIn(self.bucket, self.s3("list").out)
        self.assertIn(self.bucket, [one["bucket"] for one in self.s3("list", "--output", "json").record["buckets"]])
        self.assertIn(self.bucket, self.s3("list", "--output", "id").out.split())

    def test_a_folder_is_what_is_in_it_and_not_what_begins_like_it(self):
        def listed(*words):
            return [one["key"] for one in self.s3("list", *words, "--output", "json").record["objects"]]
        self.assertEqual(listed(self.uri("")), ["a.txt", "data", "data/", "database/"])
        self.assertEqual(listed(self.uri("data")), ["data", "data/deep/", "data/x"])
        self.assertEqual(listed(self.uri("data/")), ["data/deep/", "data/x"])
        self.assertEqual(listed(self.uri("data/"), "-r"), ["data/deep/y", "data/deep/z", "data/x"])
        self.assertEqual(listed(self.uri("a.txt")), ["a.txt"])

    def test_versions_are_those_of_the_object_and_of_the_folder(self):
        def listed(*words):
            return [one["key"] for one in self.s3("list", *words, "--versions", "--output", "json").record["objects"]]
        for key in ["data.old", "data/"]:
            self.put(key, "")
        self.assertEqual(listed(self.uri("data")), ["data", "data/", "data/x", "data/deep/"])
        self.assertEqual(listed(self.uri("data"), "-r"), ["data", "data/", "data/deep/y", "data/deep/z", "data/x"])
        self.assertEqual(listed(self.uri("data/deep/")), ["data/deep/y", "data/deep/z"])
        self.assertEqual(listed(self.uri("a.txt")), ["a.txt"])
        self.assertEqual(listed(self.uri("")), ["a.txt", "data", "data.old", "data/", "database/"])
        self.fails(3, "list", self.uri("dat"), "--versions", says="there is nothing at")

    def test_text_is_for_people(self):
        out = self.s3("list", self.uri("data/")).out
        self.assertRegex(out, r"(?m)^ +folder +deep/$")
        self.assertRegex(out, r"(?m)^ +6 B  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  x$")
        self.assertTrue(out.endswith("1 folder, 1 object, 6 B\n"), out)
        self.assertRegex(self.s3("list", self.uri("data/x"), "--bytes").out, r"(?m)^ +6  ")

    def test_ids_are_uris(self):
        self.assertEqual(self.s3("list", self.uri("data/deep"), "-r", "--output", "id").out.split(),
                         [self.uri("data/deep/y"), self.uri("data/deep/z")])

    def test_what_is_not_there_is_said(self):
        self.fails(3, "list", self.uri("dat"), says="there is nothing at")
        self.fails(3, "list", "s3://no-such-bucket-here")
        self.assertIn("NoSuchBucket", self.run3("list", "s3://no-such-bucket-here", "--output", "json").out)
        self.s3("create", "s3://empty-" + self.bucket)
        self.assertIn("The bucket is empty", self.s3("list", "s3://empty-" + self.bucket).out)

    def test_a_listing_has_many_pages(self):
        self.cloud.run("s3", "remove", self.uri(""), "-r", "--confirm", self.bucket)
        for i in range(2345):
            self.file(f"many/{i:05}", b"")
        self.s3("upload", self.path("many"), self.uri("many"), "-r")
        self.assertEqual(self.keys("many"), [f"many/{i:05}" for i in range(2345)])
        self.assertTrue(self.s3("list", self.uri("many/")).out.endswith("2,345 objects, 0 B\n"))
        self.assertEqual(self.s3("du", self.uri("many"), "--output", "json").record["objects"], 2345)
        removed = self.s3("remove", self.uri("many"), "-r", "--yes", "--output", "json").record
        self.assertEqual(removed["removed"]["objects"], 2345)
        self.assertEqual(self.keys(), [])

    def test_du_adds_up_by_folder(self):
        record = self.s3("du", self.uri(""), "--output", "json").record
        sizes = {one["folder"]: one["bytes"] for one in record["folders"]}
        self.assertEqual(sizes, {"data/": 6 + 11 + 11, "database/": 10})
        self.assertEqual(record["objects"], 6)
        deep = self.s3("du", self.uri("data"), "--depth", "2").out
        self.assertRegex(deep, r"(?m)^22 B +2 +deep/$")
        self.assertRegex(deep, r"(?m)^32 B +4 +s3://")
        self.assertEqual(self.s3("du", self.uri("data/"), "--include", "x", "--output", "id").out, "6\n")
        self.fails(3, "du", self.uri("none/"))


class Trees(S3Test):
    def tree(self):
        for name in ["a.txt", "b/c.txt", "b/d/e.bin", "b.x/f", "ä/ö.txt", "sp ace/q"]:
            self.file("tree/" + name, name)
        return self.path("tree")

    def test_a_tree_goes_up_and_comes_down_as_it_was(self):
        tree = self.tree()
        up = self.s3("upload", tree, self.uri("t"), "--recursive")
        self.assertRegex(up.out, r"^Uploaded 6 objects")
        down = self.s3("download", self.uri("t"), self.path("back"), "-r", "--output", "json")
        self.assertEqual(down.record["downloaded"]["objects"], 6)
        self.assertEqual(self.names_below(self.path("back")), self.names_below(tree))
        for name in self.names_below(tree):
            with open(self.path("back", name), encoding="utf-8") as file:
                self.assertEqual(file.read(), name)

    def test_what_is_there_is_kept_of_a_tree_and_no_failure(self):
        tree = self.tree()
        self.put("t/a.txt", "theirs")
        record = self.s3("upload", tree, self.uri("t"), "-r", "--if-none-match", "--output", "json").record
        self.assertEqual((record["uploaded"]["objects"], record["kept"], record["failed"]), (5, 1, 0))
        self.assertEqual(self.content("t/a.txt"), b"theirs")
        said = self.s3("upload", tree, self.uri("t"), "-r", "--no-overwrite", "-v").out
        self.assertIn(f"kept: {self.uri('t/a.txt')} is there already", said)
        self.assertIn("6 objects kept", said)

    def test_patterns_choose(self):
        for name in ["a.pt", "a.log", "sub/b.pt", "sub/cache/c.pt", "sub/keep.log"]:
            self.file("tree/" + name)
        tree = self.path("tree")
        ignore = self.file("ignore", "# comment\n*.log\n!keep.log\n")
        for words, expected in [
            (["--exclude", "*.log"], ["a.pt", "sub/b.pt", "sub/cache/c.pt"]),
            (["--include", "*.pt"], ["a.pt", "sub/b.pt", "sub/cache/c.pt"]),
            (["--include", "*.pt", "--exclude", "cache/"], ["a.pt", "sub/b.pt"]),
            (["--exclude", "/sub"], ["a.log", "a.pt"]),
            (["--exclude-from", ignore], ["a.pt", "sub/b.pt", "sub/cache/c.pt", "sub/keep.log"]),
            (["--exclude", "**/cache/**", "--exclude", "*.log"], ["a.pt", "sub/b.pt"]),
        ]:
            self.run3("remove", self.uri("t/"), "-r", "--yes")
            self.s3("upload", tree, self.uri("t"), "-r", *words)
            self.assertEqual(self.keys("t"), ["t/" + name for name in expected], words)
            shutil.rmtree(self.path("back"), ignore_errors=True)
            self.s3("upload", tree, self.uri("all"), "-r")
            self.s3("download", self.uri("all"), self.path("back"), "-r", *words)
            self.assertEqual(self.names_below(self.path("back")), expected, words)
        self.fails(2, "upload", tree, self.uri("t"), "-r", "--exclude", "*", "--include", "*.pt", says="leave the --exclude out")
        self.fails(2, "upload", tree, self.uri("t"), "-r", "--exclude-from", "/no/such", says="/no/such")

    def test_what_is_no_file_is_left_out_and_said(self):
        tree = self.tree()
        os.symlink("a.txt", os.path.join(tree, "link"))
        os.symlink("/etc", os.path.join(tree, "etc"))
        os.mkfifo(os.path.join(tree, "pipe"))
        os.mkdir(os.path.join(tree, "empty"))
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
            server.bind(os.path.join(tree, "sock"))
        up = self.s3("upload", tree, self.uri("t"), "-r")
        for text in ["symbolic link", "empty directory", "a device, a socket or a pipe"]:
            self.assertIn(text, up.err)
        self.assertEqual(len(self.keys("t")), 6)
        record = self.s3("upload", tree, self.uri("t"), "-r", "--output", "json").record
        self.assertEqual(sorted(one["reason"] for one in record["left_out"]),
                         ["empty_directory", "special_file", "special_file", "symlink", "symlink"])
        self.assertEqual(record["failed"], 0)

    def test_links_are_followed_when_asked_and_circles_end(self):
        self.file("tree/real/f", "1")
        self.file("outside/g", "2")
        os.symlink("../outside", self.path("tree/out"))
        os.symlink("..", self.path("tree/real/up"))
        os.symlink("nowhere", self.path("tree/gone"))
        up = self.s3("upload", self.path("tree"), self.uri("t"), "-r", "--follow-symlinks")
        self.assertEqual(self.keys("t"), ["t/out/g", "t/real/f"])
        self.assertIn("leads nowhere", up.err)
        self.assertIn("a directory that it is in", up.err)

    def test_names_that_cannot_come_back_fail_and_the_rest_goes_up(self):
        tree = self.tree()
        for name in [b"line\nend", b"esc\x1b[2J", b"not-\xff-utf8"]:
            with open(os.path.join(tree.encode(), name), "wb"):
                pass
        up = self.fails(7, "upload", tree, self.uri("t"), "-r", says=["control character", "not UTF-8", r"esc\x1b[2J"])
        self.assertNotIn("\x1b", up.err)
        self.assertEqual(len(self.keys("t")), 6)
        record = self.fails(7, "upload", tree, self.uri("t"), "-r", "--output", "json").record
        self.assertEqual(record["failed"], 3)

    def test_a_file_that_cannot_be_read_is_reported_and_the_rest_goes_up(self):
        tree = self.tree()
        if os.geteuid() == 0:
            # Root reads everything: a directory in the place of a file that vanishes is as good.
            self.skipTest("needs to run as a user whom a file's mode stops")
        os.chmod(os.path.join(tree, "a.txt"), 0)
        self.fails(7, "upload", tree, self.uri("t"), "-r", says=["a.txt", "Permission denied"])
        self.assertEqual(len(self.keys("t")), 5)

    def test_hostile_keys_are_never_written_outside_and_each_is_reported(self):
        hostile = {"t/../../escape": "dot_component", "t/..": "dot_component", "t//abs": "absolute", "t/a//b": "empty_component",
                   "t/./x": "dot_component", "t/ok/../y": "dot_component", "t/" + "n" * 256: "component_too_long",
                   "t/new\nline": "control_character", "t/esc\x1b[0m": "control_character",
                   "t/.runctl-part-x": "reserved"}
        for key in [*hostile, "t/fine", "t/ok/fine", "t/" + "m" * 255, "t/marker/"]:
            self.put(key, "" if key.endswith("/") else key)
        self.put("t/full/", "not empty")
        target = self.path("deep/er/target")
        outcome = self.fails(7, "download", self.uri("t"), target, "-r", "--output", "json")
        left = {one["source"]: one["reason"] for one in outcome.record["left_out"]}
        for key, reason in hostile.items():
            self.assertEqual(left.get(self.uri(key)), reason, key)
        self.assertEqual(left[self.uri("t/marker/")], "folder_marker")
        self.assertEqual(outcome.record["failed"], len(hostile) + 1)
        self.assertEqual(self.names_below(self.place),
                         sorted("deep/er/target/" + name for name in ["fine", "ok/fine", "m" * 255]))
        said = self.fails(7, "download", self.uri("t"), self.path("again"), "-r")
        self.assertNotIn("\x1b", said.err)

    def test_a_file_where_a_directory_is_needed_is_reported(self):
        for key in ["t/a", "t/a!", "t/a/b", "t/c/d", "t/c/d/e"]:
            self.put(key, key)
        outcome = self.fails(7, "download", self.uri("t"), self.path("back"), "-r", says=["t/a/b", "t/c/d/e"])
        self.assertIn("have to be its directory", outcome.err)
        self.assertEqual(self.names_below(self.path("back")), ["a", "a!", "c/d"])

    def test_names_that_the_target_takes_for_one_are_reported(self):
        for key in ["t/Foo", "t/foo", "t/Dir/x", "t/dir/y", "t/fine"]:
            self.put(key, key)
        with merging_directory(self.place) as (target, why):
            if target is None:
                self.skipTest(why)
            record = self.fails(7, "download", self.uri("t"), target, "-r", "--output", "json").record
            self.assertEqual((record["downloaded"]["objects"], record["failed"]), (3, 2), record)
            for failure in record["failures"]:
                self.assertIn("takes their names for one", failure["error"]["message"])
            names = self.names_below(target)
            self.assertEqual([name.lower() for name in names if "x" not in name and "y" not in name], ["fine", "foo"])
            for name in names:
                with open(os.path.join(target, name), encoding="utf-8") as file:
                    self.assertEqual(file.read(), "t/" + name)

    def test_a_link_in_the_target_leads_nothing_out(self):
        self.put("t/link/f", "data")
        self.put("t/other", "data")
        os.makedirs(self.path("outside"))
        os.makedirs(self.path("target"))
        os.symlink("../outside", self.path("target/link"))
        os.symlink("../outside/victim", self.path("target/other"))
        self.fails(7, "download", self.uri("t"), self.path("target"), "-r", says="link/f")
        self.assertEqual(os.listdir(self.path("outside")), [])
        self.assertFalse(os.path.islink(self.path("target/other")))

    def test_what_cannot_be_written_is_listed_and_the_rest_comes(self):
        for key in ["t/a", "t/b/c", "t/d"]:
            self.put(key, key)
        os.makedirs(self.path("back/a/in-the-way"))
        outcome = self.fails(7, "download", self.uri("t"), self.path("back"), "-r", says="t/a")
        self.assertIn("Downloaded 2 objects", outcome.out)
        record = self.fails(7, "download", self.uri("t"), self.path("back"), "-r", "--output", "json").record
        self.assertEqual([one["source"] for one in record["failures"]], [self.uri("t/a")])
        self.assertEqual(record["failed"], 1)

    def test_copy_of_a_folder_inside_s3(self):
        for key in ["t/a", "t/b/c", "t/x//y", "tt"]:
            self.put(key, key)
        self.s3("copy", self.uri("t"), self.uri("u/"), "-r")
        self.assertEqual(self.keys("u"), ["u/a", "u/b/c", "u/x//y"])
        self.fails(2, "copy", self.uri("t"), self.uri("t/inside"), "-r", says="copied again")
        self.fails(3, "copy", self.uri("none/"), self.uri("u/"), "-r", says="nothing at")

    def test_remove_of_a_folder_shows_asks_and_spares(self):
        for key in ["t/a.pt", "t/best.pt", "t/b/c", "ta"]:
            self.put(key, key)
        dry = self.s3("remove", self.uri("t"), "-r", "--exclude", "best.pt", "--dry-run")
        self.assertIn("2 objects", dry.out)
        self.fails(4, "remove", self.uri("t"), "-r", says="Remove 3 objects")
        self.s3("remove", self.uri("t"), "-r", "--exclude", "best.pt", "--yes")
        self.assertEqual(self.keys(), ["t/best.pt", "ta"])
        self.fails(4, "remove", self.uri(""), "-r", "--yes", says=["whole bucket", f"--confirm {self.bucket}"])
        # The patterns are of a folder whose name came from an empty variable.
        for patterns in [["--exclude", "best.pt"], ["--include", "ta"]]:
            self.fails(4, "remove", self.uri(""), "-r", "--yes", *patterns, says=["whole bucket", f"--confirm {self.bucket}"])
        self.assertEqual(self.keys(), ["t/best.pt", "ta"])
        self.s3("remove", self.uri(""), "-r", "--confirm", self.bucket, "--exclude", "best.pt")
        self.assertEqual(self.keys(), ["t/best.pt"])
        self.s3("remove", self.uri(""), "-r", "--confirm", self.bucket)
        self.assertEqual(self.keys(), [])


class Sync(S3Test):
    def sync(self, *words, code=0):
        outcome = self.run3("sync", *words, "--output", "json")
        self.assertEqual(outcome.code, code, outcome)
        return outcome.record

    def counts(self, record):
        return {name: record[name]["objects"] for name in ["uploaded", "downloaded", "copied", "removed", "unchanged"]
                if record[name]["objects"]}

    def old_tree(self, count=5):
        for i in range(count):
            self.file(f"tree/d{i % 2}/f{i}", f"content {i}", mtime=1_600_000_000 + i)
        return self.path("tree")

    def test_only_what_differs_goes_up(self):
        tree = self.old_tree()
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"))), {"uploaded": 5})
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"))), {"unchanged": 5})
        self.file("tree/d0/f0", "content X")
        self.file("tree/new", "new")
        later = time.time() + 100
        os.utime(self.path("tree/d0/f0"), (later, later))
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"))), {"uploaded": 2, "unchanged": 4})
        self.assertEqual(self.content("t/d0/f0"), b"content X")

    def test_a_change_in_size_is_seen_whatever_the_time(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        self.file("tree/d0/f0", "longer than before", mtime=1_500_000_000)
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"))), {"uploaded": 1, "unchanged": 4})

    def test_checksum_sees_what_size_and_time_hide(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        self.file("tree/d0/f0", "CONTENT 0", mtime=1_600_000_000)
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"))), {"unchanged": 5})
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"), "--checksum")), {"uploaded": 1, "unchanged": 4})
        self.assertEqual(self.content("t/d0/f0"), b"CONTENT 0")

    def test_what_came_down_is_known_again_and_what_was_changed_comes_anew(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        back = self.path("back")
        self.assertEqual(self.counts(self.sync(self.uri("t"), back)), {"downloaded": 5})
        requests = len(self.cloud.requests())
        self.assertEqual(self.counts(self.sync(self.uri("t"), back)), {"unchanged": 5})
        asked = self.cloud.requests()[requests:]
        self.assertLessEqual(len(asked), 2, asked)  # a listing, and no more
        with open(self.path("back/d0/f0"), "w", encoding="utf-8") as file:
            file.write("content Y")
        self.assertEqual(self.counts(self.sync(self.uri("t"), back)), {"downloaded": 1, "unchanged": 4})
        with open(self.path("back/d0/f0"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "content 0")

    def test_what_was_uploaded_from_here_is_not_downloaded_again(self):
        tree = self.old_tree()
        self.s3("upload", tree, self.uri("t"), "-r")
        self.assertEqual(self.counts(self.sync(self.uri("t"), tree)), {"unchanged": 5})
        # An object of the same size that is newer than its file is no miss, as it is with AWS's tool.
        time.sleep(1.1)
        self.put("t/d0/f0", "CONTENT 0")
        self.assertEqual(self.counts(self.sync(self.uri("t"), tree)), {"downloaded": 1, "unchanged": 4})

    def test_between_two_folders_in_s3(self):
        for key in ["t/a", "t/b/c"]:
            self.put(key, key)
        self.put("u/old", "1")
        self.assertEqual(self.counts(self.sync(self.uri("t"), self.uri("u"), "--delete", "--yes")), {"copied": 2, "removed": 1})
        self.assertEqual(self.keys("u"), ["u/a", "u/b/c"])
        self.assertEqual(self.counts(self.sync(self.uri("t"), self.uri("u"))), {"unchanged": 2})
        self.put("t/a", "T/A")
        time.sleep(1.1)
        self.put("t/a", "T/B")
        self.assertEqual(self.counts(self.sync(self.uri("t"), self.uri("u"), "--checksum")), {"copied": 1, "unchanged": 1})
        self.fails(2, "sync", self.uri("t"), self.uri("t/in"), says="in the other")

    def test_delete_asks_first_and_deletes_last(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        self.put("t/extra", "1")
        self.put("t/more/extra", "1")
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"))), {"unchanged": 5})
        refused = self.fails(4, "sync", tree, self.uri("t"), "--delete", says=["Delete 2 files", "--yes", "t/more/extra"])
        self.assertNotIn("Uploaded", refused.out)
        self.assertEqual(len(self.keys("t")), 7)
        dry = self.s3("sync", tree, self.uri("t"), "--delete", "--dry-run")
        self.assertIn(f"delete {self.uri('t/extra')}", dry.out)
        self.assertEqual(len(self.keys("t")), 7)
        self.assertEqual(self.counts(self.sync(tree, self.uri("t"), "--delete", "--yes")), {"removed": 2, "unchanged": 5})
        self.assertEqual(len(self.keys("t")), 5)

    def test_delete_here_takes_files_and_nothing_else(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        back = self.path("back")
        self.sync(self.uri("t"), back)
        self.file("back/extra", "1")
        self.file("back/deep/extra", "1")
        self.file("outside/kept", "1")
        os.symlink("../outside", self.path("back/link"))
        os.mkfifo(self.path("back/pipe"))
        self.assertEqual(self.counts(self.sync(self.uri("t"), back, "--delete", "--yes")), {"removed": 2, "unchanged": 5})
        self.assertEqual(self.names_below(back), [*(f"d{i % 2}/f{i}" for i in [0, 2, 4, 1, 3]), "link", "pipe"])
        self.assertTrue(os.path.exists(self.path("outside/kept")))

    def test_delete_spares_what_is_excluded_blocked_or_unread(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        for key in ["t/keep.log", "t/link", "t/link/below", "t/gone"]:
            self.put(key, "1")
        os.symlink("nowhere", self.path("tree/link"))
        self.sync(tree, self.uri("t"), "--delete", "--yes", "--exclude", "*.log")
        self.assertEqual(self.keys("t")[5:], ["t/keep.log", "t/link", "t/link/below"])

    def test_delete_from_an_empty_source_is_refused(self):
        self.put("t/a")
        self.put("t/b")
        os.mkdir(self.path("unmounted"))
        for words in [["--yes"], [], ["--dry-run"]]:
            self.fails(4, "sync", self.path("unmounted"), self.uri("t"), "--delete", *words, says=["has no file", "mounted"])
        self.assertEqual(self.keys(), ["t/a", "t/b"])

    def test_delete_from_a_source_that_has_only_what_is_no_file_is_refused(self):
        """A disk that is not mounted, or was just formatted, is seldom quite empty."""
        self.put("t/a")
        os.makedirs(self.path("tree/lost+found"))
        os.symlink("nowhere", self.path("tree/link"))
        os.mkfifo(self.path("tree/pipe"))
        for words in [["--yes"], [], ["--dry-run"]]:
            self.fails(4, "sync", self.path("tree"), self.uri("t"), "--delete", *words, says=["has no file", "mounted"])
        self.assertEqual(self.keys(), ["t/a"])

    def test_a_source_that_goes_away_takes_nothing_with_it(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        self.put("t/extra")
        # The last of the tree, and slow: everything else has been compared when it is on its way.
        self.file("tree/z-big", os.urandom(12 * MIB))
        before = self.cloud.requests().count("UploadPart")
        process = subprocess.Popen([cloud.RUNCTL, "s3", "sync", tree, self.uri("t"), "--delete", "--yes", "--output", "json",
                                    "--part-size", "5MiB", "--concurrency", "1", "--bandwidth-limit", "3MiB"],
                                   env=self.cloud.environment, cwd=self.place, stdout=subprocess.PIPE, text=True)
        try:
            cloud.wait_until(lambda: self.cloud.requests().count("UploadPart") > before, 30)
            shutil.rmtree(self.path("tree/d0"))
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
        record = json.loads(out)
        self.assertEqual(self.counts(record), {"uploaded": 1, "removed": 1, "unchanged": 5})
        self.assertEqual([one["reason"] for one in record["left_out"]], ["not_removed"] * 3)
        self.assertEqual(process.returncode, 7)
        self.assertEqual(len(self.keys("t")), 6)

    def test_nothing_is_deleted_when_something_failed(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        self.put("t/extra")
        self.file("tree/line\nend")
        outcome = self.fails(7, "sync", tree, self.uri("t"), "--delete", "--yes", says=["Nothing was deleted", "control character"])
        self.assertIn("t/extra", self.keys(), outcome)

    def test_an_object_where_a_link_is_does_not_follow_it(self):
        self.put("t/link", "data")
        os.makedirs(self.path("back"))
        self.file("outside", "mine")
        os.symlink("../outside", self.path("back/link"))
        self.fails(7, "sync", self.uri("t"), self.path("back"), says="symbolic link")
        with open(self.path("outside"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")

    def fault(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", "add", *words, "--state", self.cloud.state))
        self.addCleanup(self.cloud.run, "emulator", "fault", "clear", "--state", self.cloud.state)

    def test_a_dry_run_that_compares_ends_with_its_timeout(self):
        tree = self.old_tree()
        self.sync(tree, self.uri("t"))
        self.fault("HeadObject", "delay", "ms=8000")
        self.fails(6, "sync", tree, self.uri("t"), "--checksum", "--dry-run", "--timeout", "1s", says="--timeout passed")

    def test_nothing_more_is_compared_when_the_list_broke_off(self):
        for i in range(1001):
            self.file(f"many/f{i:04}", "1")
        self.s3("upload", self.path("many"), self.uri("t"), "-r")
        for i in range(60, 1001):
            os.remove(self.path(f"many/f{i:04}"))
        self.fault("HeadObject", "delay", "ms=3000")
        self.fault("ListObjectsV2", "fail-before", "code=AccessDenied", "status=403", "skip=1")
        before = self.cloud.requests().count("HeadObject")
        self.fails(5, "sync", self.path("many"), self.uri("t"), "--checksum")
        self.assertLess(self.cloud.requests().count("HeadObject") - before, 60)

    def test_a_dry_run_says_why(self):
        tree = self.old_tree(2)
        self.sync(tree, self.uri("t"))
        self.file("tree/d0/f0", "another size")
        self.file("tree/new", "1")
        dry = self.s3("sync", tree, self.uri("t"), "--dry-run")
        self.assertIn(f"upload {self.uri('t/d0/f0')} (size, 12 B)", dry.out)
        self.assertIn(f"upload {self.uri('t/new')} (new, 1 B)", dry.out)
        self.assertEqual(len(self.keys("t")), 2)

    def test_sides_that_make_no_sense(self):
        self.fails(2, "sync", self.place, self.path("b"), says="neither side is in S3")
        self.fails(3, "sync", self.path("none"), self.uri("t"), says="No such file")
        self.fails(2, "sync", self.file("f"), self.uri("t"), says="no directory")
        self.fails(2, "sync", self.place, self.uri("t"), "--checksum", "--size-only")
        self.fails(3, "sync", self.place, "s3://no-such-bucket-at-all/t", says="bucket")


class Asked(S3Test):
    """On a terminal, where the world goes on while somebody thinks."""

    def run_asked(self, meanwhile, *words):
        terminal, end = pty.openpty()
        process = subprocess.Popen([cloud.RUNCTL, "s3", *words], stdin=end, stderr=end, stdout=subprocess.PIPE, text=True,
                                   env=self.cloud.environment, cwd=self.place)
        os.close(end)
        try:
            said = b""
            while b"[y/N]" not in said:
                said += os.read(terminal, 4096)
            meanwhile()
            os.write(terminal, b"y\n")
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
            os.close(terminal)
        return process.returncode, out

    def test_a_sync_spares_what_was_written_after_the_question(self):
        self.file("tree/f", "1", mtime=1_600_000_000)
        self.s3("sync", self.path("tree"), self.uri("t"))
        for key in ["t/extra", "t/other"]:
            self.put(key, key)

        def meanwhile():
            self.put("t/extra", "somebody's work")
            self.put("t/new", "somebody's work")

        code, out = self.run_asked(meanwhile, "sync", self.path("tree"), self.uri("t"), "--delete")
        self.assertEqual(code, 7, out)
        self.assertEqual(self.keys("t"), ["t/extra", "t/f", "t/new"])

    def test_a_removal_spares_what_was_written_after_the_question(self):
        for key in ["t/a", "t/b"]:
            self.put(key, key)

        def meanwhile():
            self.put("t/a", "somebody's work")
            self.put("t/c", "somebody's work")

        code, out = self.run_asked(meanwhile, "remove", self.uri("t"), "-r")
        self.assertEqual(code, 7, out)
        self.assertEqual(self.keys("t"), ["t/a", "t/c"])


class Cleanup(S3Test):
    def checkpoints(self):
        for step in [9, 10, 11, 100]:
            self.put(f"run/checkpoint-{step}/model.pt", b"m" * 1000)
            self.put(f"run/checkpoint-{step}/optimizer.pt", b"o" * 500)
            time.sleep(1.05)  # S3 tells whole seconds
        self.put("run/best.pt", "best")

    def test_the_last_n_stay_and_the_rest_goes_after_consent(self):
        self.checkpoints()
        dry = self.s3("cleanup", self.uri("run"), "--keep-last-n", "2", "--dry-run")
        self.assertRegex(dry.out, r"(?m)^remove +checkpoint-9/")
        self.assertRegex(dry.out, r"(?m)^keep +checkpoint-100/")
        self.assertIn("1 object that is no numbered checkpoint stays", dry.out)
        self.fails(4, "cleanup", self.uri("run"), "--keep-last-n", "2", says=["Remove 2 checkpoints", "--yes"])
        self.assertEqual(len(self.keys()), 9)
        self.s3("cleanup", self.uri("run"), "--keep-last-n", "2", "--yes")
        self.assertEqual(self.keys(), ["run/best.pt", *(f"run/checkpoint-{step}/{name}.pt" for step in [100, 11]
                                                        for name in ["model", "optimizer"])])
        self.assertIn("nothing to remove", self.s3("cleanup", self.uri("run"), "--keep-last-n", "2", "--yes").out)

    def test_the_newest_good_one_is_never_removed(self):
        for step in [1, 2, 3]:
            self.put(f"run/epoch_{step}.pt", b"m" * 1000)
            time.sleep(1.05)
        self.put("run/epoch_4.pt", b"")
        record = self.s3("cleanup", self.uri("run"), "--keep-last-n", "1", "--yes", "--output", "json")
        self.assertEqual(self.keys(), ["run/epoch_3.pt", "run/epoch_4.pt"], record)
        self.fails(2, "cleanup", self.uri("run"), "--keep-last-n", "0", says="at least 1")

    def test_what_makes_no_sense(self):
        self.fails(2, "cleanup", self.uri("run"), says="--multipart")
        self.fails(2, "cleanup", self.uri("run"), "--multipart", "--keep-last-n", "1")
        self.fails(2, "cleanup", self.uri("run"), "--keep-last-n", "1", "--older-than", "1d")
        self.fails(3, "cleanup", self.uri("none"), "--keep-last-n", "1", says="nothing at")

    def begin_upload(self, key):
        """A multipart upload that nobody finishes: what an interrupted upload leaves."""
        path = self.file("half", os.urandom(12 * MIB))
        process = subprocess.Popen([cloud.RUNCTL, "s3", "upload", path, self.uri(key), "--part-size", "5MiB",
                                    "--concurrency", "1", "--bandwidth-limit", "4MiB"],
                                   env=self.cloud.environment, cwd=self.place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        found = cloud.wait_until(lambda: self.unfinished(key), 20)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertTrue(found)

    def unfinished(self, key, older="1s"):
        time.sleep(1.1)
        return self.s3("cleanup", self.uri(key), "--multipart", "--older-than", older, "--dry-run",
                       "--output", "json").record["unfinished"]

    def test_uploads_that_nobody_finished_are_aborted(self):
        self.begin_upload("big/one")
        self.assertEqual(self.unfinished("big/", older="1d"), [])
        self.assertEqual(self.unfinished("bi"), [])
        self.assertEqual(self.unfinished("big")[0]["target"], self.uri("big/one"))
        self.fails(4, "cleanup", self.uri("big"), "--multipart", "--older-than", "1s", says="Abort 1 upload")
        ignore = self.file("ignore", "one\n")
        for uri, patterns in [("big", ["--exclude", "/one"]), ("big/one", ["--exclude", "one"]), ("big", ["--exclude-from", ignore]),
                              ("", ["--include", "*.pt"])]:
            spared = self.s3("cleanup", self.uri(uri), "--multipart", "--older-than", "1s", "--yes", *patterns)
            self.assertIn("no unfinished upload", spared.out, patterns)
        self.assertEqual(len(self.unfinished("big")), 1)
        done = self.s3("cleanup", self.uri("big"), "--multipart", "--older-than", "1s", "--yes", "--output", "json").record
        self.assertEqual([one["target"] for one in done["aborted"]], [self.uri("big/one")])
        self.assertEqual(self.unfinished("big"), [])


class Interrupted(S3Test):
    def begin(self, *words):
        process = subprocess.Popen([cloud.RUNCTL, "s3", *words], env=self.cloud.environment, cwd=self.place,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        return process

    def end(self, process, how=signal.SIGINT, after=1.5):
        time.sleep(after)
        self.assertIsNone(process.poll(), "it was over before it could be interrupted")
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err

    def test_an_upload_goes_on_where_it_stopped(self):
        path = self.file("big", os.urandom(24 * MIB))
        slow = ["--part-size", "5MiB", "--concurrency", "2", "--bandwidth-limit", "8MiB"]
        code, _, err = self.end(self.begin("upload", path, self.uri("k"), *slow))
        self.assertEqual(code, 130, err)
        self.assertIn("The same command goes on", err)
        self.assertIn("Left in the bucket", err)
        self.assertEqual(self.keys(), [])
        again = self.s3("upload", path, self.uri("k"), "--part-size", "5MiB", "--output", "json").record
        self.assertGreater(again["continued_bytes"], 0, again)
        self.assertEqual(hashlib.sha256(self.content("k")).digest(), hashlib.sha256(open(path, "rb").read()).digest())
        time.sleep(1.1)
        self.assertIn("no unfinished upload", self.s3("cleanup", self.uri("k"), "--multipart", "--older-than", "1s").out)

    def test_what_is_said_to_drop_an_upload_drops_it(self):
        path = self.file("big", os.urandom(24 * MIB))
        slow = ["--part-size", "5MiB", "--concurrency", "2", "--bandwidth-limit", "8MiB"]
        for words in [["upload", path, self.uri("k")], ["upload", self.place, self.uri("t"), "-r", "--include", "big"]]:
            code, _, err = self.end(self.begin(*words, *slow))
            self.assertEqual(code, 130, err)
            said = [line for line in err.splitlines() if "To drop what is half up: " in line]
            self.assertEqual(len(said), 1, err)
            time.sleep(1.1)
            command = shlex.split(said[0].split("half up: ")[1])
            self.assertEqual(command[:2], ["runctl", "s3"])
            self.assertIn("Aborted 1 upload", self.s3(*command[2:], "--yes").out)

    def fault(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", "add", *words, "--state", self.cloud.state))
        self.addCleanup(self.cloud.run, "emulator", "fault", "clear", "--state", self.cloud.state)

    def test_an_error_of_all_says_what_is_left_in_the_bucket(self):
        path = self.file("tree/big", os.urandom(12 * MIB))
        self.fault("UploadPart", "fail-before", "code=ExpiredToken", "status=400", "skip=1")
        slow = ["--part-size", "5MiB", "--concurrency", "1"]
        for words in [["upload", path, self.uri("k")], ["upload", self.path("tree"), self.uri("t"), "-r"]]:
            self.fails(5, *words, *slow, says=["Left in the bucket: ", "cleanup --multipart --older-than 1s"])

    def test_an_error_of_the_list_says_what_failed_and_is_left(self):
        for i in range(1001):
            self.file(f"many/m{i:04}", b"")
        self.s3("upload", self.path("many"), self.uri("t"), "-r")
        self.file("tree/a-big", os.urandom(12 * MIB))
        self.fault("UploadPart", "fail-before", "code=AccessDenied", "status=403", "skip=1")
        self.fault("ListObjectsV2", "fail-before", "code=AccessDenied", "status=403", "skip=1")
        self.fails(5, "sync", self.path("tree"), self.uri("t"), "--part-size", "5MiB", "--concurrency", "1",
                   says=["failed: ", "tree/a-big", "Left in the bucket: 5.0 MiB of"])

    def test_what_may_be_somebody_elses_is_not_said_to_be_ours(self):
        path = self.file("big", os.urandom(12 * MIB))
        self.fault("CreateMultipartUpload", "drop-reply", "times=1")
        up = self.s3("upload", path, self.uri("k"), "--part-size", "5MiB")
        self.assertIn("Perhaps left in the bucket", up.err)
        self.assertIn("somebody else's", up.err)
        self.assertNotIn("could not be aborted", up.err)
        self.fault("CreateMultipartUpload", "drop-reply", "times=1")
        left = self.s3("upload", path, self.uri("k"), "--part-size", "5MiB", "--output", "json").record["left_open"]
        self.assertEqual({(one["why"], one["resumable"]) for one in left}, {("unheard", False)})

    def test_an_upload_is_dropped_when_asked(self):
        path = self.file("big", os.urandom(24 * MIB))
        slow = ["--part-size", "5MiB", "--concurrency", "2", "--bandwidth-limit", "8MiB"]
        code, _, err = self.end(self.begin("upload", path, self.uri("k"), "--on-interrupt", "abort", *slow))
        self.assertEqual(code, 130, err)
        self.assertNotIn("Left in the bucket", err)
        time.sleep(1.1)
        self.assertIn("no unfinished upload", self.s3("cleanup", self.uri("k"), "--multipart", "--older-than", "1s").out)

    def test_a_download_goes_on_where_it_stopped(self):
        data = os.urandom(24 * MIB)
        self.s3("upload", self.file("big", data), self.uri("k"), "--part-size", "5MiB")
        process = self.begin("download", self.uri("k"), self.path("back"), "--bandwidth-limit", "8MiB", "--part-size", "5MiB")
        code, _, err = self.end(process, how=signal.SIGINT)
        self.assertEqual(code, 130, err)
        self.assertFalse(os.path.exists(self.path("back")))
        again = self.s3("download", self.uri("k"), self.path("back"), "--part-size", "5MiB", "--output", "json").record
        self.assertGreater(again["continued_bytes"], 0, again)
        with open(self.path("back"), "rb") as file:
            self.assertTrue(file.read() == data)
        self.assertEqual(self.names_below(self.place), ["back", "big"])

    def test_a_tree_that_was_killed_goes_on(self):
        for i in range(200):
            self.file(f"tree/{i:03}", os.urandom(50_000), mtime=1_600_000_000)
        process = self.begin("sync", self.path("tree"), self.uri("t"), "--bandwidth-limit", "4MiB", "--concurrency", "4")
        code, _, _ = self.end(process, how=signal.SIGKILL, after=1)
        self.assertEqual(code, -signal.SIGKILL)
        before = len(self.keys("t"))
        self.assertLess(before, 200)
        record = self.s3("sync", self.path("tree"), self.uri("t"), "--output", "json").record
        self.assertEqual(record["uploaded"]["objects"] + record["unchanged"]["objects"], 200)
        self.assertGreaterEqual(record["unchanged"]["objects"], before)
        self.s3("download", self.uri("t"), self.path("back"), "-r")
        self.assertEqual(filecmp.dircmp(self.path("tree"), self.path("back")).diff_files, [])
        self.assertEqual(len(os.listdir(self.path("back"))), 200)

    def test_time_that_runs_out_is_exit_6(self):
        path = self.file("big", os.urandom(16 * MIB))
        self.fails(6, "upload", path, self.uri("k"), "--bandwidth-limit", "2MiB", "--timeout", "2s", "--part-size", "5MiB",
                   says="Stopped by --timeout")


class Connection(S3Test):
    def test_an_endpoint_is_named_on_the_command_line_or_in_a_profile(self):
        self.put("k", "data")
        bare = {"AWS_ENDPOINT_URL": "", "AWS_DEFAULT_REGION": ""}
        self.assertEqual(self.s3("cat", self.uri("k"), "--endpoint-url", self.cloud.endpoint, environment=bare).out, "data")
        config = self.file("config", f"[profile there]\naws_access_key_id = emulator\naws_secret_access_key = emulator\n"
                                     f"endpoint_url = {self.cloud.endpoint}\ns3 =\n  addressing_style = path\n")
        bare.update(AWS_CONFIG_FILE=config, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        self.assertEqual(self.s3("cat", self.uri("k"), "--profile", "there", environment=bare).out, "data")

    def test_the_emulator_is_started_and_said_to_be_used(self):
        state = self.path("state")
        words = ["--emulator", "--state", state]
        self.addCleanup(self.cloud.run, "emulator", "stop", "--state", state)
        bare = {name: "" for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]}
        made = self.s3("create", "s3://mine", *words, environment=bare)
        self.assertIn("nothing here is AWS", made.err)
        self.s3("upload", self.file("f", "1"), "s3://mine/f", *words, environment=bare)
        self.assertEqual(self.s3("list", "s3://mine", *words, "--output", "id", environment=bare).out, "s3://mine/f\n")

    def test_nobody_signs_when_asked_and_a_payer_is_said(self):
        self.put("k", "data")
        # The emulator has no public buckets: what is not signed is refused, and no credentials are looked for.
        nobody = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
        refused = self.fails(5, "cat", self.uri("k"), "--no-sign-request", environment=nobody)
        self.assertIn("AccessDenied", refused.err)
        self.assertEqual(self.s3("cat", self.uri("k"), "--request-payer", "requester").out, "data")
        url = self.s3("presign", self.uri("k"), "--request-payer", "requester").out
        self.assertIn("x-amz-request-payer", url.lower())

    def test_checks_are_left_out_where_asked(self):
        none = {"AWS_REQUEST_CHECKSUM_CALCULATION": "when_required", "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required"}
        self.file("tree/large", os.urandom(12 * MIB))
        self.file("tree/small", "1")
        for kind in [[], ["--checksum-algorithm", "crc32c"]]:
            self.s3("upload", self.path("tree"), self.uri("t"), "-r", "--part-size", "5MiB", *kind, environment=none)
            self.s3("download", self.uri("t"), self.path("back"), "-r", environment=none)
            self.assertEqual(filecmp.cmpfiles(self.path("tree"), self.path("back"), ["large", "small"], shallow=False)[0],
                             ["large", "small"])

    def test_versions_are_listed(self):
        self.put("k", "data")
        listed = self.s3("list", self.uri("k"), "--versions", "--output", "json").record["objects"]
        self.assertEqual([(one["key"], one["current"], one["deleted"]) for one in listed], [("k", True, False)])
        version = listed[0]["version_id"]
        self.assertEqual(self.s3("cat", self.uri("k"), "--version-id", version).out, "data")
        self.s3("download", self.uri("k"), self.path("old"), "--version-id", version)
        self.fails(2, "download", self.uri(""), self.path("d"), "-r", "--version-id", version)


class Mistakes(S3Test):
    def test_words_that_are_wrong_are_told_what_was_meant(self):
        path = self.file("f")
        os.mkdir(self.path("d"))
        for words, text in [
            (["upload", path, "s3:/bucket/x"], "Write s3://bucket/x."),
            (["upload", path, "bucket/x"], "such as s3://bucket/x."),
            (["upload", path], "needs S3URI"),
            (["upload", self.uri("a"), self.uri("b")], "runctl s3 copy"),
            (["upload", self.path("d"), self.uri("d")], "--recursive"),
            (["upload", "-", self.uri("d")], "Standard input"),
            (["upload", path, self.uri("k"), "--part-size", "1MiB"], "from 5MiB to 5GiB"),
            (["upload", path, self.uri("k"), "--part-size", "lots"], "such as 16MiB"),
            (["upload", path, self.uri("k"), "--concurrency", "0"], "at least 1"),
            (["upload", path, self.uri("k"), "--sse", "rot13"], "AES256"),
            (["upload", path, self.uri("k"), "--sse-kms-key-id", "x"], "--sse aws:kms"),
            (["upload", path, self.uri("k"), "--metadata", "x"], "NAME=VALUE"),
            (["upload", path, self.uri("k"), "--on-interrupt", "cry"], "keep or abort"),
            (["upload", path, self.uri("k"), "--checksum-algorithm", "md4"], "CRC64NVME"),
            (["upload", path, self.uri("k"), "--request-payer", "me"], "requester"),
            (["upload", path, self.uri("k"), "--addressing-style", "dns"], "auto, path or virtual"),
            (["uplod", path, self.uri("k")], "Did you mean 'runctl s3 upload'?"),
            (["download", self.uri("a"), self.uri("b")], "runctl s3 copy"),
            (["download", self.uri("a/"), self.place], "--recursive"),
            (["download", self.uri(""), self.place], "is a bucket"),
            (["download", self.uri("a"), "-"], "runctl s3 cat"),
            (["copy", path, self.uri("b")], "runctl s3 upload"),
            (["copy", self.uri("b"), path], "runctl s3 download"),
            (["copy", self.uri("b"), self.uri("b")], "onto itself"),
            (["copy", self.uri("b"), self.uri("b"), "--acl", "bucket-owner-full-control"], "onto itself"),
            (["remove", self.uri("d/")], "--recursive"),
            (["remove", self.uri("")], "is a bucket"),
            (["list", "https://my-data.s3.amazonaws.com/x"], "Write s3://my-data/x."),
            (["list", "arn:aws:s3:::my-data/x"], "ARN"),
            (["create", self.uri("folder/")], "only buckets"),
            (["create", "s3://My_Bucket"], "lower-case"),
            (["presign", self.uri("k"), "--no-sign-request"], "signed"),
        ]:
            outcome = self.run3(*words)
            self.assertEqual(outcome.code, 2, (words, outcome))
            self.assertIn(text.lower(), outcome.err.lower(), words)
            self.assertEqual(outcome.out, "", words)

    def test_what_does_not_exist_is_exit_3(self):
        path = self.file("f")
        nowhere = "s3://no-such-bucket-at-all"
        self.fails(3, "upload", self.path("none"), self.uri("k"), says="No such file")
        self.fails(3, "upload", path, nowhere + "/k", says="bucket")
        self.fails(3, "upload", self.place, nowhere + "/k", "-r", says="bucket")
        self.fails(3, "download", self.uri("none"), self.path("x"))
        self.fails(3, "download", nowhere + "/k", self.path("x"), says="bucket")
        self.fails(3, "download", self.uri("none/"), self.path("x"), "-r", says="nothing at")
        self.fails(3, "cat", self.uri("none"))
        self.fails(3, "cat", nowhere + "/k", says="bucket")
        self.fails(3, "copy", self.uri("none"), self.uri("x"))
        self.fails(3, "remove", nowhere + "/k", "--yes", says="bucket")
        self.fails(3, "du", nowhere, says="bucket")
        self.assertFalse(os.path.exists(self.path("x")))

    def test_a_folder_that_was_taken_for_an_object_is_said_to_be_one(self):
        self.put("data/x")
        for words in [["download", self.uri("data"), self.path("x")], ["copy", self.uri("data"), self.uri("y")]]:
            self.fails(3, *words, says=["folder", "--recursive"])
        self.fails(2, "remove", self.uri("data"), "--yes", says=["folder", "--recursive"])
        self.fails(3, "cat", self.uri("data"), says="runctl s3 list")

    def test_who_may_not_is_exit_5(self):
        path = self.file("f")
        wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
        self.fails(5, "list", self.uri(""), environment=wrong)
        self.fails(5, "upload", path, self.uri("k"), environment=wrong)
        self.fails(5, "upload", self.place, self.uri("k"), "-r", environment=wrong)
        self.fails(5, "list", environment={"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""})

    def test_errors_are_records_under_json(self):
        outcome = self.run3("download", self.uri("none"), self.path("x"), "--output", "json")
        self.assertEqual(outcome.code, 3)
        self.assertEqual(outcome.record["error"]["code"], "not_found")

    def test_a_bucket_that_is_there_already_is_no_error(self):
        self.s3("create", self.uri(""))  # which S3 in us-east-1 takes for made
        there = "s3://eu-" + self.bucket
        self.assertIn("is made", self.s3("create", there, "--region", "eu-west-1").out)
        self.assertIn("is there already", self.s3("create", there, "--region", "eu-west-1").out)


if __name__ == "__main__":
    cloud.main()
