"""Plays those who give credentials: a machine's metadata service, a container's, IAM Identity Center and STS.

What it gives is `keys`, good for `life` seconds. Written from AWS's documentation, not from runctl: the AWS CLI of
the machine is asked through it too (tests/cli/credentials_test.py).
"""
import datetime
import json
import urllib.parse

import loopback

STS_ANSWER = """<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>
<AssumedRoleUser><AssumedRoleId>AROA:{session}</AssumedRoleId><Arn>{arn}</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>
<SessionToken>{token}</SessionToken><Expiration>{expires}</Expiration></Credentials>
</{action}Result><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{action}Response>"""
STS_REFUSAL = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>{why}</Message></Error><RequestId>r-2</RequestId></ErrorResponse>"""


def in_iso(seconds_from_now):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


class Identity(loopback.Server):
    def __init__(self, key="emulator", secret="emulator"):
        self.key, self.secret = key, secret
        self.life = 3600           # seconds
        self.role = "trainer"      # of the machine; "" for none
        self.sso_token = "sso-1"   # that Identity Center takes
        self.refuse = ""           # STS's reason
        self.asked = []            # (method, path, headers in lower case, body) of each request
        identity = self

        class Handler(loopback.Handler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                identity.asked.append((self.command, self.path, headers, body))
                status, text = identity.reply(self.command, self.path, headers, body)
                self.send_response(status)
                self.send_header("content-length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST = answer  # noqa: N815 (the names are http.server's)

        super().__init__(Handler)
        self.start()

    def forms(self):
        """The requests that STS got."""
        return [dict(urllib.parse.parse_qsl(body)) for method, path, _, body in self.asked if (method, path) == ("POST", "/")]

    def keys(self):
        return {"AccessKeyId": self.key, "SecretAccessKey": self.secret, "Token": "session", "Expiration": in_iso(self.life)}

    def reply(self, method, path, headers, body):
        path, _, query = path.partition("?")
        if path.startswith("/latest/"):
            return self.metadata(method, path, headers)
        if path == "/container":
            return (200, json.dumps(self.keys())) if headers.get("authorization") == "pod" else (401, "{}")
        if path == "/federation/credentials":
            return self.portal(headers, dict(urllib.parse.parse_qsl(query)))
        if path == "/token":
            return self.oidc(json.loads(body))
        return self.sts(dict(urllib.parse.parse_qsl(body)), headers)

    def metadata(self, method, path, headers):
        if path == "/latest/api/token":
            return (200, "imds-token") if method == "PUT" and headers.get("x-aws-ec2-metadata-token-ttl-seconds") else (400, "")
        if headers.get("x-aws-ec2-metadata-token") != "imds-token":
            return 401, ""
        base = "/latest/meta-data/iam/security-credentials/"
        if path == "/latest/meta-data/placement/region":
            return 200, "us-east-1"
        if path == base and self.role:
            return 200, self.role
        if path == base + self.role and self.role:
            return 200, json.dumps({"Code": "Success", "Type": "AWS-HMAC", **self.keys()})
        return 404, ""

    def portal(self, headers, query):
        if headers.get("x-amz-sso_bearer_token") != self.sso_token:
            return 401, json.dumps({"message": "Session token not found or invalid"})
        if query != {"account_id": "123456789012", "role_name": "Trainer"}:
            return 403, json.dumps({"message": "No access"})
        ends = datetime.datetime.now(datetime.timezone.utc).timestamp() + self.life
        return 200, json.dumps({"roleCredentials": {"accessKeyId": self.key, "secretAccessKey": self.secret,
                                                    "sessionToken": "session", "expiration": int(ends * 1000)}})

    def oidc(self, wanted):
        if wanted != {"grantType": "refresh_token", "clientId": "c", "clientSecret": "s", "refreshToken": "r"}:
            return 400, json.dumps({"error": "invalid_grant"})
        self.sso_token = "sso-2"
        return 200, json.dumps({"accessToken": self.sso_token, "expiresIn": 3600, "refreshToken": "r2", "tokenType": "Bearer"})

    def sts(self, form, headers):
        action = form.get("Action", "")
        signed = "authorization" in headers
        if self.refuse or signed != (action == "AssumeRole"):
            return 403, STS_REFUSAL.format(why=self.refuse or "signed, or not")
        return 200, STS_ANSWER.format(action=action, session=form["RoleSessionName"], arn=form["RoleArn"], id=self.key,
                                      secret=self.secret, token="session", expires=in_iso(self.life))
