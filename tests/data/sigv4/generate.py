"""Writes vectors.json: requests signed by botocore, an implementation that is not ours.

Needs botocore 1.43 (pip install 'botocore==1.43.*'), which the build does not:

    python3 tests/data/sigv4/generate.py > tests/data/sigv4/vectors.json

Bodies are percent-encoded, so that they may hold any byte.
"""

import datetime
import json
import sys
import urllib.parse

import botocore
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

# The key pair of AWS's own documentation; it opens nothing.
KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ+a/b=="
TIMES = ["20260131T235959Z", "20280229T000000Z", "20150830T123600Z"]

FORM = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")]
SSM = [
    ("content-type", "application/x-amz-json-1.1"),
    ("x-amz-target", "AmazonSSM.SendCommand"),
]
EC2 = "https://ec2.eu-west-1.amazonaws.com"
S3 = "https://bucket.s3.eu-west-1.amazonaws.com"


def case(name, service, method, url, headers=(), body=b"", token=None, expires=None, region="eu-west-1"):
    return {
        "name": name,
        "service": service,
        "region": region,
        "method": method,
        "url": url,
        "headers": [list(header) for header in headers],
        "body": body,
        "token": token,
        "expires": expires,
    }


def cases():
    yield case("ec2 form", "ec2", "POST", EC2 + "/", FORM, b"Action=DescribeVolumes&Version=2016-11-15")
    yield case("ec2 form with token", "ec2", "POST", EC2 + "/", FORM, b"Action=DescribeVolumes&Version=2016-11-15", TOKEN)
    yield case("ec2 get", "ec2", "GET", EC2 + "/?Action=DescribeRegions&Version=2016-11-15")
    yield case("ec2 without path", "ec2", "GET", EC2 + "?Action=DescribeRegions")
    yield case("ec2 in china", "ec2", "POST", "https://ec2.cn-north-1.amazonaws.com.cn/", FORM, b"Action=DescribeVolumes", region="cn-north-1")
    yield case("ssm json", "ssm", "POST", "https://ssm.us-east-1.amazonaws.com/", SSM, b'{"DocumentName":"AWS-RunShellScript"}', region="us-east-1")
    yield case("ssm json with token", "ssm", "POST", "https://ssm.us-east-1.amazonaws.com/", SSM, b"{}", TOKEN, region="us-east-1")
    yield case("ssm json in unicode", "ssm", "POST", "https://ssm.us-east-1.amazonaws.com/", SSM, '{"Comment":"größer ☃"}'.encode(), region="us-east-1")
    yield case("sts form", "sts", "POST", "https://sts.us-gov-west-1.amazonaws.com/", FORM, b"Action=GetCallerIdentity&Version=2011-06-15", region="us-gov-west-1")
    yield case("sts get with token", "sts", "GET", "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", token=TOKEN)
    yield case("port of its own", "ec2", "POST", "http://127.0.0.1:4566/", FORM, b"Action=DescribeVolumes")
    yield case("port 443 said aloud", "ec2", "GET", "https://ec2.eu-west-1.amazonaws.com:443/")
    yield case("port 80 said aloud", "ec2", "GET", "http://localhost:80/")
    yield case("port 443 over http", "ec2", "GET", "http://localhost:443/")
    yield case("host in upper case", "ec2", "GET", "https://EC2.eu-west-1.AmazonAWS.com/")
    yield case("ipv6 host", "ec2", "GET", "http://[::1]:4566/")
    yield case("host header given", "ec2", "GET", "http://127.0.0.1:4566/", [("host", "ec2.eu-west-1.amazonaws.com")])
    yield case("delete method", "ec2", "DELETE", EC2 + "/things/1")
    paths = {
        "blanks": "/two%20words/%20",
        "unicode": "/gr%C3%B6%C3%9Fe/%E2%98%83",
        "unicode not encoded": "/größe",
        "double slash": "/a//b///c",
        "slash at the end": "/a/b/",
        "double slash at the end": "/a//",
        "dot segments": "/a/./b/../c",
        "dots above the root": "/../../a",
        "dots only": "/a/..",
        "three dots": "/.../..a/a..",
        "encoded slash": "/a%2Fb",
        "encoded slash, lower case": "/a%2fb",
        "encoded dots": "/a/%2E%2E/b",
        "reserved characters": "/!$&'()*+,;=:@",
        "reserved characters encoded": "/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40%3F%23",
        "tilde": "/~home/%7Eencoded",
        "percent sign": "/100%25",
    }
    for what, path in paths.items():
        yield case("path: " + what, "ec2", "GET", EC2 + path)
        if what != "unicode not encoded":
            yield case("s3 path: " + what, "s3", "GET", S3 + path)
    queries = {
        "order": "b=2&a=1&C=3&_=4&A=5",
        "repeated name": "a=2&a=1&a=10&a=",
        "empty value": "a=&b=1",
        "no value": "acl&versioning",
        "no value beside an empty one": "a=&a",
        "name is another's prefix": "ab=1&a=2&a-b=3&a%2Fb=4",
        "plus sign": "a=1+2&b+c=3",
        "plus sign encoded": "a=1%2B2",
        "blank encoded": "a=1%202&b%20c=3",
        "reserved characters": "a=%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D",
        "tilde": "~=~&-._=-._",
        "unicode": "%E2%98%83=%C3%B6",
        "equals sign in value": "a=b=c",
        "empty pieces": "&a=1&&b=2&",
        "lower-case hex": "a=%2f",
    }
    for what, query in queries.items():
        yield case("query: " + what, "ec2", "GET", EC2 + "/?" + query)
    yield case("headers: blanks", "ec2", "GET", EC2 + "/", [("x-blanks", "  a   b \t c  "), ("x-one", "a b")])
    yield case("headers: empty", "ec2", "GET", EC2 + "/", [("x-empty", ""), ("x-only-blanks", "   ")])
    yield case("headers: repeated", "ec2", "GET", EC2 + "/", [("x-many", "b"), ("x-other", "1"), ("x-many", "a  c"), ("x-many", "")])
    yield case("headers: order and case", "ec2", "GET", EC2 + "/", [("X-B", "1"), ("x-a", "2"), ("X-a-b", "3")])
    yield case("headers: left out", "ec2", "POST", EC2 + "/", FORM + [("user-agent", "x"), ("x-amzn-trace-id", "y"), ("expect", "100-continue"), ("connection", "close")], b"Action=X")
    yield case("headers: quoted", "ec2", "GET", EC2 + "/", [("if-match", '"a  b"')])
    yield case("body: binary", "ec2", "POST", EC2 + "/", [], bytes(range(256)))
    yield case("body: large", "ec2", "POST", EC2 + "/", [], b"0123456789abcdef" * 512)
    yield case("s3 put", "s3", "PUT", S3 + "/key", [("content-type", "text/plain")], b"hello")
    yield case("s3 put, empty, token", "s3", "PUT", S3 + "/key", [], b"", TOKEN)
    yield case("s3 put, binary", "s3", "PUT", S3 + "/key", [], b"\x00\xff\r\n\x00")
    yield case("s3 list", "s3", "GET", S3 + "/?list-type=2&prefix=a%2Fb&continuation-token=x%2By%3D")
    yield case("presigned sts", "sts", "GET", "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", expires=60)
    yield case("presigned sts, token and header", "sts", "GET", "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15", [("x-k8s-aws-id", "cluster")], token=TOKEN, expires=900)
    yield case("presigned ec2 without query", "ec2", "GET", EC2 + "/", expires=3600)
    yield case("presigned s3", "s3", "GET", S3 + "/a%20key/with//slashes", expires=604800)
    yield case("presigned s3, token", "s3", "GET", S3 + "/key?versionId=a%2Fb~", token=TOKEN, expires=300)
    yield case("presigned s3 put, port", "s3", "PUT", "http://localhost:9000/bucket/key", [("content-type", "text/plain")], expires=1)


def signer(what, credentials):
    is_s3 = what["service"] == "s3"
    if what["expires"] is not None:
        kind = botocore.auth.S3SigV4QueryAuth if is_s3 else botocore.auth.SigV4QueryAuth
        return kind(credentials, what["service"], what["region"], expires=what["expires"])
    kind = botocore.auth.S3SigV4Auth if is_s3 else botocore.auth.SigV4Auth
    return kind(credentials, what["service"], what["region"])


def signed(what, time):
    now = datetime.datetime.strptime(time, "%Y%m%dT%H%M%SZ")
    botocore.auth.get_current_datetime = lambda *_: now
    request = AWSRequest(method=what["method"], url=what["url"], data=what["body"])
    for name, value in what["headers"]:
        request.headers.add_header(name, value)
    auth = signer(what, Credentials(KEY_ID, SECRET, what["token"]))
    canonical = []
    string_to_sign = auth.string_to_sign
    auth.string_to_sign = lambda request, text: canonical.append(text) or string_to_sign(request, text)
    auth.add_auth(request)
    out = dict(what, time=time, body=urllib.parse.quote(what["body"], safe=""), canonical_request=canonical[0])
    if what["expires"] is None:
        out["authorization"] = request.headers["Authorization"]
    else:
        out["signed_url"] = request.url
    return out


def main():
    vectors = [signed(what, TIMES[i % len(TIMES)]) for i, what in enumerate(cases())]
    json.dump(
        {
            "made_by": "generate.py with botocore " + botocore.__version__,
            "access_key_id": KEY_ID,
            "secret_access_key": SECRET,
            "vectors": vectors,
        },
        sys.stdout,
        indent=1,
        ensure_ascii=True,
    )
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
