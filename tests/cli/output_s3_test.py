"""What a run writes, uploaded to S3 from its machine, which has no credentials: while it goes on, and whatever becomes of
runctl and of the run. On both kinds of hardware."""
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import sigv4

# Writes what its arguments say, a line each: NAME SIZE for a file below RUNCTL_OUTPUT_DIR, `wait FILE`, `exit N`, `say X`.
SCRIPT = r"""
import hashlib, os, sys, time
top = os.environ["RUNCTL_OUTPUT_DIR"]
print("in", top, flush=True)
for word in sys.argv[1:]:
    what, _, of = word.partition("=")
    if what == "wait":
        while not os.path.exists(of): time.sleep(0.1)
    elif what == "exit": sys.exit(int(of))
    elif what == "say": print(of, flush=True)
    else:
        content = hashlib.shake_256(what.encode()).digest(int(of))
        where = os.environ.get("RUNCTL_CHECKPOINT_DIR", top) if what.startswith("ck-") else top
        path = os.path.join(where, what)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".tmp", "wb") as file: file.write(content)
        os.rename(path + ".tmp", path)
"""


def content(name, size):
    return hashlib.shake_256(name.encode()).digest(size)


class OnMachines:
    pace = "fast"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.script = os.path.join(cls.cloud.directory, "job", "write.py")
        cloud.write_file(cls.script, SCRIPT.encode())
        outcome = cls.cloud.run("s3", "create", "s3://results")
        assert outcome.code == 0, outcome
        cls.machine = cls.cloud.machine()

    def setUp(self):
        self.flags = os.path.join(self.cloud.directory, "flags")
        self.addCleanup(self.fault, "clear")

    def fault(self, *words):
        outcome = self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state)
        self.assertEqual(outcome.code, 0, outcome)

    def train(self, *words, script_words=(), **options):
        return self.cloud.run("aws", "train", self.machine, self.script, "--output-s3", "s3://results/all of it", *words, "--",
                              *script_words, **options)

    def started(self, *script_words, words=()):
        outcome = self.train("--output", "json", *words, script_words=script_words)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome.record

    def objects(self, run, prefix="all of it"):
        """Names and hashes of what is in S3 of a run, by a client that is not runctl's."""
        found = {}
        s3 = sigv4.S3(self.cloud.endpoint)
        listed = self.cloud.run("s3", "list", f"s3://results/{prefix}/{run}/", "--recursive", "--output", "json")
        for entry in listed.record["objects"] if listed.code == 0 else []:
            status, _, body = s3.call("GET", "/results/" + urllib.parse.quote(entry["key"]))
            self.assertEqual(status, 200, entry)
            found[entry["key"].split(f"/{run}/", 1)[1]] = hashlib.sha256(body).hexdigest()
        s3.connection.close()
        found.pop("run.json", None)
        return found

    def shown(self, run):
        outcome = self.cloud.run("runs", "show", run, "--instance", self.machine, "--output", "json")
        self.assertEqual(outcome.code, 0, outcome)
        return outcome.record

    def over(self, run):
        """The run's record when what uploads is done."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            record = self.shown(run)
            if record["state"] != "running" and record["upload"]["state"] == "finished":
                return record
            time.sleep(0.3)
        raise AssertionError(f"{run} is not uploaded: {record}")

    def flag(self, name):
        """A path that the run on the machine can wait for, and the command that makes it."""
        return f"/tmp/runctl-flag-{os.getpid()}-{name}"

    def raise_flag(self, name):
        path = self.flag(name)
        if self.hardware == "block":
            import machines
            machines.run_on(self.cloud.state, self.machine, f"touch {path}")
        else:
            cloud.write_file(path)
            self.addCleanup(os.unlink, path)

    def test_everything_is_there_when_wait_returns(self):
        planned = self.train("--dry-run")
        self.assertIn("upload what it writes to s3://results/all of it/RUN/ as it appears", planned.out)
        self.assertIn("RUNCTL_OUTPUT_DIR is a directory of the run on its own disk", planned.out)
        outcome = self.train("--wait", script_words=["a=10", "deep/er=9000000", "empty=0", "blank é=3"])
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("4 files (8.6 MiB) are in s3://results/all of it/run-", outcome.err)
        run = outcome.err.split("Run ", 1)[1].split()[0]
        found = self.objects(run)
        self.assertEqual(found, {"output/" + name: hashlib.sha256(content(name, size)).hexdigest()
                                 for name, size in (("a", 10), ("deep/er", 9_000_000), ("empty", 0), ("blank é", 3))})
        s3 = sigv4.S3(self.cloud.endpoint)
        self.addCleanup(s3.connection.close)
        status, _, body = s3.call("GET", f"/results/all%20of%20it/{run}/run.json")
        self.assertEqual((status, json.loads(body)["run_id"]), (200, run))
        shown = self.cloud.run("runs", "show", run, "--instance", self.machine)
        self.assertIn("4 files (8.6 MiB) are in", shown.out)
        self.assertIn("PostObject", self.cloud.requests())

    def test_it_arrives_while_the_run_goes_on_without_runctl(self):
        words = ["early=1000", "wait=" + self.flag("late"), "late=2000"]
        following = subprocess.Popen(
            [cloud.RUNCTL, "aws", "train", self.machine, self.script, "--output-s3", "s3://results/all of it", "--wait", "--", *words],
            env=self.cloud.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = ""
        while "What it writes is uploaded to" not in line:
            line = following.stdout.readline()
            self.assertTrue(line, "the run was not started")
        run = line.split("s3://results/all of it/", 1)[1].split("/")[0]
        following.send_signal(signal.SIGKILL)
        following.wait()
        following.stdout.close()
        self.assertTrue(cloud.wait_until(lambda: "output/early" in self.objects(run), 60))
        self.assertEqual(self.shown(run)["state"], "running")
        monitored = self.cloud.run("aws", "monitor", self.machine)
        self.assertIn("1 file (1000 B) is in s3://results/all of it/", monitored.err + monitored.out)
        self.raise_flag("late")
        record = self.over(run)
        self.assertEqual((record["state"], record["upload"]["uploaded"]), ("succeeded", 2))
        self.assertEqual(self.objects(run), {"output/early": hashlib.sha256(content("early", 1000)).hexdigest(),
                                             "output/late": hashlib.sha256(content("late", 2000)).hexdigest()})

    def test_a_run_that_fails_or_is_stopped_uploads_what_it_has(self):
        failed = self.train("--wait", script_words=["half=100", "exit=3"])
        self.assertEqual(failed.code, 1, failed)
        self.assertIn("1 file (100 B) is in s3://results/", failed.err)
        run = self.started("kept=50", "say=here", "wait=/never")["run_id"]
        self.assertTrue(cloud.wait_until(
            lambda: "here" in self.cloud.run("runs", "logs", run, "--instance", self.machine).out, 60))
        stopped = self.cloud.run("runs", "stop", run, "--instance", self.machine, "--yes")
        self.assertEqual(stopped.code, 0, stopped)
        record = self.over(run)
        self.assertEqual(record["state"], "stopped")
        self.assertEqual(list(self.objects(run)), ["output/kept"])

    def test_a_machine_that_cannot_be_asked_is_not_given_away_with_the_only_copy(self):
        machine, never_used = self.cloud.machine(), self.cloud.machine()
        self.fault("add", "PostObject", "fail-before", "code=AccessDenied", "status=403", "times=1000")
        run = self.cloud.run("aws", "train", machine, self.script, "--output-s3", "s3://results/kept", "--output", "id", "--", "a=5")
        self.assertEqual(run.code, 0, run)
        for each in (machine, never_used):
            self.assertEqual(self.cloud.run("aws", "stop", each, "--yes").code, 0)
        terminate = ("aws", "terminate", machine, "--yes")
        refused = self.cloud.run(*terminate)
        self.assertEqual(refused.code, 4, refused)
        for words in (f"What run {run.out.strip()} has written may be on the disk of instance {machine} alone",
                      f"runctl aws start {machine} --wait", "--unsafe-lose-results"):
            self.assertIn(words, refused.err)
        self.assertEqual(self.cloud.run("aws", "status", machine, "--output", "json").record["state"], "stopped")
        self.assertEqual(self.cloud.run("aws", "terminate", never_used, "--yes").code, 0)
        self.assertEqual(self.cloud.run(*terminate, "--unsafe-lose-results").code, 0)

    def test_faults_of_s3_are_survived(self):
        self.fault("add", "PostObject", "fail-before", "code=InternalError", "status=500", "times=2")
        self.fault("add", "PostObject", "reset", "times=1")
        self.fault("add", "PostObject", "drop-reply", "times=1")
        outcome = self.train("--wait", script_words=["a=100", "b=3000000"])
        self.assertEqual(outcome.code, 0, outcome)
        run = outcome.err.split("Run ", 1)[1].split()[0]
        self.assertEqual(sorted(self.objects(run)), ["output/a", "output/b"])

    def test_what_s3_refuses_is_named_and_the_outcome_stays_the_runs(self):
        self.fault("add", "PostObject", "fail-before", "code=AccessDenied", "status=403")
        outcome = self.train("--wait", script_words=["a=100"])
        self.assertEqual(outcome.code, 7, outcome)
        self.assertIn("succeeded", outcome.err)
        self.assertIn("output/a: S3 answered 403 (AccessDenied", outcome.err)
        failed = self.train("--wait", "--output", "json", script_words=["a=100", "exit=2"])
        self.assertEqual(failed.code, 1, failed)
        self.assertEqual([one["path"] for one in failed.record["upload"]["failed"]], ["output/a"])
        self.assertEqual(failed.record["exit_status"], 2)

    def test_a_place_that_cannot_be_written_is_found_before(self):
        runs = len(self.cloud.run("runs", "list", "--output", "json").record["runs"])
        gone = self.cloud.run("aws", "train", self.machine, self.script, "--output-s3", "s3://no-such-bucket-here/x")
        self.refused(gone, "There is no bucket no-such-bucket-here", "runctl s3 create s3://no-such-bucket-here", code=3)
        self.fault("add", "PutObject", "fail-before", "code=AccessDenied", "status=403")
        self.refused(self.train(), "esults cannot be written to s3://results/all of it", "s3:PutObject", code=5)
        self.refused(self.cloud.run("aws", "train", self.machine, self.script, "--output-s3", "results/x"), "s3://", code=2)
        self.assertEqual(len(self.cloud.run("runs", "list", "--output", "json").record["runs"]), runs)

    def test_checkpoints_of_a_volume_too_and_only_the_runs_own(self):
        name = "ck-" + self.hardware
        volume = self.cloud.volume("--filesystem", "ext4", "--name", name)
        attached = self.cloud.run("aws", "ebs", "attach", volume, "--instance", self.machine, "--mount", "/" + name, "--format", "ext4")
        self.assertEqual(attached.code, 0, attached)
        first = self.train("--wait", "--checkpoint-volume", name, script_words=["ck-1=100", "o-1=10"])
        self.assertEqual(first.code, 0, first)
        second = self.train("--wait", "--checkpoint-volume", name, script_words=["ck-2=200", "o-2=20"])
        self.assertEqual(second.code, 0, second)
        runs = [one.err.split("Run ", 1)[1].split()[0] for one in (first, second)]
        self.assertEqual(sorted(self.objects(runs[0])), ["checkpoints/ck-1", "output/o-1"])
        self.assertEqual(sorted(self.objects(runs[1])), ["checkpoints/ck-2", "output/o-2"])
        self.assertEqual(self.objects(runs[1])["checkpoints/ck-2"], hashlib.sha256(content("ck-2", 200)).hexdigest())


class OnDirectories(OnMachines, cloud.CloudTest):
    hardware = "files"

    def local(self, *words, script_words=()):
        return self.cloud.run("local", self.script, "--packages", "none", "--output-s3", "s3://results/local", *words, "--", *script_words)

    def test_a_local_run_does_the_same(self):
        output = os.path.join(self.cloud.directory, "my output")
        os.makedirs(output)
        cloud.write_file(os.path.join(output, "old"), b"of before")
        planned = self.local("--dry-run", "--output-dir", output)
        self.assertIn("upload what it writes to s3://results/local/RUN/", planned.out)
        outcome = self.local("--output-dir", output, script_words=["mine=70"])
        self.assertEqual(outcome.code, 0, outcome)
        run = outcome.err.split("Run ", 1)[1].split()[0]
        self.assertEqual(self.objects(run, "local"), {"output/mine": hashlib.sha256(content("mine", 70)).hexdigest()})
        own = self.local("--output", "json", "--detach", script_words=["mine=71"])
        self.assertEqual(own.record["output_s3"]["target"], f"s3://results/local/{own.record['run_id']}/")
        self.assertTrue(cloud.wait_until(lambda: self.cloud.run(
            "runs", "show", own.record["run_id"], "--local", "--output", "json").record["upload"]["state"] == "finished", 60))
        self.assertEqual(list(self.objects(own.record["run_id"], "local")), ["output/mine"])


@unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockHardware(OnMachines, cloud.CloudTest):
    hardware = "block"


if __name__ == "__main__":
    unittest.main()
