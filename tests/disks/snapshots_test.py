"""Snapshots under a writer's hands: consistent where they say so, and nothing left frozen. Needs root.

RUNCTL_SNAPSHOT_ROUNDS=50 for more snapshots than the few of an ordinary run.
"""
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
from proxy import LossyProxy

ROUNDS = int(os.environ.get("RUNCTL_SNAPSHOT_ROUNDS", "5"))


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class Snapshots(cloud.CloudTest):
    hardware = "block"
    pace = "fast"

    def mounted_volume(self, machine, directory, filesystem="ext4"):
        volume = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", directory,
                                      "--format", filesystem))
        return volume

    def write(self, machine, directory):
        writer = machines.Writer(self.cloud.state, machine, directory)
        self.addCleanup(writer.stop)
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > 20), "the writer does not write")
        return writer

    def snapshot(self, volume, *words):
        return self.succeeded(self.cloud.run("aws", "ebs", "snapshot", volume, "--wait", "--output", "json", *words)).record

    def mounts_clean(self, snapshot, least, filesystem="ext4"):
        """The snapshot's bytes, on a read-only device, mounted read-only: refused by the kernel when a journal would
        have to be replayed. Gives the number of its records."""
        image = os.path.join(self.cloud.state, "snapshots", snapshot + ".img")
        place = tempfile.mkdtemp(dir=self.cloud.directory)
        loop = subprocess.run(["losetup", "--read-only", "--find", "--show", image], check=True, capture_output=True,
                              text=True).stdout.strip()
        try:
            # XFS keeps its log dirty while it is frozen, so that nothing but a replay forgets files that were deleted
            # while open; what was synced is in its place all the same.
            options = "ro,norecovery,nouuid" if filesystem == "xfs" else "ro"
            subprocess.run(["mount", "-t", filesystem, "-o", options, loop, place], check=True, capture_output=True, text=True)
            try:
                return machines.check_records(os.path.join(place, "records"), least)
            finally:
                subprocess.run(["umount", place], check=True)
        finally:
            subprocess.run(["losetup", "--detach", loop], check=True)
            # The number keeps the flag for whoever has it next.
            subprocess.run(["blockdev", "--setrw", loop], check=False, capture_output=True)

    def test_every_snapshot_under_load_is_consistent(self):
        waits = []
        for filesystem, rounds in (("ext4", ROUNDS), ("xfs", max(ROUNDS // 5, 1))):
            machine = self.cloud.machine()
            volume = self.mounted_volume(machine, "/ck", filesystem)
            writer = self.write(machine, "/ck")
            for _ in range(rounds):
                least = writer.acknowledged()
                taken = self.snapshot(volume)
                self.assertEqual(taken["consistency"], "consistent", taken)
                waits.append(taken["frozen_ms"])
                self.mounts_clean(taken["snapshot_id"], least, filesystem)
                after = writer.acknowledged()
                self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > after), "the writer stands still")
        print(f"{len(waits)} snapshots; writers waited {statistics.median(waits)} ms (median), {max(waits)} ms at most",
              file=sys.stderr)

    def test_one_without_a_freeze_says_so(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        writer = self.write(machine, "/ck")
        least = writer.acknowledged()
        taken = self.snapshot(volume, "--no-freeze")
        self.assertEqual(taken["consistency"], "crash-consistent")
        self.assertIn("not to be frozen", taken["why_not_consistent"])
        with self.assertRaises(subprocess.CalledProcessError, msg="the check for a clean journal cannot fail"):
            self.mounts_clean(taken["snapshot_id"], least)

    def test_a_volume_that_is_not_mounted_needs_no_freeze(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        taken = self.snapshot(volume)
        self.assertEqual(taken["consistency"], "consistent")
        self.assertNotIn("frozen_ms", taken)

    def test_one_of_a_machine_that_cannot_be_asked_says_so(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        self.succeeded(self.cloud.run("aws", "stop", machine, "--unsafe-skip-unmount", "--yes"))
        taken = self.snapshot(volume)
        self.assertEqual(taken["consistency"], "crash-consistent")
        self.assertIn("is stopped", taken["why_not_consistent"])

    def test_a_refusal_of_ec2_comes_before_the_freeze(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        fault = ["emulator", "fault", "--state", self.cloud.state]
        self.succeeded(self.cloud.run(*fault, "add", "CreateSnapshot", "fail-before",
                                      "code=UnauthorizedOperation", "status=403"))
        self.addCleanup(self.cloud.run, *fault, "clear")
        before = self.cloud.requests().count("SendCommand")
        self.assertNotEqual(self.cloud.run("aws", "ebs", "snapshot", volume).code, 0)
        self.assertEqual(self.cloud.requests().count("SendCommand"), before, "the machine was asked to freeze")

    def test_one_that_was_thawed_too_early_says_so(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        fault = ["emulator", "fault", "--state", self.cloud.state]
        self.succeeded(self.cloud.run(*fault, "add", "CreateSnapshot", "delay", "ms=4000", "skip=1"))
        self.addCleanup(self.cloud.run, *fault, "clear")
        process = subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "snapshot", volume, "--output", "json"], text=True,
                                   stdout=subprocess.PIPE, env=self.cloud.environment, cwd=self.cloud.directory)
        thaws = lambda: machines.run_on(self.cloud.state, machine, "fsfreeze -u /ck 2>/dev/null && echo thawed", check=False)
        self.assertTrue(cloud.wait_until(thaws, 4), "it was never frozen")
        taken = cloud.json.loads(process.communicate(timeout=30)[0])
        self.assertEqual(taken["consistency"], "crash-consistent")
        self.assertIn("had thawed it before the answer came", taken["why_not_consistent"])

    def test_nothing_stays_frozen_when_runctl_is_killed(self):
        """Killed at each of its steps: the machine thaws by itself, and the journal knows what there is."""
        machine = self.cloud.machine()
        journal = {"XDG_STATE_HOME": os.path.join(self.cloud.directory, "killed")}
        steps = [("SendCommand", "before", 0), ("SendCommand", "after", 0), ("CreateSnapshot", "before", 1),
                 ("CreateSnapshot", "after", 1), ("SendCommand", "before", 1), ("CreateTags", "before", 0)]
        writers, volumes = [], []
        for number, (action, when, skip) in enumerate(steps):
            volumes.append(self.mounted_volume(machine, f"/ck{number}"))
            writers.append(self.write(machine, f"/ck{number}"))
        proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(proxy.stop)
        journal["AWS_ENDPOINT_URL"] = proxy.endpoint
        for volume, (action, when, skip) in zip(volumes, steps):
            proxy.lose(action, when, "hold", skip)
            process = subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "snapshot", volume], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, cwd=self.cloud.directory,
                                       env={**self.cloud.environment, **journal})
            self.assertTrue(proxy.lost.wait(30), f"{action} was never sent")
            process.send_signal(signal.SIGKILL)
            process.wait()
        # The dead man's time, and a second for it to act.
        time.sleep(21)
        counts = [writer.acknowledged() for writer in writers]
        for step, writer, count in zip(steps, writers, counts):
            self.assertTrue(cloud.wait_until(lambda w=writer, c=count: w.acknowledged() > c, 5), f"frozen after {step}")
        left = self.succeeded(self.cloud.run("operations", "list", "--output", "json", environment=journal)).record
        resumed = 0
        for operation in left["operations"]:
            outcome = self.cloud.run("operations", "resume", operation["operation_id"], environment=journal)
            # One whose request may still act is not over yet.
            self.assertIn(outcome.code, (0, 4), outcome)
            resumed += outcome.code == 0
        self.assertGreater(resumed, 2)
        made = self.cloud.run("aws", "ebs", "snapshots", "--output", "json").record["snapshots"]
        for snapshot in made:
            if snapshot["volume_id"] in volumes:
                self.assertEqual(snapshot["consistency"], "crash-consistent", snapshot)

    def test_a_killed_command_s_freeze_is_lifted_by_resume(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        writer = self.write(machine, "/ck")
        proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(proxy.stop)
        journal = {"XDG_STATE_HOME": os.path.join(self.cloud.directory, "resumed"), "AWS_ENDPOINT_URL": proxy.endpoint}
        proxy.lose("SendCommand", "before", "hold", skip=1)
        process = subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "snapshot", volume], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=self.cloud.directory,
                                   env={**self.cloud.environment, **journal})
        self.assertTrue(proxy.lost.wait(30))
        process.send_signal(signal.SIGKILL)
        process.wait()
        count = writer.acknowledged()
        time.sleep(0.3)
        self.assertEqual(writer.acknowledged(), count, "it is not frozen")
        [left] = self.cloud.run("operations", "list", "--output", "json", environment=journal).record["operations"]
        outcome = self.succeeded(self.cloud.run("operations", "resume", left["operation_id"], environment=journal))
        self.assertIn("crash-consistent", outcome.out)
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > count, 2), "it is still frozen")


if __name__ == "__main__":
    cloud.main()
