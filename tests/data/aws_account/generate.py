"""Writes cases.json: what botocore takes from an environment and AWS's shared files.

Needs botocore 1.43 (pip install 'botocore==1.43.*'), which the build does not:

    python3 tests/data/aws_account/generate.py > tests/data/aws_account/cases.json

Nothing is sent anywhere. "error" stands for any refusal of botocore's, null for nothing found.
"""

import json
import os
import pathlib
import sys
import tempfile

import botocore
import botocore.session
import botocore.utils

KEYS = "aws_access_key_id = {0}ID\naws_secret_access_key = {0}SECRET\n"
ENV_KEYS = {"AWS_ACCESS_KEY_ID": "envID", "AWS_SECRET_ACCESS_KEY": "envSECRET"}
REGION = {"AWS_DEFAULT_REGION": "eu-west-1"}


def case(name, env=None, credentials="", config="", profile=None):
    return {"name": name, "env": env or {}, "credentials": credentials, "config": config, "profile": profile}


def who_cases():
    a, b, d = KEYS.format("a"), KEYS.format("b"), KEYS.format("d")
    both = f"[default]\n{d}[a]\n{a}"
    yield case("nothing at all")
    yield case("environment", ENV_KEYS)
    yield case("environment with token", dict(ENV_KEYS, AWS_SESSION_TOKEN="tok"))
    yield case("environment with empty token", dict(ENV_KEYS, AWS_SESSION_TOKEN=""))
    yield case("environment, empty id", {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, both)
    yield case("environment, id only", {"AWS_ACCESS_KEY_ID": "envID"}, both)
    yield case("environment before default profile", ENV_KEYS, both)
    yield case("environment before AWS_PROFILE", dict(ENV_KEYS, AWS_PROFILE="a"), both)
    yield case("--profile before environment", ENV_KEYS, both, profile="a")
    yield case("--profile before AWS_PROFILE", {"AWS_PROFILE": "b"}, f"{both}[b]\n{b}", profile="a")
    yield case("AWS_PROFILE", {"AWS_PROFILE": "a"}, both)
    yield case("AWS_DEFAULT_PROFILE", {"AWS_DEFAULT_PROFILE": "a"}, both)
    yield case("empty AWS_PROFILE", {"AWS_PROFILE": ""}, both)
    yield case("default profile", {}, both)
    yield case("no such profile", {}, both, profile="x")
    yield case("no such AWS_PROFILE", {"AWS_PROFILE": "x"}, both)
    yield case("credentials file before config file", {}, f"[a]\n{a}", f"[profile a]\n{b}", "a")
    yield case("config file only", {}, "", f"[profile a]\n{b}", "a")
    yield case("config file without 'profile'", {}, "", f"[a]\n{b}", "a")
    yield case("credentials file with 'profile'", {}, f"[profile a]\n{a}", "", "a")
    yield case("config default", {}, "", f"[default]\n{d}")
    yield case("config [profile default]", {}, "", f"[profile default]\n{d}")
    yield case("quoted name", {}, "", f'[profile "my team"]\n{a}', "my team")
    yield case("quoted name, single", {}, "", f"[profile 'my team']\n{a}", "my team")
    yield case("name with blank in credentials", {}, f"[my team]\n{a}", "", "my team")
    yield case("two names", {}, "", f"[profile my team]\n{a}", "my")
    yield case("profile with region only", {}, "", "[profile a]\nregion = eu-north-1\n", "a")
    yield case("id without secret in file", {}, "[a]\naws_access_key_id = x\n", "", "a")
    yield case("token", {}, f"[a]\n{a}aws_session_token = tok\n", "", "a")
    yield case("older name of token", {}, f"[a]\n{a}aws_security_token = tok\n", "", "a")
    yield case("token of the other file stays there", {}, f"[a]\n{a}", f"[profile a]\naws_session_token = tok\n", "a")
    yield case("process after credentials file", {}, f"[a]\n{a}", "[profile a]\ncredential_process = /bin/false\n", "a")
    yield case("process before config file", {}, "", f"[profile a]\ncredential_process = /bin/false\n{a}", "a")
    sso = "sso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r\n"
    yield case("sso before credentials file", REGION, f"[a]\n{a}", f"[profile a]\n{sso}", "a")
    yield case("sso session alone", {}, f"[a]\n{a}", "[profile a]\nsso_session = s\n[sso-session s]\nsso_region = x\n", "a")
    yield case("role before credentials file", REGION, f"[a]\n{a}", "[profile a]\nrole_arn = arn:aws:iam::1:role/r\n", "a")


def ini_cases():
    keys = ("aws_access_key_id", "aws_secret_access_key")
    texts = {
        "tight": f"[a]\n{keys[0]}=x\n{keys[1]}=y\n",
        "wide": f"[a]\n{keys[0]}   =   x   \n{keys[1]} =\ty\t\n",
        "colon": f"[a]\n{keys[0]}: x\n{keys[1]} : y=z\n",
        "equals in value": f"[a]\n{keys[0]} = x\n{keys[1]} = y=z==\n",
        "upper case key": f"[a]\n{keys[0].upper()} = x\n{keys[1]} = y\n",
        "crlf": f"[a]\r\n{keys[0]} = x\r\n{keys[1]} = y\r\n",
        "no line end at the end": f"[a]\n{keys[0]} = x\n{keys[1]} = y",
        "comments": f"# one\n; two\n[a]\n# {keys[0]} = no\n{keys[0]} = x\n  ; three\n{keys[1]} = y\n",
        "number sign in value": f"[a]\n{keys[0]} = x\n{keys[1]} = y#z\n",
        "comment behind value is value": f"[a]\n{keys[0]} = x\n{keys[1]} = y # z ; w\n",
        "text behind section": f"[a] # comment\n{keys[0]} = x\n{keys[1]} = y\n",
        "empty lines": f"\n\n[a]\n\n{keys[0]} = x\n\n{keys[1]} = y\n\n",
        "indented keys": f"[a]\n  {keys[0]} = x\n  {keys[1]} = y\n",
        "indented more than the key above": f"[a]\nregion = r\n  {keys[0]} = x\n{keys[1]} = y\n",
        "nested": f"[a]\ns3 =\n  {keys[0]} = no\n  max = 1\n{keys[0]} = x\n{keys[1]} = y\n",
        "nested with empty line": f"[a]\ns3 =\n  max = 1\n\n  {keys[0]} = no\n{keys[0]} = x\n{keys[1]} = y\n",
        "nested with tab": f"[a]\ns3=\n\t{keys[0]} = no\n{keys[0]} = x\n{keys[1]} = y\n",
        "nested line without equals": f"[a]\ns3 =\n  max\n{keys[0]} = x\n{keys[1]} = y\n",
        "value continued": f"[a]\n{keys[0]} = x\n{keys[1]} = y\n  z\n",
        "key before section": f"{keys[0]} = x\n[a]\n{keys[1]} = y\n",
        "line without value": f"[a]\n{keys[0]}\n{keys[1]} = y\n",
        "line without key": f"[a]\n= x\n{keys[1]} = y\n",
        "section twice": f"[a]\n{keys[0]} = x\n[a]\n{keys[1]} = y\n",
        "key twice": f"[a]\n{keys[0]} = x\n{keys[0]} = z\n{keys[1]} = y\n",
        "section not closed": f"[a\n{keys[0]} = x\n{keys[1]} = y\n",
        "section without name": f"[]\n{keys[0]} = x\n[a]\n{keys[1]} = y\n",
        "brackets in name": f"[a]]\n{keys[0]} = x\n{keys[1]} = y\n",
        "value in unicode": f"[a]\n{keys[0]} = x\n{keys[1]} = größe☃\n",
        "empty value": f"[a]\nregion =\n{keys[0]} = x\n{keys[1]} = y\n",
    }
    for name, text in texts.items():
        yield case("ini: " + name, {}, text, "", "a")


def where_cases():
    services = "[services s]\nec2 =\n  endpoint_url = http://services-ec2\nsts =\n  endpoint_url = http://services-sts\n"
    a = f"[profile a]\nregion = eu-north-1\nendpoint_url = http://profile\nservices = s\n{services}"
    yield case("region of profile", {}, "", a, "a")
    yield case("environment before profile", REGION, "", a, "a")
    yield case("region in credentials file first", {}, "[a]\nregion = ap-east-1\n", a, "a")
    yield case("service's variable before all", {"AWS_ENDPOINT_URL_STS": "http://own", "AWS_ENDPOINT_URL": "http://all"}, "", a, "a")
    yield case("other service's variable", {"AWS_ENDPOINT_URL_EC2": "http://own"}, "", a, "a")
    yield case("general variable before files", {"AWS_ENDPOINT_URL": "http://all"}, "", a, "a")
    yield case("services section before profile", {}, "", a, "a")
    yield case("profile's url", {}, "", "[profile a]\nregion = eu-north-1\nendpoint_url = http://profile/\n", "a")
    yield case("services section of another service", {}, "", a.replace("sts =", "s3 ="), "a")
    yield case("services section missing", {}, "", a.replace("[services s]", "[services t]"), "a")
    yield case("ignored by variable", dict(REGION, AWS_ENDPOINT_URL="http://all", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true"), "", a, "a")
    yield case("ignored, upper case", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE"}, "", a, "a")
    yield case("not ignored", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, "", a, "a")
    yield case("ignored by profile", {"AWS_ENDPOINT_URL": "http://all"}, "", a.replace("services =", "ignore_configured_endpoint_urls = true\nservices ="), "a")
    for region in ("us-east-1", "eu-central-2", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1",
                   "us-isob-east-1", "eu-isoe-west-1", "us-isof-south-1", "xx-new-1"):
        yield case("AWS's own in " + region, {"AWS_DEFAULT_REGION": region})


    for variables in ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, {"AWS_USE_FIPS_ENDPOINT": "true"},
                      {"AWS_USE_DUALSTACK_ENDPOINT": "true", "AWS_USE_FIPS_ENDPOINT": "true"}):
        for region in ("us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "xx-new-1"):
            yield case(f"AWS's own in {region}, {variables}", dict(variables, AWS_DEFAULT_REGION=region))
    yield case("dual stack and an endpoint", dict(REGION, AWS_USE_DUALSTACK_ENDPOINT="true", AWS_ENDPOINT_URL="http://all"))
    yield case("FIPS and an endpoint", dict(REGION, AWS_USE_FIPS_ENDPOINT="true", AWS_ENDPOINT_URL="http://all"))
    yield case("dual stack of profile", {}, "", "[profile a]\nregion = eu-north-1\nuse_dualstack_endpoint = true\n", "a")
    yield case("FIPS of profile", {}, "", "[profile a]\nregion = eu-north-1\nuse_fips_endpoint = True\n", "a")
    yield case("dual stack switched off", {"AWS_USE_DUALSTACK_ENDPOINT": "false"}, "", "[profile a]\nregion = eu-north-1\nuse_dualstack_endpoint = true\n", "a")


def way_cases():
    a, b = KEYS.format("a"), KEYS.format("b")
    role = "role_arn = arn:aws:iam::1:role/r\n"
    sso = "sso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r\n"
    session = "[sso-session s]\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\n"
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::1:role/w"}
    yield case("role with source profile", REGION, f"[b]\n{b}", f"[profile a]\n{role}source_profile = b\n", "a")
    yield case("role before its own keys", REGION, f"[a]\n{a}", f"[profile a]\n{role}source_profile = a\n", "a")
    yield case("role of itself without keys", REGION, "", f"[profile a]\n{role}source_profile = a\n", "a")
    yield case("roles in a circle", REGION, "", f"[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = a\n", "a")
    yield case("role by a role", REGION, f"[c]\n{b}", f"[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = c\n", "a")
    yield case("role by a role that has keys too", REGION, "", f"[profile a]\n{role}source_profile = b\n[profile b]\n{role}source_profile = a\n{b}", "a")
    yield case("role with source profile missing", REGION, "", f"[profile a]\n{role}source_profile = b\n", "a")
    yield case("role with source profile empty", REGION, "", f"[profile a]\n{role}source_profile = b\n[profile b]\nregion = x\n", "a")
    yield case("role with both sources", REGION, f"[b]\n{b}", f"[profile a]\n{role}source_profile = b\ncredential_source = Environment\n", "a")
    yield case("role without source", REGION, "", f"[profile a]\n{role}", "a")
    yield case("role by environment", dict(REGION, **ENV_KEYS), "", f"[profile a]\n{role}credential_source = Environment\n", "a")
    yield case("role by environment without keys", REGION, "", f"[profile a]\n{role}credential_source = Environment\n", "a")
    yield case("role by unknown source", REGION, "", f"[profile a]\n{role}credential_source = Moon\n", "a")
    yield case("role by sso profile", REGION, "", f"[profile a]\n{role}source_profile = b\n[profile b]\n{sso}", "a")
    yield case("role by process profile", REGION, "", f"[profile a]\n{role}source_profile = b\n[profile b]\ncredential_process = echo '{{\"Version\": 1, \"AccessKeyId\": \"x\", \"SecretAccessKey\": \"y\"}}'\n", "a")
    yield case("keys of environment before role", dict(REGION, **ENV_KEYS, AWS_PROFILE="a"), f"[b]\n{b}", f"[profile a]\n{role}source_profile = b\n")
    yield case("role in credentials file", REGION, f"[a]\n{role}source_profile = b\n[b]\n{b}", "", "a")
    yield case("web identity of environment", dict(REGION, **web))
    yield case("web identity of environment before default keys", dict(REGION, **web), f"[default]\n{a}")
    yield case("web identity of environment, a profile asked for", dict(REGION, **web), f"[a]\n{a}", "", "a")
    yield case("web identity of environment, AWS_PROFILE", dict(REGION, **web, AWS_PROFILE="a"), f"[a]\n{a}")
    yield case("web identity without role", dict(REGION, AWS_WEB_IDENTITY_TOKEN_FILE="/t"))
    yield case("web identity of profile", REGION, f"[a]\n{a}", f"[profile a]\n{role}web_identity_token_file = /t\n", "a")
    yield case("web identity of profile without role", REGION, "", "[profile a]\nweb_identity_token_file = /t\n", "a")
    yield case("web identity before a role's source", REGION, f"[b]\n{b}", f"[profile a]\n{role}source_profile = b\nweb_identity_token_file = /t\n", "a")
    yield case("sso", {}, "", f"[profile a]\n{sso}", "a")
    yield case("sso before keys", {}, f"[a]\n{a}", f"[profile a]\n{sso}", "a")
    yield case("sso with session", {}, "", f"[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n{session}", "a")
    yield case("sso with session that is missing", {}, "", "[profile a]\nsso_session = s\nsso_account_id = 1\nsso_role_name = r\n", "a")
    yield case("sso with session that differs", {}, "", f"[profile a]\nsso_session = s\n{sso.replace('eu-west-1', 'eu-west-2')}{session}", "a")
    yield case("sso without region", {}, "", "[profile a]\nsso_start_url = https://x\nsso_account_id = 1\nsso_role_name = r\n", "a")
    yield case("sso with account only", {}, "", "[profile a]\nsso_account_id = 1\n", "a")
    yield case("keys before container", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, f"[default]\n{a}")
    yield case("container", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"})
    yield case("container, full", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1"})
    yield case("container, https anywhere", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://example.com/v1"})
    yield case("container, http elsewhere", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/v1"})
    yield case("container, http on a name that only begins like loopback", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.example.com/v1"})
    yield case("container, http on loopback", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.9:80/v1"})
    yield case("container, http on loopback 6", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[::1]:80/v1"})
    yield case("container with a profile asked for that has none", {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, "", "[profile a]\nregion = x\n", "a")
    yield case("the machine's role", {"AWS_EC2_METADATA_DISABLED": "false"})
    yield case("the machine's role with a profile asked for", {"AWS_EC2_METADATA_DISABLED": "false"}, "", "[profile a]\nregion = x\n", "a")
    yield case("no machine's role", {"AWS_EC2_METADATA_DISABLED": "TRUE"})


def answer_for_containers_and_machines():
    """Nothing is asked: what a container's or a machine's service would say is put in its place."""
    keys = {"AccessKeyId": "x", "SecretAccessKey": "y", "Token": "z", "Expiration": "2999-01-01T00:00:00Z"}
    botocore.utils.ContainerMetadataFetcher._retrieve_credentials = lambda self, url, extra_headers=None: keys
    fetcher = botocore.utils.InstanceMetadataFetcher

    def machine(self):
        if self._disabled:
            return {}
        return {"role_name": "r", "access_key": "x", "secret_key": "y", "token": "z", "expiry_time": keys["Expiration"]}
    fetcher.retrieve_iam_role_credentials = machine


def way_of(session):
    found = session.get_credentials()
    return found and found.method


def outcome(ask):
    try:
        return ask()
    except Exception:  # whatever botocore raises, it refused
        return "error"


def credentials_of(session):
    found = session.get_credentials()
    if found is None:
        return None
    frozen = found.get_frozen_credentials()
    return {"id": frozen.access_key, "secret": frozen.secret_key, "token": frozen.token}


def session_for(what, home):
    for kind in ("credentials", "config"):
        path = home / ".aws" / kind
        path.unlink(missing_ok=True)
        if what[kind]:
            path.write_bytes(what[kind].encode())
    os.environ.clear()
    os.environ.update({"HOME": str(home), "AWS_EC2_METADATA_DISABLED": "true", "LANG": "C.UTF-8"} | what["env"])
    os.environ.setdefault("PATH", os.defpath)
    return botocore.session.Session(profile=what["profile"])


def endpoint_of(session, service):
    # Keys are not looked at when an endpoint is chosen, but must be there for a client to be made.
    client = session.create_client(service, aws_access_key_id="x", aws_secret_access_key="y")
    return client.meta.endpoint_url.rstrip("/")


def main():
    with tempfile.TemporaryDirectory() as directory:
        home = pathlib.Path(directory)
        (home / ".aws").mkdir()
        who = [dict(c, found=outcome(lambda: credentials_of(session_for(c, home)))) for c in [*who_cases(), *ini_cases()]]
        where = []
        for c in where_cases():
            region = outcome(lambda: session_for(c, home).get_config_variable("region"))
            url = outcome(lambda: endpoint_of(session_for(c, home), "sts"))
            where.append(dict(c, region=region, sts=url))
        answer_for_containers_and_machines()
        way = [dict(c, way=outcome(lambda: way_of(session_for(c, home)))) for c in way_cases()]
    made_by = "generate.py with botocore " + botocore.__version__
    json.dump({"made_by": made_by, "who": who, "where": where, "way": way}, sys.stdout, indent=1, ensure_ascii=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
