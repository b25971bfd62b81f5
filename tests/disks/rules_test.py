"""The rules of safety on real devices in real machines, where what they guard is really there. Needs root.

What the plans alone decide is in the unit tests; what single scripts do with devices is in src/node (loop devices among
it: the emulator's machines have none).
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
from signed import Ec2


class RuleCase(machines.DiskTest):
    def sends_nothing(self, action):
        """A context within which that action must not be sent."""
        case, before = self, self.cloud.requests().count(action)

        class Check:
            def __enter__(self):
                pass

            def __exit__(self, *_):
                case.assertEqual(case.cloud.requests().count(action), before, f"{action} was sent")
        return Check()

    def take_offline(self, machine):
        fault = ("emulator", "fault", "--state", self.cloud.state)
        self.succeeded(self.cloud.run(*fault, "add", machine, "agent-offline"))
        self.addCleanup(self.cloud.run, *fault, "clear", machine)

    def script(self, body):
        folder = os.path.join(self.cloud.directory, f"script-{len(os.listdir(self.cloud.directory))}")
        os.makedirs(folder)
        path = os.path.join(folder, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        return path

    def call(self, action, **parameters):
        """EC2, behind runctl's back."""
        client = Ec2(self.cloud.endpoint)
        self.addCleanup(client.close)
        status, said = client.call(action, **parameters)
        self.assertEqual(status, 200, said)
        return said


class S7DetachingWhatIsInUse(RuleCase):
    def setUp(self):
        self.machine = self.cloud.machine()
        self.volume = self.mounted_volume(self.machine, "/data")

    def is_refused(self, *texts):
        with self.sends_nothing("DetachVolume"):
            for verb in ("detach", "unmount"):
                self.refused(self.ebs(verb, self.volume), "is in use on instance", *texts)
        self.assertIn(" /data ", self.on(self.machine, "cat /proc/mounts"))

    def is_detached_after(self, command):
        self.on(self.machine, command)
        self.done("detach", self.volume)
        self.check_image(self.volume, "ext4")

    def test_a_bind_mount_is_named(self):
        self.on(self.machine, "mkdir /data/sub /var/tmp/other && mount --bind /data/sub /var/tmp/other")
        self.is_refused("/var/tmp/other")
        self.is_detached_after("umount /var/tmp/other")

    def test_a_mount_below_is_named(self):
        self.on(self.machine, "mkdir /data/below && mount -t tmpfs none /data/below")
        self.is_refused("/data/below")
        self.is_detached_after("umount /data/below")

    def test_swap_is_named(self):
        said = self.on(self.machine, "dd if=/dev/zero of=/data/swap bs=1M count=8 2>/dev/null && chmod 600 /data/swap && "
                                     "mkswap -q /data/swap && swapon /data/swap 2>&1 || echo not here")
        if "not here" in said:
            self.skipTest("this kernel lets no swap be made here: " + said.strip())
        # Of the whole host's kernel: it must not outlive the test, whatever becomes of it.
        self.addCleanup(self.on, self.machine, "swapoff /data/swap", check=False)
        self.is_refused("/data/swap")
        self.is_detached_after("swapoff /data/swap")

    def test_a_process_in_a_container_s_namespace_is_named(self):
        end = self.held_by(self.machine, "exec unshare --mount --propagation private sh -c "
                                         "'cd /data && exec sleep 4321'")
        self.assertTrue(cloud.wait_until(lambda: self.on(self.machine, "pgrep -f 'sleep 4321'", check=False)))
        self.is_refused("sleep 4321")
        end()
        self.is_detached_after("true")

    def test_a_container_s_mount_at_its_own_place_is_named(self):
        end = self.held_by(self.machine, "exec unshare --mount --propagation private sh -c "
                                         "'mkdir -p /var/tmp/inside && mount --bind /data /var/tmp/inside && umount /data "
                                         "&& exec sleep 4322'")
        self.assertTrue(cloud.wait_until(lambda: self.on(self.machine, "pgrep -f '^sleep 4322'", check=False)))
        self.is_refused("/var/tmp/inside")
        end()
        self.is_detached_after("true")


class S8TheMachineCannotBeReached(RuleCase):
    def test_what_reached_the_volume_is_there_after_it_was_pulled(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/ck", "xfs")
        writer = self.write(first, "/ck")
        self.take_offline(first)
        with self.sends_nothing("DetachVolume"):
            self.refused(self.ebs("detach", volume), "cannot be reached", f"snapshot {volume}", "--unsafe-force")
            self.refused(self.ebs("move", volume, "--to", second), "cannot be reached")
            self.refused(self.ebs("detach", volume, "--unsafe-force", "--confirm", "vol-0"), volume)
        count = writer.acknowledged()
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > count), "the writer was disturbed")
        writer.stop()
        # The emulator tears no device from under a mount; runctl does not know that it is gone.
        self.on(first, "umount /ck")
        self.done("detach", volume, "--unsafe-force", "--confirm", volume)
        self.done("attach", volume, "--instance", second, "--mount", "/ck")
        machines.check_records(self.inside(second, "/ck/records"), writer.acknowledged())
        self.done("detach", volume)
        self.check_image(volume, "xfs")

    def test_a_damaged_one_is_not_written_again(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/ck", "xfs")
        self.done("unmount", volume)
        self.take_offline(first)
        self.done("detach", volume, "--unsafe-force", "--confirm", volume)
        # A group's own index of free space, which a mount does not look at.
        with open(self.image(volume), "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
        self.done("attach", volume, "--instance", second)
        self.refused(self.ebs("mount", volume, "/ck"), "is damaged", "xfs_repair", f"snapshot {volume}")
        self.assertNotIn("/ck", self.on(second, "cat /proc/mounts"))
        self.assertIn("runctl:needs-check", self.done("show", volume)["tags"])

    def test_a_machine_that_cannot_be_reached_is_not_switched_off(self):
        machine = self.cloud.machine()
        self.mounted_volume(machine, "/ck")
        self.take_offline(machine)
        for verb, action in (("stop", "StopInstances"), ("terminate", "TerminateInstances")):
            with self.sends_nothing(action):
                self.refused(self.cloud.run("aws", verb, machine, "--yes"), "cannot be reached", "--unsafe-skip-unmount")


class S11Formatting(RuleCase):
    def test_only_what_runctl_made_empty_is_formatted(self):
        """A volume that reads as zeros and is not known to be empty: nothing proves that it holds nothing."""
        machine = self.cloud.machine()
        said = self.call("CreateVolume", AvailabilityZone="us-east-1a", Size=1, VolumeType="gp3")
        volume = said.partition("<volumeId>")[2].partition("<")[0]
        self.assertTrue(cloud.wait_until(lambda: self.done("show", volume)["state"] == "available"))
        self.done("attach", volume, "--instance", machine)
        with self.sends_nothing("SendCommand"):
            self.refused(self.ebs("mount", volume, "/data", "--format", "ext4"), "was not created empty by runctl")
        self.assertEqual(self.on(machine, "blkid -p /dev/nvme1n1", check=False), "")


    def test_no_copy_is_formatted(self):
        machine = self.cloud.machine()
        source = self.mounted_volume(machine, "/data")
        copy = self.done("clone", source, "--instance", machine)["volume_id"]
        with self.sends_nothing("SendCommand"):
            self.refused(self.ebs("mount", copy, "/copy", "--format", "ext4"), f"came from volume {source}")


class S13OneCheckpointDirectory(RuleCase):
    HOLD = "import os, time; print('fence', os.environ['RUNCTL_FENCE'], flush=True); time.sleep(600)"
    TELL = "import os; print('fence', os.environ['RUNCTL_FENCE'])"

    def train(self, machine, body, volume, *words):
        return self.cloud.run("aws", "train", machine, self.script(body), "--checkpoint-volume", volume, *words)

    def test_of_two_runs_at_once_one_is_refused_and_told_who_has_it(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        path = self.script(self.HOLD)
        both = [subprocess.Popen([cloud.RUNCTL, "aws", "train", machine, path, "--checkpoint-volume", volume],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 env=self.cloud.environment, cwd=self.cloud.directory) for _ in range(2)]
        said = [process.communicate(timeout=120) for process in both]
        self.assertEqual(sorted(process.returncode for process in both), [0, 4], said)
        refused = said[[process.returncode for process in both].index(4)][1]
        self.assertRegex(refused, r"in use by run \S+ \(pid \S+\)")
        self.refused(self.train(machine, self.TELL, volume, "--wait"), "in use by run run-")
        self.assertEqual(self.on(machine, "pgrep -c -f '^(/usr/bin/env )?python3 .*script.py'", check=False).strip(), "1")

    def test_the_fencing_number_goes_with_the_volume(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/ck")
        self.assertIn("fence 1\n", self.succeeded(self.train(first, self.TELL, volume, "--wait")).out)
        self.done("move", volume, "--to", second)
        self.assertIn("fence 2\n", self.succeeded(self.train(second, self.TELL, volume, "--wait")).out)
        self.succeeded(self.train(second, self.HOLD, volume))
        self.refused(self.ebs("move", volume, "--to", first), "is in use on instance", "script.py")
        # The lock goes with the machine's power, its number never.
        self.succeeded(self.cloud.run("emulator", "fault", "--state", self.cloud.state, "add", second, "power-loss"))
        self.succeeded(self.cloud.run("aws", "start", second, "--wait"))
        self.assertIn("fence 4\n", self.succeeded(self.train(second, self.TELL, volume, "--wait")).out)


class S14SwitchingAMachineOff(RuleCase):
    def test_what_was_not_written_yet_is_kept(self):
        for verb in ("stop", "terminate"):
            with self.subTest(verb):
                machine = self.cloud.machine()
                volume = self.mounted_volume(machine, "/ck")
                self.on(machine, "seq 1 200000 >/ck/numbers")
                planned = self.succeeded(self.cloud.run("aws", verb, machine, "--dry-run")).out
                self.assertIn(f"unmount and keep volume {volume}", planned)
                self.succeeded(self.cloud.run("aws", verb, machine, "--yes"))
                self.check_image(volume, "ext4")
                self.done("detach", volume)
                other = self.cloud.machine()
                self.done("attach", volume, "--instance", other, "--mount", "/ck")
                self.assertEqual(self.on(other, "tail -n 1 /ck/numbers"), "200000\n")

    def test_a_busy_volume_keeps_its_machine_on(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        writer = self.write(machine, "/ck")
        for verb, action in (("stop", "StopInstances"), ("terminate", "TerminateInstances")):
            with self.sends_nothing(action):
                self.refused(self.cloud.run("aws", verb, machine, "--yes"), f"Volume {volume} is in use", "writer.py")
        count = writer.acknowledged()
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > count), "the writer was disturbed")

    def test_a_volume_that_would_go_with_its_machine_is_not_let_go(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/ck")
        device = self.done("show", volume)["attachments"][0]["device"]
        self.call("ModifyInstanceAttribute", InstanceId=machine, **{
            "BlockDeviceMapping.1.DeviceName": device, "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true"})
        with self.sends_nothing("TerminateInstances"):
            for words in (("--yes",), ("--yes", "--unsafe-skip-unmount")):
                self.refused(self.cloud.run("aws", "terminate", machine, *words),
                             f"Volume {volume} would be deleted together with instance {machine}", f"detach {volume}")
        self.on(machine, "echo still >/ck/here")
        self.done("detach", volume)
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))
        self.assertTrue(os.path.exists(self.image(volume)))


class S15Deleting(RuleCase):
    def is_kept(self, volume, *words, text):
        with self.sends_nothing("DeleteVolume"):
            self.refused(self.ebs("delete", volume, *words), text)
        self.assertTrue(os.path.exists(self.image(volume)))

    def test_what_somebody_relies_on_is_kept(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        everything = ("--yes", "--confirm", volume)
        self.on(machine, "echo only >/data/copy")
        self.is_kept(volume, *everything, text=f"is attached to instance {machine}")
        self.done("seal", volume)
        self.done("detach", volume)
        self.is_kept(volume, *everything, text="is sealed")
        self.done("unseal", volume, "--yes")
        self.done("protect", volume)
        self.is_kept(volume, *everything, text="is protected")
        self.succeeded(self.ebs("unprotect", volume, "--yes"))
        self.is_kept(volume, text=f"--confirm {volume}")
        self.is_kept(volume, "--yes", text=f"--confirm {volume}")
        self.is_kept(volume, "--yes", "--confirm", "vol-00000000000000000", text=volume)
        snapshot = self.done("snapshot", volume, "--wait")["snapshot_id"]
        self.is_kept(volume, text="--yes")
        self.succeeded(self.ebs("delete", volume, "--yes"))
        self.assertTrue(cloud.wait_until(lambda: not os.path.exists(self.image(volume))))
        restored = self.done("restore", snapshot, "--instance", machine, "--mount", "/data")
        self.assertEqual(self.on(machine, "cat /data/copy"), "only\n")
        self.assertNotEqual(restored["volume_id"], volume)


if __name__ == "__main__":
    cloud.main()
