"""Volumes on machines that really run: format, mount, use, unmount, hand over. On block hardware as root, on
directories for everybody."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class OnMachines:
    """What holds on both kinds of hardware."""

    pace = "fast"

    def train(self, machine, body, *words, **options):
        """Runs a script of one file on a machine."""
        folder = os.path.join(self.cloud.directory, f"script-{len(os.listdir(self.cloud.directory))}")
        os.makedirs(folder)
        path = os.path.join(folder, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        return self.cloud.run("aws", "train", machine, path, *words, **options)

    def test_a_volume_is_formatted_mounted_and_handed_over_with_its_data(self):
        volume = self.cloud.volume("--name", "data-1")
        first, second = self.cloud.machine("h-1"), self.cloud.machine("h-2")
        mounted = self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", first, "--mount",
                                                "/data", "--format", "ext4", "--output", "json")).record
        self.assertTrue(mounted["formatted"])
        self.assertEqual(mounted["mount_point"], "/data")
        written = self.train(first, "import os; open(os.environ['RUNCTL_DATA_DIR'] + '/x', 'w').write('kept')",
                             "--data-volume", volume, "--wait")
        self.succeeded(written)
        again = self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", first, "--mount",
                                              "/data", "--format", "ext4", "--output", "json")).record
        self.assertTrue(again["already_mounted"])
        self.assertFalse(again["formatted"])

        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        shown = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record
        self.assertEqual((shown["state"], shown["attachments"]), ("available", []))

        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", second, "--mount", "/data"))
        read = self.train(second, "import os; print(open(os.environ['RUNCTL_DATA_DIR'] + '/x').read())",
                          "--data-volume", volume, "--wait")
        self.assertIn("kept", self.succeeded(read).out)

    def test_an_attachment_that_is_stuck_has_a_way_out(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        fault = lambda *words: self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state)
        self.succeeded(fault("add", "AttachVolume", "stuck-attaching"))
        self.addCleanup(fault, "clear")
        stuck = self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--timeout", "2s")
        self.refused(stuck, "still 'attaching'", f"runctl aws ebs detach {volume}", code=6)
        first = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record["attachments"][0]
        self.assertEqual(first["state"], "attaching")
        again = self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--timeout", "2s")
        self.refused(again, "still 'attaching'", code=6)
        self.succeeded(fault("clear"))
        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        second = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record["attachments"][0]
        self.assertEqual(second["state"], "attached")
        self.assertNotEqual(second["device"], first["device"])

    def test_a_volume_in_use_is_not_detached_and_the_user_is_named(self):
        volume, machine = self.cloud.volume("--name", "busy-1"), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data",
                                      "--format", "ext4"))
        body = ("import os, time\n"
                "f = open(os.environ['RUNCTL_DATA_DIR'] + '/open', 'w')\n"
                "print('holding', flush=True)\n"
                "time.sleep(600)\n")
        self.succeeded(self.train(machine, body, "--data-volume", volume))
        path_seen = cloud.wait_until(lambda: "holding" in self.cloud.run("aws", "status", machine).out, 10)
        self.assertTrue(path_seen, self.cloud.run("aws", "status", machine))
        before = self.cloud.requests().count("DetachVolume")
        outcome = self.cloud.run("aws", "ebs", "detach", volume)
        self.refused(outcome, "in use", "script.py")
        self.assertEqual(self.cloud.requests().count("DetachVolume"), before, "DetachVolume was sent")
        shown = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record
        self.assertEqual(shown["attachments"][0]["state"], "attached")
        for verb, action in (("terminate", "TerminateInstances"), ("stop", "StopInstances")):
            before = self.cloud.requests().count(action)
            self.refused(self.cloud.run("aws", verb, machine, "--yes"), "in use")
            self.assertEqual(self.cloud.requests().count(action), before, f"{action} was sent")

    def test_terminating_keeps_the_volume_and_its_data(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data",
                                      "--format", "ext4"))
        self.succeeded(self.train(machine, "import os; open(os.environ['RUNCTL_DATA_DIR'] + '/x', 'w').write('kept')",
                                  "--data-volume", volume, "--wait"))
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))
        other = self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", other, "--mount", "/data"))
        read = self.train(other, "import os; print(open(os.environ['RUNCTL_DATA_DIR'] + '/x').read())",
                          "--data-volume", volume, "--wait")
        self.assertIn("kept", self.succeeded(read).out)

    def test_stopping_unmounts_and_starting_brings_the_machine_back(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data",
                                      "--format", "ext4"))
        self.succeeded(self.train(machine, "import os; open(os.environ['RUNCTL_DATA_DIR'] + '/x', 'w').write('kept')",
                                  "--data-volume", volume, "--wait"))
        planned = self.succeeded(self.cloud.run("aws", "stop", machine, "--dry-run"))
        self.assertIn(f"unmount and keep volume {volume}", planned.out)
        self.assertIn("is stopped", self.succeeded(self.cloud.run("aws", "stop", machine)).out)
        self.assertIn("was already stopped", self.succeeded(self.cloud.run("aws", "stop", machine)).out)
        self.refused(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data"),
                     "is 'stopped'")
        started = self.succeeded(self.cloud.run("aws", "start", machine, "--wait"))
        self.assertIn("commands can run on it", started.out)
        self.assertIn("was already started", self.succeeded(self.cloud.run("aws", "start", machine)).out)
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data"))
        read = self.train(machine, "import os; print(open(os.environ['RUNCTL_DATA_DIR'] + '/x').read())",
                          "--data-volume", volume, "--wait")
        self.assertIn("kept", self.succeeded(read).out)

    def test_a_run_ends_with_its_own_outcome(self):
        machine = self.cloud.machine()
        failed = self.train(machine, "import sys; print('bye'); sys.exit(7)", "--wait")
        self.assertEqual(failed.code, 1, failed)
        self.assertIn("bye", failed.out)
        self.assertIn("7", failed.err)
        good = self.train(machine, "import sys; print(sys.argv[1:])", "--wait", "--", "a b", "it's", "$(id)", "--wait")
        self.assertIn("""['a b', "it's", '$(id)', '--wait']""", self.succeeded(good).out)

    def test_a_run_that_takes_longer_than_the_timeout_goes_on(self):
        machine = self.cloud.machine()
        outcome = self.train(machine, "import time; time.sleep(600)", "--wait", "--timeout", "2s")
        self.assertEqual(outcome.code, 6, outcome)
        self.assertIn("goes on", outcome.err)
        self.assertIn("running", self.cloud.run("aws", "status", machine).out)

    def test_a_second_run_on_one_checkpoint_directory_is_refused(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/ckpt",
                                      "--format", "ext4"))
        self.succeeded(self.train(machine, "import time; time.sleep(600)", "--checkpoint-volume", volume))
        second = self.train(machine, "print('never')", "--checkpoint-volume", volume, "--wait")
        self.refused(second, "run-")

    def test_a_volume_held_elsewhere_is_refused_for_training_too(self):
        volume, first, second = self.cloud.volume(), self.cloud.machine(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", first))
        outcome = self.train(second, "print('never')", "--data-volume", volume, "--wait")
        self.refused(outcome, f"Volume {volume} is already attached to instance {first}.")


class OnDirectories(OnMachines, cloud.CloudTest):
    hardware = "files"


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockDevices(OnMachines, cloud.CloudTest):
    hardware = "block"

    def test_a_volume_that_is_not_blank_is_not_formatted(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        self.succeeded(self.train(machine, "import glob; f = open(glob.glob('/dev/nvme1n1')[0], 'r+b'); "
                                           "f.seek(2 << 20); f.write(b'precious'); f.flush(); import os; os.fsync(f)",
                                  "--wait"))
        outcome = self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data",
                                 "--format", "ext4")
        self.refused(outcome, "not blank")
        check = self.train(machine, "f = open('/dev/nvme1n1', 'rb'); f.seek(2 << 20); print(f.read(8))", "--wait")
        self.assertIn("precious", check.out)

    def test_a_mount_that_is_shared_with_a_directory_of_data_is_refused(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.train(machine, "import os; os.makedirs('/full'); open('/full/x', 'w').write('x')", "--wait"))
        outcome = self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/full",
                                 "--format", "ext4")
        self.refused(outcome, "/full")

    def test_nothing_is_left_when_the_emulator_is_killed(self):
        own = cloud.Cloud("block", "instant")
        self.addCleanup(own.remove)
        own.start()
        volume, machine = own.volume(), own.machine()
        own.id_of("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data", "--format", "ext4")
        self.assertTrue(cloud.loop_devices_under(own.state))
        own.stop(cloud.signal.SIGKILL)
        clean = cloud.wait_until(lambda: not cloud.loop_devices_under(own.state) and not cloud.mounts_under(own.state))
        if not clean:  # what the kernel did not clean by itself the next start does
            own.start()
            own.stop()
        self.assertEqual(cloud.loop_devices_under(own.state), [])
        self.assertEqual(cloud.mounts_under(own.state), [])
        own.start()
        shown = own.run("aws", "ebs", "show", volume, "--output", "json").record
        self.assertEqual(shown["attachments"][0]["instance_id"], machine)
        self.succeeded(own.run("aws", "wait", machine))
        self.succeeded(own.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/data"))
        own.stop()
        self.assertEqual(cloud.loop_devices_under(own.state), [])
        self.assertEqual(cloud.mounts_under(own.state), [])
        self.assertEqual(cloud.processes_naming(own.state), [])


if __name__ == "__main__":
    cloud.main()
