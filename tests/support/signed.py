"""Requests to EC2's query protocol signed with SigV4, for tests and benchmarks. Standard library only.

Written from AWS's description of the algorithm, apart from src/aws: what both agree on is not one program's mistake.
"""
import datetime
import hashlib
import hmac
import http.client
import urllib.parse

REGION = "us-east-1"
KEY, SECRET = "emulator", "emulator"


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def headers_for(host, body, service="ec2", moment=None):
    """The headers of a POST of `body` to `/` on `host`."""
    moment = moment or datetime.datetime.now(datetime.timezone.utc)
    date, stamp = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
    content_type = "application/x-www-form-urlencoded; charset=utf-8"
    signed = "content-type;host;x-amz-date"
    canonical = "\n".join(["POST", "/", "", f"content-type:{content_type}", f"host:{host}", f"x-amz-date:{stamp}", "",
                           signed, hashlib.sha256(body.encode()).hexdigest()])
    scope = f"{date}/{REGION}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in (date, REGION, service, "aws4_request"):
        key = _mac(key, part)
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return {"Host": host, "Content-Type": content_type, "X-Amz-Date": stamp,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={signed}, Signature={signature}"}


class Ec2:
    """A kept connection to an EC2 endpoint."""

    def __init__(self, endpoint):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def call(self, action, **parameters):
        """The status and the body of the answer."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **parameters})
        self.connection.request("POST", "/", body, headers_for(self.host, body))
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self):
        self.connection.close()
