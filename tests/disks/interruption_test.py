"""What becomes of training on spot machines when EC2 takes them back. Needs root."""
import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
from background import Background
from signed import Ec2

EXAMPLE = os.path.join(cloud.ROOT, "examples", "digits")
EPOCHS = 10
# As the machines find it, which have this one's system.
HAS_TORCH = subprocess.run(["/usr/bin/python3", "-c", "import torch"], capture_output=True, check=False).returncode == 0
# Saves what it has when it is asked to end.
SAVES = """
import os, signal, sys, time
def end(number, frame):
    with open(os.environ['RUNCTL_CHECKPOINT_DIR'] + '/saved', 'w') as file:
        file.write('saved')
    print('saved', flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print('up', flush=True)
while True:
    time.sleep(0.1)
"""


class Interruption(machines.DiskTest):
    def spot_machine(self, *words):
        return self.cloud.id_of("aws", "create", "t3.medium", "--availability-zone", "us-east-1a", "--spot", "--wait", *words)

    def mounted(self, machine, name):
        volume = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", f"/mnt/{name}-{volume}",
                                      "--format", "ext4"))
        return volume

    def script(self, body):
        folder = os.path.join(self.cloud.directory, self.id())
        return cloud.write_file(os.path.join(folder, "train.py"), body.encode())

    def take_back(self, machine, ms=45000):
        self.fault("add", machine, "spot-interruption", f"ms={ms}")

    def fault(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", "--state", self.cloud.state, *words))

    def state_of(self, machine):
        return self.cloud.run("aws", "status", machine, "--output", "json").record["state"]

    def volume_state(self, volume):
        return self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record["state"]

    def attended(self, *words, until):
        """A run that has said `until`."""
        run = Background(self.cloud, "aws", "train", "--wait", *words, environment={"AWS_MAX_ATTEMPTS": "1"})
        run.until_it_says(self, until)
        self.assertIsNone(run.process.poll(), run.errors)
        return run

    def test_a_run_goes_on_on_another_machine_to_the_same_model(self):
        self.check_the_same_model("train.py")

    @unittest.skipUnless(HAS_TORCH, "needs PyTorch (Debian's python3-torch)")
    def test_one_of_pytorch_does_too(self):
        self.check_the_same_model("train_torch.py")

    def check_the_same_model(self, script):
        words = ("--epochs", str(EPOCHS), "--seed", "3")
        first = self.spot_machine()
        data = self.mounted(first, "data")
        self.succeeded(self.cloud.run("aws", "train", first, os.path.join(EXAMPLE, "prepare.py"), "--data-volume", data, "--wait"))
        self.succeeded(self.cloud.run("aws", "ebs", "seal", data))
        train = (first, os.path.join(EXAMPLE, script), "--data-volume", data, "--checkpoint-volume")
        whole = self.mounted(first, "whole")
        straight = self.succeeded(self.cloud.run("aws", "train", *train, whole, "--wait", "--", *words)).out
        final = re.compile(rf"^final epoch={EPOCHS} accuracy=(\S+) sha256=\S+$", re.M)
        self.assertGreater(float(final.search(straight).group(1)), 0.9)

        cut = self.mounted(first, "cut")
        planned = self.succeeded(self.cloud.run("aws", "train", *train, cut, "--wait", "--auto-resume", "--dry-run")).out
        for step in (f"when EC2 takes {first} back, two minutes before: stop the run (SIGTERM), unmount {data} and {cut}",
                     f"detach {data} and {cut}", "in us-east-1a: a spot t3.medium, an on-demand t3.medium",
                     "go on there from the newest checkpoint that verifies"):
            self.assertIn(step, planned)
        run = self.attended(*train, cut, "--auto-resume", "--", *words, "--pause", "0.5", until="epoch=3 ")
        self.take_back(first)
        code, said, errors = run.ended()
        self.assertEqual(code, 0, said + errors)
        self.assertEqual(final.search(said).group(0), final.search(straight).group(0))
        # In the middle, with nothing of it lost and nothing done twice.
        self.assertIn("was stopped by EC2's spot interruption notice (signal 15)", errors)
        epochs = [int(epoch) for epoch in re.findall(r"^epoch=(\d+) ", said, re.M)]
        self.assertEqual(epochs, list(range(1, EPOCHS + 1)))
        stopped_after = int(re.search(r"^ended by signal 15 after epoch (\d+);", said, re.M).group(1))
        self.assertLess(stopped_after, EPOCHS)
        self.assertIn(f"epoch={stopped_after}\n", re.search(r"^resumed from .*\n", said, re.M).group(0))
        for volume in (data, cut):
            self.assertIn(f"Volume {volume} was written back and unmounted.", errors)
        second = re.search(rf"^Rented (i-\w+) \(t3.medium, spot\) in place of {first}\.$", errors, re.M).group(1)
        self.assertIn(f"runctl aws terminate {second}", errors)
        self.assertTrue(cloud.wait_until(lambda: self.state_of(first) == "terminated", 120))
        # It came along sealed.
        self.assertIn("sealed", self.cloud.run("aws", "ebs", "show", data).out)

    def test_the_machine_does_its_part_when_nobody_is_connected(self):
        machine = self.spot_machine()
        volume = self.mounted(machine, "alone")
        run = self.cloud.id_of("aws", "train", machine, self.script(SAVES), "--checkpoint-volume", volume)
        self.assertTrue(cloud.wait_until(lambda: "up" in self.cloud.run("runs", "logs", run).out, 60))
        self.take_back(machine, 60000)
        def shown():
            return self.succeeded(self.cloud.run("runs", "show", run, "--output", "json")).record
        self.assertTrue(cloud.wait_until(lambda: "finished_at" in shown().get("interruption", {}), 60))
        record = shown()
        self.assertEqual((record["state"], record["exit_status"]), ("stopped", 0))
        self.assertEqual(record["interruption"]["action"], "terminate")
        self.assertEqual(record["interruption"]["unmounted"], [volume])
        self.assertLess(record["interruption"]["noticed_at"], record["interruption"]["at"])
        self.assertIn("spot interruption notice", self.cloud.run("runs", "show", run).out)
        self.assertNotIn("/mnt/alone", machines.run_on(self.cloud.state, machine, "cat /proc/mounts"))
        # Nothing is left to be replayed: the next machine has it at once.
        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        other = self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", other, "--mount", "/mnt/other"))
        self.assertEqual(machines.run_on(self.cloud.state, other, "cat /mnt/other/checkpoints/saved"), "saved")

    def test_the_last_checkpoint_is_in_s3_too_before_its_volume_is_unmounted(self):
        self.succeeded(self.cloud.run("s3", "create", "s3://results"))
        machine = self.spot_machine()
        volume = self.mounted(machine, "uploaded")
        # It writes when it is asked to end, and slowly goes what it wrote.
        self.fault("add", "PostObject", "delay", "ms=3000")
        self.addCleanup(self.fault, "clear", "PostObject")
        run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--output-s3", "s3://results/spot", until="up\n")
        self.take_back(machine, 90000)
        code, _, errors = run.ended()
        self.assertEqual(code, 1, errors)
        self.assertIn(f"Volume {volume} was written back and unmounted.", errors)
        name = re.search(r"^Run (\S+) is started on", errors, re.M).group(1)
        self.assertEqual(self.succeeded(self.cloud.run("s3", "cat", f"s3://results/spot/{name}/checkpoints/saved")).out, "saved")

    def test_where_there_is_no_spot_machine_the_next_choice_is_taken_and_told(self):
        machine = self.spot_machine("--iam-instance-profile", "trainer", "--tag", "team=vision", "--name", "first")
        volume = self.mounted(machine, "choice")
        run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--auto-resume", "--fallback-type", "t3.large",
                            until="up\n")
        self.fault("add", "RunInstances", "fail-before", "code=InsufficientInstanceCapacity", "status=500", "times=2")
        # A quota of on-demand machines, each of a family of types.
        self.fault("add", "RunInstances", "fail-before", "code=VcpuLimitExceeded", "status=400", "skip=2", "times=1")
        self.take_back(machine)
        self.assertTrue(cloud.wait_until(lambda: "".join(run.said).count("up\n") == 2, 120), run.errors)
        errors = "".join(run.errors)
        for words in ("renting a spot t3.large instead", "renting an on-demand t3.medium instead", "renting an on-demand t3.large instead"):
            self.assertIn(words, errors)
        rented = re.search(r"^Rented (i-\w+) \(t3.large, on-demand\)", errors, re.M).group(1)
        ec2 = Ec2(self.cloud.endpoint)
        self.addCleanup(ec2.close)
        _, as_it_is = ec2.call("DescribeInstances", **{"InstanceId.1": rented})
        for what in (":instance-profile/trainer</arn>", "<value>vision</value>", "<value>first</value>", "us-east-1a"):
            self.assertIn(what, as_it_is)
        self.succeeded(self.cloud.run("--yes", "runs", "stop", re.findall(r"^Run (\S+) is started on", errors, re.M)[-1]))
        code, _, errors = run.ended()
        self.assertEqual(code, 1)
        self.assertIn(f"runctl aws terminate {rented}", errors)

    def test_without_any_machine_the_volumes_are_safe_and_nothing_is_rented(self):
        machine = self.spot_machine()
        volume = self.mounted(machine, "none")
        run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--auto-resume", "--no-fallback", until="up\n")
        self.fault("add", "RunInstances", "fail-before", "code=InsufficientInstanceCapacity", "status=500")
        self.addCleanup(self.fault, "clear", "RunInstances")
        self.take_back(machine)
        code, _, errors = run.ended()
        self.assertEqual(code, 1, errors)
        self.assertNotIn("on-demand t3.medium instead", errors)
        self.assertNotIn("Rented", errors)
        self.assertIn(f"--checkpoint-volume {volume} --resume", errors)
        self.assertEqual(self.volume_state(volume), "available")

    def test_a_run_that_was_stopped_before_is_not_gone_on_with(self):
        machine = self.spot_machine()
        volume = self.mounted(machine, "stopped")
        slowly = SAVES.replace("    sys.exit(0)\n", "    time.sleep(20)\n    sys.exit(0)\n")
        run = self.attended(machine, self.script(slowly), "--checkpoint-volume", volume, "--auto-resume", until="up\n")
        name = re.search(r"^Run (\S+) is started on", "".join(run.errors), re.M).group(1)
        stop = Background(self.cloud, "runs", "stop", name, "--yes", "--grace", "90s")
        run.until_it_says(self, "saved\n")
        self.take_back(machine, 60000)
        code, _, errors = run.ended()
        stop.ended()
        self.assertEqual(code, 1, errors)
        self.assertIn(f"run {name} was stopped before, and is not gone on with", errors)
        self.assertNotIn("Rented", errors)

    def test_what_an_interrupted_run_could_not_upload_is_said_at_the_end(self):
        self.cloud.run("s3", "create", "s3://parts")
        machine = self.spot_machine()
        volume = self.mounted(machine, "parts")
        ends = SAVES.replace("print('up'", "if os.path.exists(os.environ['RUNCTL_CHECKPOINT_DIR'] + '/saved'): sys.exit(0)\nprint('up'")
        self.assertNotEqual(ends, SAVES)
        self.fault("add", "PostObject", "fail-before", "code=AccessDenied", "status=403", "times=1000")
        self.addCleanup(self.fault, "clear", "PostObject")
        run = Background(self.cloud, "aws", "train", "--wait", machine, self.script(ends), "--checkpoint-volume", volume, "--auto-resume",
                         "--output-s3", "s3://parts/all", "--output", "json")
        run.until(self, lambda: "up\n" in run.errors)
        self.take_back(machine)
        self.assertTrue(cloud.wait_until(lambda: "Rented" in "".join(run.errors), 120), run.errors)
        self.fault("clear", "PostObject")
        code, said, errors = run.ended()
        self.assertEqual(code, 7, errors)
        record = json.loads(said)
        before, = record["interruptions"]
        self.assertEqual((before["instance_id"], before["output_s3"], before["results_are_whole"], before["checkpoint_volume"]),
                         (machine, f"s3://parts/all/{before['run_id']}/", False, volume))
        self.assertEqual((record["state"], record["upload"]["failed_count"]), ("succeeded", 0))
        self.assertIn(f"run {before['run_id']} wrote before it was interrupted is known to be in {before['output_s3']}; what is not is on "
                      f"volume {volume}", errors)

    def going_to_another_zone(self, name):
        machine = self.spot_machine()
        volume = self.mounted(machine, name)
        run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--auto-resume", "--fallback-zone", "us-east-1b",
                            until="up\n")
        self.fault("add", "RunInstances", "fail-before", "code=InsufficientInstanceCapacity", "status=500", "times=2")
        return machine, volume, run

    def check_leftovers_are_named(self, words, first):
        made, = set(re.findall(r"runctl aws ebs delete (vol-\w+)", words)) - {first}
        snapshot, = set(re.findall(r"aws ec2 delete-snapshot --snapshot-id (snap-\w+)", words))
        self.assertEqual(self.volume_state(made), "available")
        self.assertIn(f"runctl aws ebs delete {made}", words)
        self.assertIn(snapshot, self.cloud.run("aws", "ebs", "snapshots", "--volume", first).out)

    def test_what_was_made_for_another_zone_is_named_when_that_comes_to_nothing(self):
        machine, volume, run = self.going_to_another_zone("elsewhere")
        self.fault("add", "AttachVolume", "fail-before", "code=UnauthorizedOperation", "status=403")
        self.addCleanup(self.fault, "clear", "AttachVolume")
        self.take_back(machine)
        code, _, errors = run.ended()
        self.assertEqual(code, 5, errors)
        self.check_leftovers_are_named(errors.split("Error", 1)[1], volume)

    def test_and_when_runctl_is_killed_meanwhile(self):
        machine, volume, run = self.going_to_another_zone("killed")
        self.fault("add", "AttachVolume", "delay", "ms=8000")
        self.addCleanup(self.fault, "clear", "AttachVolume")
        self.take_back(machine)
        self.assertTrue(cloud.wait_until(lambda: "is a copy of" in "".join(run.errors), 120), run.errors)
        run.process.kill()
        _, _, errors = run.ended()
        self.assertIn("The first one and the snapshot stay, and cost money", errors)
        operation, = (each["operation_id"] for each in self.cloud.run("operations", "list", "--output", "json").record["operations"]
                      if each["kind"] == "launch")
        self.check_leftovers_are_named(self.succeeded(self.cloud.run("operations", "resume", operation)).out, volume)

    def test_a_machine_that_is_taken_without_time_is_replaced_too(self):
        machine = self.spot_machine()
        volume = self.mounted(machine, "taken")
        run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--auto-resume", until="up\n")
        self.take_back(machine, 0)
        self.assertTrue(cloud.wait_until(lambda: "".join(run.said).count("up\n") == 2, 200), run.errors)
        self.assertIn(f"EC2 has taken {machine} back before it could say how the run ended", "".join(run.errors))
        self.succeeded(self.cloud.run("--yes", "runs", "stop", re.findall(r"^Run (\S+) is started on", "".join(run.errors), re.M)[-1]))
        self.assertEqual(run.ended()[0], 1)

    def test_a_machine_that_loses_its_power_is_not_replaced(self):
        machine = self.spot_machine()
        volume = self.mounted(machine, "power")
        run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--auto-resume", until="up\n")
        self.fault("add", machine, "power-loss")
        code, _, errors = run.ended()
        self.assertEqual(code, 1, errors)
        self.assertNotIn("Rented", errors)
        self.assertIn("runctl aws start", errors)

    def test_move_detaches_and_snapshot_keeps(self):
        for action in ("move", "snapshot"):
            with self.subTest(action):
                machine = self.spot_machine()
                volume = self.mounted(machine, action)
                run = self.attended(machine, self.script(SAVES), "--checkpoint-volume", volume, "--on-interruption", action, until="up\n")
                self.take_back(machine, 60000)
                code, _, errors = run.ended()
                self.assertEqual(code, 1, errors)
                self.assertIn("was stopped by EC2's spot interruption notice (exit status 0)", errors)
                if action == "move":
                    self.assertEqual(self.volume_state(volume), "available")
                else:
                    self.assertRegex(errors, rf"Snapshot snap-\w+ of volume {volume} is consistent\.")


class Options(cloud.CloudTest):
    """What needs what, and what is not said of a machine that nobody takes back."""

    hardware = "files"

    def test_what_this_command_has_to_do_needs_it_to_be_there(self):
        machine, volume = self.cloud.machine(), self.cloud.volume()
        script = cloud.write_file(os.path.join(self.cloud.directory, "options", "train.py"), b"print('ran')")
        train = ("aws", "train", machine, script)
        self.refused(self.cloud.run(*train, "--auto-resume", "--checkpoint-volume", volume), "--auto-resume needs --wait", code=2)
        self.refused(self.cloud.run(*train, "--on-interruption", "move", "--checkpoint-volume", volume), "needs --wait", code=2)
        self.refused(self.cloud.run(*train, "--auto-resume", "--wait"), "needs --checkpoint-volume", code=2)
        self.refused(self.cloud.run(*train, "--no-fallback"), "needs --auto-resume", code=2)
        self.refused(self.cloud.run(*train, "--on-interruption", "sleep"), "it is stop, move or snapshot", code=2)
        self.assertNotIn("EC2 takes", self.succeeded(self.cloud.run(*train, "--dry-run")).out)


if __name__ == "__main__":
    cloud.main()
