"""Any request signed with SigV4, S3's signed chunks among them. Standard library only.

Written from AWS's description of the algorithm, apart from src/aws: what both agree on is not one program's mistake.
"""
import datetime
import hashlib
import hmac
import http.client
import urllib.parse

EMPTY = hashlib.sha256(b"").hexdigest()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class S3:
    """A kept connection to an S3 endpoint, which sends just what it is told."""

    def __init__(self, endpoint, key="emulator", secret="emulator", region="us-east-1"):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.key, self.secret, self.region = key, secret, region
        self.connection = http.client.HTTPConnection(self.host, timeout=60)

    def sign(self, method, path, query, headers, payload, moment=None):
        """`headers` and what signs them. `path` is percent-encoded, `query` a list of pairs that are not."""
        moment = moment or datetime.datetime.now(datetime.timezone.utc)
        self.date, self.stamp = moment.strftime("%Y%m%d"), moment.strftime("%Y%m%dT%H%M%SZ")
        headers = {"host": self.host, "x-amz-date": self.stamp, "x-amz-content-sha256": payload,
                   **{name.lower(): value for name, value in headers.items()}}
        signed = ";".join(sorted(headers))
        canonical = "\n".join([
            method, path,
            "&".join(sorted(f"{urllib.parse.quote(n, safe='')}={urllib.parse.quote(v, safe='')}" for n, v in query)),
            *(f"{name}:{headers[name].strip()}" for name in sorted(headers)), "", signed, payload])
        self.scope = f"{self.date}/{self.region}/s3/aws4_request"
        to_sign = "\n".join(["AWS4-HMAC-SHA256", self.stamp, self.scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in (self.date, self.region, "s3", "aws4_request"):
            key = mac(key, part)
        self.signing_key = key
        self.signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
        headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={self.key}/{self.scope}, SignedHeaders={signed}, "
                                    f"Signature={self.signature}")
        return headers

    def send(self, method, path, query, headers, body):
        target = path
        if query:
            target += "?" + "&".join(f"{urllib.parse.quote(n, safe='')}={urllib.parse.quote(v, safe='')}" for n, v in query)
        self.connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            self.connection.putheader(name, value)
        self.connection.putheader("content-length", str(len(body)))
        self.connection.endheaders(body)
        answer = self.connection.getresponse()
        return answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read()

    def call(self, method, path, query=(), headers=None, body=b"", payload=None):
        """Status, headers (names in lower case) and body of the answer."""
        signed = self.sign(method, path, list(query), headers or {}, payload or hashlib.sha256(body).hexdigest())
        return self.send(method, path, list(query), signed, body)

    def chunk_signature(self, kind, *hashes):
        to_sign = "\n".join([f"AWS4-HMAC-SHA256-{kind}", self.stamp, self.scope, self.signature, *hashes])
        self.signature = hmac.new(self.signing_key, to_sign.encode(), hashlib.sha256).hexdigest()
        return self.signature

    def put_chunks(self, path, chunks, trailer=None, signed=True, spoil=None):
        """PutObject in aws-chunked form. `trailer` is a pair; `spoil` changes the wire's bytes."""
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" if signed else "STREAMING-UNSIGNED-PAYLOAD"
        payload = kind + ("-TRAILER" if trailer else "")
        headers = {"content-encoding": "aws-chunked", "x-amz-decoded-content-length": str(sum(map(len, chunks)))}
        if trailer:
            headers["x-amz-trailer"] = trailer[0]
        head = self.sign("PUT", path, [], headers, payload)
        body = b""
        for chunk in [*chunks, b""]:
            line = f"{len(chunk):x}"
            if signed:
                line += ";chunk-signature=" + self.chunk_signature("PAYLOAD", EMPTY, hashlib.sha256(chunk).hexdigest())
            body += line.encode() + b"\r\n" + (chunk + b"\r\n" if chunk else b"")
        if trailer:
            body += f"{trailer[0]}:{trailer[1]}\r\n".encode()
            if signed:
                lines = f"{trailer[0]}:{trailer[1]}\n".encode()
                body += b"x-amz-trailer-signature:" + self.chunk_signature(
                    "TRAILER", hashlib.sha256(lines).hexdigest()).encode() + b"\r\n"
        body += b"\r\n"
        return self.send("PUT", path, [], head, spoil(body) if spoil else body)

    def close(self):
        self.connection.close()
