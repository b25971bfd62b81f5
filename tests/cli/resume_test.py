"""What --resume goes on from: the newest checkpoint that verifies, here and on machines, and that the program which
verifies on machines says what runctl says."""
import base64
import glob
import importlib.util
import io
import json
import os
import pickle
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import numpy

ON_MACHINES = os.path.join(cloud.ROOT, "src", "node", "scripts", "newest_checkpoint.py")
FIXTURES = os.path.join(cloud.ROOT, "tests", "data", "checkpoints")

# Writes whole checkpoints, goes on from the one that it is given, and with "torn" is cut off in the middle of another.
TRAINS = """
import io, os, sys, time, zipfile
directory = os.environ['RUNCTL_CHECKPOINT_DIR']
source = os.environ.get('RUNCTL_RESUME_FROM')
first = 1
if source:
    with zipfile.ZipFile(source) as whole:
        assert whole.testzip() is None
        first = int(whole.read('epoch')) + 1
print('from', source, flush=True)
def content(epoch):
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as whole:
        whole.writestr('weights', os.urandom(1 << 16))
        whole.writestr('epoch', str(epoch))
    return file.getvalue()
def put(epoch, content):
    file = os.open(os.path.join(directory, f'epoch-{epoch:04}.zip'), os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    os.write(file, content)
    os.fsync(file)
    os.close(file)
for epoch in range(first, first + 3):
    put(epoch, content(epoch))
if 'torn' in sys.argv:
    put(epoch + 1, content(epoch + 1)[:40000])
    directory = os.open(directory, os.O_RDONLY)
    os.fsync(directory)
    print('up', flush=True)
    time.sleep(1000)
print('wrote up to', epoch, flush=True)
"""


def load_program():
    spec = importlib.util.spec_from_file_location("newest_checkpoint", ON_MACHINES)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


program = load_program()


def fixture(name):
    with open(os.path.join(FIXTURES, name + ".b64"), encoding="ascii") as file:
        return base64.b64decode(file.read())


def npz(**arrays):
    file = io.BytesIO()
    numpy.savez(file, **arrays)
    return file.getvalue()


def archive(members, how=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as whole:
        for name, content in members.items():
            whole.writestr(name, content)
    return file.getvalue()


def safetensors(metadata, header=None):
    text = json.dumps(header or {"__metadata__": metadata, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}})
    return struct.pack("<Q", len(text)) + text.encode() + bytes(24)


def plain(why):
    """Without a type's name of any bytes, which each shows in its own way."""
    return re.sub(r"'.*' is no type", "'…' is no type", why, flags=re.S)


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1:]


class Payload:
    """What runs a command in whoever unpickles it."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def sources():
    """Good files of every format, by names whose extensions promise it."""
    found = {os.path.basename(path)[:-4]: fixture(os.path.basename(path)[:-4])
             for path in sorted(glob.glob(os.path.join(FIXTURES, "*.b64")))}
    found["made.safetensors"] = safetensors({"step": "5", "val_loss": "0.25", "lr": "1e-400", "x": " 1"})
    found["made.zip"] = archive({"a": b"a" * 3000, "b": b""}, zipfile.ZIP_DEFLATED)
    found["made.keras"] = archive({"metadata.json": "{}", "model.weights.h5": fixture("keras.h5")})
    found["scalars.npz"] = npz(epoch=numpy.array(3), loss=numpy.array(0.5, "f4"), state=numpy.array('{"step": 7, "acc": 1.5}'),
                               big=numpy.arange(300.0).reshape(3, 100), half=numpy.array(1, "f2"), b=numpy.array(True))
    found["deflated.pt"] = archive({"x/data.pkl": pickle.dumps({"epoch": 3, "metrics": {"loss": 0.5}}), "x/version": "3\n"},
                                   zipfile.ZIP_DEFLATED)
    for protocol in range(6):
        found[f"p{protocol}.pkl"] = pickle.dumps(
            {"epoch": 4, "loss": 0.125, "big": 1 << 70, "n": -5, "t": ("é", b"b", None, True, {1, 2}, [1.5], 1 << 40),
             "metrics": {"acc": 0.75}, "self": random.Random(1)}, protocol)
    return found


class SameVerdict(cloud.CloudTest):
    """runctl's own reader, and the program that goes to machines."""

    def setUp(self):
        self.place = tempfile.mkdtemp(prefix="runctl-resume-")
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)

    def file(self, name, content=b"", mtime=None):
        return cloud.write_file(os.path.join(self.place, name), content, mtime)

    def by_runctl(self, verb):
        outcome = self.cloud.run("checkpoint", verb, self.place, "--output", "json", timeout=300)
        self.assertIn(outcome.code, (0, 1), outcome)
        return {one["name"]: (one["format"], one["state"], plain(one.get("why", "")), one.get("epoch"), one.get("step"), one["metrics"],
                              one["items"], one["bytes"], one["folder"]) for one in outcome.record["checkpoints"]}

    def by_program(self, contents):
        found = {}
        for one in program.survey(os.fsencode(self.place), contents):
            facts = one.finding.facts
            found[one.name.decode() or os.path.basename(self.place)] = (
                one.finding.format, one.state(), plain(one.finding.why), facts.epoch, facts.step,
                {name.decode(): value for name, value in facts.metrics.items()}, one.finding.items, one.bytes, one.is_folder)
        return found

    def check_verdicts(self, least=1):
        states = set()
        for verb, contents in (("verify", True), ("list", False)):
            theirs, ours = self.by_program(contents), self.by_runctl(verb)
            self.assertGreaterEqual(len(ours), least)
            self.assertEqual(sorted(theirs), sorted(ours))
            for name, found in ours.items():
                self.assertEqual(theirs[name], found, f"{name}: the machine's program, then runctl ({verb})")
                states.add(found[1])
        return states

    def check_choice(self):
        """Both choose the same; gives the name."""
        newest, by, skipped, later = program.find_newest(os.fsencode(self.place))
        outcome = self.cloud.run("checkpoint", "resume", self.place, "--output", "json")
        if newest is None:
            self.assertEqual(outcome.code, 3, outcome)
            for one in skipped:
                self.assertIn(one.name.decode(), outcome.out)
            return None
        self.assertEqual(outcome.code, 0, outcome)
        record = outcome.record
        own_name = os.path.basename(self.place)
        self.assertEqual((newest.name.decode() or own_name, by, [(one.name.decode(), one.why_not()) for one in skipped],
                          later.name.decode() if later else None),
                         (record["checkpoint"]["name"], record["chosen_by"],
                          [(one["name"], one["why"]) for one in record["skipped"]], record.get("written_later")))
        return newest.name.decode()

    def test_of_files_whole_and_cut_off(self):
        for name, content in sources().items():
            self.file(name, content)
            stem, extension = os.path.splitext(name)
            self.file(stem + ".whole.ckpt", content)
            self.file(f"{stem}.longer{extension}", content + b"\0")
            cuts = {0, 1, 7, 8, 9, 10, 14, 16, 22, 23, 40, len(content) - 1, len(content) - 22, len(content) - 23}
            cuts |= {len(content) * part // 16 for part in range(1, 16)}
            for cut in sorted(cut for cut in cuts if 0 <= cut < len(content)):
                self.file(f"{stem}.cut{cut}{extension}", content[:cut])
                self.file(f"{stem}.cut{cut}.ckpt", content[:cut])
        self.assertEqual(self.check_verdicts(500), {"sound", "complete", "unknown", "damaged"})

    def test_of_flipped_bits(self):
        for name, content in sources().items():
            stem, extension = os.path.splitext(name)
            step = max(1, len(content) // 150)
            for at in range(0, len(content), step):
                self.file(f"{stem}.flip{at}{extension}", flipped(content, at))
        self.assertEqual(self.check_verdicts(1500), {"sound", "complete", "unknown", "damaged"})

    def test_of_what_the_fuzzers_found(self):
        extensions = {"hdf5": ".h5", "npy": ".npy", "pickle": ".pkl", "safetensors": ".safetensors", "torch_legacy": ".pt",
                      "zip": ".npz"}
        for kind, extension in extensions.items():
            for path in glob.glob(os.path.join(cloud.ROOT, "fuzz", "corpus", "checkpoint_" + kind, "*")):
                with open(path, "rb") as file:
                    content = file.read()
                for ending in (extension, ".ckpt"):
                    self.file(f"{kind}.{os.path.basename(path)}{ending}", content)
        self.check_verdicts(20)

    def test_of_pickles_one_instruction_long_and_all_numbers(self):
        for code in range(256):
            self.file(f"one{code}.pkl", bytes([code]) + b"\1\0\0\0\0\0\0\0x\n00\n.")
            self.file(f"two{code}.pkl", b"(K\1K\2" + bytes([code]) + b"\1\0\0\0\0\0\0\0x\n.")
            self.file(f"three{code}.pkl", b"]}q\1(K\1K\2" + bytes([code]) + b".")
        for number, text in enumerate((b"I5", b"I01", b"I00", b"I-7L", b"I 5", b"I+5", b"I", b"I99999999999999999999", b"L5L", b"Lx",
                                       b"F1e400", b"F1e-400", b"Finf", b"Fnan", b"F.5", b"F5.", b"F1e", b"F+1", b"F-2.5e3",
                                       b"S'a'", b"Sa", b"S'", b"V\\u0041", b"g5", b"p99999999999999999999", b"cos\nsystem")):
            self.file(f"line{number}.pkl", b"}(V" + b"loss\n" + text + b"\nu.")
        self.check_verdicts(780)

    def test_of_json_and_folders(self):
        whole = fixture("torch.pt")
        texts = (b'{"epoch": 3, "metrics": {"loss": 0.5}}', b'{"loss": NaN, "acc": -Infinity, "f1": 0.5}', b'{"step": 3', b"", b"[1]",
                 b'{"step": 1e400}', b'{"step": 3.0}', b'{"step": 3.5, "epoch": -1}', b'{"step": 99999999999999999999}',
                 b'{"a": "\\ud800"}', b'{"a": "\\ud83d\\ude00", "loss": 1}', b"\xff{}", b"[" * 40 + b"]" * 40, b'{"epoch": 01}',
                 b'{"log_history": [{"loss": 1, "step": 1}, {"eval_loss": 2}, {"loss": 3}]}', b'{"epoch": true}', b" {} \r\n")
        for number, text in enumerate(texts):
            self.file(f"epoch_{number}.pt", whole)
            self.file(f"epoch_{number}.json", text)
            self.file(f"checkpoint-{number}/model.pt", whole)
            self.file(f"checkpoint-{number}/trainer_state.json", text)
        index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
        for number, there in enumerate(((1, 2), (1,), (2,), ())):
            for shard in there:
                self.file(f"step-{number}/model-0000{shard}-of-00002.safetensors", safetensors({}))
            self.file(f"step-{number}/model.safetensors.index.json", json.dumps(index).encode())
            self.file(f"step-{number}/optimizer.bin", b"nobody knows")
            for shard in there:
                self.file(f"model.ckpt-{number}.data-0000{shard - 1}-of-00002", b"data")
            if number != 1:
                self.file(f"model.ckpt-{number}.index", b"index")
        self.file("iter_1/done")
        self.file("iter_1/.writing-x.pt", b"half")
        self.file("iter_2/deep/er/model.pt", whole)
        self.file("iter_3/notes.txt", b"mine")
        os.symlink("..", os.path.join(self.place, "iter_2", "circle"))
        os.symlink("epoch_1.pt", os.path.join(self.place, "latest.pt"))
        os.symlink("nowhere", os.path.join(self.place, "epoch_77.pt"))
        for name in ("tmp-checkpoint-9/model.pt", "epoch_5.pt.tmp", ".writing-a", "epoch_9.pt~", "plain.tmp.x", "READ.me", "epoch5",
                     "epoch-1-val_loss=-0.5.ckpt", "epoch=3-step=1000-val_loss=0.23.ckpt", "ep_2_acc0.91.pth.tar", "round7.bin",
                     "model_v2_loss_1.5e-3.pt", "step_1234567890123456789.pt", "checkpoint.pt", "x.PT", ".pt", "epoch_1e+3.pt",
                     "global_step800/mp_rank.pt", "iteration 5.pt", "best_epoch_3.pt", "chkpt.12.h5", "a=1=2.pt", "steps_9.pt"):
            self.file(name, whole)
        self.assertEqual(self.check_verdicts(60), {"sound", "complete", "unknown", "damaged", "unfinished"})
        self.check_choice()

    def test_of_a_place_that_is_one_checkpoint(self):
        self.place = os.path.join(self.place, "checkpoint-500")
        self.file("model.safetensors", safetensors({}))
        self.file("trainer_state.json", b'{"epoch": 2, "loss": 1}')
        self.check_verdicts()
        self.assertEqual(self.check_choice(), "")

    def trainer_saves(self, step, files):
        """The first of the files that Hugging Face's Trainer writes, in its order, in place."""
        whole = {"model.safetensors": safetensors({}), "training_args.bin": fixture("torch.pt"), "optimizer.pt": fixture("torch.pt"),
                 "scheduler.pt": fixture("torch.pt"), "rng_state_0.pth": fixture("torch.pt"),
                 "trainer_state.json": b'{"epoch": 1.0, "global_step": %d}' % step}
        for name in list(whole)[:files]:
            self.file(f"checkpoint-{step}/{name}", whole[name], 1_700_000_000 + step)

    def test_of_folders_that_are_half_saved(self):
        base = self.place
        for files in range(1, 7):
            with self.subTest(files=files):
                self.place = os.path.join(base, str(files))
                self.trainer_saves(500, 6)
                self.trainer_saves(1000, files)
                self.check_verdicts()
                self.assertEqual(self.check_choice(), "checkpoint-1000" if files == 6 else "checkpoint-500")
                cleaned = self.cloud.run("checkpoint", "cleanup", self.place, "--keep-last-n", "1", "--yes")
                self.assertEqual(cleaned.code, 0, cleaned)
                self.assertEqual(os.path.exists(os.path.join(self.place, "checkpoint-500")), files < 6)
        # The first one of all, and one that has no number in common with the rest.
        self.place = os.path.join(base, "first")
        self.trainer_saves(500, 4)
        for step in (8, 9, 10):
            self.file(f"global_step{step}/rank_{step}.pt", fixture("torch.pt"))
            self.file(f"Epoch_{step}-step_{step}/model.pt", fixture("torch.pt"))
        self.file("global_step9/optim.pt", fixture("torch.pt"))
        self.file("Epoch_9-step_9/optim.pt", fixture("torch.pt"))
        self.file("Epoch_8-step_8/optim.pt", fixture("torch.pt"))
        self.assertEqual(self.check_verdicts(7), {"sound", "complete", "damaged"})
        self.check_choice()

    def test_the_choice_in_folders_made_at_random(self):
        good = [npz(epoch=numpy.array(2), w=numpy.arange(20.0)), fixture("torch.pt"), safetensors({}), npz(w=numpy.ones(9)),
                pickle.dumps({"epoch": 1, "step": 4})]
        names = ["epoch_%d.npz", "epoch-%d.pt", "checkpoint-%d.safetensors", "step_%d.ckpt", "epoch=%d-step=90.ckpt", "model%d.npz",
                 "best.npz", "last.ckpt", "tmp_%d.pt", "checkpoint-%d/model.npz", "round_%d.bin", "epoch_%d.npz.part"]
        chosen = set()
        base = self.place
        for seed in range(60):
            dice = random.Random(seed)
            self.place = os.path.join(base, f"place {seed}")
            os.makedirs(self.place)
            for _ in range(dice.randrange(1, 8)):
                name = dice.choice(names if seed % 3 else names[:4])
                content = dice.choice(good)
                if dice.random() < 0.3:
                    content = content[:dice.randrange(len(content))]
                elif dice.random() < 0.3:
                    content = flipped(content, dice.randrange(len(content)))
                self.file(name % dice.randrange(12) if "%" in name else name, content, 1_700_000_000 + dice.randrange(4))
            with self.subTest(seed=seed):
                chosen.add(self.check_choice())
        self.assertIn(None, chosen)
        self.assertGreater(len(chosen), 10)

    def run_program(self, *words):
        return subprocess.run(["/usr/bin/python3", "-I", "-S", ON_MACHINES, *words], capture_output=True, text=True, timeout=300,
                              check=False)

    def test_no_pickle_is_run(self):
        mark = os.path.join(self.place, "was-run")
        for protocol in range(6):
            state = pickle.dumps({"epoch": 9, "x": Payload(mark)}, protocol)
            self.file(f"step_{protocol}.pkl", state)
            self.file(f"step_1{protocol}.pt", state)
            self.file(f"step_2{protocol}.pt", archive({"archive/data.pkl": state, "archive/version": "3\n"}))
        self.check_verdicts(18)
        said = self.run_program(self.place)
        self.assertEqual(bytes.fromhex(json.loads(said.stdout)["checkpoint"]["name"]), b"step_25.pt", said)
        self.assertFalse(os.path.exists(mark))
        pickle.loads(state)  # that it would have been
        self.assertTrue(os.path.exists(mark))

    def test_names_may_be_any_bytes(self):
        name = b"epoch_3\xff\n\x1b.npz"
        self.file(os.fsdecode(name), npz(w=numpy.zeros(2)))
        self.file("epoch_4\x1b.npz", b"PK\x03\x04half")
        record = json.loads(self.run_program(self.place).stdout)
        self.assertEqual(bytes.fromhex(record["checkpoint"]["name"]), name)
        self.assertEqual(record["skipped_count"], 1)

    def test_memory_is_bounded(self):
        with zipfile.ZipFile(os.path.join(self.place, "epoch_1.pt"), "w") as whole:
            with whole.open("weights", "w", force_zip64=True) as member:
                for _ in range(256):
                    member.write(bytes(1 << 20))
            whole.writestr("deflated", bytes(64 << 20), zipfile.ZIP_DEFLATED)
        process = subprocess.Popen(["/usr/bin/python3", "-I", "-S", ON_MACHINES, self.place], stdout=subprocess.PIPE)
        said = json.loads(process.stdout.read())
        process.stdout.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        self.assertEqual((status, said["checkpoint"]["state"]), (0, "sound"))
        self.assertLess(usage.ru_maxrss, 100 << 10)

    def test_long_texts_take_little_memory(self):
        """A pattern of Python's took more than a hundred bytes for each of their characters."""
        # In pieces: what this process has held in memory counts for those that it starts.
        piece, begin = "x" * (1 << 20), '{"__metadata__": {"a": "' + "[" * 40 + '", "long": "'
        end = '"}, "w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}'
        with open(self.file("epoch_1.safetensors"), "w", encoding="latin-1") as file:
            file.write(struct.pack("<Q", len(begin) + 30 * len(piece) + len(end)).decode("latin-1"))
            for part in (begin, *[piece] * 30, end, "\0" * 24):
                file.write(part)
        self.file("checkpoint-2/model.pt", fixture("torch.pt"))
        with open(self.file("checkpoint-2/trainer_state.json"), "w", encoding="ascii") as file:
            for part in ('{"a": [' + "[]," * 40 + '"', *['\\\\\\"x' * (1 << 18)] * 11, '"]}'):
                file.write(part)
        said = subprocess.run(["/usr/bin/python3", "-I", "-S", "-c", """import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))
sys.argv = sys.argv[1:]
import runpy
runpy.run_path(sys.argv[0], run_name='__main__')""", ON_MACHINES, self.place], capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(said.returncode, 0, said.stderr)
        record = json.loads(said.stdout)
        self.assertEqual((bytes.fromhex(record["checkpoint"]["name"]), record["skipped_count"]), (b"checkpoint-2", 0), record)
        outcome = self.cloud.run("checkpoint", "resume", self.place, "--output", "json")
        self.assertEqual((outcome.record["checkpoint"]["name"], outcome.record["skipped"]), ("checkpoint-2", []))

    def test_what_cannot_be_read_is_said(self):
        self.assertEqual(self.run_program(os.path.join(self.place, "nothing")).returncode, 3)


class Here(cloud.CloudTest):
    """runctl local --resume."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="run-", dir=self.cloud.directory)
        self.checkpoints = os.path.join(self.directory, "checkpoints")
        self.script = os.path.join(self.directory, "train.py")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(TRAINS)

    def local(self, *words):
        return self.cloud.run("local", self.script, "--checkpoint-dir", self.checkpoints, *words)

    def put(self, name, content):
        os.makedirs(self.checkpoints, exist_ok=True)
        with open(os.path.join(self.checkpoints, name), "wb") as file:
            file.write(content)

    def runs(self):
        return len(self.cloud.run("runs", "list", "--local", "--output", "json").record["runs"])

    def killed_while_it_writes(self):
        run = self.succeeded(self.local("--detach", "--output", "id", "--", "torn")).out.strip()
        self.addCleanup(self.cloud.run, "runs", "stop", run, "--yes", "--grace", "0s")
        self.assertTrue(cloud.wait_until(lambda: "up" in self.cloud.run("runs", "logs", run).out, 60))
        return run

    def test_goes_on_before_the_torn_one_and_says_so(self):
        run = self.killed_while_it_writes()
        self.refused(self.local("--resume"), f"in use by run {run}", "runctl runs stop")
        self.succeeded(self.cloud.run("runs", "stop", run, "--signal", "KILL", "--yes"))
        before = os.path.join(self.checkpoints, "epoch-0003.zip")
        planned = self.succeeded(self.local("--resume", "--dry-run"))
        self.assertIn(f"go on from {before}", planned.out)
        outcome = self.succeeded(self.local("--resume", "--detach", "--output", "json"))
        resume = outcome.record["resume"]
        self.assertEqual((resume["from"], resume["name"], resume["state"], resume["epoch"], resume["chosen_by"]),
                         (before, "epoch-0003.zip", "sound", 3, "epoch"))
        self.assertEqual([(one["name"], one["state"]) for one in resume["passed_over"]], [("epoch-0004.zip", "damaged")])
        self.assertIn("Passed over epoch-0004.zip: the directory at its end is missing", outcome.err)
        log = self.cloud.run("runs", "logs", outcome.record["run_id"], "--follow")
        self.assertIn(f"from {before}\n", log.out)
        self.assertIn("wrote up to 6", log.out)

    def test_a_flipped_bit_is_seen(self):
        self.succeeded(self.local())
        newest = os.path.join(self.checkpoints, "epoch-0003.zip")
        with open(newest, "r+b") as file:
            file.seek(30000)
            byte = file.read(1)[0]
            file.seek(30000)
            file.write(bytes([byte ^ 1]))
        outcome = self.succeeded(self.local("--resume"))
        self.assertIn("epoch-0002.zip", outcome.out.splitlines()[0])
        self.assertIn("Passed over epoch-0003.zip: its member weights", outcome.err)

    def test_nothing_yet_is_begun_from_the_beginning(self):
        outcome = self.succeeded(self.local("--resume"))
        self.assertIn("from None\n", outcome.out)
        self.assertIn("starts from the beginning", outcome.err)
        shutil.rmtree(self.checkpoints)
        # What a writer was killed at, by its name, is no checkpoint.
        self.put(".writing-x1", b"half")
        outcome = self.succeeded(self.local("--resume"))
        self.assertIn("from None\n", outcome.out)
        self.assertIn("Passed over .writing-x1", outcome.err)

    def test_only_bad_ones_are_refused_and_nothing_is_started(self):
        self.put("epoch-0001.zip", b"PK\x03\x04half")
        self.put("epoch-0002.bin", b"nobody knows")
        before = self.runs()
        self.refused(self.local("--resume"), "none verifies", "epoch-0001.zip: it ends before the directory of the archive",
                     "epoch-0002.bin: its format is not known", "leave out --resume")
        self.refused(self.local("--resume", "--dry-run"), "none verifies")
        self.assertEqual(self.runs(), before)
        self.assertNotIn("epoch-0003.zip", os.listdir(self.checkpoints))

    def test_a_damaged_fence_is_refused(self):
        self.put(".runctl.fence", b"x\n")
        self.refused(self.local("--resume"), ".runctl.fence is damaged")


class OnMachines:
    """runctl aws train --resume."""

    pace = "fast"

    def train(self, machine, volume, *words, body=TRAINS, name="train.py"):
        folder = tempfile.mkdtemp(prefix="script-", dir=self.cloud.directory)
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        os.chmod(path, 0o755)
        return self.cloud.run("aws", "train", machine, path, "--checkpoint-volume", volume, *words)

    def mounted(self, machine):
        volume = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", "/" + volume, "--format",
                                      "ext4"))
        return volume

    def writes_half(self, machine, volume):
        run = self.succeeded(self.train(machine, volume, "--output", "id", "--", "torn")).out.strip()
        self.addCleanup(self.cloud.run, "runs", "stop", run, "--yes", "--grace", "0s")
        self.assertTrue(cloud.wait_until(lambda: "up" in self.cloud.run("runs", "logs", run).out, 60))
        return run

    def check_resumed(self, machine, volume):
        planned = self.succeeded(self.train(machine, volume, "--resume", "--dry-run"))
        self.assertIn("newest checkpoint that verifies", planned.out)
        outcome = self.succeeded(self.train(machine, volume, "--resume", "--output", "json"))
        resume = outcome.record["resume"]
        self.assertTrue(resume["from"].endswith("/checkpoints/epoch-0003.zip"), resume)
        self.assertEqual((resume["name"], resume["state"], resume["epoch"], resume["chosen_by"]),
                         ("epoch-0003.zip", "sound", 3, "epoch"))
        self.assertEqual([(one["name"], one["state"]) for one in resume["passed_over"]], [("epoch-0004.zip", "damaged")])
        self.assertIn("epoch-0003.zip (epoch 3, sound)", outcome.err)
        self.assertIn("Passed over epoch-0004.zip: the directory at its end is missing", outcome.err)
        log = self.cloud.run("runs", "logs", outcome.record["run_id"], "--follow")
        self.assertIn(f"from {resume['from']}\n", log.out)
        self.assertIn("wrote up to 6", log.out)

    def test_a_killed_run_goes_on_before_the_torn_one(self):
        machine = self.cloud.machine()
        volume = self.mounted(machine)
        nothing = self.succeeded(self.train(machine, volume, "--resume", "--wait", body="import os\nprint(sorted(os.environ))"))
        self.assertNotIn("RUNCTL_RESUME_FROM", nothing.out)
        self.assertIn("starts from the beginning", nothing.err)
        run = self.writes_half(machine, volume)
        self.refused(self.train(machine, volume, "--resume"), f"in use by run {run}", "runctl runs stop")
        self.refused(self.cloud.run("aws", "ebs", "detach", volume), f"run {run} has its checkpoints on it",
                     f"runctl runs stop {run}")
        self.succeeded(self.cloud.run("runs", "stop", run, "--signal", "KILL", "--yes"))
        self.check_resumed(machine, volume)

    def test_what_no_checksum_bears_out_is_not_gone_on_from(self):
        machine = self.cloud.machine()
        volume = self.mounted(machine)
        self.succeeded(self.train(machine, volume, "--wait"))
        flip = ("import os\npath = os.environ['RUNCTL_CHECKPOINT_DIR'] + '/epoch-000%d.zip'\n"
                "for epoch in EPOCHS:\n    with open(path % epoch, 'r+b') as file:\n        file.seek(30000)\n"
                "        byte = file.read(1)[0]\n        file.seek(30000)\n        file.write(bytes([byte ^ 1]))\n")
        self.succeeded(self.train(machine, volume, "--wait", body=flip.replace("EPOCHS", "[3]")))
        outcome = self.succeeded(self.train(machine, volume, "--resume", "--wait", body="import os\nprint(os.environ['RUNCTL_RESUME_FROM'])"))
        self.assertIn("/epoch-0002.zip\n", outcome.out)
        self.assertIn("Passed over epoch-0003.zip: its member weights", outcome.err)
        self.succeeded(self.train(machine, volume, "--wait", body=flip.replace("EPOCHS", "[1, 2]")))
        before = len(self.cloud.run("runs", "list", "--output", "json").record["runs"])
        self.refused(self.train(machine, volume, "--resume", "--wait"), "none verifies", "epoch-0001.zip: its member weights",
                     "epoch-0002.zip", "epoch-0003.zip", "leave out --resume")
        self.assertEqual(len(self.cloud.run("runs", "list", "--output", "json").record["runs"]), before)


class OnDirectories(OnMachines, cloud.CloudTest):
    hardware = "files"


@unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockDevices(OnMachines, cloud.CloudTest):
    hardware = "block"

    def test_after_a_loss_of_power_it_goes_on_on_another_machine(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted(first)
        self.writes_half(first, volume)
        self.succeeded(self.cloud.run("emulator", "fault", "add", first, "power-loss", "--state", self.cloud.state))
        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        self.check_resumed(second, volume)

    def test_without_python_nothing_is_guessed(self):
        machine = self.cloud.machine()
        volume = self.mounted(machine)
        self.succeeded(self.train(machine, volume, "--wait"))
        # In a root of its own: this machine's pythons stay.
        gone = "#!/bin/sh\nfor folder in /usr/local/bin /usr/bin /bin $(echo $PATH | tr : ' '); do rm -f $folder/python3; done\n"
        self.succeeded(self.train(machine, volume, "--wait", body=gone, name="gone.sh"))
        shell = {"body": "#!/bin/sh\necho from $RUNCTL_RESUME_FROM\n", "name": "train.sh"}
        self.refused(self.train(machine, volume, "--resume", "--wait", **shell), "has no python3", "without --resume")
        # Where there is nothing to verify, nothing is needed for it.
        empty = self.mounted(machine)
        self.assertIn("from\n", self.succeeded(self.train(machine, empty, "--resume", "--wait", **shell)).out)


if __name__ == "__main__":
    cloud.main()
