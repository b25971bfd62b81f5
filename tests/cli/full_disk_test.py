"""Disks that are full, on every side: an error that says so, and nothing lost or half-made without being said."""
import contextlib
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class FullOutput(cloud.CloudTest):
    def run_into(self, target, *words):
        with open(target, "w", encoding="utf-8") as out:
            return subprocess.run([cloud.RUNCTL, *words], stdout=out, stderr=subprocess.PIPE, text=True,
                                  env=self.cloud.environment, timeout=60)

    def test_an_answer_that_cannot_be_written_is_a_failure(self):
        for words in (["--version"], ["--help"], ["aws", "ebs", "list"], ["aws", "ebs", "list", "--output", "json"]):
            outcome = self.run_into("/dev/full", *words)
            self.assertEqual(outcome.returncode, 1, words)
            self.assertIn("could not be written", outcome.stderr)

    def test_a_volume_whose_id_was_lost_can_be_found(self):
        outcome = self.run_into("/dev/full", "aws", "ebs", "create", "--size", "1", "--name", "unheard",
                                "--availability-zone", "us-east-1a", "--output", "id")
        self.assertEqual(outcome.returncode, 1, outcome.stderr)
        self.assertIn("has been done", outcome.stderr)
        self.succeeded(self.cloud.run("aws", "ebs", "show", "unheard"))

    def test_a_reader_that_has_enough_is_no_failure(self):
        process = subprocess.Popen([cloud.RUNCTL, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.cloud.environment)
        process.stdout.close()
        _, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (0, b""))


@cloud.unittest.skipIf(cloud.private_mounts_missing(), cloud.private_mounts_missing())
class FullState(cloud.CloudTest):
    @classmethod
    def setUpClass(cls):
        cls.cloud = cloud.Cloud()
        cls.addClassCleanup(cls.cloud.remove)
        os.makedirs(cls.cloud.state)
        # In a namespace of its own, which ends with the emulator.
        cls.cloud.wrapper = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c",
                             f'mount -t tmpfs -o size=2m tmpfs "{cls.cloud.state}" && exec "$@"', "sh"]
        cls.cloud.start()

    @contextlib.contextmanager
    def full(self):
        filler = f"/proc/{self.cloud.process.pid}/root{self.cloud.state}/filler"
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (65536, 512, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * size)
        try:
            yield
        finally:
            os.remove(filler)

    def names(self):
        outcome = self.succeeded(self.cloud.run("aws", "ebs", "list", "--output", "json"))
        return sorted(volume["name"] for volume in outcome.record["volumes"])

    def test_what_cannot_be_recorded_is_refused_and_not_made(self):
        kept = self.cloud.volume("--name", "before")
        with self.full():
            outcome = self.cloud.run("aws", "ebs", "create", "--size", "1", "--name", "during",
                                     "--availability-zone", "us-east-1a", "--timeout", "5s")
            self.assertIn(outcome.code, (1, 6), outcome)
            self.assertIn("full", outcome.err)
            self.assertEqual(self.names(), ["before"])
            outcome = self.cloud.run("aws", "ebs", "delete", kept, "--yes", "--confirm", kept, "--timeout", "5s")
            self.assertIn(outcome.code, (1, 6), outcome)
            self.assertEqual(self.names(), ["before"])
        self.cloud.volume("--name", "after")
        self.assertEqual(self.names(), ["after", "before"])


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class FullVolume(cloud.CloudTest):
    hardware = "block"

    def train(self, machine, body, *words):
        path = os.path.join(self.cloud.directory, "script.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        return self.cloud.run("aws", "train", machine, path, "--wait", *words)

    def test_a_run_that_fills_its_volume_fails_and_keeps_what_was_there(self):
        machine, volume = self.cloud.machine(), self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine,
                                      "--mount", "/data", "--format", "ext4"))
        outcome = self.train(machine, "import os\n"
                                      "d = os.environ['RUNCTL_CHECKPOINT_DIR']\n"
                                      "open(d + '/good', 'w').write('kept')\n"
                                      "os.sync()\n"
                                      "os.posix_fallocate(os.open(d + '/huge', os.O_CREAT | os.O_WRONLY), 0, 2 << 30)\n",
                             "--checkpoint-volume", volume)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("No space left on device", outcome.out + outcome.err)
        again = self.train(machine, "print('never')", "--checkpoint-volume", volume)
        self.assertEqual(again.code, 4, again)
        self.assertIn("was not started", again.err)
        self.assertIn("(0 free)", again.err)
        read = self.train(machine, "import os; print(open(os.environ['RUNCTL_DATA_DIR'] + '/checkpoints/good').read())",
                          "--data-volume", volume)
        self.assertIn("kept", self.succeeded(read).out)
        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))


if __name__ == "__main__":
    cloud.main()
