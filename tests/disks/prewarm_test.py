"""Volumes filled from S3: on named and temporary machines, sealed, interrupted, in part. Needs root.

S3 is the emulator's own; machines share the host's network, so that URLs of it are good there.
"""
import hashlib
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
import sigv4
from proxy import LossyProxy

FILES = {"a.txt": b"one", "folder/deep/b.bin": bytes(range(256)) * 300, "empty": b"", "with blank": b"two",
         "q'uo\"te$(x)": b"three", "umlaut-\u00e4": b"four"}


class Filled(machines.DiskTest):
    """A bucket, and what is asked of volumes and machines."""
    pace = "instant"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = os.path.join(cls.cloud.directory, "tree")
        for name, content in FILES.items():
            cloud.write_file(os.path.join(cls.tree, name), content)
        for words in (["s3", "create", "s3://data"], ["s3", "upload", cls.tree, "s3://data/set/", "--recursive"]):
            outcome = cls.cloud.run(*words)
            assert outcome.code == 0, outcome

    def pre_warm(self, *words, **options):
        return self.cloud.run("aws", "ebs", "pre-warm", *words, "--yes", **options)

    def record_of(self, outcome):
        return self.succeeded(outcome).record

    def empty_volume(self, *words):
        return self.cloud.volume("--filesystem", "ext4", *words)

    def upload(self, uri, content):
        path = os.path.join(self.cloud.directory, "object")
        with open(path, "wb") as file:
            file.write(content)
        self.succeeded(self.cloud.run("s3", "upload", path, uri))

    def put_raw(self, path, content):
        """An object whose key runctl itself would not make."""
        status, _, answer = sigv4.S3(self.cloud.endpoint).call("PUT", f"/{path}", body=content)
        self.assertEqual(status, 200, answer)

    def alive(self):
        """The machines that cost money."""
        listed = self.succeeded(self.cloud.run("aws", "list", "--output", "json")).record["instances"]
        return {one["instance_id"] for one in listed if one["state"] not in ("terminated", "shutting-down")}

    def check_files(self, machine, directory, files=None):
        for name, content in (FILES if files is None else files).items():
            with open(self.inside(machine, f"{directory}/{name}"), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), hashlib.sha256(content).hexdigest(), name)
        names = self.on(machine, f"ls -A {directory}").split("\n")
        self.assertNotIn(".runctl-fetch", names)

    def state_of(self, volume):
        return self.done("show", volume)


class PreWarm(Filled):
    def test_a_temporary_machine_fills_it_and_is_gone(self):
        before = self.alive()
        volume = self.empty_volume()
        record = self.record_of(self.pre_warm(volume, "s3://data/set", "--output", "json"))
        self.assertEqual((record["files"], record["failed_count"], record["temporary_instance"]), (len(FILES), 0, True))
        self.assertEqual(self.alive(), before)
        self.assertEqual(self.state_of(volume)["attachments"], [])
        self.check_image(volume, "ext4")
        # Again: nothing is downloaded twice.
        record = self.record_of(self.pre_warm(volume, "s3://data/set/", "--output", "json"))
        self.assertEqual((record["files"], record["already"]), (0, len(FILES)))
        self.assertEqual(self.alive(), before)
        machine = self.cloud.machine()
        self.done("attach", volume, "--instance", machine, "--mount", "/data")
        self.check_files(machine, "/data")

    def test_where_it_is_mounted_it_stays(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        before = self.alive()
        record = self.record_of(self.pre_warm(volume, "s3://data/set", "--output", "json"))
        self.assertEqual((record["instance_id"], record["temporary_instance"]), (machine, False))
        self.assertEqual(self.alive(), before)
        self.check_files(machine, "/data")
        self.assertEqual([one["instance_id"] for one in self.state_of(volume)["attachments"]], [machine])
        # No URL is left there.
        self.assertEqual(self.on(machine, "grep -rls X-Amz-Signature /run/runctl /var/lib/runctl /tmp; echo end"), "end\n")

    def test_a_named_machine_lets_it_go_again(self):
        machine = self.cloud.machine()
        volume = self.cloud.volume()
        refused = self.pre_warm(volume, "s3://data/set", "--instance", machine)
        self.refused(refused, "--filesystem ext4")
        record = self.record_of(self.pre_warm(volume, "s3://data/set", "--instance", machine, "--filesystem", "xfs", "--output",
                                              "json"))
        self.assertEqual(record["instance_id"], machine)
        self.assertEqual(self.state_of(volume)["attachments"], [])
        self.assertNotIn("pre-warm", self.on(machine, "cat /proc/self/mounts; ls /run/runctl/pre-warm 2>&1 | grep vol-; true"))
        self.check_image(volume, "xfs")

    def test_sealed_it_is_read_on_another_machine(self):
        before = self.alive()
        volume = self.empty_volume()
        record = self.record_of(self.pre_warm(volume, "s3://data/set", "--seal", "--output", "json"))
        self.assertTrue(record["sealed"])
        self.assertEqual(self.alive(), before)
        machine = self.cloud.machine()
        self.done("attach", volume, "--instance", machine, "--mount", "/data")
        self.check_files(machine, "/data")
        self.assertTrue(self.done("verify", volume)["intact"])
        self.refused(self.pre_warm(volume, "s3://data/set"), "is sealed, and cannot be filled")

    def test_nothing_is_rented_without_consent_or_without_need(self):
        before, volume = self.alive(), self.empty_volume()
        self.refused(self.cloud.run("aws", "ebs", "pre-warm", volume, "s3://data/set"), "--yes")
        plan = self.succeeded(self.cloud.run("aws", "ebs", "pre-warm", volume, "s3://data/set", "--dry-run")).out
        self.assertIn("rent a temporary t3.medium instance in us-east-1a (about $0.04 an hour", plan)
        self.assertIn(f"{len(FILES)} objects", plan)
        outcome = self.pre_warm(volume, "s3://data/nothing")
        self.assertEqual(outcome.code, 3, outcome)
        self.assertEqual(self.pre_warm(volume, "data/set").code, 2)
        requests = self.cloud.requests()
        self.refused(self.pre_warm(self.cloud.volume(), "s3://data/set", "--instance", "i-0123456789abcdef0"), code=3)
        self.assertEqual(self.cloud.requests().count("RunInstances"), requests.count("RunInstances"))
        self.assertEqual(self.alive(), before)

    def test_what_fails_is_listed_and_nothing_is_sealed(self):
        self.upload("s3://data/part/good", b"good")
        self.upload("s3://data/part/in-the-way", b"file")
        self.put_raw("data/part/../escape", b"evil")
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        self.on(machine, "mkdir /data/in-the-way")
        outcome = self.pre_warm(volume, "s3://data/part", "--seal", "--output", "json")
        self.assertEqual(outcome.code, 7, outcome)
        record = outcome.record
        self.assertEqual([one["key"] for one in record["failed"]], ["part/in-the-way"])
        self.assertEqual([one["key"] for one in record["left_out"]], ["part/../escape"])
        self.assertFalse(record["sealed"])
        self.assertEqual(self.state_of(volume)["mode"], "exclusive")
        self.check_files(machine, "/data", {"good": b"good"})
        text = self.pre_warm(volume, "s3://data/part", "--seal")
        self.assertEqual(text.code, 7, text)
        self.assertIn("failed: part/in-the-way: a directory is where it would be", text.out)
        self.assertIn("left out: part/../escape: it has '.' or '..'", text.out)
        self.assertIn(f"runctl aws ebs pre-warm {volume} s3://data/part", text.out)
        self.assertIn("It is not sealed", text.out)

    def test_a_new_volume_is_filled(self):
        before = self.alive()
        words = ["aws", "ebs", "create", "--size", "1", "--availability-zone", "us-east-1a", "--pre-warm", "s3://data/set"]
        self.refused(self.cloud.run(*words), "--yes")
        record = self.record_of(self.cloud.run(*words, "--yes", "--output", "json"))
        self.assertEqual(record["pre_warm"]["files"], len(FILES))
        self.assertEqual(self.alive(), before)
        machine = self.cloud.machine()
        self.done("attach", record["volume_id"], "--instance", machine, "--mount", "/data")
        self.check_files(machine, "/data")


class Killed(Filled):
    """The same command killed at each kind of its requests, and taken back."""

    def setUp(self):
        self.proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(self.proxy.stop)
        self.through = {"AWS_ENDPOINT_URL": self.proxy.endpoint, "AWS_ENDPOINT_URL_S3": self.cloud.endpoint,
                        "XDG_STATE_HOME": os.path.join(self.cloud.directory, self.id())}

    def kill_at(self, action, when, skip, *words):
        """Whether it came to that request."""
        self.proxy.lose(action, when, "hold", skip)
        process = subprocess.Popen([cloud.RUNCTL, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**self.cloud.environment, **self.through}, cwd=self.cloud.directory)
        try:
            while not self.proxy.lost.wait(0.05) and process.poll() is None:
                pass
            return process.poll() is None
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def resume(self):
        listed = self.succeeded(self.cloud.run("operations", "list", "--output", "json", environment=self.through))
        [left] = listed.record["operations"]
        end = time.monotonic() + 60
        while True:
            outcome = self.cloud.run("operations", "resume", left["operation_id"], environment=self.through)
            if outcome.code == 0 or time.monotonic() > end:
                return self.succeeded(outcome).out

    def test_no_machine_is_left_behind(self):
        before = self.alive()
        volume = self.empty_volume()
        # Scripts, in this order: inspect or mount, what ends an old download, the list, the job, looks at it, sync…
        steps = [("RunInstances", "after", 0), ("AttachVolume", "before", 0), ("AttachVolume", "after", 0),
                 ("SendCommand", "before", 1), ("SendCommand", "after", 2), ("SendCommand", "after", 3),
                 ("SendCommand", "after", 4), ("DetachVolume", "before", 0), ("DetachVolume", "after", 0),
                 ("TerminateInstances", "before", 0), ("TerminateInstances", "after", 0)]
        for action, when, skip in steps:
            with self.subTest(f"{action} {when} {skip}"):
                self.assertTrue(self.kill_at(action, when, skip, "aws", "ebs", "pre-warm", volume, "s3://data/set", "--yes"),
                                f"{action} was never sent")
                said = self.resume()
                self.assertIn(f"runctl aws ebs pre-warm {volume} s3://data/set", said)
                self.assertEqual(self.alive(), before)
                self.assertEqual(self.state_of(volume)["attachments"], [])
                self.assertNotIn("runctl:needs-check", self.state_of(volume)["tags"])
        record = self.record_of(self.pre_warm(volume, "s3://data/set", "--output", "json"))
        self.assertEqual(record["files"] + record["already"], len(FILES))
        self.check_image(volume, "ext4")

    def test_one_that_may_still_be_rented_is_waited_for(self):
        before = self.alive()
        volume = self.empty_volume()
        self.assertTrue(self.kill_at("RunInstances", "before", 0, "aws", "ebs", "pre-warm", volume, "s3://data/set", "--yes"))
        [left] = self.succeeded(self.cloud.run("operations", "list", "--output", "json",
                                               environment=self.through)).record["operations"]
        outcome = self.cloud.run("operations", "resume", left["operation_id"], environment=self.through)
        self.refused(outcome, "RunInstances may still take effect until")
        self.assertEqual(self.alive(), before)

    def test_a_stop_gives_the_machine_back(self):
        before = self.alive()
        volume = self.empty_volume()
        self.proxy.lose("SendCommand", "before", "hold", 2)
        process = subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "pre-warm", volume, "s3://data/set", "--yes"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**self.cloud.environment, **self.through}, cwd=self.cloud.directory)
        self.addCleanup(process.kill)
        self.assertTrue(self.proxy.lost.wait(60))
        process.send_signal(signal.SIGINT)
        self.proxy.released.set()
        out, err = process.communicate(timeout=90)
        self.assertEqual(process.returncode, 130, out + err)
        self.assertEqual(self.alive(), before)
        self.assertEqual(self.state_of(volume)["attachments"], [])
        self.check_image(volume, "ext4")


if __name__ == "__main__":
    cloud.main()
