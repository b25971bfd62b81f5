"""The example's training: deterministic over interruptions, and never fooled by a torn checkpoint."""
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIGITS = os.path.join(ROOT, "examples", "digits")
PYTHON = "/usr/bin/python3"


class Digits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def environment(self, name, resume=False):
        checkpoints = os.path.join(self.folder, name)
        environment = {"PATH": "/usr/bin:/bin", "RUNCTL_DATA_DIR": DIGITS, "RUNCTL_CHECKPOINT_DIR": checkpoints,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        if resume:
            environment["RUNCTL_RESUME_FROM"] = checkpoints
        return environment

    def train(self, name, *words, resume=False, status=0):
        process = subprocess.run([PYTHON, os.path.join(DIGITS, "train.py"), *words], capture_output=True, text=True,
                                 env=self.environment(name, resume), cwd=self.folder, timeout=120)
        self.assertEqual(process.returncode, status, process.stdout + process.stderr)
        return process.stdout + process.stderr

    def final(self, output):
        return re.search(r"^final epoch=(\d+) accuracy=([0-9.]+) sha256=([0-9a-f]{64})$", output, re.M).groups()

    def test_resumed_is_the_same_to_the_last_bit(self):
        whole = self.final(self.train("whole", "--epochs", "12"))
        self.train("halves", "--epochs", "12", "--stop-after", "5")
        self.assertEqual(self.final(self.train("halves", "--epochs", "12", resume=True)), whole)

    def test_a_torn_checkpoint_is_passed_over_and_named(self):
        whole = self.final(self.train("whole", "--epochs", "8"))
        self.train("torn", "--epochs", "8", "--stop-after", "5")
        newest = os.path.join(self.folder, "torn", "epoch-0005.npz")
        with open(newest, "r+b") as file:
            file.truncate(os.path.getsize(newest) // 2)
        output = self.train("torn", "--epochs", "8", resume=True)
        self.assertIn("passing over", output)
        self.assertIn("epoch-0004.npz", output)
        self.assertEqual(self.final(output), whole)

    def test_killed_at_any_moment_it_goes_on(self):
        whole = self.final(self.train("whole", "--epochs", "8"))
        process = subprocess.Popen([PYTHON, os.path.join(DIGITS, "train.py"), "--epochs", "8", "--pause", "0.1"],
                                   stdout=subprocess.PIPE, text=True, env=self.environment("killed"), cwd=self.folder)
        for _ in range(3):
            process.stdout.readline()
        process.kill()
        process.wait()
        process.stdout.close()
        with open(os.path.join(self.folder, "killed", ".writing-left"), "wb") as file:
            file.write(b"half of a check")
        self.assertEqual(self.final(self.train("killed", "--epochs", "8", resume=True)), whole)
        self.assertNotIn(".writing-left", os.listdir(os.path.join(self.folder, "killed")))

    def test_sigterm_ends_it_after_a_checkpoint(self):
        process = subprocess.Popen([PYTHON, os.path.join(DIGITS, "train.py"), "--epochs", "50", "--pause", "0.2"],
                                   stdout=subprocess.PIPE, text=True, env=self.environment("term"), cwd=self.folder)
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 143, output)
        self.assertTrue(os.listdir(os.path.join(self.folder, "term")))

    def test_checkpoints_are_not_overwritten(self):
        self.train("kept", "--epochs", "2")
        before = sorted(os.listdir(os.path.join(self.folder, "kept")))
        self.assertIn("--resume", self.train("kept", "--epochs", "5", status=1))
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "kept"))), before)

    def test_it_learns(self):
        self.assertGreater(float(self.final(self.train("whole", "--epochs", "20"))[1]), 0.96)

    def test_a_checkpoint_altered_by_one_bit_is_passed_over(self):
        whole = self.final(self.train("whole", "--epochs", "6"))
        self.train("altered", "--epochs", "6", "--stop-after", "4")
        newest = os.path.join(self.folder, "altered", "epoch-0004.npz")
        with open(newest, "r+b") as file:
            file.seek(os.path.getsize(newest) // 2)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
        output = self.train("altered", "--epochs", "6", resume=True)
        self.assertIn("passing over", output)
        self.assertEqual(self.final(output), whole)

    def test_a_checkpoint_with_arrays_of_two_epochs_is_passed_over(self):
        # Each array is intact, and so is the archive: only the digest over all of them can tell.
        self.train("mixed", "--epochs", "6", "--stop-after", "4")
        old, new = (os.path.join(self.folder, "mixed", name) for name in ("epoch-0003.npz", "epoch-0004.npz"))
        with zipfile.ZipFile(old) as archive:
            stale = archive.read("w2.npy")
        with zipfile.ZipFile(new) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(new, "w") as archive:
            for name, content in (members | {"w2.npy": stale}).items():
                archive.writestr(name, content)
        output = self.train("mixed", "--epochs", "6", resume=True)
        self.assertRegex(output, "passing over .*epoch-0004.npz: its digest is wrong")
        self.assertIn("epoch-0003.npz epoch=3", output)

    def test_another_seed_is_refused(self):
        self.train("seeded", "--epochs", "4", "--stop-after", "2")
        output = self.train("seeded", "--epochs", "4", "--seed", "2", resume=True, status=1)
        self.assertIn("with seed 1", output)

    def test_a_finished_run_resumed_says_the_same(self):
        whole = self.final(self.train("whole", "--epochs", "3"))
        self.assertEqual(self.final(self.train("whole", "--epochs", "3", resume=True)), whole)

    def test_a_few_checkpoints_are_kept(self):
        self.train("kept", "--epochs", "6", "--stop-after", "5")
        self.assertEqual(sorted(os.listdir(os.path.join(self.folder, "kept"))),
                         ["epoch-0003.npz", "epoch-0004.npz", "epoch-0005.npz"])

    def test_one_file_can_be_gone_on_from(self):
        whole = self.final(self.train("whole", "--epochs", "6"))
        self.train("source", "--epochs", "6", "--stop-after", "3")
        environment = self.environment("target")
        environment["RUNCTL_RESUME_FROM"] = os.path.join(self.folder, "source", "epoch-0002.npz")
        process = subprocess.run([PYTHON, os.path.join(DIGITS, "train.py"), "--epochs", "6"], capture_output=True,
                                 text=True, env=environment, timeout=120)
        self.assertEqual(self.final(process.stdout), whole)

    def test_prepare_puts_the_data_there_once(self):
        data = os.path.join(self.folder, "data")
        prepare = [PYTHON, os.path.join(DIGITS, "prepare.py")]
        environment = {"RUNCTL_DATA_DIR": data, "PYTHONDONTWRITEBYTECODE": "1"}
        said = [subprocess.run(prepare, capture_output=True, text=True, env=environment, check=True).stdout
                for _ in range(2)]
        self.assertIn("lines=1797 sha256=6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8", said[0])
        self.assertTrue(said[1].startswith("already there:"), said[1])
        self.assertEqual(sorted(os.listdir(data)), ["LICENSE.data.txt", "digits.csv"])
        failed = subprocess.run(prepare, capture_output=True, text=True, env={"PYTHONDONTWRITEBYTECODE": "1"})
        self.assertEqual(failed.returncode, 1)
        self.assertIn("RUNCTL_DATA_DIR is not set", failed.stderr)

    def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(self):
        """The order of the calls: whole and synced under another name, renamed, and the name synced too."""
        order = subprocess.run([PYTHON, "-c", r"""
import os, sys
sys.path.insert(0, sys.argv[1])
import durable
fsync, replace = os.fsync, os.replace
def seen_fsync(descriptor):
    path = os.readlink(f"/proc/self/fd/{descriptor}")
    print("fsync", "directory" if os.path.isdir(path) else os.path.getsize(path))
    fsync(descriptor)
def seen_replace(source, target):
    print("replace", os.path.dirname(source) == os.path.dirname(target), os.path.basename(target))
    replace(source, target)
os.fsync, os.replace = seen_fsync, seen_replace
durable.make_directory(sys.argv[2] + "/a/b")
durable.write_atomically(sys.argv[2] + "/a/b/kept", b"x" * 100000)
""", DIGITS, self.folder], capture_output=True, text=True, check=True, env={"PYTHONDONTWRITEBYTECODE": "1"}).stdout
        self.assertEqual(order.splitlines(), ["fsync directory", "fsync directory",
                                              "fsync 100000", "replace True kept", "fsync directory"])

    def test_the_data_directory_is_only_read(self):
        data = os.path.join(self.folder, "data")
        os.mkdir(data)
        os.symlink(os.path.join(DIGITS, "digits.csv"), os.path.join(data, "digits.csv"))
        before = os.stat(data).st_mtime_ns
        subprocess.run([PYTHON, os.path.join(DIGITS, "train.py"), "--epochs", "2"], check=True, capture_output=True,
                       env={**self.environment("separate"), "RUNCTL_DATA_DIR": data}, cwd=self.folder)
        self.assertEqual((os.listdir(data), os.stat(data).st_mtime_ns), (["digits.csv"], before))
        self.assertIn("model.npz", os.listdir(os.path.join(self.folder, "separate")))

    def test_nothing_to_resume_from_is_an_error(self):
        self.assertIn("no complete checkpoint", self.train("nothing", resume=True, status=1))


if __name__ == "__main__":
    unittest.main(verbosity=2)
