"""The whole job as one command: a machine, its volumes, a run, and what is left when it is over; and what is left when it
comes to no run, or nobody waits for its end. On both kinds of hardware."""
import json
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines
from background import Background
from signed import Ec2

# Writes a checkpoint a step, from where it was; when it is given a flag it stays where it is until that is there.
SCRIPT = r"""
import os, struct, sys, time
def save(path, step):  # an array of NumPy's, by hand
    head = b"{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    with open(path + ".tmp", "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + struct.pack("<q", step))
    os.rename(path + ".tmp", path)
to, flag, code = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
top = os.environ.get("RUNCTL_CHECKPOINT_DIR") or os.environ["RUNCTL_OUTPUT_DIR"]
done = 0
if os.environ.get("RUNCTL_RESUME_FROM"): done = struct.unpack("<q", open(os.environ["RUNCTL_RESUME_FROM"], "rb").read()[-8:])[0]
print("from", done, flush=True)
while done < to:
    done += 1
    save(os.path.join(top, f"step-{done}.npy"), done)
    print("step", done, flush=True)
    while flag != "-" and not os.path.exists(flag): time.sleep(0.1)
sys.exit(code)
"""


class Workflow:
    pace = "fast"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.script = cloud.write_file(os.path.join(cls.cloud.directory, "job", "train.py"), SCRIPT.encode())

    def setUp(self):
        self.addCleanup(self.give_back)
        self.flag = f"/tmp/runctl-workflow-{os.getpid()}-{self._testMethodName}"
        self.addCleanup(self.lower)
        self.addCleanup(self.fault, "clear")
        self.seen = len(self.cloud.requests())

    def give_back(self):
        """So that what one test leaves is no other one's failure."""
        for machine in self.running():
            self.cloud.run("aws", "terminate", machine, "--yes", "--unsafe-lose-results")
        for operation in self.unfinished():
            self.cloud.run("operations", "abandon", operation["operation_id"], "--yes")

    def fault(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state))

    def words(self, *words, steps=2, code=0, held=False):
        """The command; `held`: its run stays in its first step until release()."""
        return ("workflow", "train", self.script, *words, "--", steps, self.flag if held else "-", code)

    def train(self, *words, steps=2, code=0, **options):
        return self.cloud.run(*self.words(*words, steps=steps, code=code), **options)

    def release(self):
        if self.hardware == "files":
            cloud.write_file(self.flag)
        for machine in self.running() if self.hardware == "block" else []:
            machines.run_on(self.cloud.state, machine, f"touch {self.flag}")

    def lower(self):
        if os.path.exists(self.flag):
            os.remove(self.flag)

    def asked(self, *actions):
        """Those of the requests since the test began that are among `actions`, in order."""
        return [action for action in self.cloud.requests()[self.seen:] if action in actions]

    def running(self):
        listed = self.succeeded(self.cloud.run("aws", "list", "--output", "json")).record["instances"]
        return [m["instance_id"] for m in listed if m["state"] not in ("terminated", "shutting-down")]

    def volumes(self):
        return {v["volume_id"]: v["state"] for v in
                self.succeeded(self.cloud.run("aws", "ebs", "list", "--output", "json")).record["volumes"]}

    def snapshots(self, volume):
        listed = self.succeeded(self.cloud.run("aws", "ebs", "snapshots", "--volume", volume, "--output", "json"))
        return [s["snapshot_id"] for s in listed.record["snapshots"]]

    def unfinished(self):
        return self.succeeded(self.cloud.run("operations", "list", "--output", "json")).record["operations"]

    def check_over(self, record, machines=1):
        self.assertEqual(self.running(), [])
        self.assertEqual(self.unfinished(), [])
        self.assertEqual([m["state"] for m in record["machines"]], ["terminated"] * machines)
        self.assertEqual(self.volumes()[record["checkpoint_volume"]], "available")
        self.assertEqual(record["snapshot"]["consistency"], self.consistency)

    def test_the_whole_job(self):
        outcome = self.succeeded(self.train("--checkpoint-volume-size", "1", "--output", "json"))
        self.check_over(outcome.record)
        self.assertEqual((outcome.record["outcome"], outcome.record["exit_status"]), ("succeeded", 0))
        self.assertIn("from 0\nstep 1\nstep 2\n", outcome.err)
        for line in ("launch one t3.medium instance", "make an empty volume of 1 GiB", "start train.py on the machine",
                     "terminate the machine", "it costs $0.04 an hour (t3.medium", "the new volume $0.08 a month"):
            self.assertIn(line, outcome.err)
        self.assertEqual(outcome.record["log"], f"runs/{outcome.record['run_id']}/log")
        self.assertLess(outcome.err.index("It will"), outcome.err.index("Rented i-"))
        # A snapshot is asked for twice: whether it may be, and then, while nothing is written, for itself.
        asked = self.asked("RunInstances", "CreateVolume", "CreateSnapshot", "TerminateInstances")
        self.assertEqual(list(dict.fromkeys(asked)), ["RunInstances", "CreateVolume", "CreateSnapshot", "TerminateInstances"])

        # And on, from what is on the volume, on another machine; the first one's log is there too.
        volume = outcome.record["checkpoint_volume"]
        text = self.succeeded(self.train("--checkpoint-volume", volume, "--resume", steps=3)).out
        self.assertIn("from 2\nstep 3\n", text)
        self.assertRegex(text, rf"Its log is on volume {volume}, in runs/run-[-\w]+\.\n")
        self.assertRegex(text, rf"Snapshot snap-\w+ of volume {volume} is {self.consistency}.\nInstance i-\w+ is terminated.\n")
        self.assertEqual(self.running(), [])

    def test_a_run_that_fails_is_given_back_with_its_checkpoints_kept(self):
        outcome = self.train("--checkpoint-volume-size", "1", "--output", "json", code=5)
        self.assertEqual(outcome.code, 1, outcome)
        self.check_over(outcome.record)
        self.assertEqual(outcome.record["outcome"], "failed with exit status 5")

    def test_dry_run_rents_nothing(self):
        outcome = self.succeeded(self.train("--checkpoint-volume-size", "2", "--spot", "--auto-resume", "--dry-run"))
        for line in ("launch one t3.medium spot instance", "it costs $0.02 an hour (t3.medium, spot", "take a snapshot",
                     "then rent the first of these", "unmount its volumes, and terminate the machine"):
            self.assertIn(line, outcome.out)
        self.assertEqual(self.asked("RunInstances", "CreateVolume"), [])
        self.assertEqual(self.unfinished(), [])

    def test_words_that_do_not_go_together(self):
        size = ("--checkpoint-volume-size", "1")
        for words, text in (
                ((), "of what the run makes would be left"),
                ((*size, "--checkpoint-volume", "vol-12345678"), "exclude each other"),
                ((*size, "--resume"), "--resume needs --checkpoint-volume"),
                ((*size, "--collect", "here"), "--collect needs --output-s3"),
                ((*size, "--stop", "--spot"), "cannot be stopped"),
                ((*size, "--stop", "--keep"), "exclude each other"),
                ((*size, "--no-fallback"), "add --spot"),
                ((*size, "--fallback-type", "t3.large"), "--auto-resume")):
            self.refused(self.train(*words), text, code=2)
        self.assertEqual(self.asked("RunInstances"), [])

    def test_what_stands_against_it_is_said_before_anything_is_rented(self):
        machine = self.cloud.machine()
        held = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", held, "--instance", machine))
        other = self.cloud.volume(zone="us-east-1b")
        self.seen = len(self.cloud.requests())
        self.refused(self.train("--checkpoint-volume", held), f"Volume {held} is already attached to instance {machine}.",
                     "No machine was rented")
        self.refused(self.train("--checkpoint-volume", other, "--availability-zone", "us-east-1a"), "us-east-1b")
        self.refused(self.train("--output-s3", "s3://there-is-none/x"), "no bucket", code=3)
        missing = self.cloud.run("workflow", "train", "missing.py", "--checkpoint-volume", other)
        self.refused(missing, "missing.py", code=3)
        self.assertEqual(self.asked("RunInstances"), [])
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))

    def test_what_comes_to_no_run_is_given_back(self):
        before = self.volumes()
        for action in ("CreateVolume", "AttachVolume"):
            self.fault("add", action, "fail-before", "code=UnauthorizedOperation", "status=403", "times=9")
            outcome = self.train("--checkpoint-volume-size", "1")
            self.fault("clear")
            self.assertEqual(outcome.code, 5, outcome)
            self.assertRegex(outcome.err, r"instance i-\w+ is terminated")
            self.assertEqual(self.running(), [], outcome)
            self.assertEqual(self.volumes(), before, outcome)
            self.assertEqual(self.unfinished(), [], outcome)

    def test_keep_keeps_the_machine_however_it_ends(self):
        self.fault("add", "CreateVolume", "fail-before", "code=UnauthorizedOperation", "status=403", "times=9")
        outcome = self.train("--checkpoint-volume-size", "1", "--keep")
        self.fault("clear")
        kept, = self.running()
        self.refused(outcome, f"instance {kept} is kept, and costs money; to give it back", f"runctl aws terminate {kept}", code=5)
        self.succeeded(self.cloud.run("aws", "terminate", kept, "--yes"))
        outcome = self.succeeded(self.train("--keep"  , "--checkpoint-volume-size", "1", steps=1))
        kept, = self.running()
        self.assertIn(f"Instance {kept} is kept, and costs $0.04 an hour", outcome.out)
        self.succeeded(self.cloud.run("aws", "terminate", kept, "--yes"))

    def test_stop_stops_it(self):
        outcome = self.succeeded(self.train("--stop", "--checkpoint-volume-size", "1", "--output", "json", steps=1))
        machine, = self.running()
        self.assertEqual(outcome.record["machines"], [{"instance_id": machine, "state": "stopped"}])
        self.assertEqual(self.cloud.run("aws", "status", machine, "--output", "json").record["state"], "stopped")
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))

    def test_a_volume_of_which_no_answer_came_is_not_forgotten(self):
        before = self.volumes()
        self.fault("add", "CreateVolume", "drop-reply", "times=1")
        outcome = self.train("--checkpoint-volume-size", "1", environment={"AWS_MAX_ATTEMPTS": "1"})
        self.assertEqual(self.running(), [], outcome)
        operation, = self.unfinished()
        self.refused(outcome, f"runctl operations resume {operation['operation_id']}", code=1)
        self.assertEqual(len(self.volumes()), len(before) + 1)
        back = self.cloud.run("operations", "resume", operation["operation_id"])
        self.assertRegex(back.err, r"volume vol-\w+, which was made for it, is deleted")
        self.assertEqual((self.volumes(), self.unfinished()), (before, []))

    def test_a_volume_whose_name_moves_on_is_still_the_one(self):
        data = self.cloud.volume("--name", "moving")
        self.seen = len(self.cloud.requests())
        job = Background(self.cloud, *self.words("--data-volume", "moving", "--checkpoint-volume-size", "1"))
        job.until(self, lambda: self.asked("CreateVolume"))
        job.process.kill()
        job.ended()
        later = self.cloud.volume("--name", "moving")
        ec2 = Ec2(self.cloud.endpoint)
        ec2.call("CreateTags", **{"ResourceId.1": data, "Tag.1.Key": "Name", "Tag.1.Value": "moved"})
        ec2.close()
        operation, = self.unfinished()
        back = self.cloud.run("operations", "resume", operation["operation_id"])
        # It has no filesystem: the run is not started, and of all volumes only the new one goes.
        self.refused(back, data, code=4)
        self.assertEqual((self.running(), self.unfinished()), ([], []))
        left = self.volumes()
        self.assertEqual((left[data], left[later]), ("available", "available"))

    def test_interrupted_before_there_is_a_run_it_leaves_nothing(self):
        before = self.volumes()
        self.fault("add", "SendCommand", "delay", "ms=3000", "times=1")
        job = Background(self.cloud, *self.words("--checkpoint-volume-size", "1"))
        job.until(self, lambda: self.asked("CreateVolume"))
        job.process.send_signal(signal.SIGINT)
        code, _, errors = job.ended()
        self.assertEqual(code, 130, errors)
        self.assertRegex(errors, r"instance i-\w+ is terminated\n.*volume vol-\w+, which was made for it, is deleted")
        self.assertEqual((self.running(), self.volumes(), self.unfinished()), ([], before, []))

    def test_a_run_that_is_left_goes_on_and_is_come_back_to(self):
        for leave in ("interrupt", "timeout"):
            with self.subTest(leave):
                self.lower()
                words = self.words("--checkpoint-volume-size", "1", *(("--timeout", "20s") if leave == "timeout" else ()), held=True)
                job = Background(self.cloud, *words).until_it_says(self, "step 1")
                if leave == "interrupt":
                    job.process.send_signal(signal.SIGINT)
                code, _, errors = job.ended()
                self.assertEqual(code, 130 if leave == "interrupt" else 6, errors)
                machine, = self.running()
                self.assertIn(f"instance {machine} stays until the workflow is finished: $0.04 an hour", errors)
                operation, = self.unfinished()
                self.assertIn(f"runctl operations resume {operation['operation_id']}", errors)
                self.release()
                back = self.succeeded(self.cloud.run("operations", "resume", operation["operation_id"], "--output", "json"))
                self.assertIn("step 2\n", back.err)
                self.check_over(back.record)

    def test_killed_anywhere_it_is_finished_by_resume(self):
        steps = ("RunInstances", "CreateVolume", "AttachVolume", "run", "CreateSnapshot", "TerminateInstances")
        for where in steps:
            with self.subTest(where):
                before = set(self.volumes())
                self.seen = len(self.cloud.requests())
                job = Background(self.cloud, *self.words("--checkpoint-volume-size", "1", held=where == "run"))
                if where == "run":
                    job.until_it_says(self, "step 1")
                else:
                    job.until(self, lambda: self.asked(where))
                job.process.kill()
                job.ended()
                if where == "run":
                    self.release()
                operation, = self.unfinished()
                self.assertEqual((operation["kind"], operation["state"]), ("workflow", "unfinished"))
                back = self.succeeded(self.cloud.run("operations", "resume", operation["operation_id"], "--output", "json"))
                self.check_over(back.record)
                self.assertEqual(back.record["outcome"], "succeeded")
                self.assertEqual(self.asked("RunInstances", "CreateVolume"), ["RunInstances", "CreateVolume"])
                self.assertEqual(self.snapshots(back.record["checkpoint_volume"]), [back.record["snapshot"]["snapshot_id"]])
                self.assertEqual(set(self.volumes()) - before, {back.record["checkpoint_volume"]})

    def test_a_job_whose_directory_is_gone(self):
        """Before there is a run it is needed, and afterwards not."""
        for where in ("CreateVolume", "run"):
            with self.subTest(where):
                self.seen = len(self.cloud.requests())
                place = os.path.join(self.cloud.directory, "elsewhere", where)
                os.makedirs(place)
                words = ("workflow", "train", "../../job/train.py", "--checkpoint-volume-size", "1", "--", 2, self.flag, 0)
                job = Background(self.cloud, *words, directory=place)
                if where == "run":
                    job.until_it_says(self, "step 1")
                else:
                    job.until(self, lambda: self.asked("CreateVolume"))
                job.process.kill()
                job.ended()
                operation, = self.unfinished()
                os.rename(place, place + "-2")
                resume = ("operations", "resume", operation["operation_id"])
                if where == "CreateVolume":
                    self.refused(self.cloud.run(*resume), place, f"runctl operations show {operation['operation_id']}", code=3)
                    os.rename(place + "-2", place)
                    back = Background(self.cloud, *resume, "--output", "json")
                    back.until(self, lambda: "step 1" in "".join(back.errors))
                    self.release()
                    code, said, errors = back.ended()
                    self.assertEqual(code, 0, errors)
                    self.check_over(json.loads(said))
                    self.lower()
                else:
                    self.release()
                    self.check_over(self.succeeded(self.cloud.run(*resume, "--output", "json")).record)

    def test_results_come_by_way_of_s3(self):
        self.succeeded(self.cloud.run("s3", "create", "s3://results"))
        outcome = self.succeeded(self.train("--output-s3", "s3://results/all", "--collect", "here", "--output", "json"))
        run = outcome.record["run_id"]
        collected = outcome.record["collected"]
        self.assertEqual((collected["directory"], collected["files"]), (f"here/{run}", 3))
        for step in (1, 2):
            with open(os.path.join(self.cloud.directory, "here", run, "output", f"step-{step}.npy"), "rb") as file:
                self.assertEqual(file.read()[-8:], step.to_bytes(8, "little"))
        self.assertEqual(self.running(), [])

    def test_a_machine_with_the_only_copy_is_kept(self):
        self.cloud.run("s3", "create", "s3://lost")
        job = Background(self.cloud, *self.words("--output-s3", "s3://lost/all", held=True)).until_it_says(self, "step 1")
        self.fault("add", "PostObject", "fail-before", "code=AccessDenied", "status=403", "times=1000")
        self.release()
        code, said, errors = job.ended()
        self.fault("clear")
        kept, = self.running()
        self.assertEqual(code, 7, said + errors)
        self.assertIn(f"Instance {kept} is kept", said)
        self.assertIn("nowhere but on its disk", said)
        terminate = ("aws", "terminate", kept, "--yes")
        self.refused(self.cloud.run(*terminate), f"on the disk of instance {kept} alone", "--unsafe-lose-results")
        self.assertEqual(self.running(), [kept])
        self.succeeded(self.cloud.run(*terminate, "--unsafe-lose-results"))

    def test_a_snapshot_that_fails_does_not_keep_the_machine(self):
        self.fault("add", "CreateSnapshot", "fail-before", "code=SnapshotCreationPerVolumeRateExceeded", "status=400", "times=9")
        outcome = self.train("--checkpoint-volume-size", "1")
        self.assertEqual(outcome.code, 7, outcome)
        self.assertRegex(outcome.out, r"No snapshot of volume (vol-\w+) could be taken: .* runctl aws ebs snapshot \1\n")
        self.assertEqual(self.running(), [])

    def test_a_machine_that_cannot_be_given_back_is_not_forgotten(self):
        self.fault("add", "TerminateInstances", "fail-before", "code=UnauthorizedOperation", "status=403", "times=9")
        outcome = self.train("--checkpoint-volume-size", "1")
        self.fault("clear")
        machine, = self.running()
        operation, = self.unfinished()
        self.refused(outcome, f"instance {machine} is still there and costs money", f"operations resume {operation['operation_id']}",
                     code=5)
        back = self.succeeded(self.cloud.run("operations", "resume", operation["operation_id"], "--output", "json"))
        self.check_over(back.record)
        self.assertEqual(self.snapshots(back.record["checkpoint_volume"]), [back.record["snapshot"]["snapshot_id"]])

    def taken_back(self, *words):
        """A job on a spot machine that EC2 takes back once: that machine, the job's record and what it said to people."""
        job = Background(self.cloud, *self.words("--checkpoint-volume-size", "1", "--spot", "--auto-resume", "--output", "json", *words,
                                                 held=True))
        job.until(self, lambda: "step 1" in "".join(job.errors))
        first, = self.running()
        self.fault("add", first, "spot-interruption", "ms=20000")
        job.until(self, lambda: "from 1\n" in "".join(job.errors), 200)
        self.release()
        code, said, errors = job.ended()
        self.assertEqual(code, 0, errors)
        return first, json.loads(said), errors

    def test_a_spot_machine_that_is_taken_back(self):
        first, record, errors = self.taken_back()
        self.assertIn("from 1\nstep 2\n", errors)
        self.assertEqual([i["instance_id"] for i in record["interruptions"]], [first])
        self.assertEqual(len(record["machines"]), 2)
        self.assertEqual((self.running(), self.unfinished()), ([], []))
        self.assertEqual(self.volumes()[record["checkpoint_volume"]], "available")

    def test_the_snapshot_at_the_end_is_none_of_an_interruption(self):
        _, record, errors = self.taken_back("--on-interruption", "snapshot")
        self.check_over(record, machines=2)
        snapshots = self.snapshots(record["checkpoint_volume"])
        self.assertEqual(len(snapshots), 2)
        self.assertNotIn(f"Snapshot {record['snapshot']['snapshot_id']} of", errors)

    def test_killed_before_the_next_machine_has_its_run_none_is_left(self):
        job = Background(self.cloud, *self.words("--checkpoint-volume-size", "1", "--spot", "--auto-resume", held=True))
        job.until_it_says(self, "step 1")
        first, = self.running()
        self.fault("add", "AttachVolume", "delay", "ms=8000")
        self.fault("add", first, "spot-interruption", "ms=20000")
        job.until(self, lambda: f"in place of {first}" in "".join(job.errors), 200)
        job.process.kill()
        job.ended()
        self.fault("clear", "AttachVolume")
        operation, = self.unfinished()
        back = Background(self.cloud, "operations", "resume", operation["operation_id"], "--output", "json")
        back.until(self, lambda: "from 1\n" in "".join(back.errors), 200)
        # Only the one that it goes on on costs money meanwhile.
        self.assertTrue(cloud.wait_until(lambda: len(self.running()) == 1, 60), self.running())
        self.release()
        code, said, errors = back.ended()
        self.assertEqual(code, 0, errors)
        self.check_over(json.loads(said), machines=3)

    def volume(self, volume):
        return self.succeeded(self.cloud.run("aws", "ebs", "show", volume, "--output", "json")).record

    def test_a_zone_without_machines(self):
        maker = self.cloud.machine()
        data = self.cloud.volume("--name", "numbers")
        self.succeeded(self.cloud.run("aws", "ebs", "attach", data, "--instance", maker, "--mount", "/mnt/numbers", "--format", "ext4"))
        self.succeeded(self.cloud.run("aws", "ebs", "seal", data))
        self.succeeded(self.cloud.run("aws", "terminate", maker, "--yes"))
        self.refused(self.train("--checkpoint-volume-size", "1", "--spot", "--auto-resume", "--fallback-zone", "us-east-1x"),
                     "'us-east-1x' is no availability zone of this region", "us-east-1b", code=2)

        words = self.words("--data-volume", data, "--checkpoint-volume-size", "1", "--spot", "--auto-resume", "--fallback-zone",
                           "us-east-1b", "--output", "json", held=True)
        job = Background(self.cloud, *words, environment={"AWS_MAX_ATTEMPTS": "1"})
        job.until(self, lambda: "step 1" in "".join(job.errors))
        self.assertIn(f"take snapshots of {data} (numbers) and the new volume, and rent the first in us-east-1b", "".join(job.errors))
        first, = self.running()
        self.fault("add", "RunInstances", "fail-before", "code=InsufficientInstanceCapacity", "status=500", "times=2")
        self.fault("add", first, "spot-interruption", "ms=20000")
        job.until(self, lambda: "from 1\n" in "".join(job.errors), 200)
        # Killed there, it is known where it went.
        job.process.kill()
        job.ended()
        self.release()
        operation, = self.unfinished()
        back = self.succeeded(self.cloud.run("operations", "resume", operation["operation_id"], "--output", "json"))
        self.check_over(back.record, machines=2)
        self.assertEqual(self.snapshots(back.record["checkpoint_volume"]), [back.record["snapshot"]["snapshot_id"]])
        copy = self.volume(back.record["checkpoint_volume"])
        self.assertEqual((copy["availability_zone"], copy["state"]), ("us-east-1b", "available"))
        copies = [v for v in map(self.volume, self.volumes()) if v.get("name") == "numbers" and v["volume_id"] != data]
        self.assertEqual([(v["availability_zone"], v["mode"]) for v in copies], [("us-east-1b", "sealed")])
        self.assertEqual(self.volume(data)["state"], "available")


@unittest.skipUnless(cloud.block_hardware_missing(), "the same on disks is run here")
class OnFiles(Workflow, cloud.CloudTest):
    hardware = "files"
    consistency = "crash-consistent"  # nothing can be frozen there


@unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnDisks(Workflow, cloud.CloudTest):
    hardware = "block"
    consistency = "consistent"


if __name__ == "__main__":
    cloud.main()
