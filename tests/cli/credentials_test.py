"""Credentials from everywhere that AWS's tools take them, used for signed requests to a real server.

The emulator checks every signature; whoever gives credentials is played by tests/support/identity.py.
"""
import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import identity

ROLE = "arn:aws:iam::123456789012:role/trainer"
KEYS = "aws_access_key_id = AKIDSOURCE\naws_secret_access_key = s\n"


class Chain(cloud.CloudTest):
    def setUp(self):
        self.identity = identity.Identity()
        self.addCleanup(self.identity.stop)
        self.home = os.path.join(self.cloud.directory, self.id().rpartition(".")[2])
        os.makedirs(os.path.join(self.home, ".aws"))
        # Only EC2 is the emulator's: everybody else is somewhere else, as in AWS.
        self.environment = {
            **cloud.base_environment(self.home), "AWS_ENDPOINT_URL_EC2": self.cloud.endpoint,
            **{f"AWS_ENDPOINT_URL_{service}": self.identity.endpoint for service in ("STS", "SSO", "SSO_OIDC")}}

    def write(self, name, text):
        path = os.path.join(self.home, ".aws", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def list_volumes(self, *words, region="us-east-1", **environment):
        if region:
            environment["AWS_REGION"] = region
        return cloud.Outcome(subprocess.run(
            [cloud.RUNCTL, "aws", "ebs", "list", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={**self.environment, **environment}, cwd=self.home, timeout=120))

    def works(self, outcome):
        self.assertEqual(outcome.code, 0, outcome)

    def test_a_machine_has_a_role_and_a_region(self):
        self.works(self.list_volumes(region=None, AWS_EC2_METADATA_DISABLED="false",
                                     AWS_EC2_METADATA_SERVICE_ENDPOINT=self.identity.endpoint + "/"))
        self.assertEqual([path for _, path, _, _ in self.identity.asked],
                         ["/latest/api/token", "/latest/meta-data/placement/region", "/latest/api/token",
                          "/latest/meta-data/iam/security-credentials/",
                          "/latest/meta-data/iam/security-credentials/trainer"])

    def test_a_machine_without_a_role_has_no_credentials(self):
        self.identity.role = ""
        outcome = self.list_volumes(AWS_EC2_METADATA_DISABLED="false",
                                    AWS_EC2_METADATA_SERVICE_ENDPOINT=self.identity.endpoint)
        self.refused(outcome, "No AWS credentials were found", "does not have /latest/meta-data/iam", "aws configure", code=5)

    def test_no_metadata_service_is_no_reason_to_wait(self):
        outcome = self.list_volumes(AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT="http://127.0.0.1:1")
        self.refused(outcome, "No AWS credentials were found", "cannot talk to http://127.0.0.1:1", code=5)

    def test_a_container_has_a_role(self):
        token = self.write("token", "pod")
        url = self.identity.endpoint + "/container"
        self.works(self.list_volumes(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token))
        self.works(self.list_volumes(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN="pod"))
        refused = self.list_volumes(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN="stale")
        self.refused(refused, "credential service refused (HTTP 401)", code=5)

    def test_a_role_is_assumed_once_and_shared_with_the_aws_cli(self):
        self.write("credentials", f"[source]\n{KEYS}")
        self.write("config", f"[profile train]\nrole_arn = {ROLE}\nsource_profile = source\nexternal_id = ours\n"
                             "duration_seconds = 900\nrole_session_name = nightly\n")
        self.works(self.list_volumes("--profile", "train"))
        [form] = self.identity.forms()
        self.assertEqual({name: form[name] for name in form if name != "Version"},
                         {"Action": "AssumeRole", "RoleArn": ROLE, "RoleSessionName": "nightly", "ExternalId": "ours",
                          "DurationSeconds": "900"})
        self.assertIn("Credential=AKIDSOURCE/", self.identity.asked[0][2]["authorization"])
        self.works(self.list_volumes("--profile", "train"))
        self.assertEqual(len(self.identity.forms()), 1, "the session of the first command is good for the second")
        [cached] = os.listdir(os.path.join(self.home, ".aws", "cli", "cache"))
        self.assertEqual(os.stat(os.path.join(self.home, ".aws", "cli", "cache", cached)).st_mode & 0o777, 0o600)
        # The AWS CLI finds it under the same name.
        arguments = {"RoleArn": ROLE, "RoleSessionName": "nightly", "ExternalId": "ours", "DurationSeconds": 900}
        self.assertEqual(cached, hashlib.sha1(json.dumps(arguments, sort_keys=True).encode()).hexdigest() + ".json")
        aws = shutil.which("aws", path="/usr/bin:/bin")
        if not aws:
            self.skipTest("the AWS CLI is not installed (Debian's package awscli); the rest was shown")
        said = subprocess.run([aws, "--profile", "train", "--endpoint-url", self.cloud.endpoint, "ec2", "describe-volumes"],
                              env={**self.environment, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"},
                              capture_output=True, text=True, check=False)
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertEqual(len(self.identity.forms()), 1, "the AWS CLI takes the session that runctl has written")

    def test_a_session_that_is_about_to_end_is_not_taken_from_the_cache(self):
        self.write("credentials", f"[default]\n{KEYS}role_arn = {ROLE}\nsource_profile = default\n")
        self.identity.life = 600
        self.works(self.list_volumes())
        self.works(self.list_volumes())
        self.assertEqual(len(self.identity.forms()), 2)

    def test_a_role_that_may_not_be_assumed(self):
        self.write("credentials", f"[default]\n{KEYS}role_arn = {ROLE}\nsource_profile = default\n")
        self.identity.refuse = "User is not authorized to perform: sts:AssumeRole"
        self.refused(self.list_volumes(), "not authorized to perform: sts:AssumeRole", f"assuming {ROLE}", code=5)

    def test_an_mfa_code_is_asked_for_on_a_terminal_only(self):
        self.write("credentials", f"[default]\n{KEYS}role_arn = {ROLE}\nsource_profile = default\nmfa_serial = arn:mfa\n")
        self.refused(self.list_volumes(), "needs an MFA code of arn:mfa", "aws sts get-caller-identity", code=5)
        leader, follower = pty.openpty()
        with subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "list"], stdin=follower, stdout=subprocess.DEVNULL, stderr=follower,
                              env={**self.environment, "AWS_REGION": "us-east-1"}, cwd=self.home) as process:
            os.close(follower)
            said = b""
            while b"MFA code of arn:mfa:" not in said:
                said += os.read(leader, 1024)
            os.write(leader, b"123456\n")
            self.assertEqual(process.wait(timeout=60), 0)
        os.close(leader)
        [form] = self.identity.forms()
        self.assertEqual((form["SerialNumber"], form["TokenCode"]), ("arn:mfa", "123456"))

    def test_web_identity_is_not_signed(self):
        token = self.write("jwt", "eyJ.x.y\n")
        self.works(self.list_volumes(AWS_WEB_IDENTITY_TOKEN_FILE=token, AWS_ROLE_ARN=ROLE))
        [form] = self.identity.forms()
        self.assertEqual((form["Action"], form["WebIdentityToken"]), ("AssumeRoleWithWebIdentity", "eyJ.x.y"))
        missing = self.list_volumes(AWS_WEB_IDENTITY_TOKEN_FILE="/nowhere/jwt", AWS_ROLE_ARN=ROLE)
        self.refused(missing, "/nowhere/jwt", "reading the web identity token", code=3)

    def sso(self, token, session="[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"):
        self.write("config", "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Trainer\n" + session)
        name = hashlib.sha1(b"corp").hexdigest()
        return self.write(f"sso/cache/{name}.json", json.dumps(token)) if token else None

    def test_identity_center_takes_the_token_of_aws_sso_login(self):
        self.sso({"accessToken": "sso-1", "expiresAt": identity.in_iso(3600)})
        self.works(self.list_volumes())
        self.works(self.list_volumes())
        self.assertEqual(len(self.identity.asked), 1, "the session is good for the second command too")

    def test_identity_center_renews_a_token(self):
        path = self.sso({"accessToken": "old", "expiresAt": identity.in_iso(-60), "clientId": "c", "clientSecret": "s",
                         "refreshToken": "r", "registrationExpiresAt": identity.in_iso(86400), "region": "eu-west-1"})
        self.works(self.list_volumes())
        with open(path, encoding="utf-8") as file:
            renewed = json.load(file)
        self.assertEqual((renewed["accessToken"], renewed["refreshToken"], renewed["region"]), ("sso-2", "r2", "eu-west-1"))

    def test_identity_center_without_a_good_token(self):
        self.sso(None)
        self.refused(self.list_volumes(), "nobody has logged in", "aws sso login --sso-session 'corp'", code=5)
        self.sso({"accessToken": "sso-1", "expiresAt": identity.in_iso(-60)})
        self.refused(self.list_volumes(), "the session has ended", "aws sso login --sso-session 'corp'", code=5)
        self.sso({"accessToken": "another", "expiresAt": identity.in_iso(3600)})
        self.refused(self.list_volumes(), "the session has ended", code=5)
        self.sso({"garbage": True})
        self.refused(self.list_volumes(), "is not a token", code=5)

    def test_identity_center_without_a_session_of_its_own(self):
        self.write("config", "[default]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"
                             "sso_account_id = 123456789012\nsso_role_name = Trainer\n")
        name = hashlib.sha1(b"https://corp.awsapps.com/start").hexdigest()
        ends = identity.in_iso(3600).replace("Z", "UTC")  # as older versions of the AWS CLI wrote it
        self.write(f"sso/cache/{name}.json", json.dumps({"accessToken": "sso-1", "expiresAt": ends}))
        self.works(self.list_volumes())

    def process(self, printed):
        script = self.write("get", f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\n")
        os.chmod(script, 0o755)
        self.write("config", f"[default]\ncredential_process = \"{script}\" --for training\n")

    def test_a_process_prints_credentials(self):
        self.process(json.dumps({"Version": 1, "AccessKeyId": "emulator", "SecretAccessKey": "emulator", "SessionToken": "t",
                                 "Expiration": identity.in_iso(3600)}))
        self.works(self.list_volumes())

    def test_a_process_that_does_not(self):
        for printed, why in (("what?", "did not print JSON"), ('{"Version": 2}', 'no "Version": 1'),
                             ('{"Version": 1, "AccessKeyId": "x"}', "gave no SecretAccessKey"),
                             (json.dumps({"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "HIDDEN",
                                          "Expiration": identity.in_iso(-1)}), "that ended at")):
            self.process(printed)
            outcome = self.list_volumes()
            self.refused(outcome, why, "credential_process of profile 'default'", code=5)
            self.assertNotIn("HIDDEN", outcome.err)
        self.write("config", "[default]\ncredential_process = echo no ticket >&2; exit 3\n")
        self.refused(self.list_volumes(), "ended with status 3", "no ticket", code=5)
        self.write("config", "[default]\ncredential_process = /nowhere/tool\n")
        self.refused(self.list_volumes(), "ended with status 127", "/nowhere/tool", code=5)

    def test_config_show_asks_nobody(self):
        self.sso(None)
        shown = subprocess.run([cloud.RUNCTL, "config", "show", "--output", "json"], env=self.environment, cwd=self.home,
                               capture_output=True, text=True, check=True)
        row = json.loads(shown.stdout)["credentials"]
        self.assertEqual(row["value"], "to be asked for")
        self.assertIn("IAM Identity Center, profile 'default'", row["from"])
        self.assertEqual(self.identity.asked, [])


if __name__ == "__main__":
    cloud.main()
