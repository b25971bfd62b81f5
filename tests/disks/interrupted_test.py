"""Commands on real disks that are killed in the middle, at each of their requests, and resumed. Needs root."""
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
from proxy import LossyProxy


class Interrupted(machines.DiskTest):
    pace = "instant"

    def setUp(self):
        self.proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(self.proxy.stop)
        self.through = {"AWS_ENDPOINT_URL": self.proxy.endpoint,
                        "XDG_STATE_HOME": os.path.join(self.cloud.directory, self.id())}

    def run_through(self, *words):
        return self.succeeded(self.cloud.run(*words, environment=self.through))

    def kill_at(self, action, when, skip, *words):
        self.proxy.lose(action, when, "hold", skip)
        process = subprocess.Popen([cloud.RUNCTL, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**self.cloud.environment, **self.through}, cwd=self.cloud.directory)
        try:
            self.assertTrue(self.proxy.lost.wait(60), f"{action} was never sent")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def resume(self):
        """Finishes the one operation that was left open; what it said."""
        [left] = self.run_through("operations", "list", "--output", "json").record["operations"]
        end = time.monotonic() + 60
        while True:
            outcome = self.cloud.run("operations", "resume", left["operation_id"], environment=self.through)
            # The script that the killed one had sent may still hold the volume.
            if "another operation" not in outcome.err or time.monotonic() > end:
                break
        self.succeeded(outcome)
        self.assertEqual(self.run_through("operations", "list", "--output", "json").record["operations"], [])
        return outcome.out

    def volume_with_file(self, machine, *words):
        volume = self.cloud.volume(*words, size=4 if words else 1)
        self.run_through("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data", "--format", "ext4")
        self.on(machine, "echo kept >/data/file")
        return volume

    def test_a_hand_off_goes_on_from_each_of_its_steps(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.volume_with_file(first)
        # inspect, unmount, mount: SendCommand 0 to 2.
        steps = [("SendCommand", "before", 1), ("SendCommand", "after", 1), ("DetachVolume", "before", 0),
                 ("DetachVolume", "after", 0), ("AttachVolume", "before", 0), ("AttachVolume", "after", 0),
                 ("SendCommand", "before", 2), ("SendCommand", "after", 2)]
        for action, when, skip in steps:
            with self.subTest(f"{action} {when} {skip}"):
                self.kill_at(action, when, skip, "aws", "ebs", "move", volume, "--to", second)
                self.assertIn("It is mounted at /data", self.resume())
                self.assertEqual(self.on(second, "cat /data/file"), "kept\n")
                shown = self.run_through("aws", "ebs", "show", volume, "--output", "json").record
                self.assertEqual([a["instance_id"] for a in shown["attachments"]], [second])
                first, second = second, first

    def test_a_move_takes_it_from_nobody_whom_it_did_not_name(self):
        first, second, third = self.cloud.machine(), self.cloud.machine(), self.cloud.machine()
        volume = self.volume_with_file(first)
        self.kill_at("DetachVolume", "after", 0, "aws", "ebs", "move", volume, "--to", second)
        self.run_through("aws", "ebs", "attach", volume, "--instance", third, "--mount", "/data")
        operations = self.run_through("operations", "list", "--output", "json").record["operations"]
        [left] = [each for each in operations if each["kind"] == "move"]
        refused = self.cloud.run("operations", "resume", left["operation_id"], environment=self.through)
        self.assertEqual(refused.code, 4, refused)
        self.assertIn(third, refused.err)
        self.assertIn(f"runctl operations abandon {left['operation_id']}", refused.err)
        self.assertEqual(self.on(third, "cat /data/file"), "kept\n")

    def test_a_seal_is_done_again(self):
        machine = self.cloud.machine()
        for action, when, skip in [("SendCommand", "after", 1), ("SendCommand", "after", 2), ("CreateTags", "before", 0),
                                   ("CreateTags", "after", 0)]:
            with self.subTest(f"{action} {when} {skip}"):
                volume = self.volume_with_file(machine)
                self.kill_at(action, when, skip, "aws", "ebs", "seal", volume)
                self.assertIn(f"Volume {volume} is sealed", self.resume())
                self.assertEqual(self.run_through("aws", "ebs", "show", volume, "--output", "json").record["mode"], "sealed")
                if action == "CreateTags":
                    self.assertEqual(self.on(machine, "cat /data/file"), "kept\n", "it is mounted where it was")
                self.assertTrue(self.run_through("aws", "ebs", "verify", volume, "--output", "json").record["intact"])
                self.run_through("aws", "ebs", "detach", volume)

    def test_a_restored_volume_gets_where_it_was_to_go(self):
        machine = self.cloud.machine()
        volume = self.volume_with_file(machine)
        snapshot = self.run_through("aws", "ebs", "snapshot", volume, "--wait", "--output", "id").out.strip()
        for number, (action, when) in enumerate([("CreateVolume", "after"), ("AttachVolume", "after")]):
            with self.subTest(action):
                before = set(self.run_through("aws", "ebs", "list", "--output", "id").out.split())
                self.kill_at(action, when, 0, "aws", "ebs", "restore", snapshot, "--instance", machine, "--mount", f"/copy{number}")
                self.assertIn(f"It is mounted at /copy{number}", self.resume())
                made = set(self.run_through("aws", "ebs", "list", "--output", "id").out.split()) - before
                self.assertEqual(len(made), 1, "made twice")
                self.assertEqual(self.on(machine, f"cat /copy{number}/file"), "kept\n")

    def test_a_clone_is_made_once_and_says_what_it_is_worth(self):
        machine = self.cloud.machine()
        volume = self.volume_with_file(machine)
        before = set(self.run_through("aws", "ebs", "list", "--output", "id").out.split())
        self.kill_at("CopyVolumes", "after", 0, "aws", "ebs", "clone", volume, "--instance", machine, "--mount", "/copy")
        self.assertIn("It is mounted at /copy", self.resume())
        [copy] = set(self.run_through("aws", "ebs", "list", "--output", "id").out.split()) - before
        shown = self.run_through("aws", "ebs", "show", copy, "--output", "json").record
        self.assertEqual(shown["tags"]["runctl:consistency"], "crash-consistent")
        self.on(machine, "echo more >>/data/file; sync -f /data/file")  # nothing stays frozen

    def test_a_modification_is_asked_for_once_and_the_filesystem_grows(self):
        machine = self.cloud.machine()
        volume = self.cloud.volume()
        self.run_through("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data", "--format", "xfs")
        self.kill_at("ModifyVolume", "after", 0, "aws", "ebs", "modify", volume, "--size", "2")
        self.assertIn("its filesystem fills it", self.resume())
        self.assertGreater(int(self.on(machine, "stat -f -c '%b*%S' /data | awk -F'*' '{print $1*$2}'")), 1.8e9)

    def test_a_rented_machine_gets_its_volumes(self):
        before = set(self.run_through("aws", "ebs", "list", "--output", "id").out.split())
        self.kill_at("CreateVolume", "after", 0, "aws", "create", "--name", "interrupted", "--data-volume-size", "1",
                     "--mount-point", "/scratch")
        self.assertIn("with its volumes mounted", self.resume())
        machine = self.run_through("aws", "status", "interrupted", "--output", "id").out.strip()
        self.assertIn("/scratch", self.on(machine, "cat /proc/self/mounts"))
        made = set(self.run_through("aws", "ebs", "list", "--output", "id").out.split()) - before
        self.assertEqual(len(made), 2, "its root and one data volume")


if __name__ == "__main__":
    cloud.main()
