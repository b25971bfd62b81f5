"""Uploads by POST to the emulator's S3, with clients that are not ours: curl's forms, and botocore's presigned POSTs
with requests, where a Python of this machine has them."""
import base64
import datetime
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import sigv4

try:
    import botocore.config
    import botocore.session
    import requests
except ImportError:
    botocore = None

CONTENT = bytes(range(256)) * 9_000


class PostTest(cloud.CloudTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s3 = sigv4.S3(cls.cloud.endpoint)
        cls.addClassCleanup(cls.s3.connection.close)
        status, _, answer = cls.s3.call("PUT", "/bucket")
        assert status == 200, answer
        cls.file = cloud.write_file(os.path.join(cls.cloud.directory, "content.bin"), CONTENT)

    def stored(self, path):
        status, headers, body = self.s3.call("GET", f"/bucket/{path}")
        return (hashlib.sha256(body).hexdigest(), headers) if status == 200 else (None, headers)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class Curl(PostTest):
    """The policy and its signature are made here, from AWS's description: hmac over the policy in base64."""

    def form(self, conditions=(), minutes=5, secret="emulator", bucket="bucket", region="us-east-1", document=None, **fields):
        now = datetime.datetime.now(datetime.timezone.utc)
        day, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
        signing = {"x-amz-algorithm": "AWS4-HMAC-SHA256", "x-amz-credential": f"emulator/{day}/{region}/s3/aws4_request",
                   "x-amz-date": stamp}
        policy = document or json.dumps({
            "expiration": (now + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conditions": [{"bucket": bucket}, ["starts-with", "$key", "in/"], *conditions,
                           *({name: value} for name, value in signing.items())]})
        policy = base64.b64encode(policy.encode()).decode()
        key = ("AWS4" + secret).encode()
        for part in (day, region, "s3", "aws4_request"):
            key = sigv4.mac(key, part)
        signature = hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()
        return {"key": "in/x", **fields, **signing, "policy": policy, "x-amz-signature": signature}

    def post(self, form, file=None, path="/bucket", extra=()):
        """The status and the body of the answer."""
        words = ["curl", "-q", "-s", "--max-time", "60", "-w", "\n%{http_code} %header{etag} %header{location}", *extra]
        for name, value in form.items():
            words += ["--form-string", f"{name}={value}"]
        if file != "":
            words += ["-F", f"file=@{file or self.file};filename=their name.bin"]
        said = subprocess.run([*words, self.cloud.endpoint + path], capture_output=True, check=True, timeout=90).stdout.decode()
        body, _, last = said.rpartition("\n")
        self.last = last.split(" ", 2)
        return int(self.last[0]), body

    def refused(self, answer, status, code, message=""):
        self.assertEqual(answer[0], status, answer)
        self.assertIn(f"<Code>{code}</Code>", answer[1])
        self.assertIn(message, answer[1])

    def test_what_is_posted_is_there(self):
        self.assertEqual(self.post(self.form(key="in/a b/\u00fc")), (204, ""))
        self.assertEqual(self.last[1], f'"{hashlib.md5(CONTENT).hexdigest()}"')
        self.assertEqual(self.stored("in/a%20b/%C3%BC")[0], hashlib.sha256(CONTENT).hexdigest())
        self.assertEqual(self.post(self.form(key="in/empty"), file=cloud.write_file(self.file + ".empty"))[0], 204)
        # A form whose length is not known before it is sent.
        self.refused(self.post(self.form(key="in/unknown"), file="/dev/null"), 411, "MissingContentLength")
        self.assertEqual(self.stored("in/empty")[0], hashlib.sha256(b"").hexdigest())

    def test_the_form_says_how_to_answer_and_what_to_keep(self):
        anything = [["starts-with", "$success_action_status", ""], ["starts-with", "$Content-Type", "text/"],
                    ["starts-with", "$x-amz-meta-colour", ""]]
        form = dict(success_action_status="201", **{"Content-Type": "text/plain", "x-amz-meta-colour": "blue"})
        status, body = self.post(self.form(anything, key="in/${filename}", **form))
        self.assertEqual(status, 201)
        self.assertIn("<Bucket>bucket</Bucket><Key>in/their name.bin</Key>", body)
        _, headers = self.stored("in/their%20name.bin")
        self.assertEqual((headers["content-type"], headers["x-amz-meta-colour"]), ("text/plain", "blue"))
        self.assertEqual(self.post(self.form(anything, **{**form, "success_action_status": "200"}))[0], 200)
        self.assertEqual(self.post(self.form(anything, **{**form, "success_action_status": "404"}))[0], 204)
        redirected = self.form([["eq", "$success_action_redirect", "http://there/x"]], success_action_redirect="http://there/x")
        self.assertEqual(self.post(redirected)[0], 303)
        self.assertTrue(self.last[2].startswith("http://there/x?bucket=bucket&key=in%2Fx&etag=%22"), self.last)

    def test_what_comes_is_held_against_its_checks(self):
        right = base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
        checks = [["starts-with", "$x-amz-checksum-sha256", ""], {"x-amz-checksum-algorithm": "SHA256"},
                  ["starts-with", "$content-md5", ""]]
        good = {"x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-sha256": right}
        self.assertEqual(self.post(self.form(checks, key="in/checked", **good))[0], 204)
        _, headers = self.s3.call("HEAD", "/bucket/in/checked", headers={"x-amz-checksum-mode": "ENABLED"})[:2]
        self.assertEqual(headers["x-amz-checksum-sha256"], right)
        wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
        self.refused(self.post(self.form(checks, key="in/bad", **{**good, "x-amz-checksum-sha256": wrong})), 400, "BadDigest")
        md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        self.refused(self.post(self.form(checks, key="in/bad", **{**good, "content-md5": md5})), 400, "BadDigest")
        self.assertIsNone(self.stored("in/bad")[0])

    def test_what_the_policy_does_not_let_is_refused(self):
        self.refused(self.post(self.form(key="out/x")), 403, "AccessDenied",
                     "Invalid according to Policy: Policy Condition failed: [&quot;starts-with&quot;,&quot;$key&quot;,&quot;in/&quot;]")
        self.refused(self.post(self.form(acl="public-read")), 403, "AccessDenied", "Invalid according to Policy: Extra input fields: acl")
        self.refused(self.post(self.form(minutes=-1)), 403, "AccessDenied", "Invalid according to Policy: Policy expired.")
        self.refused(self.post(self.form(bucket="other")), 403, "AccessDenied", "$bucket")
        self.refused(self.post(self.form(secret="guessed")), 403, "SignatureDoesNotMatch")
        self.refused(self.post(self.form(region="eu-west-1")), 400, "AuthorizationHeaderMalformed")
        self.refused(self.post(self.form(document="{")), 400, "InvalidPolicyDocument", "Invalid JSON")
        self.refused(self.post({"key": "in/x"}), 403, "AccessDenied")
        self.refused(self.post(self.form(), path="/no-such-bucket"), 403, "AccessDenied", "$bucket")
        self.refused(self.post(self.form(bucket="no-such-bucket"), path="/no-such-bucket"), 404, "NoSuchBucket")
        form = self.form()
        del form["key"]
        self.refused(self.post(form), 400, "InvalidArgument", "named 'key'")
        self.refused(self.post(self.form(), file=""), 400, "InvalidArgument", "exactly one file")
        self.refused(self.post(self.form(key="in/" + "x" * 1_022)), 400, "KeyTooLongError")
        self.refused(self.post(self.form([["starts-with", "$x-amz-meta-long", ""]], **{"x-amz-meta-long": "x" * 21_000})), 400,
                     "MaxPostPreDataLengthExceeded")

    def test_the_length_is_held_against_the_range(self):
        size = len(CONTENT)
        self.assertEqual(self.post(self.form([["content-length-range", size, size]]))[0], 204)
        self.refused(self.post(self.form([["content-length-range", 0, size - 1]], key="in/l")), 400, "EntityTooLarge")
        self.refused(self.post(self.form([["content-length-range", size + 1, size + 2]], key="in/l")), 400, "EntityTooSmall")
        self.assertIsNone(self.stored("in/l")[0])

    def test_what_is_no_form_is_refused(self):
        words = ["curl", "-q", "-s", "-w", "\n%{http_code}", "--data-binary", "x", self.cloud.endpoint + "/bucket"]
        for kind, code in (("text/plain", 412), ("multipart/form-data; boundary=b", 400)):
            said = subprocess.run([*words, "-H", f"Content-Type: {kind}"], capture_output=True, check=True).stdout.decode()
            self.assertEqual(said.rpartition("\n")[2], str(code), said)


@unittest.skipUnless(botocore, "no Python here has botocore and requests (pip install boto3 requests)")
class Botocore(PostTest):
    def presigned(self, key, seconds=60, conditions=(), fields=None, token=None):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        session = botocore.session.Session()
        session.set_credentials("emulator", "emulator", token)
        client = session.create_client("s3", region_name="us-east-1", endpoint_url=self.cloud.endpoint,
                                       config=botocore.config.Config(signature_version="s3v4"))
        return client.generate_presigned_post("bucket", key, Fields=fields, Conditions=list(conditions) or None, ExpiresIn=seconds)

    def post(self, form, content=CONTENT, **changes):
        with requests.Session() as session:
            session.trust_env = False
            return session.post(form["url"], data={**form["fields"], **changes}, files={"file": ("f", content)}, timeout=60)

    def test_its_forms_are_taken(self):
        for token in (None, "a/token=="):
            answer = self.post(self.presigned("by/botocore", token=token))
            self.assertEqual(answer.status_code, 204, answer.text)
        self.assertEqual(self.stored("by/botocore")[0], hashlib.sha256(CONTENT).hexdigest())
        limited = self.presigned("in/${filename}", conditions=[["content-length-range", 1, 10]])
        self.assertEqual(self.post(limited, b"short").status_code, 204)
        self.assertIn("EntityTooLarge", self.post(limited, b"much longer").text)
        self.assertEqual(self.stored("in/f")[0], hashlib.sha256(b"short").hexdigest())

    def test_nothing_else_is(self):
        self.assertEqual(self.post(self.presigned("a"), key="b").status_code, 403)
        self.assertIn("Extra input fields: acl", self.post(self.presigned("a"), acl="public-read").text)
        self.assertIn("Policy expired", self.post(self.presigned("a", seconds=-1)).text)


if __name__ == "__main__":
    unittest.main()
