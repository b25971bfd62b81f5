"""Training through losses of power at random moments: the example program, real devices, the same model in the end.

RUNCTL_POWER_LOSSES=20 for more of them than the few of an ordinary run, RUNCTL_POWER_LOSS_SEED=7 for other moments. After
each, ext4's multi-mount protection waits 45 s before it lets a machine write again.
"""
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines

LOSSES = int(os.environ.get("RUNCTL_POWER_LOSSES", "2"))
SEED = int(os.environ.get("RUNCTL_POWER_LOSS_SEED", "1"))
EXAMPLE = os.path.join(cloud.ROOT, "examples", "digits", "train.py")
EPOCHS = 12


class PowerLoss(machines.DiskTest):
    def setUp(self):
        self.machine = self.cloud.machine()
        self.data = self.mounted("data")
        self.succeeded(self.train(os.path.join(cloud.ROOT, "examples", "digits", "prepare.py"), "--data-volume", self.data, "--wait"))
        self.succeeded(self.cloud.run("aws", "ebs", "seal", self.data))

    def mounted(self, name):
        volume = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", self.machine, "--mount", f"/mnt/{name}-{volume}",
                                      "--format", "ext4"))
        return volume

    def train(self, script, *words):
        return self.cloud.run("aws", "train", self.machine, script, *words)

    def words(self, volume):
        return ("--data-volume", self.data, "--checkpoint-volume", volume)

    def model(self, outcome):
        """The digest of the weights that a training ended with."""
        return re.search(r"^final epoch=12 accuracy=(\S+) sha256=(\S+)$", self.succeeded(outcome).out, re.M).groups()

    def train_until(self, volume, moment):
        """Goes on with the training, and cuts the power `moment` seconds after its first line. What it had said by then."""
        process = subprocess.Popen(
            [cloud.RUNCTL, "aws", "train", self.machine, EXAMPLE, *self.words(volume), "--resume", "--wait", "--", "--epochs", str(EPOCHS),
             "--pause", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.cloud.environment, cwd=self.cloud.directory)
        said, spoken = [], threading.Event()

        def read():
            for line in process.stdout:
                said.append(line)
                spoken.set()
            spoken.set()

        reader = threading.Thread(target=read)
        reader.start()
        self.assertTrue(spoken.wait(120))
        time.sleep(moment)
        # What runctl has shown until now had been written before: the program says it after its checkpoint.
        before = "".join(said)
        self.succeeded(self.cloud.run("emulator", "fault", "--state", self.cloud.state, "add", self.machine, "power-loss"))
        process.kill()
        reader.join()
        errors = process.stderr.read()
        process.wait()
        process.stdout.close()
        process.stderr.close()
        return before, errors

    def test_every_resume_goes_on_from_a_whole_checkpoint_and_loses_one_epoch_at_most(self):
        uninterrupted = self.model(self.train(EXAMPLE, *self.words(self.mounted("one-go")), "--wait", "--", "--epochs", str(EPOCHS)))
        self.assertGreater(float(uninterrupted[0]), 0.9)
        volume = self.mounted("cut")
        moments = random.Random(SEED)
        written = 0
        for loss in range(LOSSES):
            before, errors = self.train_until(volume, moments.uniform(0.0, 0.6))
            resumed = re.search(r"^resumed from \S+ epoch=(\d+)$", before, re.M)
            with self.subTest(loss=loss, before=before, errors=errors):
                self.assertNotIn("cannot", before)
                # Nothing that was said to be written is lost, so that it is the running epoch at most.
                self.assertGreaterEqual(int(resumed.group(1)) if resumed else 0, written)
            epochs = [int(epoch) for epoch in re.findall(r"^epoch=(\d+) ", before, re.M)]
            written = max([written, *epochs])
            self.succeeded(self.cloud.run("aws", "start", self.machine, "--wait"))
        ended = self.train(EXAMPLE, *self.words(volume), "--resume", "--wait", "--", "--epochs", str(EPOCHS))
        self.assertEqual(self.model(ended), uninterrupted)


if __name__ == "__main__":
    cloud.main()
