"""Three clients of S3 that this project did not write, against the emulator: the AWS CLI, rclone and s3cmd, from Debian.
Then what none of them does, by requests that are signed here.

RUNCTL       path of the program; it is started as `runctl emulator run`
AWS_CLI, RCLONE, S3CMD   paths of the clients (default: below /usr/bin); who is missing is skipped, by name

What goes up and comes down is compared by SHA-256, which is not what S3 or its clients compare it by.
"""
import base64
import binascii
import concurrent.futures
import hashlib
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import sigv4

AWS_CLI = os.environ.get("AWS_CLI", "/usr/bin/aws")
RCLONE = os.environ.get("RCLONE", "/usr/bin/rclone")
S3CMD = os.environ.get("S3CMD", "/usr/bin/s3cmd")
MIB = 1 << 20


def content(size, seed=1):
    return random.Random(seed).randbytes(size)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Refused(Exception):
    def __init__(self, text):
        super().__init__(text)
        found = re.search(r"An error occurred \((\S+)\)", text)
        self.code = found.group(1) if found else ""


class S3Test(cloud.CloudTest):
    def setUp(self):
        self.home = tempfile.TemporaryDirectory(prefix="runctl-s3-")
        self.addCleanup(self.home.cleanup)
        self.client = sigv4.S3(self.cloud.endpoint)
        self.addCleanup(self.client.close)

    def path(self, *names):
        return os.path.join(self.home.name, *names)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data)
        return self.path(name)

    def digest_of(self, name):
        with open(self.path(name), "rb") as file:
            return digest(file.read())

    def tree(self, name):
        """Relative names and digests of all files below."""
        found = {}
        for folder, _, names in os.walk(self.path(name)):
            for one in names:
                whole = os.path.join(folder, one)
                with open(whole, "rb") as file:
                    found[os.path.relpath(whole, self.path(name))] = digest(file.read())
        return found

    def make_tree(self, name, count=40):
        odd = ["a b.txt", "plus+sign", "per%20cent", "schön/größe.bin", "deep/er/and/deeper", "quote'd", "empty", "&<>\"", "日本"]
        for number, one in enumerate(odd + [f"many/{i:03}" for i in range(count)]):
            self.write(os.path.join(name, one), b"" if one == "empty" else content(1 + number * 97, number))
        return self.tree(name)

    def run_words(self, words, **environment):
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.home.name, "LANG": "C.UTF-8", **environment}
        return subprocess.run(words, capture_output=True, env=environment, timeout=300, cwd=self.home.name)

    def bucket(self, name):
        status, _, body = self.client.call("PUT", f"/{name}")
        self.assertEqual(status, 200, body)
        return name

    def put(self, path, data, **headers):
        status, answer, body = self.client.call("PUT", path, headers={n.replace("_", "-"): v for n, v in headers.items()},
                                                body=data)
        self.assertEqual(status, 200, body)
        return answer

    def get(self, path, **headers):
        return self.client.call("GET", path, headers={n.replace("_", "-"): v for n, v in headers.items()})

    def refused(self, answer, status, code):
        self.assertEqual(answer[0], status, answer)
        self.assertIn(f"<Code>{code}</Code>".encode(), answer[2], answer)


@unittest.skipUnless(os.path.exists(AWS_CLI), "no AWS CLI here (apt-get install awscli)")
class AwsCli(S3Test):
    def aws(self, *words, stdin=None, raw=False, endpoint=None, **environment):
        environment = {"PATH": "/usr/bin:/bin", "HOME": self.home.name, "AWS_PAGER": "", "LANG": "C.UTF-8",
                       "AWS_ACCESS_KEY_ID": "emulator", "AWS_SECRET_ACCESS_KEY": "emulator",
                       "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
                       **environment}
        done = subprocess.run([AWS_CLI, "--endpoint-url", endpoint or self.cloud.endpoint, "--output", "json", *words],
                              capture_output=True, env=environment, timeout=300, input=stdin, cwd=self.home.name)
        if done.returncode != 0:
            raise Refused(done.stderr.decode())
        if raw:
            return done.stdout
        return json.loads(done.stdout) if done.stdout.strip() else None

    def s3(self, *words, **options):
        return self.aws("s3", *words, raw=True, **options)

    def api(self, *words, **options):
        return self.aws("s3api", *words, **options)

    def code_of(self, *words, **options):
        with self.assertRaises(Refused) as caught:
            self.aws(*words, **options)
        return caught.exception.code

    def test_files_go_up_and_come_down(self):
        self.s3("mb", "s3://updown")
        small, big = content(1000), content(24 * MIB + 17)
        self.write("small", small)
        self.write("big", big)
        self.s3("cp", "small", "s3://updown/a/small")
        self.s3("cp", "big", "s3://updown/big")
        self.assertTrue(self.api("head-object", "--bucket", "updown", "--key", "big")["ETag"].endswith('-4"'), "in parts")
        listed = self.s3("ls", "s3://updown").decode()
        self.assertIn("PRE a/", listed)
        self.assertRegex(listed, rf"{len(big)} big")
        for name in ("a/small", "big"):
            self.s3("cp", f"s3://updown/{name}", "down/" + name)
        self.assertEqual(self.tree("down"), {"a/small": digest(small), "big": digest(big)})
        self.s3("cp", "s3://updown/big", "s3://updown/copy")
        self.s3("mv", "s3://updown/copy", "s3://updown/moved")
        self.s3("mv", "s3://updown/moved", "moved")
        self.assertEqual(self.digest_of("moved"), digest(big), "copied in parts, on the server")
        self.s3("cp", "-", "s3://updown/piped", stdin=small)
        self.assertEqual(self.s3("cp", "s3://updown/piped", "-"), small)
        with self.assertRaises(Refused):
            self.s3("rb", "s3://updown")
        self.s3("rm", "--recursive", "s3://updown")
        self.s3("rb", "s3://updown")
        self.assertEqual(self.code_of("s3api", "list-objects-v2", "--bucket", "updown"), "NoSuchBucket")

    def test_a_tree_is_synced_both_ways(self):
        self.s3("mb", "s3://tree")
        made = self.make_tree("up")
        self.s3("sync", "up", "s3://tree/x")
        self.assertEqual(self.s3("sync", "up", "s3://tree/x"), b"", "nothing is sent twice")
        self.s3("sync", "s3://tree/x", "down")
        self.assertEqual(self.tree("down"), made)
        os.remove(self.path("up", "many", "001"))
        self.s3("sync", "--delete", "up", "s3://tree/x")
        self.assertNotIn("many/001", self.s3("ls", "--recursive", "s3://tree").decode())
        self.s3("sync", "s3://tree/x", "s3://tree/y")
        self.s3("cp", "--recursive", "s3://tree/y", "again")
        self.assertEqual(self.tree("again"), self.tree("up"))

    def test_a_presigned_url_needs_no_keys(self):
        self.s3("mb", "s3://presigned")
        self.s3("cp", "-", "s3://presigned/an object+1", stdin=b"hello")
        url = self.s3("presign", "s3://presigned/an object+1", "--expires-in", "60").decode().strip()
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(answer.read(), b"hello")
        for wrong in (url.replace("object", "0bject"), url.split("?")[0]):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(wrong)
            self.assertEqual(caught.exception.code, 403)
            caught.exception.close()
        short = self.s3("presign", "s3://presigned/an object+1", "--expires-in", "1").decode().strip()
        time.sleep(2.1)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(short)
        self.assertIn(b"Request has expired", caught.exception.read())
        caught.exception.close()

    def test_what_an_object_is_given_with_comes_back(self):
        self.api("create-bucket", "--bucket", "given")
        body = self.write("body", content(5000))
        self.api("put-object", "--bucket", "given", "--key", "o", "--body", body, "--content-type", "text/x-test",
                 "--cache-control", "no-cache", "--content-disposition", "attachment", "--content-encoding", "none",
                 "--metadata", "Run=7,owner=some one", "--storage-class", "STANDARD_IA", "--checksum-algorithm", "SHA256",
                 "--server-side-encryption", "aws:kms", "--ssekms-key-id", "1234abcd")
        seen = self.api("head-object", "--bucket", "given", "--key", "o", "--checksum-mode", "ENABLED")
        self.assertEqual((seen["ContentType"], seen["CacheControl"], seen["ContentDisposition"], seen["ContentEncoding"]),
                         ("text/x-test", "no-cache", "attachment", "none"))
        self.assertEqual(seen["Metadata"], {"run": "7", "owner": "some one"})
        self.assertEqual((seen["StorageClass"], seen["ServerSideEncryption"], seen["ContentLength"]),
                         ("STANDARD_IA", "aws:kms", 5000))
        self.assertEqual(seen["ChecksumSHA256"], base64.b64encode(hashlib.sha256(content(5000)).digest()).decode())
        self.assertNotEqual(seen["ETag"].strip('"'), hashlib.md5(content(5000)).hexdigest(), "no MD5 under KMS")
        self.api("copy-object", "--bucket", "given", "--key", "copy", "--copy-source", "given/o")
        copied = self.api("head-object", "--bucket", "given", "--key", "copy")
        self.assertEqual((copied["Metadata"], copied["ContentType"]), (seen["Metadata"], "text/x-test"))
        self.assertEqual(copied["ETag"].strip('"'), hashlib.md5(content(5000)).hexdigest())
        self.api("copy-object", "--bucket", "given", "--key", "copy", "--copy-source", "given/copy",
                 "--metadata-directive", "REPLACE", "--metadata", "a=b")
        self.assertEqual(self.api("head-object", "--bucket", "given", "--key", "copy")["Metadata"], {"a": "b"})
        self.assertEqual(self.code_of("s3api", "copy-object", "--bucket", "given", "--key", "copy",
                                      "--copy-source", "given/copy"), "InvalidRequest")
        self.assertEqual(self.code_of("s3api", "put-object", "--bucket", "given", "--key", "o",
                                      "--storage-class", "CHEAP"), "InvalidStorageClass")
        self.api("get-object", "--bucket", "given", "--key", "o", "--range", "bytes=10-19", self.path("part"))
        self.assertEqual(self.digest_of("part"), digest(content(5000)[10:20]))

    def test_keys_of_customers_with_the_other_program(self):
        """What AWS's tool writes with a key runctl reads with it, and the other way round; so with nobody else's."""
        bucket = self.bucket("customers")
        self.write("key", content(32, 7))
        self.write("wrong", content(32, 8))
        theirs = ["--sse-c", "AES256", "--sse-c-key", "fileb://key"]
        small, big = content(1000), content(24 * MIB + 17)
        self.write("small", small)
        self.write("big", big)

        def runctl(*words, code=0):
            done = subprocess.run([cloud.RUNCTL, "s3", *words], capture_output=True, timeout=300, env=self.cloud.environment,
                                  cwd=self.home.name, check=False)
            self.assertEqual(done.returncode, code, done.stderr)
            return done.stdout

        for name, data in (("small", small), ("big", big)):
            self.s3("cp", name, f"s3://{bucket}/theirs/{name}", *theirs)
            runctl("download", f"s3://{bucket}/theirs/{name}", "down", *theirs, "--part-size", "5MiB")
            self.assertEqual(self.digest_of("down"), digest(data))
            runctl("upload", name, f"s3://{bucket}/ours/{name}", *theirs, "--part-size", "5MiB")
            self.s3("cp", f"s3://{bucket}/ours/{name}", "down", *theirs)
            self.assertEqual(self.digest_of("down"), digest(data))
            for prefix in ("theirs", "ours"):
                where = ["--bucket", bucket, "--key", f"{prefix}/{name}"]
                seen = self.api("head-object", *where, "--sse-customer-algorithm", "AES256", "--sse-customer-key", "fileb://key")
                self.assertEqual((seen["SSECustomerAlgorithm"], seen["ContentLength"]), ("AES256", len(data)))
                self.assertEqual(seen["SSECustomerKeyMD5"], base64.b64encode(hashlib.md5(content(32, 7)).digest()).decode())
                self.assertNotIn("ServerSideEncryption", seen)
                self.assertNotEqual(seen["ETag"].strip('"'), hashlib.md5(data).hexdigest())
                self.assertEqual(self.code_of("s3api", "head-object", *where), "400")
                self.assertEqual(self.code_of("s3api", "get-object", *where, self.path("x")), "InvalidRequest")
                self.assertEqual(self.code_of("s3api", "get-object", *where, "--sse-customer-algorithm", "AES256",
                                              "--sse-customer-key", "fileb://wrong", self.path("x")), "AccessDenied")
                runctl("cat", f"s3://{bucket}/{prefix}/{name}", code=2)
                runctl("cat", f"s3://{bucket}/{prefix}/{name}", "--sse-c-key", "fileb://wrong", code=5)
        # Copies, in one and in parts, from one key to another.
        new = ["--sse-c", "AES256", "--sse-c-key", "fileb://wrong", "--sse-c-copy-source", "AES256", "--sse-c-copy-source-key",
               "fileb://key"]
        for name, data in (("small", small), ("big", big)):
            self.s3("cp", f"s3://{bucket}/ours/{name}", f"s3://{bucket}/their-copy/{name}", *new)
            runctl("copy", f"s3://{bucket}/theirs/{name}", f"s3://{bucket}/our-copy/{name}", *new)
            for prefix in ("their-copy", "our-copy"):
                self.assertEqual(digest(runctl("cat", f"s3://{bucket}/{prefix}/{name}", "--sse-c-key", "fileb://wrong")),
                                 digest(data))
                self.s3("cp", f"s3://{bucket}/{prefix}/{name}", "down", "--sse-c", "AES256", "--sse-c-key", "fileb://wrong")
                self.assertEqual(self.digest_of("down"), digest(data))

    def test_parts(self):
        self.api("create-bucket", "--bucket", "parts")
        upload = self.api("create-multipart-upload", "--bucket", "parts", "--key", "o", "--metadata", "a=b",
                          "--checksum-algorithm", "CRC32C")["UploadId"]
        where = ["--bucket", "parts", "--key", "o", "--upload-id", upload]
        pieces = [content(5 * MIB, 1), content(5 * MIB, 2), content(99, 3)]
        done = []
        for number, piece in enumerate(pieces, 1):
            answer = self.api("upload-part", *where, "--part-number", str(number), "--body", self.write("p", piece),
                              "--checksum-algorithm", "CRC32C")
            self.assertEqual(answer["ETag"].strip('"'), hashlib.md5(piece).hexdigest())
            done.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32C": answer["ChecksumCRC32C"]})
        listed = self.api("list-parts", *where, "--page-size", "2")["Parts"]
        self.assertEqual([part["Size"] for part in listed], [len(piece) for piece in pieces])
        [pending] = self.api("list-multipart-uploads", "--bucket", "parts")["Uploads"]
        self.assertEqual((pending["Key"], pending["UploadId"]), ("o", upload))

        def complete(parts):
            return ["complete-multipart-upload", *where, "--multipart-upload", json.dumps({"Parts": parts})]

        self.assertEqual(self.code_of("s3api", *complete(done[::-1])), "InvalidPartOrder")
        self.assertEqual(self.code_of("s3api", *complete([{**done[0], "ETag": '"0"'}])), "InvalidPart")
        self.assertEqual(self.code_of("s3api", *complete([{"PartNumber": 3, "ETag": done[2]["ETag"]},
                                                          {"PartNumber": 9, "ETag": done[0]["ETag"]}])), "InvalidPart")
        made = self.api(*complete(done))
        joined = hashlib.md5(b"".join(hashlib.md5(piece).digest() for piece in pieces)).hexdigest()
        self.assertEqual(made["ETag"], f'"{joined}-3"')
        self.assertTrue(made["ChecksumCRC32C"].endswith("-3"), made)
        self.assertEqual(self.api(*complete(done))["ETag"], made["ETag"], "again is as once")
        self.api("get-object", "--bucket", "parts", "--key", "o", self.path("all"))
        self.assertEqual(self.digest_of("all"), digest(b"".join(pieces)))
        second = self.api("get-object", "--bucket", "parts", "--key", "o", "--part-number", "2", self.path("second"))
        self.assertEqual((self.digest_of("second"), second["PartsCount"]), (digest(pieces[1]), 3))

        upload = self.api("create-multipart-upload", "--bucket", "parts", "--key", "o")["UploadId"]
        where = ["--bucket", "parts", "--key", "o", "--upload-id", upload]
        small = [{"PartNumber": n, "ETag": self.api("upload-part", *where, "--part-number", str(n),
                                                    "--body", self.write("p", b"x"))["ETag"]} for n in (1, 2)]
        self.assertEqual(self.code_of("s3api", *complete(small)), "EntityTooSmall")
        copied = self.api("upload-part-copy", *where, "--part-number", "1", "--copy-source", "parts/o",
                          "--copy-source-range", f"bytes=1-{6 * MIB}")["CopyPartResult"]["ETag"]
        self.api(*complete([{"PartNumber": 1, "ETag": copied}, small[1]]))
        self.api("get-object", "--bucket", "parts", "--key", "o", self.path("all"))
        self.assertEqual(self.digest_of("all"), digest(b"".join(pieces)[1:6 * MIB + 1] + b"x"))
        upload = self.api("create-multipart-upload", "--bucket", "parts", "--key", "other")["UploadId"]
        where = ["--bucket", "parts", "--key", "other", "--upload-id", upload]
        self.api("abort-multipart-upload", *where)
        self.assertEqual(self.code_of("s3api", "list-parts", *where), "NoSuchUpload")
        self.assertNotIn("Uploads", self.api("list-multipart-uploads", "--bucket", "parts") or {})

    def test_listings(self):
        self.bucket("listed")
        keys = [f"d{i}/{j}" for i in range(3) for j in range(4)] + ["a", "b b", "z"]
        for key in keys:
            self.put("/listed/" + urllib.request.quote(key), key.encode())
        found = self.api("list-objects-v2", "--bucket", "listed", "--page-size", "4")["Contents"]
        self.assertEqual([one["Key"] for one in found], sorted(keys))
        for operation in ("list-objects", "list-objects-v2", "list-object-versions"):
            page = self.api(operation, "--bucket", "listed", "--delimiter", "/", "--page-size", "2")
            self.assertEqual([one["Prefix"] for one in page["CommonPrefixes"]], ["d0/", "d1/", "d2/"], operation)
            self.assertEqual([one["Key"] for one in page.get("Contents", page.get("Versions"))], ["a", "b b", "z"], operation)
        inside = self.api("list-objects-v2", "--bucket", "listed", "--prefix", "d1/", "--start-after", "d1/1")["Contents"]
        self.assertEqual([one["Key"] for one in inside], ["d1/2", "d1/3"])
        self.assertNotIn("Contents", self.api("list-objects-v2", "--bucket", "listed", "--prefix", "none") or {})
        self.assertIn("listed", [b["Name"] for b in self.api("list-buckets")["Buckets"]])
        gone = self.api("delete-objects", "--bucket", "listed", "--delete", json.dumps(
            {"Objects": [{"Key": "d0/1"}, {"Key": "never there"}]}))["Deleted"]
        self.assertEqual(sorted(one["Key"] for one in gone), ["d0/1", "never there"])

    def test_conditions(self):
        self.bucket("conditions")
        self.put("/conditions/o", b"one")
        etag = self.api("head-object", "--bucket", "conditions", "--key", "o")["ETag"]
        where = ["--bucket", "conditions", "--key", "o"]
        self.assertEqual(self.code_of("s3api", "get-object", *where, "--if-match", '"other"', self.path("x")),
                         "PreconditionFailed")
        self.api("get-object", *where, "--if-match", etag, self.path("x"))
        self.assertEqual(self.code_of("s3api", "get-object", *where, "--if-none-match", etag, self.path("x")), "304")
        self.assertEqual(self.code_of("s3api", "head-object", *where, "--if-modified-since", "2099-01-01"), "304")
        self.assertEqual(self.code_of("s3api", "head-object", *where, "--if-unmodified-since", "2001-01-01"), "412")
        self.assertEqual(self.code_of("s3api", "get-object", *where, "--range", "bytes=3-", self.path("x")), "InvalidRange")
        self.assertEqual(self.code_of("s3api", "get-object", "--bucket", "conditions", "--key", "p", self.path("x")),
                         "NoSuchKey")

    def test_virtual_hosts_and_regions(self):
        """The CLI's own form of address, with the emulator as its proxy to a host of AWS's."""
        self.write(".aws/config", b"[default]\ns3 =\n  addressing_style = virtual\n")
        proxied = {"endpoint": "http://s3.us-east-1.amazonaws.com", "HTTP_PROXY": self.cloud.endpoint}
        self.aws("s3api", "create-bucket", "--bucket", "virtual", **proxied)
        self.s3("cp", "-", "s3://virtual/a//b", stdin=b"by host", **proxied)
        self.assertEqual(self.get("/virtual/a//b")[2], b"by host")
        self.assertEqual(self.s3("cp", "s3://virtual/a//b", "-", **proxied), b"by host")
        self.aws("s3api", "create-bucket", "--bucket", "elsewhere", "--create-bucket-configuration",
                 "LocationConstraint=eu-west-1", AWS_DEFAULT_REGION="eu-west-1")
        self.assertEqual(self.api("get-bucket-location", "--bucket", "elsewhere")["LocationConstraint"], "eu-west-1")
        self.assertIsNone(self.api("get-bucket-location", "--bucket", "virtual")["LocationConstraint"])
        status, headers, body = self.client.call("GET", "/elsewhere")
        self.refused((status, headers, body), 400, "AuthorizationHeaderMalformed")
        self.assertEqual(headers["x-amz-bucket-region"], "eu-west-1")
        self.assertIn(b"<Region>eu-west-1</Region>", body)
        self.assertEqual(self.code_of("s3api", "create-bucket", "--bucket", "third", AWS_DEFAULT_REGION="eu-west-1"),
                         "IllegalLocationConstraintException")
        self.assertEqual(self.code_of("s3api", "create-bucket", "--bucket", "elsewhere", "--create-bucket-configuration",
                                      "LocationConstraint=eu-west-1", AWS_DEFAULT_REGION="eu-west-1"),
                         "BucketAlreadyOwnedByYou")
        self.assertEqual(self.code_of("s3api", "create-bucket", "--bucket", "virtual", AWS_ACCESS_KEY_ID="other"),
                         "BucketAlreadyExists")
        self.assertEqual(self.code_of("s3api", "list-objects-v2", "--bucket", "virtual", AWS_ACCESS_KEY_ID="other"),
                         "AccessDenied")
        self.assertEqual(self.code_of("s3api", "list-objects-v2", "--bucket", "virtual", AWS_SECRET_ACCESS_KEY="wrong"),
                         "SignatureDoesNotMatch")

    def test_public_buckets(self):
        self.api("create-bucket", "--bucket", "public", "--acl", "public-read")
        self.s3("cp", "-", "s3://public/o", stdin=b"for all")
        self.assertEqual(self.s3("cp", "--no-sign-request", "s3://public/o", "-"), b"for all")
        self.assertEqual(self.code_of("s3api", "put-object", "--no-sign-request", "--bucket", "public", "--key", "p"),
                         "AccessDenied")
        self.bucket("private")
        self.assertEqual(self.code_of("s3api", "list-objects-v2", "--no-sign-request", "--bucket", "private"), "AccessDenied")


@unittest.skipUnless(os.path.exists(RCLONE), "no rclone here (apt-get install rclone)")
class Rclone(S3Test):
    def rclone(self, *words):
        done = self.run_words([RCLONE, "--config", self.path("none.conf"), "--retries", "1", "--low-level-retries", "1", *words],
                              RCLONE_CONFIG_E_TYPE="s3", RCLONE_CONFIG_E_PROVIDER="Other",
                              RCLONE_CONFIG_E_ACCESS_KEY_ID="emulator", RCLONE_CONFIG_E_SECRET_ACCESS_KEY="emulator",
                              RCLONE_CONFIG_E_REGION="us-east-1", RCLONE_CONFIG_E_ENDPOINT=self.cloud.endpoint)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def test_a_tree_is_synced_both_ways(self):
        made = self.make_tree("up")
        self.rclone("mkdir", "e:rclone")
        self.rclone("sync", "up", "e:rclone/x")
        self.rclone("check", "up", "e:rclone/x")
        self.rclone("copy", "e:rclone/x", "down")
        self.assertEqual(self.tree("down"), made)
        self.assertEqual(sorted(self.rclone("lsf", "-R", "--files-only", "e:rclone/x").splitlines()), sorted(made))
        self.assertIn("many/", self.rclone("lsf", "e:rclone/x").splitlines())
        os.remove(self.path("up", "many", "001"))
        self.rclone("sync", "up", "e:rclone/x")
        self.rclone("sync", "e:rclone/x", "e:rclone/y")
        self.rclone("copy", "e:rclone/y", "again")
        self.assertEqual(self.tree("again"), self.tree("up"))
        self.rclone("purge", "e:rclone")
        self.assertNotRegex(self.rclone("lsd", "e:"), r" rclone\n")

    def test_a_large_file_goes_in_parts(self):
        big = content(23 * MIB + 5)
        self.write("big", big)
        self.rclone("mkdir", "e:rclone-big")
        self.rclone("copyto", "--s3-upload-cutoff", "6M", "--s3-chunk-size", "5M", "big", "e:rclone-big/big")
        self.rclone("copyto", "--multi-thread-cutoff", "1M", "--multi-thread-streams", "4", "e:rclone-big/big", "down")
        self.assertEqual(self.digest_of("down"), digest(big))
        self.rclone("moveto", "--s3-copy-cutoff", "6M", "e:rclone-big/big", "e:rclone-big/moved")
        self.rclone("copyto", "e:rclone-big/moved", "again")
        self.assertEqual(self.digest_of("again"), digest(big))
        done = self.run_words([RCLONE, "--config", self.path("none.conf"), "rcat", "e:rclone-big/cat"])
        self.assertNotEqual(done.returncode, 0, "without its settings it knows no remote e:")


@unittest.skipUnless(os.path.exists(S3CMD), "no s3cmd here (apt-get install s3cmd)")
class S3cmd(S3Test):
    def s3cmd(self, *words):
        host = self.cloud.endpoint.removeprefix("http://")
        self.write("s3cfg", f"[default]\naccess_key = emulator\nsecret_key = emulator\nhost_base = {host}\n"
                            f"host_bucket = {host}\nuse_https = False\nbucket_location = us-east-1\n".encode())
        done = self.run_words([S3CMD, "-c", self.path("s3cfg"), "--no-progress", *words])
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return done.stdout.decode()

    def test_a_tree_is_synced_both_ways(self):
        made = self.make_tree("up")
        self.s3cmd("mb", "s3://s3cmd")
        self.s3cmd("sync", "up/", "s3://s3cmd/x/")
        self.assertEqual(len(self.s3cmd("ls", "--recursive", "s3://s3cmd").splitlines()), len(made))
        os.mkdir(self.path("down"))
        self.s3cmd("sync", "s3://s3cmd/x/", "down/")
        self.assertEqual(self.tree("down"), made)
        self.s3cmd("cp", "s3://s3cmd/x/a b.txt", "s3://s3cmd/copy")
        self.s3cmd("mv", "s3://s3cmd/copy", "s3://s3cmd/moved")
        self.s3cmd("get", "s3://s3cmd/moved", "moved")
        self.assertEqual(self.digest_of("moved"), made["a b.txt"])
        self.assertRegex(self.s3cmd("du", "s3://s3cmd"), rf" {len(made) + 1} objects ")
        self.s3cmd("del", "--recursive", "--force", "s3://s3cmd")
        self.s3cmd("rb", "s3://s3cmd")

    def test_a_large_file_goes_in_parts(self):
        big = content(17 * MIB + 3)
        self.write("big", big)
        self.s3cmd("mb", "s3://s3cmd-big")
        self.s3cmd("put", "--multipart-chunk-size-mb=5", "big", "s3://s3cmd-big/big")
        self.s3cmd("get", "s3://s3cmd-big/big", "down")
        self.assertEqual(self.digest_of("down"), digest(big))
        self.assertEqual(self.s3cmd("multipart", "s3://s3cmd-big").count("big"), 1, "the bucket's name, and no upload")


class Wire(S3Test):
    """What the clients above do not send."""

    def crc32(self, data):
        return base64.b64encode(binascii.crc32(data).to_bytes(4, "big")).decode()

    def test_signed_chunks(self):
        self.bucket("chunks")
        chunks = [content(70_000, 1), content(8_192, 2), content(5, 3)]
        whole = b"".join(chunks)
        check = ("x-amz-checksum-crc32", self.crc32(whole))
        for name, options in {"signed": {}, "trailer": {"trailer": check},
                              "unsigned": {"trailer": check, "signed": False}}.items():
            status, headers, body = self.client.put_chunks(f"/chunks/{name}", chunks, **options)
            self.assertEqual(status, 200, body)
            status, headers, body = self.get(f"/chunks/{name}", x_amz_checksum_mode="ENABLED")
            self.assertEqual(digest(body), digest(whole), name)
            self.assertNotIn("content-encoding", headers)
            if "trailer" in options:
                self.assertEqual(headers["x-amz-checksum-crc32"], check[1])
        self.assertEqual(self.client.put_chunks("/chunks/empty", [])[0], 200)

    def test_spoilt_chunks_are_refused_and_leave_nothing(self):
        self.bucket("spoilt")
        chunks = [content(70_000, 1), content(8_192, 2)]
        whole = b"".join(chunks)
        good, bad = self.crc32(whole), self.crc32(b"other")

        def flip(at):
            return lambda wire: wire[:at] + bytes([wire[at] ^ 1]) + wire[at + 1:]

        cases = {"SignatureDoesNotMatch": [{"spoil": flip(1_000)}, {"spoil": flip(75_000)},
                                           {"trailer": ("x-amz-checksum-crc32", good),
                                            "spoil": lambda wire: wire.replace(good.encode(), bad.encode())}],
                 "BadDigest": [{"trailer": ("x-amz-checksum-crc32", bad)},
                               {"trailer": ("x-amz-checksum-crc32", good), "signed": False, "spoil": flip(1_000)}],
                 "IncompleteBody": [{"signed": False, "trailer": ("x-amz-checksum-crc32", good),
                                     "spoil": lambda wire: wire.replace(b"\r\n2000\r\n", b"\r\n1fff\r\n")},
                                    {"signed": False, "trailer": ("x-amz-checksum-crc32", good),
                                     "spoil": lambda wire: b"xyz" + wire}],
                 "InvalidRequest": [{"trailer": ("x-amz-checksum-crc33", good)}]}
        for code, several in cases.items():
            for options in several:
                answer = self.client.put_chunks("/spoilt/o", chunks, **options)
                self.assertIn(f"<Code>{code}</Code>".encode(), answer[2], options)
                self.client.close()
        self.refused(self.get("/spoilt/o"), 404, "NoSuchKey")

    def test_bodies_are_held_against_what_is_said_of_them(self):
        self.bucket("checked")
        body = content(3_000)
        md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
        other = base64.b64encode(hashlib.md5(b"").digest()).decode()
        sha1 = base64.b64encode(hashlib.sha1(body).digest()).decode()
        for status, code, headers, payload in [
                (200, "", {"content-md5": md5}, None),
                (400, "BadDigest", {"content-md5": other}, None),
                (400, "InvalidDigest", {"content-md5": "AAAA"}, None),
                (200, "", {}, "UNSIGNED-PAYLOAD"),
                (400, "XAmzContentSHA256Mismatch", {}, digest(b"other")),
                (400, "InvalidArgument", {}, "SOMETHING"),
                (200, "", {"x-amz-checksum-crc32": self.crc32(body)}, None),
                (400, "BadDigest", {"x-amz-checksum-crc32": self.crc32(b"")}, None),
                (400, "InvalidRequest", {"x-amz-checksum-crc32": "AA=="}, None),
                (200, "", {"x-amz-checksum-sha1": sha1}, None),
                (400, "InvalidRequest", {"x-amz-checksum-sha1": sha1, "x-amz-checksum-crc32": self.crc32(body)}, None)]:
            answer = self.client.call("PUT", "/checked/o", headers=headers, body=body, payload=payload)
            self.assertEqual(answer[0], status, (headers, payload, answer))
            if code:
                self.refused(answer, status, code)
        status, headers, _ = self.client.call("HEAD", "/checked/o", headers={"x-amz-checksum-mode": "ENABLED"})
        self.assertEqual((status, headers["x-amz-checksum-sha1"], headers["x-amz-checksum-type"]), (200, sha1, "FULL_OBJECT"))
        self.assertEqual(headers["content-length"], "3000")
        answer = self.client.call("POST", "/checked", [("delete", "")],
                                  body=b"<Delete><Object><Key>o</Key></Object></Delete>")
        self.refused(answer, 400, "InvalidRequest")

    def test_names_are_names_and_no_paths(self):
        self.bucket("names")
        names = ["../../../etc/passwd", "/", "//", "a//b", "a/", "/lead", ".", "..", "a/../b", "a\nb", "tab\there", "\x7f\x01",
                 "+ %", "\u00e9", "e\u0301", "~!@#$^&*()_-=[]{}|;:',.<>?`\"\\", "x" * 1024, "_runctl/status", "_runctl/faults"]
        for number, name in enumerate(names):
            self.put("/names/" + urllib.request.quote(name, safe=""), str(number).encode())
        raw = b"\xff\xfe raw"
        self.put("/names/" + urllib.request.quote(raw, safe=""), b"bytes")
        for number, name in enumerate(names):
            self.assertEqual(self.get("/names/" + urllib.request.quote(name, safe=""))[2], str(number).encode(), repr(name))
        self.assertEqual(self.get("/names/" + urllib.request.quote(raw, safe=""))[2], b"bytes")
        self.refused(self.client.call("PUT", "/names/" + "x" * 1025), 400, "KeyTooLongError")
        _, _, body = self.client.call("GET", "/names", [("list-type", "2"), ("encoding-type", "url")])
        listed = [urllib.request.unquote_to_bytes(k) for k in re.findall(r"<Key>(.*?)</Key>", body.decode())]
        self.assertEqual(listed, sorted([n.encode() for n in names] + [raw]))
        inside = os.path.join(self.cloud.state, "s3")
        for folder, _, files in os.walk(inside):
            for file in files:
                self.assertRegex(os.path.relpath(os.path.join(folder, file), inside), r"^[0-9a-f]{2}/[0-9a-f]{16}$")

    def test_ranges(self):
        self.bucket("ranges")
        body = content(100_000)
        self.put("/ranges/o", body)
        for header, first, last in [("bytes=0-0", 0, 0), ("bytes=5-", 5, 99_999), ("bytes=-7", 99_993, 99_999),
                                    ("bytes=99990-200000", 99_990, 99_999), ("bytes=-200000", 0, 99_999)]:
            status, headers, got = self.get("/ranges/o", range=header)
            self.assertEqual((status, headers["content-range"], digest(got)),
                             (206, f"bytes {first}-{last}/100000", digest(body[first:last + 1])))
        self.refused(self.get("/ranges/o", range="bytes=100000-"), 416, "InvalidRange")
        self.assertEqual(self.get("/ranges/o", range="bytes=9-1")[0], 200)
        self.put("/ranges/empty", b"")
        self.refused(self.get("/ranges/empty", range="bytes=0-"), 416, "InvalidRange")
        self.assertEqual(self.get("/ranges/empty")[2], b"")

    def test_conditional_writes(self):
        self.bucket("writes")
        put = lambda **headers: self.client.call("PUT", "/writes/o", headers={n.replace("_", "-"): v for n, v in headers.items()},
                                                 body=b"x")
        self.refused(put(if_match="*"), 404, "NoSuchKey")
        self.assertEqual(put(if_none_match="*")[0], 200)
        self.refused(put(if_none_match="*"), 412, "PreconditionFailed")
        etag = '"' + hashlib.md5(b"x").hexdigest() + '"'
        self.assertEqual(put(if_match=etag)[0], 200)
        self.refused(put(if_match='"0"'), 412, "PreconditionFailed")
        self.refused(put(if_none_match=etag), 501, "NotImplemented")
        self.refused(self.client.call("DELETE", "/writes/o", headers={"if-match": '"0"'}), 412, "PreconditionFailed")
        self.assertEqual(self.client.call("DELETE", "/writes/o", headers={"if-match": etag})[0], 204)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            def race(number):
                client = sigv4.S3(self.cloud.endpoint)
                try:
                    return client.call("PUT", "/writes/race", headers={"if-none-match": "*"}, body=content(50_000, number))[0]
                finally:
                    client.close()
            answers = list(pool.map(race, range(8)))
        self.assertEqual(sorted(answers), [200] + [412] * 7, "one of them was first")

    def begin_put(self, path, body, **headers):
        """A PutObject whose conditions have been looked at, and whose body the server waits for."""
        signed = self.client.sign("PUT", path, [], {**{n.replace("_", "-"): v for n, v in headers.items()},
                                                    "expect": "100-continue"}, digest(body))
        connection = http.client.HTTPConnection(self.client.host, timeout=30)
        self.addCleanup(connection.close)
        connection.putrequest("PUT", path, skip_host=True, skip_accept_encoding=True)
        for name, value in signed.items():
            connection.putheader(name, value)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders()
        self.assertTrue(connection.sock.recv(100).startswith(b"HTTP/1.1 100"))
        return connection

    def end_put(self, connection, body):
        connection.send(body)
        answer = connection.getresponse()
        return answer.status, {}, answer.read()

    def test_a_condition_is_judged_again_when_the_body_is_there(self):
        self.bucket("judged")
        waiting = self.begin_put("/judged/o", b"late", if_none_match="*")
        etag = self.put("/judged/o", b"early")["etag"]
        self.refused(self.end_put(waiting, b"late"), 412, "PreconditionFailed")
        self.assertEqual(self.get("/judged/o")[2], b"early")
        waiting = self.begin_put("/judged/o", b"late", if_match=etag)
        self.put("/judged/o", b"between")
        self.refused(self.end_put(waiting, b"late"), 412, "PreconditionFailed")
        waiting = self.begin_put("/judged/o", b"late", if_match='"' + hashlib.md5(b"between").hexdigest() + '"')
        self.assertEqual(self.client.call("DELETE", "/judged/o")[0], 204)
        self.refused(self.end_put(waiting, b"late"), 409, "ConditionalRequestConflict")
        self.refused(self.get("/judged/o"), 404, "NoSuchKey")

    def test_customer_keys(self):
        self.bucket("keys")
        key = content(32)
        headers = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
                   "x-amz-server-side-encryption-customer-key": base64.b64encode(key).decode(),
                   "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}
        self.assertEqual(self.client.call("PUT", "/keys/o", headers=headers, body=b"secret")[0], 200)
        self.refused(self.get("/keys/o"), 400, "InvalidRequest")
        self.assertEqual(self.client.call("GET", "/keys/o", headers=headers)[2], b"secret")
        other = {**headers, "x-amz-server-side-encryption-customer-key": base64.b64encode(content(32, 9)).decode()}
        self.refused(self.client.call("GET", "/keys/o", headers=other), 400, "InvalidArgument")
        wrong = {**other, "x-amz-server-side-encryption-customer-key-md5":
                 base64.b64encode(hashlib.md5(content(32, 9)).digest()).decode()}
        self.refused(self.client.call("GET", "/keys/o", headers=wrong), 403, "AccessDenied")
        self.assertEqual(self.client.call("HEAD", "/keys/o")[0], 400)
        self.assertEqual(self.client.call("HEAD", "/keys/o", headers=wrong)[0], 403)
        status, shown, _ = self.client.call("HEAD", "/keys/o", headers=headers)
        self.assertEqual((status, shown["x-amz-server-side-encryption-customer-key-md5"]),
                         (200, headers["x-amz-server-side-encryption-customer-key-md5"]))
        self.assertFalse([name for name in shown if name.endswith("hmac")], shown)
        for left_out in headers:
            rest = {name: value for name, value in headers.items() if name != left_out}
            self.refused(self.client.call("PUT", "/keys/p", headers=rest, body=b"x"), 400, "InvalidArgument")
        both = {**headers, "x-amz-server-side-encryption": "AES256"}
        self.refused(self.client.call("PUT", "/keys/p", headers=both, body=b"x"), 400, "InvalidArgument")
        self.refused(self.client.call("PUT", "/keys/p", headers={**headers, **{
            "x-amz-server-side-encryption-customer-algorithm": "AES512"}}, body=b"x"), 400, "InvalidEncryptionAlgorithmError")
        self.put("/keys/plain", b"x")
        self.refused(self.client.call("GET", "/keys/plain", headers=headers), 400, "InvalidRequest")

    def test_the_parts_of_an_upload_have_its_key(self):
        self.bucket("part-keys")

        def headers(seed):
            key = content(32, seed)
            return {"x-amz-server-side-encryption-customer-algorithm": "AES256",
                    "x-amz-server-side-encryption-customer-key": base64.b64encode(key).decode(),
                    "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}

        asked = {"x-amz-checksum-algorithm": "CRC32C"}
        made = self.client.call("POST", "/part-keys/o", [("uploads", "")], headers={**headers(1), **asked})[2]
        upload = re.search(rb"<UploadId>([^<]+)<", made).group(1).decode()
        part = [("partNumber", "1"), ("uploadId", upload)]
        for wrong in ({}, headers(2)):
            self.refused(self.client.call("PUT", "/part-keys/o", part, headers=wrong, body=b"x"), 400, "InvalidRequest")
        self.put("/part-keys/source", b"x")
        copies = {"x-amz-copy-source": "part-keys/source"}
        self.refused(self.client.call("PUT", "/part-keys/o", part, headers=copies), 400, "InvalidRequest")
        self.assertEqual(self.client.call("PUT", "/part-keys/o", part, headers={**copies, **headers(1)})[0], 200)
        status, answer, _ = self.client.call("PUT", "/part-keys/o", part, headers=headers(1), body=b"part")
        self.assertEqual(status, 200)
        self.refused(self.client.call("GET", "/part-keys/o", [("uploadId", upload)]), 400, "InvalidRequest")
        self.assertEqual(self.client.call("GET", "/part-keys/o", [("uploadId", upload)], headers=headers(1))[0], 200)
        done = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{answer['etag']}</ETag></Part>"
                "</CompleteMultipartUpload>").encode()
        self.refused(self.client.call("POST", "/part-keys/o", [("uploadId", upload)], body=done), 400, "InvalidRequest")
        status, _, answer = self.client.call("POST", "/part-keys/o", [("uploadId", upload)], headers=headers(1), body=done)
        self.assertEqual(status, 200, answer)
        self.assertEqual(self.client.call("GET", "/part-keys/o", headers=headers(1))[2], b"part")

    def test_what_is_not_there_says_so(self):
        self.bucket("nothing")
        for query in ("acl", "policy", "tagging", "lifecycle"):
            self.refused(self.client.call("GET", "/nothing", [(query, "")]), 501, "NotImplemented")
        self.refused(self.client.call("PATCH", "/nothing/o"), 405, "MethodNotAllowed")
        self.refused(self.client.call("PUT", "/Not_a_name"), 400, "InvalidBucketName")
        status, headers, body = self.get("/nothing/o")
        self.assertTrue(headers["x-amz-request-id"] and headers["x-amz-id-2"] and headers["date"])


class Faults(S3Test):
    def setUp(self):
        super().setUp()
        self.addCleanup(lambda: self.succeeded(self.cloud.run("emulator", "fault", "clear", "--state", self.cloud.state)))

    def fault(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", "add", "--state", self.cloud.state, *words))

    def test_requests_go_wrong(self):
        self.bucket("wrong")
        body = content(300_000)
        self.put("/wrong/o", body)
        self.fault("GetObject", "throttle", "times=1")
        self.refused(self.get("/wrong/o"), 503, "SlowDown")
        self.fault("GetObject", "truncate", "times=1")
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.get("/wrong/o")
        self.assertEqual(caught.exception.partial, body[:150_000])
        self.client.close()
        self.fault("GetObject", "reset", "times=1")
        with self.assertRaises((ConnectionResetError, http.client.IncompleteRead)):
            self.get("/wrong/o")
        self.client.close()
        self.fault("GetObject", "bit-flip", "times=1")
        flipped = self.get("/wrong/o")[2]
        different = [i for i in range(len(body)) if flipped[i] != body[i]]
        self.assertEqual((len(flipped), len(different)), (len(body), 1))
        self.assertEqual(flipped[different[0]] ^ body[different[0]], 1)
        self.fault("GetObject", "slow", "bps=1000000", "times=1")
        begin = time.monotonic()
        self.assertEqual(digest(self.get("/wrong/o")[2]), digest(body))
        self.assertGreater(time.monotonic() - begin, 0.2)
        self.assertEqual(digest(self.get("/wrong/o")[2]), digest(body), "all were for once")

    def test_uploads_go_wrong(self):
        self.bucket("wronger")
        body = content(300_000)
        self.fault("PutObject", "bit-flip", "times=1")
        self.refused(self.client.call("PUT", "/wronger/o", body=body), 400, "XAmzContentSHA256Mismatch")
        self.fault("PutObject", "reset", "times=1")
        with self.assertRaises((ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected)):
            self.client.call("PUT", "/wronger/o", body=body)
        self.client.close()
        self.refused(self.get("/wronger/o"), 404, "NoSuchKey")
        self.fault("PutObject", "drop-reply", "times=1")
        with self.assertRaises((ConnectionResetError, http.client.RemoteDisconnected)):
            self.client.call("PUT", "/wronger/o", body=body)
        self.client.close()
        self.assertEqual(digest(self.get("/wronger/o")[2]), digest(body), "it was done, and not said")
        self.fault("CopyObject", "fail-before", "code=InternalError", "status=200", "times=1")
        answer = self.client.call("PUT", "/wronger/copy", headers={"x-amz-copy-source": "/wronger/o"})
        self.refused(answer, 200, "InternalError")
        self.fault("PutObject", "bit-flip", "times=1")
        self.assertEqual(self.client.call("PUT", "/wronger/unchecked", body=body, payload="UNSIGNED-PAYLOAD")[0], 200)
        self.assertNotEqual(digest(self.get("/wronger/unchecked")[2]), digest(body), "nobody could have known")


class Lasting(unittest.TestCase):
    def setUp(self):
        self.cloud = cloud.Cloud()
        self.addCleanup(self.cloud.remove)
        self.cloud.start()

    def files(self):
        return sum(len(names) for _, _, names in os.walk(os.path.join(self.cloud.state, "s3")))

    def test_a_kill_loses_nothing_and_leaves_nothing(self):
        client = sigv4.S3(self.cloud.endpoint)
        self.assertEqual(client.call("PUT", "/lasting")[0], 200)
        bodies = {f"/lasting/{i}": content(20_000, i) for i in range(20)}
        for path, body in bodies.items():
            self.assertEqual(client.call("PUT", path, body=body)[0], 200)
        _, _, answer = client.call("POST", "/lasting/parts", [("uploads", "")])
        upload = re.search(rb"<UploadId>(.*)</UploadId>", answer).group(1).decode()
        part = content(5 * MIB)
        query = [("partNumber", "1"), ("uploadId", upload)]
        etag = client.call("PUT", "/lasting/parts", query, body=part)[1]["etag"]
        half = http.client.HTTPConnection(client.host, timeout=30)
        half.putrequest("PUT", "/lasting/half", skip_host=True, skip_accept_encoding=True)
        for name, value in client.sign("PUT", "/lasting/half", [], {}, digest(content(3 * MIB))).items():
            half.putheader(name, value)
        half.putheader("content-length", str(3 * MIB))
        half.endheaders(content(3 * MIB)[:2 * MIB])
        self.assertTrue(cloud.wait_until(lambda: self.files() == 22), "half of it is on disk")
        self.cloud.stop(signal.SIGKILL)
        half.close()
        client.close()
        self.cloud.start()
        client = sigv4.S3(self.cloud.endpoint)
        self.addCleanup(client.close)
        self.assertEqual(self.files(), 21, "of the half nothing is left")
        for path, body in bodies.items():
            self.assertEqual(digest(client.call("GET", path)[2]), digest(body))
        self.assertEqual(client.call("GET", "/lasting/half")[0], 404)
        document = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part>"
                    "</CompleteMultipartUpload>").encode()
        self.assertEqual(client.call("POST", "/lasting/parts", [("uploadId", upload)], body=document)[0], 200)
        self.assertEqual(digest(client.call("GET", "/lasting/parts")[2]), digest(part))
        for path in [*bodies, "/lasting/parts"]:
            self.assertEqual(client.call("DELETE", path)[0], 204)
        self.assertEqual(self.files(), 0, "what is deleted takes no room")

    def test_memory_does_not_grow_with_what_passes(self):
        client = sigv4.S3(self.cloud.endpoint)
        self.addCleanup(client.close)
        client.call("PUT", "/large")
        # Address and thread sanitizers keep what was freed for a while, and records of their own.
        size, most = (600, 450) if cloud.sanitizer() else (200, 100)
        body = content(MIB) * size
        self.assertEqual(client.call("PUT", "/large/o", body=body)[0], 200)
        self.assertEqual(digest(client.call("GET", "/large/o")[2]), digest(body))
        with open(f"/proc/{self.cloud.process.pid}/status", encoding="utf-8") as file:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", file.read()).group(1))
        self.assertLess(peak, most * 1024, f"of {size} MiB")

    def test_a_reader_keeps_what_it_reads(self):
        client, other = sigv4.S3(self.cloud.endpoint), sigv4.S3(self.cloud.endpoint)
        self.addCleanup(client.close)
        self.addCleanup(other.close)
        client.call("PUT", "/kept")
        body = content(MIB) * 30
        client.call("PUT", "/kept/o", body=body)
        signed = client.sign("GET", "/kept/o", [], {}, sigv4.EMPTY)
        client.connection.putrequest("GET", "/kept/o", skip_host=True, skip_accept_encoding=True)
        for name, value in signed.items():
            client.connection.putheader(name, value)
        client.connection.endheaders()
        answer = client.connection.getresponse()
        first = answer.read(10)
        self.assertEqual(other.call("PUT", "/kept/o", body=b"new")[0], 200)
        self.assertEqual(digest(first + answer.read()), digest(body))
        self.assertEqual(other.call("GET", "/kept/o")[2], b"new")
        self.assertTrue(cloud.wait_until(lambda: self.files() == 1), "the old file goes with its last reader")


if __name__ == "__main__":
    cloud.main()
