"""Writes posts.json: forms for uploads by POST, signed by botocore, an implementation that is not ours.

Needs botocore 1.43 (pip install 'botocore==1.43.*'), which the build does not:

    python3 tests/data/sigv4/generate_posts.py > tests/data/sigv4/posts.json
"""
import base64
import datetime
import json
import sys
import unittest.mock

import botocore
import botocore.auth
import botocore.config
import botocore.session

# The key pair of AWS's own documentation; it opens nothing.
KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ+a/b=="
NOW = datetime.datetime(2026, 1, 31, 23, 59, 59, tzinfo=datetime.timezone.utc)
LARGEST = 5 << 30

CASES = [
    {"name": "plain", "region": "us-east-1", "bucket": "bucket", "prefix": "runs/run-1/", "seconds": 3600, "token": None,
     "fixed": {}, "free": []},
    {"name": "with a token", "region": "eu-west-1", "bucket": "other.bucket", "prefix": "run-2/", "seconds": 604800,
     "token": TOKEN, "fixed": {}, "free": []},
    {"name": "with checks", "region": "eu-central-1", "bucket": "bucket", "prefix": "a b/\u00fc\"\\$x/", "seconds": 60,
     "token": None, "fixed": {"x-amz-checksum-algorithm": "SHA256"}, "free": ["x-amz-checksum-sha256", "x-amz-meta-mtime"]},
]


def signed(case):
    session = botocore.session.Session()
    session.set_credentials(KEY_ID, SECRET, case["token"])
    client = session.create_client("s3", region_name=case["region"], config=botocore.config.Config(signature_version="s3v4"))
    conditions = [["content-length-range", 0, LARGEST]]
    conditions += [{name: value} for name, value in case["fixed"].items()]
    conditions += [["starts-with", "$" + name, ""] for name in case["free"]]
    clock = "botocore.auth.get_current_datetime", "botocore.signers.get_current_datetime"
    with unittest.mock.patch(clock[0], lambda *_, **__: NOW), unittest.mock.patch(clock[1], lambda *_, **__: NOW):
        form = client.generate_presigned_post(case["bucket"], case["prefix"] + "${filename}", Fields=dict(case["fixed"]),
                                              Conditions=conditions, ExpiresIn=case["seconds"])
    return {**case, "fields": form["fields"], "document": json.loads(base64.b64decode(form["fields"]["policy"]))}


if __name__ == "__main__":
    json.dump({"botocore": botocore.__version__, "now": NOW.strftime("%Y%m%dT%H%M%SZ"), "access_key_id": KEY_ID,
               "secret_access_key": SECRET, "largest": LARGEST, "posts": [signed(case) for case in CASES]},
              sys.stdout, indent=1)
    print()
