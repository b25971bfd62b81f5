"""A volume handed back and forth under a writer's hands, runctl killed on the way. Needs root.

RUNCTL_HANDOFF_ROUNDS=50 for more rounds than the few of an ordinary run, RUNCTL_HANDOFF_SEED=7 for other steps.
"""
import itertools
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
from proxy import LossyProxy
from signed import Ec2

ROUNDS = int(os.environ.get("RUNCTL_HANDOFF_ROUNDS", "2"))
SEED = int(os.environ.get("RUNCTL_HANDOFF_SEED", "1"))

# A hand-off sends, in this order: SendCommand (who uses it, where is it mounted), SendCommand (unmount), DetachVolume,
# reads, DescribeInstanceTypes, AttachVolume, reads, SendCommand (mount). Between the commands it asks how they go.
STEPS = [(action, when, skip)
         for action, skips in (("SendCommand", (0, 1, 2)), ("DetachVolume", (0,)), ("AttachVolume", (0,)),
                               ("DescribeInstanceTypes", (1,)), ("DescribeVolumes", (2, 4, 7)),
                               ("GetCommandInvocation", (1, 4, 7)))
         for skip in skips for when in ("before", "after")]


class HandOff(machines.DiskTest):
    def setUp(self):
        self.proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(self.proxy.stop)
        self.through = {"AWS_ENDPOINT_URL": self.proxy.endpoint,
                        "XDG_STATE_HOME": os.path.join(self.cloud.directory, self.id())}

    def run_through(self, *words):
        return self.cloud.run(*words, environment=self.through)

    def killed_at(self, step, *words):
        """Runs a command and kills it as soon as that request of its is lost. Whether it was: how often it asks is a
        matter of time."""
        self.proxy.lose(step[0], step[1], "hold", step[2])
        process = subprocess.Popen([cloud.RUNCTL, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**self.cloud.environment, **self.through}, cwd=self.cloud.directory)
        while not self.proxy.lost.wait(0.02) and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL

    def resume_all(self):
        """Goes on with what was left, as long as it takes the machine to end what it was told before."""
        for _ in range(40):
            left = self.succeeded(self.run_through("operations", "list", "--output", "json")).record["operations"]
            if not left:
                return
            self.assertEqual([operation["kind"] for operation in left], ["move"])
            outcome = self.run_through("operations", "resume", left[0]["operation_id"])
            if outcome.code != 0:
                self.assertIn("another operation on", outcome.err, outcome)
                time.sleep(0.5)
        self.fail("it is never finished")

    def hand_over(self, volume, target, step):
        """To the other machine, killed at a step unless that is None. Whether it was killed."""
        move = ("aws", "ebs", "move", volume, "--to", target)
        if step is None or not self.killed_at(step, *move):
            self.succeeded(self.run_through(*move))
            return False
        self.resume_all()
        # Killed before it had begun anything, there was nothing to resume.
        self.succeeded(self.run_through(*move, "--mount", "/ck"))
        return True

    def back_and_forth(self, filesystem):
        choose = random.Random(f"{SEED} {filesystem}")
        pair = [self.cloud.machine(), self.cloud.machine()]
        volume = self.mounted_volume(pair[0], "/ck", filesystem)
        steps = itertools.cycle(choose.sample(STEPS, len(STEPS)))
        acknowledged, killed, samples, longest = 0, 0, 0, 0.0
        for turn in range(ROUNDS):
            source, target = pair[turn % 2], pair[1 - turn % 2]
            writer = self.write(source, "/ck", beyond=acknowledged)
            writer.stop(choose.choice((signal.SIGTERM, signal.SIGKILL)))
            acknowledged = writer.acknowledged()
            step = next(steps) if turn % 2 else None
            with self.subTest(filesystem, turn=turn, step=step), machines.MountWatch(self.image(volume)) as watch:
                began = time.monotonic()
                was_killed = self.hand_over(volume, target, step)
                if not was_killed:
                    longest = max(longest, time.monotonic() - began)
                killed += was_killed
            self.assertEqual(watch.violations, [], "mounted to be written twice at once")
            samples += watch.samples
            machines.check_records(self.inside(target, "/ck/records"), acknowledged)
        writer = self.write(pair[ROUNDS % 2], "/ck", beyond=acknowledged)
        writer.stop()
        self.done("detach", volume)
        for held in self.attachments_over_time(volume):
            self.assertLess(len(held), 2, "attached to both machines at once")
        self.check_image(volume, filesystem)
        print(f"{filesystem}: {ROUNDS} hand-offs, {killed} killed and resumed, {writer.acknowledged()} records kept; "
              f"{samples} looks at the mount tables; {longest:.1f} s the longest that was not killed", file=sys.stderr)

    def test_no_record_is_lost_on_ext4(self):
        self.back_and_forth("ext4")

    def test_no_record_is_lost_on_xfs(self):
        self.back_and_forth("xfs")

    def test_it_is_refused_while_the_writer_runs_and_goes_when_it_has_stopped(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/ck")
        writer = self.write(first, "/ck")
        self.refused(self.run_through("aws", "ebs", "move", volume, "--to", second), "is in use on instance", "writer.py")
        count = writer.acknowledged()
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > count), "the writer was stopped")
        writer.stop()
        self.done("move", volume, "--to", second)
        machines.check_records(self.inside(second, "/ck/records"), writer.acknowledged())

    def test_the_watch_sees_a_volume_that_is_mounted_twice(self):
        """What the rounds above must never show, made by hand behind runctl's back."""
        pair = [self.cloud.machine(), self.cloud.machine()]
        volume = self.cloud.volume("--type", "io2", "--iops", "100", "--multi-attach", size=4)
        client = Ec2(self.cloud.endpoint)
        self.addCleanup(client.close)
        with machines.MountWatch(self.image(volume)) as watch:
            for machine in pair:
                status, said = client.call("AttachVolume", VolumeId=volume, InstanceId=machine, Device="/dev/sdf")
                self.assertEqual(status, 200, said)
                self.assertTrue(cloud.wait_until(lambda m=machine: self.on(m, "ls /dev/nvme1n1", check=False)))
                self.on(machine, "mkdir /ck; blkid -p /dev/nvme1n1 || mkfs.ext4 -q /dev/nvme1n1; mount /dev/nvme1n1 /ck")
            self.assertTrue(cloud.wait_until(lambda: watch.violations), "it sees nothing")
        self.assertIn(set(pair), self.attachments_over_time(volume))
        for machine in pair:
            self.on(machine, "umount /ck")


if __name__ == "__main__":
    cloud.main()
