"""Volumes on real disks in real machines: mounted, handed over, sealed, copied, grown, pulled. Needs root."""
import hashlib
import os
import platform
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines


class VolumeCase(machines.DiskTest):
    def bytes_of(self, volume):
        digest = hashlib.sha256()
        with open(self.image(volume), "rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
        return digest.hexdigest()

    def mounts_of(self, machine, directory):
        """The options of what is mounted there, by the kernel's own table."""
        table = self.on(machine, "cat /proc/self/mounts")
        return [line.split()[3].split(",") for line in table.splitlines() if line.split()[1] == directory]

    def cut_power(self, machine):
        self.succeeded(self.cloud.run("emulator", "fault", "--state", self.cloud.state, "add", machine, "power-loss"))

    def shared_volume(self, *, size=4):
        return self.cloud.volume("--type", "io2", "--iops", "100", "--multi-attach", size=size)


class Mounting(VolumeCase):
    def test_mount_and_unmount(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        self.on(machine, "echo kept >/data/file && sync")
        unmounted = self.done("unmount", volume)
        self.assertEqual(unmounted["instance_id"], machine)
        self.assertEqual(self.mounts_of(machine, "/data"), [])
        mounted = self.done("mount", volume, "/other")
        self.assertEqual((mounted["mount_point"], mounted["read_only"]), ("/other", False))
        self.assertEqual(self.on(machine, "cat /other/file"), "kept\n")
        again = self.done("mount", volume, "/other")
        self.assertTrue(again["already_mounted"])
        self.refused(self.ebs("mount", volume, "/data"), "already mounted on this machine")

    def test_a_volume_is_not_mounted_without_a_machine(self):
        volume = self.cloud.volume()
        self.refused(self.ebs("mount", volume, "/data"), "is not attached to any instance",
                     f"runctl aws ebs attach {volume} --instance INSTANCE")

    def test_read_only_is_read_only_at_the_device(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        self.done("detach", volume)
        before = self.bytes_of(volume)
        self.done("attach", volume, "--instance", machine, "--mount", "/data", "--read-only")
        self.assertIn("ro", self.mounts_of(machine, "/data")[0])
        said = self.on(machine, "touch /data/x; mount -o remount,rw /data; touch /data/x; "
                                "device=$(findmnt -no SOURCE /data); "
                                "dd if=/dev/zero of=$device bs=4096 count=1 seek=9 conv=notrunc oflag=direct 2>&1; true",
                       check=False)
        self.assertIn("not permitted", said)
        self.done("detach", volume)
        self.assertEqual(self.bytes_of(volume), before)

    def test_in_use_is_not_unmounted(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        self.held_by(machine, "exec sleep 300 >/data/held")
        self.assertTrue(cloud.wait_until(lambda: self.on(machine, "ls /data/held", check=False)))
        for words in (("unmount", volume), ("detach", volume), ("seal", volume)):
            self.refused(self.ebs(*words), "is in use on instance", "sleep 300")
        self.assertEqual(len(self.mounts_of(machine, "/data")), 1)

    def test_who_is_refused_is_told_what_the_holder_does(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/data")
        self.held_by(first, "cd /data && exec sleep 300")
        self.assertTrue(cloud.wait_until(lambda: self.on(first, "pgrep -f 'sleep 300'", check=False)))
        refused = self.ebs("attach", volume, "--instance", second)
        self.refused(refused, f"Volume {volume} is already attached to instance {first}.",
                     "Detach it first or use a different volume.", "mounted:   at /data, read-write",
                     "sleep 300", f"runctl aws ebs move {volume} --to {second}")

    def test_a_filesystem_that_was_promised_is_made_at_the_first_mount(self):
        machine = self.cloud.machine()
        volume = self.cloud.volume("--filesystem", "xfs")
        mounted = self.done("attach", volume, "--instance", machine, "--mount", "/data")
        self.assertEqual((mounted["filesystem"], mounted["formatted"]), ("xfs", True))


class Moving(VolumeCase):
    def test_a_volume_is_handed_over(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/data")
        self.on(first, "echo one >/data/one")
        moved = self.done("move", volume, "--to", second)
        self.assertEqual((moved["from"], moved["instance_id"], moved["mount_point"]), (first, second, "/data"))
        self.assertEqual(self.on(second, "cat /data/one"), "one\n")
        self.assertEqual(self.mounts_of(first, "/data"), [])
        again = self.done("move", volume, "--to", second)
        self.assertTrue(again["already_there"])
        back = self.done("move", volume, "--to", first, "--mount", "/elsewhere")
        self.assertEqual(back["mount_point"], "/elsewhere")
        self.assertNotEqual(back["device"], moved["device"], "a name that a late request may mean")

    def test_nothing_is_taken_that_cannot_be_given(self):
        first, far = self.cloud.machine(), self.cloud.machine(zone="us-east-1b")
        volume = self.mounted_volume(first, "/data")
        self.refused(self.ebs("move", volume, "--to", far), "is in zone us-east-1a")
        stopped = self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "stop", stopped))
        self.refused(self.ebs("move", volume, "--to", stopped), "can mount nothing")
        self.assertEqual(len(self.mounts_of(first, "/data")), 1)

    def test_in_use_is_not_moved(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/data")
        writer = self.write(first, "/data")
        self.refused(self.ebs("move", volume, "--to", second), "is in use on instance", "writer.py")
        count = writer.acknowledged()
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > count), "the writer was stopped")


class Sealing(VolumeCase):
    def filled(self, machine, filesystem="ext4", *, shared=True):
        volume = self.shared_volume() if shared else self.cloud.volume()
        self.done("attach", volume, "--instance", machine, "--mount", "/data", "--format", filesystem)
        self.on(machine, "mkdir -p '/data/a b' && seq 1 100000 >'/data/a b/numbers' && ln -s numbers '/data/a b/link' && "
                         "head -c 3000000 /dev/urandom >/data/random && : >/data/empty")
        return volume

    def test_sealed_volumes_never_change(self):
        """Byte for byte, on three machines at once, through reads, power cycles and detaches."""
        for filesystem in ("ext4", "xfs"):
            with self.subTest(filesystem):
                three = [self.cloud.machine() for _ in range(3)]
                volume = self.filled(three[0], filesystem)
                sealed = self.done("seal", volume)
                self.assertEqual(sealed["mount_point"], "/data")
                self.assertGreaterEqual(sealed["files"], 3)
                before = self.bytes_of(volume)
                for machine in three[1:]:
                    attached = self.done("attach", volume, "--instance", machine, "--mount", "/data")
                    self.assertTrue(attached["read_only"])
                for machine in three:
                    options = self.mounts_of(machine, "/data")[0]
                    self.assertIn("ro", options)
                    self.assertTrue({"noload", "norecovery"} & set(options), options)
                    self.assertEqual(self.on(machine, "tail -n 1 '/data/a b/numbers'"), "100000\n")
                    said = self.on(machine, "touch /data/x 2>&1; mount -o remount,rw /data 2>&1; touch /data/x 2>&1; "
                                            "echo x | dd of=$(findmnt -no SOURCE /data) oflag=direct conv=notrunc 2>&1; true")
                    self.assertIn("ead-only", said)
                self.assertTrue(self.done("verify", volume, "--instance", three[1])["intact"])
                for machine in three:
                    self.cut_power(machine)
                    self.succeeded(self.cloud.run("aws", "start", machine, "--wait"))
                    self.done("mount", volume, "/data", "--instance", machine)
                    self.on(machine, "cat /data/random >/dev/null")
                for machine in three:
                    self.done("detach", volume, "--instance", machine)
                self.assertEqual(self.bytes_of(volume), before)
                for machine in three:
                    self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))

    def test_a_dirty_filesystem_is_not_sealed_and_not_replayed(self):
        for filesystem in ("ext4", "xfs"):
            with self.subTest(filesystem):
                machine = self.cloud.machine()
                volume = self.mounted_volume(machine, "/data", filesystem)
                self.on(machine, "for i in 1 2 3 4 5 6 7 8; do echo $i >/data/$i; done; sync -f /data/1; echo more >/data/9")
                self.cut_power(machine)
                before = self.bytes_of(volume)
                self.succeeded(self.cloud.run("aws", "start", machine, "--wait"))
                self.refused(self.ebs("mount", volume, "/data", "--read-only"), "not cleanly unmounted")
                self.refused(self.ebs("seal", volume), "not cleanly unmounted")
                self.assertEqual(self.bytes_of(volume), before, "it was replayed")

    def test_a_sealed_volume_is_guarded(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.filled(first)
        self.refused(self.ebs("attach", volume, "--instance", second), "is already attached",
                     f"runctl aws ebs seal {volume}")
        self.done("seal", volume)
        self.assertTrue(self.done("seal", volume)["already"])
        self.done("attach", volume, "--instance", second)
        self.refused(self.ebs("mount", volume, "/x", "--instance", second, "--format", "ext4"), "is to be read only")
        self.refused(self.ebs("unseal", volume, "--yes"), "may be reading it", f"detach {volume} --instance")
        self.refused(self.ebs("move", volume, "--to", second), "nothing to hand over")
        self.refused(self.ebs("delete", volume, "--confirm", volume), "attached")
        for machine in (first, second):
            self.done("detach", volume, "--instance", machine)
        self.refused(self.ebs("delete", volume, "--confirm", volume), "is sealed")
        self.refused(self.ebs("unseal", volume), "--yes")
        self.done("unseal", volume, "--yes")
        self.assertEqual(self.done("show", volume)["mode"], "exclusive")
        attached = self.done("attach", volume, "--instance", first, "--mount", "/data")
        self.assertFalse(attached["read_only"])
        self.on(first, "echo new >/data/new")

    def test_verify_names_what_is_not_as_it_was(self):
        machine = self.cloud.machine()
        volume = self.filled(machine, shared=False)
        self.refused(self.ebs("verify", volume), "manifest", code=3)
        self.done("seal", volume)
        self.done("unmount", volume)
        self.assertTrue(self.done("verify", volume)["intact"], "not mounted")
        snapshot = self.done("snapshot", volume, "--wait")["snapshot_id"]
        restored = self.done("restore", snapshot, "--instance", machine, "--mount", "/copy")
        copy = restored["volume_id"]
        self.assertTrue(self.done("verify", copy)["intact"])
        self.on(machine, "printf x | dd of=/copy/random bs=1 seek=1000000 conv=notrunc 2>/dev/null; rm /copy/empty; "
                         "echo extra >/copy/extra; sync")
        outcome = self.ebs("verify", copy, "--output", "json")
        self.assertEqual(outcome.code, 1)
        self.assertEqual(sorted(outcome.record["differences"]), ["changed random", "missing empty", "unexpected extra"])
        text = self.ebs("verify", copy)
        self.assertIn("changed random", text.out)


class Copying(VolumeCase):
    def test_a_clone_is_what_its_source_was(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data", "xfs")
        writer = self.write(machine, "/data")
        least = writer.acknowledged()
        cloned = self.done("clone", volume, "--name", "copy", "--instance", machine, "--mount", "/copy")
        self.assertEqual((cloned["consistency"], cloned["filesystem"]), ("consistent", "xfs"))
        self.on(machine, "cp /copy/records /var/tmp/records")
        count = machines.check_records(os.path.join(self.cloud.state, "instances", machine, "upper/var/tmp/records"), least)
        self.assertTrue(cloud.wait_until(lambda: writer.acknowledged() > count), "the source is still frozen")
        shown = self.done("show", cloned["volume_id"])
        self.assertEqual((shown["type"], shown["size_gib"], shown["name"]), ("gp3", 1, "copy"))
        self.refused(self.ebs("mount", cloned["volume_id"], "/x", "--format", "ext4"), "so it is not formatted")

    def test_a_restored_xfs_is_mounted_beside_its_source(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data", "xfs")
        self.on(machine, "echo one >/data/one")
        snapshot = self.done("snapshot", volume, "--wait")["snapshot_id"]
        self.refused(self.ebs("restore", snapshot, "--instance", machine, "--mount", "/data"), "omething else is mounted")
        restored = self.done("restore", snapshot, "--instance", machine, "--mount", "/copy", "--name", "second")
        self.assertEqual(self.on(machine, "cat /copy/one /data/one"), "one\none\n")
        self.assertNotEqual(restored["volume_id"], volume)

    def test_what_cannot_be_attached_is_not_made(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        snapshot = self.done("snapshot", volume, "--wait")["snapshot_id"]
        stopped = self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "stop", stopped))
        before = len(self.done("list")["volumes"])
        self.refused(self.ebs("restore", snapshot, "--instance", machine, "--mount", "/copy", "--availability-zone",
                              "us-east-1b"), "Nothing was made")
        self.refused(self.ebs("restore", snapshot, "--instance", stopped, "--mount", "/copy"), "Nothing was made")
        self.refused(self.ebs("clone", volume, "--instance", stopped, "--mount", "/copy"), "Nothing was made")
        self.assertEqual(len(self.done("list")["volumes"]), before)


class Growing(VolumeCase):
    def may_resize_online(self, machine):
        """ext4 asks for CAP_SYS_RESOURCE (bit 24), which containers of some kinds lack."""
        return bool(int(self.on(machine, "sed -n 's/^CapEff:\t//p' /proc/self/status"), 16) >> 24 & 1)

    def test_a_volume_grows_with_its_filesystem(self):
        machine = self.cloud.machine()
        for number, filesystem in enumerate(("ext4", "xfs")):
            with self.subTest(filesystem):
                volume = self.mounted_volume(machine, f"/data{number}", filesystem)
                before = int(self.on(machine, f"stat -f -c %b /data{number}"))
                modified = self.done("modify", volume, "--size", "2")
                if filesystem == "ext4" and not self.may_resize_online(machine):
                    self.assertIn("CAP_SYS_RESOURCE", modified["why_not_grown"])
                    continue
                self.assertTrue(modified["filesystem_grown"])
                self.assertGreater(int(self.on(machine, f"stat -f -c %b /data{number}")), before * 1.8)
                again = self.done("modify", volume, "--size", "2")
                self.assertEqual((again["modified"], again["filesystem_grown"]), (False, False))
                self.refused(self.ebs("modify", volume, "--size", "1"), "cannot be made smaller", code=2)

    def test_a_free_volume_grows_alone(self):
        volume = self.cloud.volume()
        modified = self.done("modify", volume, "--size", "2")
        self.assertIn("no machine has the volume", modified["why_not_grown"])
        self.assertEqual(self.done("show", volume)["size_gib"], 2)

    def test_bad_wishes_are_refused(self):
        volume = self.cloud.volume()
        self.refused(self.ebs("modify", volume), "othing is said to be modified", code=2)
        self.refused(self.ebs("modify", volume, "--size", "70000"), "70000", code=2)
        self.refused(self.ebs("modify", volume, "--type", "gp9"), "gp9", code=2)


class Warming(VolumeCase):
    def test_every_block_is_read(self):
        machine = self.cloud.machine()
        volume = self.mounted_volume(machine, "/data")
        warmed = self.done("warm", volume)
        self.assertEqual(warmed["bytes"], 1 << 30)
        if platform.machine() in ("x86_64", "aarch64"):
            self.assertEqual(warmed["reader"], "aio")


class Launching(VolumeCase):
    def test_a_machine_comes_with_its_volumes(self):
        first = self.cloud.machine()
        volume = self.mounted_volume(first, "/data")
        self.on(first, "echo data >/data/file")
        snapshot = self.done("snapshot", volume, "--wait")["snapshot_id"]
        refused = self.cloud.run("aws", "create", "--ebs-volume", volume)
        self.refused(refused, f"Volume {volume} is already attached to instance {first}.", "No machine was rented")
        self.done("detach", volume)
        self.refused(self.cloud.run("aws", "create", "--ebs-volume", volume, "--availability-zone", "us-east-1b"),
                     "No machine was rented")
        made = self.succeeded(self.cloud.run("aws", "create", "--ebs-volume", volume, "--mount-point", "/in",
                                             "--output", "json")).record
        self.assertEqual(made["availability_zone"], "us-east-1a")
        self.assertEqual(self.on(made["instance_id"], "cat /in/file"), "data\n")
        second = self.succeeded(self.cloud.run("aws", "create", "--ebs-snapshot", snapshot, "--data-volume-size", "1",
                                               "--name", "both", "--output", "json")).record
        self.assertEqual(len(second["volumes"]), 2)
        restored, empty = second["volumes"]
        self.assertEqual(self.on(second["instance_id"], f"cat {restored['path']}/file"), "data\n")
        self.assertTrue(empty["formatted"])
        self.on(second["instance_id"], f"echo new >{empty['path']}/file")
        self.succeeded(self.cloud.run("aws", "terminate", second["instance_id"], "--yes"))
        for each in second["volumes"]:
            self.assertEqual(self.done("show", each["volume_id"])["state"], "available")


class Unreachable(VolumeCase):
    def test_a_volume_is_pulled_only_by_name_and_checked_afterwards(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        # XFS: an ext4 with multi-mount protection is waited for for a minute before it is checked.
        volume = self.mounted_volume(first, "/data", "xfs")
        self.on(first, "echo one >/data/one; sync")
        self.done("unmount", volume)
        fault = ("emulator", "fault", "--state", self.cloud.state)
        self.succeeded(self.cloud.run(*fault, "add", first, "agent-offline"))
        self.addCleanup(self.cloud.run, *fault, "clear", first)
        refused = self.ebs("detach", volume)
        self.refused(refused, "cannot be reached", "--unsafe-force")
        self.refused(self.ebs("detach", volume, "--yes"), "cannot be reached")
        self.refused(self.ebs("detach", volume, "--unsafe-force", "--yes"), volume)
        pulled = self.done("detach", volume, "--unsafe-force", "--confirm", volume)
        self.assertTrue(pulled["forced"])
        shown = self.done("show", volume)
        self.assertEqual(shown["state"], "available")
        kept = shown["tags"]["runctl:needs-check"]
        self.assertIn(kept, [s["snapshot_id"] for s in self.done("snapshots", "--volume", volume)["snapshots"]])
        self.refused(self.ebs("attach", volume, "--instance", second, "--mount", "/data", "--read-only"), "not checked")
        self.done("attach", volume, "--instance", second, "--mount", "/data")
        self.assertEqual(self.on(second, "cat /data/one"), "one\n")
        self.assertNotIn("runctl:needs-check", self.done("show", volume)["tags"])

    def test_a_sealed_volume_that_is_pulled_off_stays_readable(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted_volume(first, "/data")
        self.on(first, "echo one >/data/one")
        self.done("seal", volume)
        self.done("unmount", volume)
        fault = ("emulator", "fault", "--state", self.cloud.state)
        self.succeeded(self.cloud.run(*fault, "add", first, "agent-offline"))
        self.addCleanup(self.cloud.run, *fault, "clear", first)
        self.assertTrue(self.done("detach", volume, "--unsafe-force", "--confirm", volume)["forced"])
        self.assertNotIn("runctl:needs-check", self.done("show", volume)["tags"])
        self.done("attach", volume, "--instance", second, "--mount", "/data")
        self.assertEqual(self.on(second, "cat /data/one"), "one\n")


if __name__ == "__main__":
    cloud.main()
