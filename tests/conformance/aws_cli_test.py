"""The AWS CLI, a client that this project did not write, against the emulator.

RUNCTL       path of the program; it is started as `runctl emulator run`
RUNCTL_HARDWARE  block, files or none (default: auto)
AWS_CLI      path of the AWS CLI (default /usr/bin/aws); without one the tests are skipped
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import signed

AWS_CLI = os.environ.get("AWS_CLI", "/usr/bin/aws")
PATIENCE = 30  # seconds


def cli_version():
    text = subprocess.run([AWS_CLI, "--version"], capture_output=True, text=True, check=True).stdout
    return tuple(int(n) for n in re.match(r"aws-cli/(\d+)\.(\d+)", text).groups())


class Refused(Exception):
    def __init__(self, text):
        super().__init__(text)
        found = re.search(r"An error occurred \((\S+)\)", text)
        self.code = found.group(1) if found else ""


@unittest.skipUnless(os.path.exists(AWS_CLI), "no AWS CLI here")
class AwsCliTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.mkdtemp(prefix="runctl-cli-")
        cls.emulator = subprocess.Popen(
            [os.environ["RUNCTL"], "emulator", "run", "--port", "0", "--pace", "fast",
             "--state", os.path.join(cls.home, "state"),
             "--hardware", os.environ.get("RUNCTL_HARDWARE", "auto")],
            stdout=subprocess.PIPE, text=True)
        line = cls.emulator.stdout.readline()
        cls.endpoint = re.match(r"listening on (http://127\.0\.0\.1:\d+)$", line).group(1)
        # 2.13 was the first to know AWS_ENDPOINT_URL.
        cls.extra = [] if cli_version() >= (2, 13) else ["--endpoint-url", cls.endpoint]

    @classmethod
    def tearDownClass(cls):
        cls.emulator.send_signal(signal.SIGTERM)
        status = cls.emulator.wait(timeout=PATIENCE)
        cls.emulator.stdout.close()
        left = os.path.exists(os.path.join(cls.home, "state", "emulator.json"))
        shutil.rmtree(cls.home)
        if status != 0 or left:
            raise AssertionError(f"the emulator ended with {status}, emulator.json left: {left}")

    def aws(self, *words, secret="emulator", key="emulator"):
        environment = {
            "PATH": "/usr/bin:/bin", "HOME": self.home, "AWS_PAGER": "",
            "AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret, "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1"}
        done = subprocess.run([AWS_CLI, *self.extra, "--output", "json", *words],
                              capture_output=True, text=True, env=environment, timeout=120)
        if done.returncode != 0:
            raise Refused(done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def ec2(self, *words, **options):
        return self.aws("ec2", *words, **options)

    def refused(self, code, *words, **options):
        with self.assertRaises(Refused) as caught:
            self.aws(*words, **options)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        return str(caught.exception)

    def until(self, what, probe):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            seen = probe()
            if seen:
                return seen
        self.fail(f"gave up waiting for {what}")

    def create_volume(self, *words):
        volume = self.ec2("create-volume", "--availability-zone", "us-east-1a", "--size", "1", *words)
        self.assertEqual(volume["State"], "creating")
        self.ec2("wait", "volume-available", "--volume-ids", volume["VolumeId"])
        return volume["VolumeId"]

    def run_instance(self):
        started = self.ec2("run-instances", "--image-id", "ami-0123456789abcdef0",
                           "--instance-type", "t3.micro", "--count", "1",
                           "--placement", "AvailabilityZone=us-east-1a")
        self.assertEqual(started["Instances"][0]["State"]["Name"], "pending")
        instance = started["Instances"][0]["InstanceId"]
        self.ec2("wait", "instance-running", "--instance-ids", instance)
        return instance

    def attachment(self, volume):
        attachments = self.ec2("describe-volumes", "--volume-ids", volume)["Volumes"][0]["Attachments"]
        return attachments[0] if attachments else None

    def hardware(self):
        with urllib.request.urlopen(self.endpoint + "/_runctl/status", timeout=PATIENCE) as answer:
            return json.load(answer)["hardware"]

    def output_on(self, instance, *commands):
        sent = self.aws("ssm", "send-command", "--instance-ids", instance, "--document-name", "AWS-RunShellScript",
                        "--parameters", json.dumps({"commands": commands}))
        seen = self.until("the command", lambda: self.ended(sent["Command"]["CommandId"], instance))
        self.assertEqual(seen["Status"], "Success", seen)
        return seen["StandardOutputContent"]

    def ended(self, command, instance):
        """What became of the command, or None while it has not ended."""
        seen = self.aws("ssm", "get-command-invocation", "--command-id", command, "--instance-id", instance)
        return seen if seen["Status"] not in ("Pending", "InProgress") else None

    def test_a_volume_goes_to_one_machine_and_comes_back(self):
        volume = self.create_volume("--volume-type", "gp3")
        instance = self.run_instance()
        attached = self.ec2("attach-volume", "--volume-id", volume, "--instance-id", instance,
                            "--device", "/dev/sdf")
        self.assertEqual(attached["State"], "attaching")
        message = self.refused("VolumeInUse", "ec2", "attach-volume", "--volume-id", volume,
                               "--instance-id", instance, "--device", "/dev/sdg")
        self.assertIn(volume, message)
        self.until("the attachment", lambda: self.attachment(volume)["State"] == "attached")
        self.refused("VolumeInUse", "ec2", "delete-volume", "--volume-id", volume)
        seen = self.ec2("describe-instances", "--instance-ids", instance)
        devices = seen["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
        self.assertEqual(sorted(d["DeviceName"] for d in devices), ["/dev/sdf", "/dev/xvda"])

        self.assertEqual(self.ec2("detach-volume", "--volume-id", volume)["State"], "detaching")
        self.ec2("wait", "volume-available", "--volume-ids", volume)
        self.assertIsNone(self.attachment(volume))
        self.ec2("delete-volume", "--volume-id", volume)
        self.ec2("wait", "volume-deleted", "--volume-ids", volume)
        ended = self.ec2("terminate-instances", "--instance-ids", instance)
        self.assertEqual(ended["TerminatingInstances"][0]["CurrentState"]["Name"], "shutting-down")
        self.ec2("wait", "instance-terminated", "--instance-ids", instance)

    def test_commands_really_run(self):
        if os.environ.get("RUNCTL_HARDWARE") == "none":
            self.skipTest("hardware none runs no commands")
        instance = self.run_instance()
        sent = self.aws("ssm", "send-command", "--instance-ids", instance,
                        "--document-name", "AWS-RunShellScript",
                        "--parameters", json.dumps({"commands": ["echo six $((6*7))", "echo no >&2; exit 3"]}))
        command = sent["Command"]["CommandId"]
        seen = self.until("the command", lambda: self.ended(command, instance))
        self.assertEqual((seen["Status"], seen["ResponseCode"]), ("Failed", 3))
        self.assertEqual(seen["StandardOutputContent"], "six 42\n")
        self.assertEqual(seen["StandardErrorContent"].splitlines()[0], "no")
        [listed] = self.aws("ssm", "list-command-invocations", "--command-id", command, "--details")["CommandInvocations"]
        self.assertEqual((listed["InstanceId"], listed["Status"], listed["CommandPlugins"][0]["ResponseCode"]),
                         (instance, "Failed", 3))
        self.assertIn("six 42", listed["CommandPlugins"][0]["Output"])

        endless = self.aws("ssm", "send-command", "--instance-ids", instance,
                           "--document-name", "AWS-RunShellScript",
                           "--parameters", "commands=sleep 1000")["Command"]["CommandId"]
        self.aws("ssm", "cancel-command", "--command-id", endless)

        def cancelled():
            found = self.aws("ssm", "list-command-invocations", "--instance-id", instance,
                             "--filters", "key=Status,value=Cancelled")["CommandInvocations"]
            return [i["CommandId"] for i in found]

        self.assertEqual(self.until("the cancellation", cancelled), [endless])
        self.refused("InvalidCommandId", "ssm", "cancel-command", "--command-id", "0" * 36)
        self.ec2("terminate-instances", "--instance-ids", instance)
        self.refused("InvalidInstanceId", "ssm", "send-command", "--instance-ids", instance,
                     "--document-name", "AWS-RunShellScript", "--parameters", "commands=true")

    def test_a_machine_knows_itself(self):
        """The AWS CLI's own metadata client, in a machine, with nothing set up for it; then what it does not ask."""
        if os.environ.get("RUNCTL_HARDWARE") == "none":
            self.skipTest("hardware none runs no commands")
        instance = self.run_instance()
        script = """
import os, urllib.error, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "latest/"
token = urllib.request.urlopen(urllib.request.Request(
    base + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}), timeout=5).read().decode()
for path in "meta-data/instance-id", "meta-data/placement/availability-zone", "meta-data/instance-life-cycle":
    print(urllib.request.urlopen(urllib.request.Request(
        base + path, headers={"X-aws-ec2-metadata-token": token}), timeout=5).read().decode())
try:
    urllib.request.urlopen(base + "meta-data/instance-id", timeout=5)
except urllib.error.HTTPError as refused:
    print(refused.code)
"""
        told = self.output_on(instance, f"{AWS_CLI} configure list | grep -w region | tr -s ' '",
                              "/usr/bin/python3 - <<'END'", *script.splitlines(), "END")
        self.assertEqual(told.split(), ["region", "us-east-1", "imds", instance, "us-east-1a", "on-demand", "401"])
        self.ec2("terminate-instances", "--instance-ids", instance)

    def run_spot(self, **options):
        market = {"MarketType": "spot", "SpotOptions": options} if options else {"MarketType": "spot"}
        started = self.ec2("run-instances", "--image-id", "ami-0123456789abcdef0", "--instance-type", "t3.micro",
                           "--count", "1", "--placement", "AvailabilityZone=us-east-1a",
                           "--instance-market-options", json.dumps(market))["Instances"][0]
        self.assertEqual(started["InstanceLifecycle"], "spot")
        self.ec2("wait", "instance-running", "--instance-ids", started["InstanceId"])
        return started["InstanceId"]

    def fault(self, *words):
        return subprocess.run([os.environ["RUNCTL"], "emulator", "fault", *words, "--state",
                               os.path.join(self.home, "state")], capture_output=True, text=True, timeout=120)

    def instance(self, instance):
        return self.ec2("describe-instances", "--instance-ids", instance)["Reservations"][0]["Instances"][0]

    def test_a_spot_machine_hears_of_its_interruption_and_ends(self):
        volume = self.create_volume()
        instance = self.run_spot()
        found = self.ec2("describe-instances", "--filters", "Name=instance-lifecycle,Values=spot",
                         f"Name=spot-instance-request-id,Values={self.instance(instance)['SpotInstanceRequestId']}")
        self.assertEqual(found["Reservations"][0]["Instances"][0]["InstanceId"], instance)
        self.ec2("attach-volume", "--volume-id", volume, "--instance-id", instance, "--device", "/dev/sdf")
        self.until("the attachment", lambda: self.attachment(volume)["State"] == "attached")
        on_demand = self.run_instance()
        refused = self.fault("add", on_demand, "spot-interruption")
        self.assertEqual(refused.returncode, 4, refused)
        self.assertIn("on-demand", refused.stderr)
        given = self.fault("add", instance, "spot-interruption", "ms=3600000")
        self.assertRegex(given.stdout, rf"^{instance} spot-interruption ms=3[56]\d{{5}}\n$")
        self.assertEqual(self.fault("clear", instance).stdout, "Nothing goes wrong on demand.\n")
        self.assertEqual(self.instance(instance)["State"]["Name"], "running")
        if self.hardware() != "none":
            self.aws("ssm", "send-command", "--instance-ids", instance, "--document-name", "AWS-RunShellScript",
                     "--parameters", json.dumps({"commands": self.watcher()}))
            self.assertEqual(self.fault("add", instance, "spot-interruption", "ms=20000").returncode, 0)
            told = self.output_on(instance, "while ! test -s /tmp/told; do sleep 0.1; done; cat /tmp/told")
            action, ends = told.splitlines()
            self.assertEqual(json.loads(action)["action"], "terminate")
            self.assertEqual(json.loads(action)["time"], ends)
            self.assertRegex(ends, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        else:
            self.assertEqual(self.fault("add", "*", "spot-interruption", "ms=10").returncode, 0)
        self.ec2("wait", "instance-terminated", "--instance-ids", instance)
        self.assertEqual(self.instance(instance)["StateReason"]["Code"], "Server.SpotInstanceTermination")
        self.ec2("wait", "volume-available", "--volume-ids", volume)
        logs = subprocess.run([os.environ["RUNCTL"], "emulator", "logs", "--id", instance, "--tail", "0", "--state",
                               os.path.join(self.home, "state")], capture_output=True, text=True, timeout=120).stdout
        self.assertRegex(logs, rf"spot-notice +{instance}: nothing -> terminate at 2\S+Z\n")
        self.assertRegex(logs, rf"instance +{instance}: running -> shutting-down\n")
        self.ec2("terminate-instances", "--instance-ids", on_demand)

    @staticmethod
    def watcher():
        """The lines of a script that waits for the notice on its machine, and writes down what it is told."""
        return ["/usr/bin/python3 - <<'END'", *"""
import os, time, urllib.error, urllib.request
base = os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] + "latest/"
token = urllib.request.urlopen(urllib.request.Request(
    base + "api/token", method="PUT", headers={"X-aws-ec2-metadata-token-ttl-seconds": "600"}), timeout=30).read().decode()
def ask(path):
    request = urllib.request.Request(base + "meta-data/" + path, headers={"X-aws-ec2-metadata-token": token})
    return urllib.request.urlopen(request, timeout=30).read().decode()
assert ask("instance-life-cycle") == "spot"
while True:
    try:
        action = ask("spot/instance-action")
        break
    except urllib.error.HTTPError as none_yet:
        assert none_yet.code == 404
        time.sleep(0.1)
with open("/tmp/told.new", "w") as told:
    print(action, file=told)
    print(ask("spot/termination-time"), file=told)
os.rename("/tmp/told.new", "/tmp/told")
time.sleep(3600)
""".splitlines(), "END"]

    def test_a_spot_machine_that_is_to_stop_stops(self):
        stops = {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": "stop"}
        self.refused("UnsupportedOperation", "ec2", "stop-instances", "--instance-ids", self.run_spot())
        instance = self.run_spot(**stops, ValidUntil="2100-01-01T00:00:00Z", MaxPrice="0.01")
        self.assertEqual(self.fault("add", instance, "spot-interruption", "ms=10").returncode, 0)
        self.ec2("wait", "instance-stopped", "--instance-ids", instance)
        self.assertEqual(self.instance(instance)["StateReason"]["Code"], "Server.SpotInstanceShutdown")
        self.refused("IncorrectSpotRequestState", "ec2", "start-instances", "--instance-ids", instance)
        self.assertIn(instance, self.fault("list").stdout)
        self.assertEqual(self.fault("clear", instance).returncode, 0)
        self.ec2("wait", "instance-running", "--instance-ids", instance)
        for bad in ({"SpotInstanceType": "persistent"}, {"InstanceInterruptionBehavior": "stop"}):
            with self.assertRaises(Refused) as caught:
                self.run_spot(**bad)
            self.assertEqual(caught.exception.code, "InvalidParameterCombination")

    def test_spot_requests_and_prices(self):
        instance = self.run_spot()
        request = self.instance(instance)["SpotInstanceRequestId"]
        [seen] = self.ec2("describe-spot-instance-requests", "--spot-instance-request-ids", request)["SpotInstanceRequests"]
        self.assertEqual((seen["State"], seen["Status"]["Code"], seen["Type"], seen["InstanceId"]),
                         ("active", "fulfilled", "one-time", instance))
        self.ec2("wait", "spot-instance-request-fulfilled", "--spot-instance-request-ids", request)
        self.assertEqual(self.fault("add", instance, "spot-interruption").returncode, 0)
        [seen] = self.ec2("describe-spot-instance-requests", "--filters",
                          f"Name=instance-id,Values={instance}")["SpotInstanceRequests"]
        self.assertEqual(seen["Status"]["Code"], "marked-for-termination")
        self.assertEqual(self.fault("clear", instance).returncode, 0)
        self.ec2("create-tags", "--resources", request, "--tags", "Key=a,Value=b")
        [seen] = self.ec2("describe-spot-instance-requests", "--filters", "Name=tag:a,Values=b")["SpotInstanceRequests"]
        self.assertEqual(seen["SpotInstanceRequestId"], request)
        [cancelled] = self.ec2("cancel-spot-instance-requests", "--spot-instance-request-ids",
                               request)["CancelledSpotInstanceRequests"]
        self.assertEqual(cancelled["State"], "cancelled")
        self.assertEqual(self.instance(instance)["State"]["Name"], "running")
        self.refused("InvalidSpotInstanceRequestID.NotFound", "ec2", "describe-spot-instance-requests",
                     "--spot-instance-request-ids", "sir-00000000")
        [price] = self.ec2("describe-spot-price-history", "--instance-types", "g5.xlarge", "--product-descriptions",
                           "Linux/UNIX", "--availability-zone", "us-east-1a", "--start-time", "2026-01-01T00:00:00Z",
                           "--max-items", "5")["SpotPriceHistory"]
        self.assertEqual((price["SpotPrice"], price["Timestamp"][:10]), ("0.3018", "2026-01-01"))
        with self.assertRaises(Refused) as caught:
            self.run_spot(MaxPrice="0.002")
        self.assertEqual(caught.exception.code, "SpotMaxPriceTooLow")
        self.ec2("terminate-instances", "--instance-ids", instance)

    def test_a_volume_grows_where_it_is(self):
        volume = self.create_volume("--volume-type", "gp3")
        instance = self.run_instance()
        self.ec2("attach-volume", "--volume-id", volume, "--instance-id", instance, "--device", "/dev/sdf")
        self.until("the attachment", lambda: self.attachment(volume)["State"] == "attached")
        modification = self.ec2("modify-volume", "--volume-id", volume, "--size", "8", "--iops", "3500")["VolumeModification"]
        self.assertEqual((modification["OriginalSize"], modification["TargetSize"], modification["TargetIops"]),
                         (1, 8, 3500))

        def ended():
            found = self.ec2("describe-volumes-modifications", "--volume-ids", volume,
                             "--filters", "Name=modification-state,Values=completed")["VolumesModifications"]
            return found and found[0]

        seen = self.until("the modification", ended)
        self.assertEqual((seen["Progress"], seen["TargetVolumeType"]), (100, "gp3"))
        self.assertIn("EndTime", seen)
        [grown] = self.ec2("describe-volumes", "--volume-ids", volume)["Volumes"]
        self.assertEqual((grown["Size"], grown["Iops"]), (8, 3500))
        if self.hardware() == "block":
            self.assertEqual(self.output_on(instance, "blockdev --getsize64 /dev/nvme1n1"), f"{8 << 30}\n")
        self.ec2("terminate-instances", "--instance-ids", instance)
        self.refused("InvalidParameterValue", "ec2", "modify-volume", "--volume-id", volume, "--size", "7")
        self.refused("InvalidVolumeModification.NotFound", "ec2", "describe-volumes-modifications",
                     "--volume-ids", self.create_volume())

    def test_a_machine_reboots_and_keeps_what_it_is_told(self):
        volume = self.create_volume()
        instance = self.run_instance()
        self.ec2("attach-volume", "--volume-id", volume, "--instance-id", instance, "--device", "/dev/sdf")
        self.until("the attachment", lambda: self.attachment(volume)["State"] == "attached")
        self.ec2("modify-instance-attribute", "--instance-id", instance, "--block-device-mappings",
                 json.dumps([{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}]))
        look = "cat /proc/sys/kernel/random/boot_id; ls /dev/nvme1n1; pgrep -cx sleep"
        block = self.hardware() == "block"
        before = block and self.output_on(instance, "setsid sleep 1000 >/dev/null 2>&1 </dev/null &",
                                          "until pgrep -x sleep; do sleep 0.1; done >/dev/null", look).split()
        self.ec2("reboot-instances", "--instance-ids", instance)
        self.ec2("wait", "instance-status-ok", "--instance-ids", instance)
        if block:
            self.until("the device", lambda: "nvme1n1" in self.output_on(instance, "ls /dev"))
            after = self.output_on(instance, look + " || true").split()
            self.assertEqual((before[1:], after[1:]), (["/dev/nvme1n1", "1"], ["/dev/nvme1n1", "0"]))
            self.assertNotEqual(before[0], after[0], "it has booted again")
        held = self.attachment(volume)
        self.assertEqual((held["State"], held["DeleteOnTermination"]), ("attached", True))
        self.ec2("terminate-instances", "--instance-ids", instance)
        self.ec2("wait", "volume-deleted", "--volume-ids", volume)
        self.refused("InvalidInstanceID.NotFound", "ec2", "reboot-instances", "--instance-ids", "i-0123456789abcdef0")

    def test_a_volume_is_copied(self):
        """Debian's AWS CLI does not know CopyVolumes yet: the request is signed by hand."""
        source = self.create_volume("--volume-type", "gp3")
        ec2 = signed.Ec2(self.endpoint)
        self.addCleanup(ec2.close)
        wanted = {"SourceVolumeId": source, "Size": 2, "VolumeType": "gp3", "ClientToken": "one",
                  "TagSpecification.1.ResourceType": "volume",
                  "TagSpecification.1.Tag.1.Key": "copy", "TagSpecification.1.Tag.1.Value": "yes"}
        status, answer = ec2.call("CopyVolumes", **wanted)
        self.assertEqual(status, 200, answer)
        [copy] = re.findall("<volumeId>(vol-[0-9a-f]{17})</volumeId>", answer)
        self.assertIn(f"<sourceVolumeId>{source}</sourceVolumeId>", answer)
        self.assertIn(f"<volumeId>{copy}</volumeId>", ec2.call("CopyVolumes", **wanted)[1], "the token was used before")
        self.ec2("wait", "volume-available", "--volume-ids", copy)
        [seen] = self.ec2("describe-volumes", "--volume-ids", copy)["Volumes"]
        self.assertEqual((seen["Size"], seen["VolumeType"], seen["Tags"]), (2, "gp3", [{"Key": "copy", "Value": "yes"}]))
        status, answer = ec2.call("CopyVolumes", SourceVolumeId=source, Size=3, ClientToken="one")
        self.assertEqual(status, 400)
        self.assertIn("<Code>IdempotentParameterMismatch</Code>", answer)

    def test_snapshot_and_restore(self):
        volume = self.create_volume()
        snapshot = self.ec2("create-snapshot", "--volume-id", volume, "--description", "before",
                            "--tag-specifications", "ResourceType=snapshot,Tags=[{Key=run,Value=7}]")
        self.assertEqual(snapshot["State"], "pending")
        self.ec2("wait", "snapshot-completed", "--snapshot-ids", snapshot["SnapshotId"])
        listed = self.ec2("describe-snapshots", "--owner-ids", "self", "--filters", "Name=tag:run,Values=7")
        self.assertEqual([s["Progress"] for s in listed["Snapshots"]], ["100%"])
        restored = self.ec2("create-volume", "--availability-zone", "us-east-1b",
                            "--snapshot-id", snapshot["SnapshotId"])
        self.assertEqual((restored["Size"], restored["SnapshotId"]), (1, snapshot["SnapshotId"]))
        self.ec2("wait", "volume-available", "--volume-ids", restored["VolumeId"])

    def test_tags_filters_and_pages(self):
        ids = [self.create_volume() for _ in range(2)]
        for _ in range(4):
            ids.append(self.ec2("create-volume", "--availability-zone", "us-east-1a", "--size", "1")["VolumeId"])
        self.ec2("create-tags", "--resources", *ids, "--tags", "Key=set,Value=six of one")
        chosen = ["--filters", "Name=tag:set,Values=six*"]
        found = self.ec2("describe-volumes", *chosen, "--page-size", "5")
        self.assertEqual(sorted(v["VolumeId"] for v in found["Volumes"]), sorted(ids))
        first = self.ec2("describe-volumes", *chosen, "--max-items", "4")
        rest = self.ec2("describe-volumes", *chosen, "--starting-token", first["NextToken"])
        seen = [v["VolumeId"] for v in first["Volumes"] + rest["Volumes"]]
        self.assertEqual(sorted(seen), sorted(ids))
        self.refused("InvalidParameterValue", "ec2", "describe-volumes", "--filters", "Name=colour,Values=red")

    def test_tags_are_listed_and_taken_away(self):
        volume = self.create_volume("--tag-specifications",
                                    "ResourceType=volume,Tags=[{Key=team,Value=vision},{Key=run,Value=1}]")
        of_volume = ["--filters", f"Name=resource-id,Values={volume}"]
        tags = self.ec2("describe-tags", *of_volume)["Tags"]
        self.assertEqual([(t["Key"], t["Value"], t["ResourceType"]) for t in tags],
                         [("run", "1", "volume"), ("team", "vision", "volume")])
        self.ec2("delete-tags", "--resources", volume, "--tags", "Key=run,Value=other", "Key=team")
        self.assertEqual([t["Key"] for t in self.ec2("describe-tags", *of_volume)["Tags"]], ["run"])

    def test_the_surroundings_are_there(self):
        """What tools look up before they launch: regions, zones, images, types, networks."""
        regions = [r["RegionName"] for r in self.ec2("describe-regions")["Regions"]]
        self.assertIn("us-east-1", regions)
        self.assertNotIn("af-south-1", regions)
        self.refused("InvalidParameterValue", "ec2", "describe-regions", "--region-names", "moon-1")
        zones = self.ec2("describe-availability-zones")["AvailabilityZones"]
        self.assertEqual([z["ZoneName"] for z in zones], ["us-east-1a", "us-east-1b", "us-east-1c"])
        images = self.ec2("describe-images", "--owners", "amazon", "--filters", "Name=name,Values=al2023-ami-2023.*-x86_64")
        [image] = images["Images"]
        self.refused("InvalidAMIID.NotFound", "ec2", "describe-images", "--image-ids", "ami-0123456789abcdef0")
        [vpc] = self.ec2("describe-vpcs", "--filters", "Name=is-default,Values=true")["Vpcs"]
        subnets = self.ec2("describe-subnets", "--filters", f"Name=vpc-id,Values={vpc['VpcId']}")["Subnets"]
        self.assertEqual([s["AvailabilityZone"] for s in sorted(subnets, key=lambda s: s["CidrBlock"])],
                         [z["ZoneName"] for z in zones])
        [group] = self.ec2("describe-security-groups", "--filters", "Name=group-name,Values=default")["SecurityGroups"]
        [kind] = self.ec2("describe-instance-types", "--instance-types", "t3.micro")["InstanceTypes"]
        self.assertEqual(kind["EbsInfo"]["NvmeSupport"], "required")
        second = next(s for s in subnets if s["AvailabilityZone"] == "us-east-1b")
        [started] = self.ec2("run-instances", "--image-id", image["ImageId"], "--instance-type", "t3.micro",
                             "--subnet-id", second["SubnetId"], "--security-group-ids", group["GroupId"])["Instances"]
        self.assertEqual((started["Placement"]["AvailabilityZone"], started["VpcId"]), ("us-east-1b", vpc["VpcId"]))
        self.ec2("wait", "instance-status-ok", "--instance-ids", started["InstanceId"])
        statuses = self.ec2("describe-instance-status", "--instance-ids", started["InstanceId"])["InstanceStatuses"]
        self.assertEqual(statuses[0]["SystemStatus"]["Status"], "ok")
        self.ec2("terminate-instances", "--instance-ids", started["InstanceId"])
        self.refused("InvalidSubnetID.NotFound", "ec2", "run-instances", "--image-id", image["ImageId"],
                     "--instance-type", "t3.micro", "--subnet-id", "subnet-0123456789abcdef0")
        volume = self.create_volume()
        [status] = self.ec2("describe-volume-status", "--volume-ids", volume)["VolumeStatuses"]
        self.assertEqual(status["VolumeStatus"]["Status"], "ok")

    def test_errors_have_aws_shapes(self):
        self.refused("InvalidVolume.NotFound", "ec2", "describe-volumes", "--volume-ids", "vol-0123456789abcdef0")
        self.refused("InvalidVolumeID.Malformed", "ec2", "describe-volumes", "--volume-ids", "vol-x")
        self.refused("DryRunOperation", "ec2", "create-volume", "--availability-zone", "us-east-1a",
                     "--size", "1", "--dry-run")
        self.refused("InvalidAction", "ec2", "describe-network-acls")
        self.refused("UnknownOperationException", "ssm", "list-commands")

    def test_signatures_are_checked(self):
        self.assertRegex(self.aws("sts", "get-caller-identity")["Account"], r"^\d{12}$")
        self.refused("AuthFailure", "ec2", "describe-volumes", secret="wrong")
        self.refused("SignatureDoesNotMatch", "sts", "get-caller-identity", secret="wrong")
        self.refused("InvalidSignatureException", "ssm", "describe-instance-information", secret="wrong")

    def test_accounts_are_apart(self):
        volume = self.create_volume()
        self.refused("InvalidVolume.NotFound", "ec2", "describe-volumes", "--volume-ids", volume, key="another")


if __name__ == "__main__":
    unittest.main()
