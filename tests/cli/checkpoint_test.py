"""Checkpoint commands on real files, made by NumPy, by Python's zipfile and by examples/digits, here and in S3."""
import base64
import io
import json
import os
import pickle
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import numpy

FIXTURES = os.path.join(cloud.ROOT, "tests", "data", "checkpoints")
DIGITS = os.path.join(cloud.ROOT, "examples", "digits")


def fixture(name):
    with open(os.path.join(FIXTURES, name + ".b64"), encoding="ascii") as file:
        return base64.b64decode(file.read())


def npz(**arrays):
    file = io.BytesIO()
    numpy.savez(file, **arrays)
    return file.getvalue()


def safetensors(metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, array in tensors.items():
        content = array.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


class Payload:
    """What runs a command in whoever unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class CheckpointTest(cloud.CloudTest):
    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="runctl-checkpoint-")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def file(self, name, content=b"", mtime=None):
        return cloud.write_file(os.path.join(self.place, name), content, mtime)

    def run_checkpoint(self, verb, *words, code=0, place=None):
        outcome = self.cloud.run("checkpoint", verb, place or self.place, *words)
        self.assertEqual(outcome.code, code, outcome)
        return outcome

    def record(self, verb, *words, **how):
        return self.run_checkpoint(verb, *words, "--output", "json", **how).record

    def epochs(self, count, first=1):
        """A series of good checkpoints, each half a loss better than the one before it; one second after another."""
        for epoch in range(first, first + count):
            self.file(f"epoch_{epoch}.npz", npz(epoch=numpy.array(epoch), loss=numpy.array(1.0 / epoch), w=numpy.arange(9.0)),
                      mtime=1_700_000_000 + epoch)

    def damage(self, epoch):
        """Another bit in its weights; its time stays."""
        path = os.path.join(self.place, f"epoch_{epoch}.npz")
        with open(path, "r+b") as file:
            content = file.read()
            at = content.index(numpy.arange(9.0).tobytes())
            file.seek(at + 5)
            file.write(bytes([content[at + 5] ^ 1]))
        os.utime(path, (1_700_000_000 + epoch, 1_700_000_000 + epoch))

    def names(self):
        return sorted(os.listdir(self.place))


class Local(CheckpointTest):
    def test_the_examples_checkpoints_are_understood(self):
        environment = {"PATH": "/usr/bin:/bin", "RUNCTL_DATA_DIR": DIGITS, "RUNCTL_CHECKPOINT_DIR": self.place,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(["/usr/bin/python3", os.path.join(DIGITS, "train.py"), "--epochs", "4", "--stop-after", "3"], check=True,
                       env=environment, capture_output=True, timeout=120)
        with open(os.path.join(self.place, "epoch-0003.npz"), "rb") as file:
            whole = file.read()
        self.file("epoch-0004.npz", whole[:len(whole) // 2])
        self.file(".writing-k3j2h1", whole[:1000])
        listed = {one["name"]: one for one in self.record("list")["checkpoints"]}
        self.assertEqual({name: (one["state"], one.get("epoch")) for name, one in listed.items()},
                         {"epoch-0001.npz": ("complete", 1), "epoch-0002.npz": ("complete", 2), "epoch-0003.npz": ("complete", 3),
                          "epoch-0004.npz": ("damaged", 4), ".writing-k3j2h1": ("unfinished", None)})
        self.assertEqual(listed["epoch-0003.npz"]["format"], "npz")
        resumed = self.record("resume")
        self.assertEqual(resumed["checkpoint"]["path"], os.path.join(self.place, "epoch-0003.npz"))
        self.assertEqual((resumed["checkpoint"]["state"], resumed["chosen_by"]), ("sound", "epoch"))
        path = self.run_checkpoint("resume", "--output", "id")
        self.assertEqual(path.out, os.path.join(self.place, "epoch-0003.npz") + "\n")
        self.assertIn("epoch-0004.npz", path.err)
        # What it prints is what the training takes.
        done = subprocess.run(["/usr/bin/python3", os.path.join(DIGITS, "train.py"), "--epochs", "4"], check=True,
                              env={**environment, "RUNCTL_RESUME_FROM": path.out.strip()}, capture_output=True, text=True, timeout=120)
        self.assertIn("resumed from", done.stdout)
        # It has replaced the torn one, and removed what was unfinished, as a training does.
        self.assertEqual(self.record("verify")["states"], {"sound": 4} if "model.npz" in self.names() else {"sound": 3})

    def test_formats_of_others(self):
        self.file("a_step_1.pt", fixture("torch.pt"))
        self.file("b_step_2.pt", fixture("torch_legacy.pt"))
        self.file("c_step_3.pt", fixture("torchscript.pt"))
        self.file("d_step_4.h5", fixture("keras.h5"))
        self.file("e_step_5.safetensors", safetensors({"step": "5", "val_loss": "0.25"}, {"w": numpy.zeros((2, 3))}))
        self.file("f_step_6.npy", fixture("weights.npy"))
        self.file("g_step_7.bin", b"nobody knows")
        with zipfile.ZipFile(os.path.join(self.place, "h_step_8.keras"), "w") as archive:
            archive.writestr("metadata.json", "{}")
            archive.writestr("config.json", "{}", zipfile.ZIP_DEFLATED)
            archive.writestr("model.weights.h5", fixture("keras.h5"))
        found = {one["name"]: (one["format"], one["state"]) for one in self.record("verify")["checkpoints"]}
        self.assertEqual(found, {
            "a_step_1.pt": ("torch", "sound"), "b_step_2.pt": ("torch_legacy", "complete"),
            "c_step_3.pt": ("torchscript", "sound"), "d_step_4.h5": ("hdf5", "complete"),
            "e_step_5.safetensors": ("safetensors", "complete"), "f_step_6.npy": ("npy", "complete"),
            "g_step_7.bin": ("other", "unknown"), "h_step_8.keras": ("keras", "sound")})
        told = self.run_checkpoint("info", place=os.path.join(self.place, "a_step_1.pt")).out
        for words in ("PyTorch", "epoch:", "loss=0.25", "best_acc=0.875"):
            self.assertIn(words, told)

    def test_damage_is_named_and_is_exit_1(self):
        self.epochs(3)
        path = os.path.join(self.place, "epoch_2.npz")
        self.damage(2)
        outcome = self.run_checkpoint("verify", code=1)
        self.assertIn("damaged", outcome.out)
        self.assertIn("w.npy", outcome.out)
        self.assertIn("3 checkpoints: 1 damaged, 2 sound.", outcome.out)
        self.assertEqual(self.run_checkpoint("verify", "--output", "id", code=1).out, path + "\n")
        self.assertEqual(self.record("verify", code=1)["states"], {"damaged": 1, "sound": 2})
        # Structure alone does not show it, and says that it does not.
        quick = self.record("verify", "--quick")
        self.assertEqual(quick["states"], {"complete": 3})

    def test_no_pickle_is_run(self):
        mark = os.path.join(self.place, "was-run")
        state = pickle.dumps({"epoch": 9, "x": Payload(mark)})
        self.file("step_1.pkl", state)
        self.file("step_2.pt", state)
        with zipfile.ZipFile(os.path.join(self.place, "step_3.pt"), "w") as archive:
            archive.writestr("archive/data.pkl", state)
            archive.writestr("archive/version", "3\n")
        for verb in ("list", "verify", "resume"):
            self.run_checkpoint(verb)
        found = self.record("list")["checkpoints"]
        self.assertEqual([one["epoch"] for one in found], [9, 9, 9])
        self.assertFalse(os.path.exists(mark))
        with self.assertRaises(TypeError):  # that it would have been: dict(0) is the end of such a file
            dict(pickle.loads(state)["x"])
        self.assertTrue(os.path.exists(mark))

    def test_resume_without_a_good_one_is_exit_3(self):
        self.assertIn("no checkpoint in", self.run_checkpoint("resume", code=3).err)
        self.file("epoch_1.pt", b"PK\x03\x04half")
        self.file("epoch_2.bin", b"nobody knows")
        outcome = self.run_checkpoint("resume", code=3)
        for words in ("epoch_1.pt", "epoch_2.bin", "--accept-unknown"):
            self.assertIn(words, outcome.err)
        self.assertIn("epoch_2.bin", self.run_checkpoint("resume", "--accept-unknown").out)
        self.run_checkpoint("resume", code=3, place=os.path.join(self.place, "nothing"))

    def test_a_folder_is_a_checkpoint(self):
        for step in (500, 1000):
            self.file(f"checkpoint-{step}/model.safetensors", safetensors({}, {"w": numpy.zeros(3)}))
            self.file(f"checkpoint-{step}/optimizer.pt", fixture("torch.pt"))
            self.file(f"checkpoint-{step}/trainer_state.json", json.dumps({"epoch": step / 400, "global_step": step, "log_history":
                                                                           [{"eval_loss": 100 / step, "loss": float("nan")}]}).encode())
        self.file("tmp-checkpoint-1500/model.safetensors", b"half")
        self.assertEqual(self.record("resume")["checkpoint"]["name"], "checkpoint-1000")
        inside = self.record("info", place=os.path.join(self.place, "checkpoint-500"))
        self.assertEqual((inside["step"], inside["epoch"], inside["metrics"]["eval_loss"]), (500, 1.25, 0.2))
        os.truncate(os.path.join(self.place, "checkpoint-1000", "model.safetensors"), 20)
        resumed = self.record("resume")
        self.assertEqual(resumed["checkpoint"]["name"], "checkpoint-500")
        self.assertIn("model.safetensors", resumed["skipped"][0]["why"] + resumed["skipped"][1]["why"])

    def test_hostile_names_do_no_harm(self):
        self.file("epoch_1\x1b[31m.npz", npz(w=numpy.zeros(2)))
        self.file("epoch_2\n.npz", npz(w=numpy.zeros(2)))
        self.file(b"epoch_3\xff.npz".decode("utf-8", "surrogateescape"), npz(w=numpy.zeros(2)))
        outcome = self.run_checkpoint("list")
        self.assertNotIn("\x1b", outcome.out)
        self.assertEqual(len(outcome.out.splitlines()), 4)
        self.assertEqual(len(self.record("list")["checkpoints"]), 3)


class Cleanup(CheckpointTest):
    def test_asks_and_then_keeps_what_it_said(self):
        self.epochs(6)
        self.file("notes.txt", b"mine")
        before = self.names()
        plan = self.run_checkpoint("cleanup", "--keep-last-n", "2", "--dry-run")
        self.assertIn("It would remove 4 checkpoints", plan.out)
        self.assertEqual(self.names(), before)
        refused = self.run_checkpoint("cleanup", "--keep-last-n", "2", code=4)
        self.assertIn("--yes", refused.err)
        self.assertEqual(self.names(), before)
        done = self.run_checkpoint("cleanup", "--keep-last-n", "2", "--yes")
        self.assertIn("Removed 4 checkpoints", done.out)
        self.assertEqual(self.names(), ["epoch_5.npz", "epoch_6.npz", "notes.txt"])
        self.assertIn("nothing to remove", self.run_checkpoint("cleanup", "--keep-last-n", "2", "--yes").out)

    def test_reads_what_it_leans_on(self):
        self.epochs(4)
        self.damage(4)
        self.run_checkpoint("cleanup", "--keep-last-n", "1", "--yes")
        self.assertEqual(self.names(), ["epoch_3.npz", "epoch_4.npz"])

    def test_what_changes_after_the_question_stays(self):
        self.epochs(4)
        terminal, end = pty.openpty()
        process = subprocess.Popen([cloud.RUNCTL, "checkpoint", "cleanup", self.place, "--keep-last-n", "2"], stdin=end, stderr=end,
                                   stdout=subprocess.PIPE, text=True, env=self.cloud.environment)
        os.close(end)
        said = b""
        while b"[y/N]" not in said:
            said += os.read(terminal, 4096)
        self.file("epoch_1.npz", npz(epoch=numpy.array(1), w=numpy.ones(9)))
        os.write(terminal, b"y\n")
        out, _ = process.communicate(timeout=60)
        os.close(terminal)
        self.assertEqual(process.returncode, 7, out)
        self.assertIn("epoch_1.npz stays", out)
        self.assertEqual(self.names(), ["epoch_1.npz", "epoch_3.npz", "epoch_4.npz"])

    def test_keeps_the_best_and_every_nth(self):
        self.epochs(6)
        self.run_checkpoint("cleanup", "--keep-best", "loss:max", "--keep-every", "4", "--yes")
        self.assertEqual(self.names(), ["epoch_1.npz", "epoch_4.npz", "epoch_6.npz"])
        unknown = self.run_checkpoint("cleanup", "--keep-best", "acc", code=2)
        self.assertIn("loss", unknown.err)

    def test_wants_to_know_what_to_keep(self):
        self.epochs(2)
        self.assertIn("--keep-last-n", self.run_checkpoint("cleanup", "--yes", code=2).err)
        self.run_checkpoint("cleanup", "--keep-last-n", "0", "--yes", code=2)
        self.run_checkpoint("cleanup", "--keep-last-n", "1", "--yes", code=2, place=os.path.join(self.place, "epoch_1.npz"))
        self.assertEqual(self.names(), ["epoch_1.npz", "epoch_2.npz"])

    def test_removes_folders_with_what_is_in_them(self):
        for step in (1, 2, 3):
            self.file(f"checkpoint-{step}/a/b/model.pt", fixture("torch.pt"), mtime=1_700_000_000 + step)
            self.file(f"checkpoint-{step}/model.pt", fixture("torch.pt"), mtime=1_700_000_000 + step)
        os.symlink("checkpoint-2", os.path.join(self.place, "latest"))
        removed = self.record("cleanup", "--keep-last-n", "1", "--yes")
        self.assertEqual(removed["removed"], ["checkpoint-1/"])
        self.assertEqual(self.names(), ["checkpoint-2", "checkpoint-3", "latest"])


class Monitor(CheckpointTest):
    def monitor(self, *words, place=None, **how):
        return self.cloud.run("monitor", "--checkpoint", place or self.place, *words, **how)

    def following(self, *words, place=None):
        process = subprocess.Popen([cloud.RUNCTL, "monitor", "--checkpoint", place or self.place, "--follow", *words],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.cloud.environment)
        self.addCleanup(process.kill)
        return process

    def ended(self, process):
        """At Ctrl-C; what else it had said."""
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, err)
        return out

    def test_the_last_written_are_shown_and_verified(self):
        self.epochs(4)
        self.damage(3)
        outcome = self.succeeded(self.monitor("--tail", "2"))
        lines = outcome.out.splitlines()
        self.assertEqual(len(lines), 2, outcome)
        self.assertRegex(lines[0], r"^2023-\S+Z  epoch_3\.npz  epoch 3  .*  damaged: its member w\.npy")
        self.assertRegex(lines[1], r"^2023-\S+Z  epoch_4\.npz  epoch 4, loss=0\.25  .*  sound$")
        record = self.succeeded(self.monitor("--output", "json")).record
        self.assertEqual([(one["name"], one["state"]) for one in record["checkpoints"]],
                         [("epoch_1.npz", "sound"), ("epoch_2.npz", "sound"), ("epoch_3.npz", "damaged"), ("epoch_4.npz", "sound")])
        self.assertEqual(self.succeeded(self.monitor("--tail", "1", "--output", "id")).out, os.path.join(self.place, "epoch_4.npz") + "\n")

    def test_new_ones_are_told_once_they_are_whole(self):
        self.epochs(1)
        process = self.following()
        self.assertIn("epoch_1.npz", process.stdout.readline())
        whole = npz(epoch=numpy.array(2), loss=numpy.array(0.5), w=numpy.arange(9.0))
        self.file("epoch_2.npz.tmp", whole)
        path = self.file("epoch_3.npz", whole[:50])  # one that is written in pieces, and without another name first
        os.rename(os.path.join(self.place, "epoch_2.npz.tmp"), os.path.join(self.place, "epoch_2.npz"))
        self.assertRegex(process.stdout.readline(), r"epoch_2\.npz  epoch 2, loss=0\.5  .*  sound$")
        with open(path, "ab") as file:
            file.write(whole[50:])
        self.assertRegex(process.stdout.readline(), r"epoch_3\.npz  .*  sound$")
        self.assertEqual(self.ended(process), "")

    def test_a_record_a_line(self):
        process = self.following("--output", "json")
        self.epochs(1)
        one = json.loads(process.stdout.readline())
        self.assertEqual((one["name"], one["state"], one["epoch"], one["metrics"]["loss"]), ("epoch_1.npz", "sound", 1, 1.0))
        self.assertEqual(self.ended(process), "")

    def test_one_that_stays_torn_is_told(self):
        self.file("epoch_1.npz", b"PK\x03\x04half")
        process = self.following()
        self.assertRegex(process.stdout.readline(), r"epoch_1\.npz  .*  damaged: it ends before the directory of the archive")
        self.assertEqual(self.ended(process), "")

    def test_in_s3(self):
        self.succeeded(self.cloud.run("s3", "create", "s3://monitored"))
        self.epochs(2)
        self.succeeded(self.cloud.run("s3", "upload", self.place, "s3://monitored/run/", "--recursive"))
        place = "s3://monitored/run/"
        shown = self.succeeded(self.monitor("--output", "json", place=place)).record["checkpoints"]
        self.assertEqual({(one["path"], one["state"]) for one in shown},
                         {(place + "epoch_1.npz", "sound"), (place + "epoch_2.npz", "sound")})
        process = self.following(place=place)
        for _ in range(2):
            self.assertIn("sound", process.stdout.readline())
        path = self.file("epoch_3.npz", npz(epoch=numpy.array(3), w=numpy.arange(9.0)))
        self.succeeded(self.cloud.run("s3", "upload", path, place + "epoch_3.npz"))
        self.assertIn("epoch_3.npz", process.stdout.readline())
        self.assertEqual(self.ended(process), "")

    def test_wrong_words_are_usage_errors(self):
        self.assertEqual(self.cloud.run("monitor").code, 2)
        self.refused(self.monitor("--log", "x"), "exclude each other", code=2)
        self.assertEqual(self.monitor(place=os.path.join(self.place, "nothing")).code, 3)
        self.assertEqual(self.monitor("--follow", "--timeout", "1s").code, 6)
        self.assertIn("no checkpoint", self.succeeded(self.monitor()).err)


class InS3(CheckpointTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        outcome = cls.cloud.run("s3", "create", "s3://checkpoints")
        assert outcome.code == 0, outcome

    def upload(self, prefix):
        self.succeeded(self.cloud.run("s3", "upload", self.place, f"s3://checkpoints/{prefix}/", "--recursive"))
        return f"s3://checkpoints/{prefix}/"

    def test_the_same_in_s3(self):
        self.epochs(3)
        self.file("epoch_4.npz", b"PK\x03\x04half")
        place = self.upload("run")
        listed = self.record("list", place=place)["checkpoints"]
        self.assertEqual([(one["name"], one["state"]) for one in listed],
                         [("epoch_3.npz", "complete"), ("epoch_2.npz", "complete"), ("epoch_1.npz", "complete"), ("epoch_4.npz", "damaged")])
        self.assertEqual(self.record("verify", place=place, code=1)["states"], {"damaged": 1, "sound": 3})
        self.assertEqual(self.run_checkpoint("resume", "--output", "id", place=place).out, place + "epoch_3.npz\n")
        self.assertEqual(self.record("info", place=place + "epoch_2.npz")["epoch"], 2)
        self.run_checkpoint("list", code=3, place="s3://checkpoints/nothing/")

    def test_clean_up_in_s3(self):
        self.epochs(3)
        place = self.upload("old")
        plan = self.record("cleanup", "--keep-last-n", "1", "--dry-run", place=place)
        # Written within a second of one another, or not: by number as by time the third is the last.
        self.assertEqual([one["name"] for one in plan["keep"]][0], "epoch_3.npz")
        self.run_checkpoint("cleanup", "--keep-last-n", "1", code=4 if plan["remove"] else 0, place=place)
        done = self.record("cleanup", "--keep-last-n", "1", "--yes", place=place)
        left = {one["name"] for one in self.record("list", place=place)["checkpoints"]}
        self.assertEqual(left, {"epoch_1.npz", "epoch_2.npz", "epoch_3.npz"} - set(done.get("removed", [])))
        self.assertIn("epoch_3.npz", left)

    def test_structure_is_read_without_the_contents(self):
        big = numpy.zeros(8 << 20)  # 64 MiB
        self.file("epoch_1.npz", npz(w=big))
        place = self.upload("big")
        outcome = self.succeeded(self.cloud.run("checkpoint", "list", place, "-vv", "--output", "json"))
        self.assertEqual(outcome.record["checkpoints"][0]["state"], "complete")
        self.assertLess(outcome.err.count("GetObject"), 10, outcome.err[-2000:])


if __name__ == "__main__":
    cloud.main()
