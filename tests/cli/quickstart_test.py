"""The tours run from start to end, prove what they say, and leave nothing behind, however they end."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

ONLY_BLOCK = cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
REFUSED = (r"Error: Volume vol-[0-9a-f]{17} is already attached to instance i-[0-9a-f]{17}\.\n"
           r" +Detach it first or use a different volume\.")


class Tour(cloud.unittest.TestCase):
    def setUp(self):
        self.home = cloud.Cloud()
        self.addCleanup(self.home.remove)
        self.addCleanup(self.end_what_is_left)

    def end_what_is_left(self):
        """A test that failed may have shown that something stays."""
        for pid in cloud.processes_naming(self.home.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def left(self):
        """What a tour of this test has left: devices, mounts, processes, files."""
        directory = self.home.directory
        # Its home, and its place for temporary files.
        return (cloud.loop_devices_under(directory) + cloud.mounts_under(directory) +
                cloud.processes_naming(directory) + os.listdir(directory))

    def tour(self, *words, code=0):
        outcome = self.home.run("quickstart", *words, environment={"TMPDIR": self.home.directory}, timeout=300)
        self.assertEqual(outcome.code, code, outcome)
        self.assertEqual(self.left(), [], outcome)
        return outcome

    def begin(self, *words):
        return subprocess.Popen([cloud.RUNCTL, "quickstart", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, cwd=self.home.directory, start_new_session=True,
                                env={**self.home.environment, "TMPDIR": self.home.directory})

    def read_until(self, process, text):
        for line in process.stdout:
            if text in line:
                return
        self.fail(f"the tour ended before it said {text!r}: {process.communicate()}")

    def same_models(self, text, count):
        finals = re.findall(r"^  final epoch=30 accuracy=([0-9.]+) sha256=([0-9a-f]{64})$", text, re.M)
        self.assertEqual(len(finals), count, text)
        self.assertEqual(len(set(finals)), 1, f"the models differ: {finals}")
        self.assertGreater(float(finals[0][0]), 0.95)
        self.assertIn("The three models are the same, bit for bit.", text)
        # They really were three different ways: two went on from checkpoints, at different epochs, and one from none.
        resumed = re.findall(r"resumed from \S+ epoch=(\d+)", text)
        self.assertEqual(len(resumed), 2, text)
        self.assertTrue(all(0 < int(epoch) < 30 for epoch in resumed), resumed)
        self.assertIn(f"ended by signal 15 after epoch {resumed[0]}; its checkpoint is complete", text)

    def test_on_directories(self):
        text = self.tour("--hardware", "files").out
        self.assertEqual(len(re.findall(REFUSED, text)), 2, text)
        self.same_models(text, 3)
        self.assertRegex(text, r"is in use on instance i-[0-9a-f]{17}\.")
        self.assertIn("completed, crash-consistent.", text)
        for name in ("sealing: read-only devices", "the freeze", "--show-corruption"):
            self.assertIn(name, text.partition("Left out")[2])
        self.assertNotIn("runctl aws ebs seal digits", text)

    @ONLY_BLOCK
    def test_on_block_devices(self):
        text = self.tour("--hardware", "block").out
        self.assertEqual(len(re.findall(REFUSED, text)), 2, text)
        self.same_models(text, 3)
        self.assertRegex(text, r"is in use on instance i-[0-9a-f]{17}\.\n(.*\n)*? +process \d+ '[^']*train\.py")
        # Both kernels' own words, to each of the three attempts.
        for machine in ("trainer-1", "trainer-2"):
            self.assertRegex(text, machine + r"# touch /data/mine\n  touch: .*Read-only file system\n")
            self.assertRegex(text, machine + r"# mount -o remount,rw /data\n  mount: .*write-protected\.\n")
            self.assertRegex(text, machine + r"# d=\$\(findmnt(.*\n){2}  dd: .*Operation not permitted\n")
        self.assertEqual(text.count("2 files, "), 3)  # the seal, and what each machine reads
        # All of the device, before and after, and read from the one machine and from the other.
        sums = re.findall(r"(trainer-\d)# dd if=.* \|\n    cksum\n  (\d+ 4294967296)\n", text)
        self.assertEqual([machine for machine, _ in sums], ["trainer-1", "trainer-2"])
        self.assertEqual(sums[0][1], sums[1][1])
        self.assertIn("6 of 6 attempts to write it were refused by their kernels", re.sub(r"\s+", " ", text))
        self.assertRegex(text, r"completed, consistent\.\n  Writers waited for ")
        self.assertNotIn("Left out", text)

    @ONLY_BLOCK
    def test_the_corruption_is_real(self):
        text = self.tour("--show-corruption", "--hardware", "block").out
        self.assertIn("DESTROYS A FILESYSTEM ON PURPOSE", text)
        self.assertIn("scratch volume", text)
        # Each was told that all of its files are there.
        for machine in ("writer-1", "writer-2"):
            self.assertRegex(text, machine + r"# mkdir /scratch/(.*\n){3}  300\n")
        left = [int(count) for count in re.findall(r"# grep -rhsx .*\n  (\d+)\n", text)]
        self.assertEqual(len(left), 2, text)
        self.assertLess(sum(left), 600, text)
        self.assertIn(f"{600 - sum(left)} of 600", re.sub(r"\s+", " ", text))
        self.assertIn("e2fsck 1.", text)
        self.assertIn("Pass 1: Checking inodes, blocks, and sizes", text)

    def test_corruption_is_refused_on_directories(self):
        outcome = self.tour("--show-corruption", "--hardware", "files", code=4)
        self.assertIn("needs block devices", outcome.err)
        self.assertEqual(outcome.out, "")

    def test_a_dry_run_starts_nothing(self):
        text = self.tour("--dry-run").out
        self.assertIn("It would:", text)
        self.assertNotIn("A cloud is started", text)

    def test_a_failure_says_where_and_removes_everything(self):
        example = os.path.join(self.home.directory, "example")
        os.mkdir(example)
        for name, body in (("prepare.py", "raise SystemExit('no data today')"), ("train.py", "")):
            with open(os.path.join(example, name), "w", encoding="utf-8") as file:
                file.write(body)
        outcome = self.home.run("quickstart", "--hardware", "files", "--example", example,
                                environment={"TMPDIR": self.home.directory}, timeout=120)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("failed at step 1 of 6, 'Two machines, and a data set on a volume'", outcome.err)
        self.assertIn("no data today", outcome.err)
        self.assertEqual(self.left(), ["example"], outcome)

    def test_models_that_differ_fail_the_tour(self):
        example = os.path.join(self.home.directory, "example")
        shutil.copytree(os.path.join(cloud.ROOT, "examples", "digits"), example)
        with open(os.path.join(example, "train.py"), "r+", encoding="utf-8") as file:
            text = file.read()
            changed = text.replace("RATE = 0.1\n", "RATE = 0.2 if os.environ.get('RUNCTL_RESUME_FROM') else 0.1\n")
            self.assertNotEqual(changed, text)
            file.seek(0)
            file.write(changed)
        outcome = self.home.run("quickstart", "--hardware", "files", "--example", example,
                                environment={"TMPDIR": self.home.directory}, timeout=300)
        self.assertEqual(outcome.code, 1, outcome)
        self.assertIn("The tour failed at step 5 of 6", outcome.err)
        self.assertIn("the models differ", outcome.err)
        self.assertNotIn("What was shown", outcome.out)
        self.assertEqual(self.left(), ["example"], outcome)

    def interrupted(self, number, hardware, text):
        process = self.begin("--hardware", hardware)
        self.read_until(process, text)
        process.send_signal(number)
        said = process.communicate(timeout=60)
        if number == signal.SIGINT:
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("was stopped at step", said[1])
            self.assertEqual(self.left(), [])
        self.assertTrue(cloud.wait_until(lambda: self.left() == [], 40), self.left())

    def test_ctrl_c(self):
        self.interrupted(signal.SIGINT, "files", "[2/")

    def test_killed(self):
        self.interrupted(signal.SIGKILL, "files", "[2/")

    def test_killed_at_its_start(self):
        process = self.begin("--hardware", "files")
        self.assertTrue(cloud.wait_until(lambda: os.path.exists(os.path.join(
            self.home.directory, next(iter(os.listdir(self.home.directory)), ""), "cloud"))))
        process.kill()
        process.communicate(timeout=10)
        self.assertTrue(cloud.wait_until(lambda: self.left() == [], 40), self.left())

    @ONLY_BLOCK
    def test_ctrl_c_while_machines_have_devices(self):
        self.interrupted(signal.SIGINT, "block", "runctl aws ebs verify digits")

    @ONLY_BLOCK
    def test_killed_while_machines_have_devices(self):
        self.interrupted(signal.SIGKILL, "block", "runctl aws ebs verify digits")


if __name__ == "__main__":
    cloud.main()
