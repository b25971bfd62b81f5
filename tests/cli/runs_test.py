"""The life of training runs: started, followed over broken connections, stopped, found again; and local ones. On
directories for everybody, on block hardware as root."""
import os
import pty
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

# Ends at SIGTERM when it has written what it knows.
LISTENS = """
import signal, sys, time
def end(*_):
    print('saved', flush=True)
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
print('up', flush=True)
while True: time.sleep(0.1)
"""
IGNORES = """
import os, signal, subprocess, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
far = subprocess.Popen(['setsid', 'sleep', '987'], stdout=subprocess.DEVNULL)
near = subprocess.Popen(['sleep', '987'])
print('up', flush=True)
while True: time.sleep(0.1)
"""
TICKS = """
import sys, time
for i in range(int(sys.argv[1])):
    print('tick', i, flush=True)
    time.sleep(0.1)
sys.exit(int(sys.argv[2]))
"""


class OnMachines:
    """What holds on both kinds of hardware."""

    pace = "fast"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.cloud.machine("shared")

    def script(self, body, name="script.py"):
        folder = os.path.join(self.cloud.directory, f"script-{len(os.listdir(self.cloud.directory))}")
        os.makedirs(folder)
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        return path

    def train(self, body, *words, machine=None, **options):
        return self.cloud.run("aws", "train", machine or self.shared, self.script(body), *words, **options)

    def started(self, body, *words, machine=None, until="up"):
        """A run that goes on, and has printed `until`."""
        run = self.succeeded(self.train(body, "--output", "id", *words, machine=machine)).out.strip()
        self.assertTrue(cloud.wait_until(lambda: until in self.runs("logs", run).out, 30), self.runs("logs", run))
        self.addCleanup(self.runs, "stop", run, "--yes", "--grace", "0s")
        return run

    def runs(self, *words, **options):
        return self.cloud.run("runs", *words, **options)

    def shown(self, run):
        return self.succeeded(self.runs("show", run, "--output", "json")).record

    def watching(self, body, *words, arguments=()):
        """A `train --wait` of its own process; gives it, and where its output goes."""
        out = open(os.path.join(self.cloud.directory, f"out-{time.monotonic_ns()}"), "w+b")
        self.addCleanup(out.close)
        process = subprocess.Popen(
            [cloud.RUNCTL, "aws", "train", self.shared, self.script(body), "--wait", *words, "--", *arguments],
            stdout=out, stderr=subprocess.PIPE, text=True, cwd=self.cloud.directory,
            # Address sanitizer keeps 256 MiB of what was freed else; its memory is measured.
            env={**self.cloud.environment, "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=8"})
        self.addCleanup(process.kill)
        self.addCleanup(process.stderr.close)
        return process, out

    def said(self, out):
        out.seek(0)
        return out.read().decode()

    def wait_for_output(self, out, text):
        self.assertTrue(cloud.wait_until(lambda: text in self.said(out), 60), self.said(out))

    def run_of(self, process):
        for line in process.stderr:
            found = re.search(r"Run (run-\S+) is started", line)
            if found:
                return found.group(1)
        raise AssertionError("no run was started")

    def fault(self, *words):
        self.succeeded(self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state))

    # Stopping

    def test_stopping_lets_the_program_end_in_its_own_way(self):
        run = self.started(LISTENS)
        planned = self.succeeded(self.runs("stop", run, "--dry-run")).out
        self.assertIn("send SIGTERM", planned)
        self.refused(self.runs("stop", run), f"Stop run {run}?", "--yes")
        self.assertEqual(self.shown(run)["state"], "running")
        stopped = self.succeeded(self.runs("stop", run, "--yes", "--output", "json")).record
        self.assertEqual((stopped["state"], stopped["exit_status"], stopped["was_killed"]), ("stopped", 3, False))
        self.assertIn("@", stopped["stop"]["by"])
        self.assertIn("saved", self.runs("logs", run).out)
        again = self.succeeded(self.runs("stop", run))  # no consent: there is nothing to do
        self.assertIn("was not running", again.out)
        self.assertIn("was stopped by", self.succeeded(self.runs("show", run)).out)

    def test_what_does_not_listen_is_killed_with_all_that_it_forked(self):
        run = self.started(IGNORES)
        stopped = self.succeeded(self.runs("stop", run, "--yes", "--grace", "1s", "--output", "json")).record
        self.assertEqual((stopped["state"], stopped["signal"], stopped["was_killed"]), ("stopped", 9, True))
        left = [line for line in self.cloud.run("aws", "processes", self.shared, "--output", "json").record["processes"]
                if line["run_id"] == run]
        self.assertEqual(left, [])

    def test_a_stop_ends_who_waits_with_failure(self):
        process, out = self.watching(LISTENS)
        run = self.run_of(process)
        self.wait_for_output(out, "up")
        self.succeeded(self.runs("stop", run, "--yes"))
        self.assertEqual(process.wait(timeout=60), 1)
        self.assertIn("was stopped by", process.stderr.read())

    def test_a_signal_can_be_chosen_and_nonsense_is_a_usage_error(self):
        run = self.started("import signal, sys, time\nsignal.signal(signal.SIGUSR1, lambda *_: sys.exit(4))\n"
                           "print('up', flush=True)\nwhile True: time.sleep(0.1)\n")
        self.refused(self.runs("stop", run, "--signal", "KIL"), "--signal is", code=2)
        stopped = self.succeeded(self.runs("stop", run, "--signal", "SIGUSR1", "--yes", "--output", "json")).record
        self.assertEqual((stopped["exit_status"], stopped["stop"]["signal"]), (4, "USR1"))

    # Outcomes

    def test_the_recorded_outcome_is_the_programs(self):
        for name, body, state, status, signal in (
                ("137", "import sys; sys.exit(137)", "failed", 137, 9),
                ("segfault", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "failed", 139, 11),
                ("forks", "import os, sys, time\nif os.fork() == 0:\n    time.sleep(3); os._exit(9)\nsys.exit(5)\n",
                 "failed", 5, None),
                ("lies", "print('Training complete: success, exit status 0'); raise SystemExit(1)", "failed", 1, None),
                ("good", "print('Traceback: error, failed, Killed')", "succeeded", 0, None)):
            with self.subTest(name):
                waited = self.train(body, "--wait", "--output", "json")
                self.assertEqual(waited.code, 0 if state == "succeeded" else 1, waited)
                record = waited.record
                self.assertEqual((record["state"], record["exit_status"], record.get("signal")), (state, status, signal))
                self.assertIn("sent_files", record["code"])
                self.assertEqual(self.shown(record["run_id"])["state"], state)

    def test_any_bytes_come_through(self):
        run = self.succeeded(self.train("import os, sys\nsys.stdout.buffer.write(bytes(range(256)) * 500)\n",
                                        "--output", "id")).out.strip()
        self.assertTrue(cloud.wait_until(lambda: self.shown(run)["state"] == "succeeded", 30))
        got = subprocess.run([cloud.RUNCTL, "runs", "logs", run], capture_output=True, env=self.cloud.environment,
                             cwd=self.cloud.directory, timeout=60, check=True)
        self.assertEqual(got.stdout, bytes(range(256)) * 500)
        rest = subprocess.run([cloud.RUNCTL, "runs", "logs", run, "--since-offset", "127990"], capture_output=True,
                              env=self.cloud.environment, cwd=self.cloud.directory, timeout=60, check=True)
        self.assertEqual(rest.stdout, bytes(range(246, 256)))

    def test_ten_thousand_lines_a_second_arrive(self):
        body = ("import time\nstart = time.monotonic()\n"
                "for second in range(3):\n"
                "    for i in range(10000): print(f'line {second * 10000 + i} loss 0.{i:04}')\n"
                "    time.sleep(max(0, start + second + 1 - time.monotonic()))\n")
        waited = self.train(body, "--wait")
        self.succeeded(waited)
        numbers = re.findall(r"^line (\d+) loss 0\.\d{4}$", waited.out, re.M)
        # All of them; or, on a machine that is too slow for it, fewer, and it is said how many bytes are missing.
        left_out = sum(map(int, re.findall(r"\((\d+) bytes\) are not shown", waited.err)))
        self.assertEqual(len(numbers) < 30000, left_out > 0, waited.err)
        self.assertEqual(numbers, sorted(set(numbers), key=int))

    def test_a_huge_log_is_bounded_in_memory_and_nothing_is_lost(self):
        size = int(os.environ.get("RUNCTL_LOG_MIB", "200")) << 20
        body = (f"import sys\nline = ('0123456789abcdef' * 64)[:1023] + '\\n'\n"
                f"for _ in range({size} // 1024 // 64): sys.stdout.write(line * 64)\n"
                f"sys.exit(6)\n")
        process, out = self.watching(body)
        run = self.run_of(process)
        # Address sanitizer has 200 MB for itself, thread sanitizer records of each byte that is touched.
        most = {"thread": 700_000, "address": 300_000, None: 60_000}[cloud.sanitizer()]
        peak = 0
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
                found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
            peak = max(peak, int(found.group(1)) if found else 0)
            time.sleep(0.05)
        said = process.stderr.read()
        self.assertEqual(process.returncode, 1, said)
        self.assertLess(peak, most, "kB: the log piled up in memory")
        out.seek(0, os.SEEK_END)
        not_shown = sum(map(int, re.findall(r"\((\d+) bytes\) are not shown", said)))
        # The line in whose middle it goes on is left out as well.
        self.assertLess(size - out.tell() - not_shown, 1024 * 1000)
        self.assertGreaterEqual(size - out.tell() - not_shown, 0)
        self.assertEqual(self.shown(run)["log_size"], size)
        whole = subprocess.Popen([cloud.RUNCTL, "runs", "logs", run], stdout=subprocess.PIPE,
                                 env=self.cloud.environment, cwd=self.cloud.directory)
        count = 0
        while piece := whole.stdout.read(1 << 20):
            count += len(piece)
        whole.stdout.close()
        self.assertEqual((whole.wait(), count), (0, size))

    # Connections

    def test_who_waits_may_be_killed_and_come_back(self):
        process, out = self.watching(TICKS, arguments=("30", "7"))
        run = self.run_of(process)
        self.wait_for_output(out, "tick 2")
        process.kill()
        process.wait()
        back = self.runs("logs", run, "--follow")
        self.assertEqual(back.code, 1, back)
        self.assertEqual(back.out, "".join(f"tick {i}\n" for i in range(30)))
        self.assertIn("exit status 7", back.err)

    def test_an_agent_that_is_offline_for_a_while_is_waited_for(self):
        process, out = self.watching(TICKS, arguments=("40", "0"))
        self.run_of(process)
        self.wait_for_output(out, "tick 2")
        self.fault("add", self.shared, "agent-offline")
        try:
            line = process.stderr.readline()
            self.assertIn("does not answer", line)
            time.sleep(2)
        finally:
            self.fault("clear", self.shared)
        self.assertEqual(process.wait(timeout=90), 0)
        said = process.stderr.read()
        self.assertIn("answers again", said)
        self.assertEqual(self.said(out), "".join(f"tick {i}\n" for i in range(40)))

    def test_lost_requests_and_replies_lose_no_line_and_repeat_none(self):
        process, out = self.watching(TICKS, arguments=("60", "0"))
        self.run_of(process)
        self.wait_for_output(out, "tick 1")
        self.fault("add", "SendCommand", "drop-reply", "rate=0.3")
        self.fault("add", "GetCommandInvocation", "drop-before", "rate=0.3")
        self.addCleanup(self.fault, "clear")
        said = process.communicate(timeout=120)[1]
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("asking again", said)
        self.assertEqual(self.said(out), "".join(f"tick {i}\n" for i in range(60)))

    def test_at_the_timeout_the_run_goes_on_and_the_way_back_is_said(self):
        waited = self.train(TICKS, "--wait", "--timeout", "2s", "--", "600", "0")
        self.refused(waited, "goes on", "To come back", "runctl runs logs run-", code=6)
        run = re.search(r"runctl runs logs (run-\S+)", waited.err).group(1)
        self.addCleanup(self.runs, "stop", run, "--yes", "--grace", "0s")
        offset = re.search(r"--since-offset (\d+)", waited.err)
        shown = len(waited.out)
        self.assertEqual(int(offset.group(1)) if offset else 0, shown)
        self.assertEqual(self.shown(run)["state"], "running")

    def test_ctrl_c_detaches(self):
        process, out = self.watching(TICKS, arguments=("600", "0"))
        run = self.run_of(process)
        self.addCleanup(self.runs, "stop", run, "--yes", "--grace", "0s")
        self.wait_for_output(out, "tick 2")
        process.send_signal(cloud.signal.SIGINT)
        self.assertEqual(process.wait(timeout=30), 130)
        said = process.stderr.read()
        self.assertIn("goes on", said)
        self.assertIn(f"runctl runs logs {run} --follow", said)
        self.assertEqual(self.shown(run)["state"], "running")

    def on_terminal(self, body, answer):
        """`train --wait` at a terminal, two Ctrl-C, and an answer to what is asked then."""
        path = self.script(body)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.cloud.directory)
            os.execve(cloud.RUNCTL, [cloud.RUNCTL, "aws", "train", self.shared, path, "--wait"], self.cloud.environment)
        said = b""

        def until(text):
            nonlocal said
            end = time.monotonic() + 60
            while text.encode() not in said and time.monotonic() < end:
                try:
                    said += os.read(terminal, 4096)
                except OSError:
                    break
            self.assertIn(text, said.decode(errors="replace"))

        try:
            until("up")
            os.write(terminal, b"\x03")
            until("Press Ctrl-C again")
            os.write(terminal, b"\x03")
            until("[y/N]")
            os.write(terminal, answer.encode() + b"\n")
            until("was stopped by" if answer == "y" else "It goes on.")
        finally:
            _, status = os.waitpid(pid, 0)
            os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 130)
        return re.search(r"Run (run-\S+) is started", said.decode(errors="replace")).group(1)

    def test_a_second_ctrl_c_asks_whether_to_stop(self):
        self.assertEqual(self.shown(self.on_terminal(LISTENS, "y"))["state"], "stopped")
        run = self.on_terminal(LISTENS, "n")
        self.assertEqual(self.shown(run)["state"], "running")
        self.succeeded(self.runs("stop", run, "--yes"))

    # Finding runs again

    def test_runs_are_found_without_their_machine(self):
        run = self.started(LISTENS)
        self.assertEqual(self.shown(run)["instance_id"], self.shared)
        # On another computer nothing is known of it: the machines are asked.
        elsewhere = {"XDG_STATE_HOME": os.path.join(self.cloud.directory, "elsewhere")}
        record = self.succeeded(self.runs("show", run, "--output", "json", environment=elsewhere)).record
        self.assertEqual(record["instance_id"], self.shared)
        listed = self.succeeded(self.runs("list", "--output", "json", environment=elsewhere)).record
        self.assertIn(run, [each["run_id"] for each in listed["runs"]])
        self.assertEqual(listed["not_asked"], [])
        self.refused(self.runs("show", "run-nothing"), "o running machine knows run run-nothing", self.shared, code=3)
        self.refused(self.runs("show", "../x"), "ot a run id", code=2)

    def test_a_machine_that_cannot_be_asked_is_named(self):
        silent = self.cloud.machine("silent")
        self.fault("add", silent, "agent-offline")
        try:
            listed = self.runs("list", "--output", "json")
            self.assertEqual(listed.code, 7, listed)
            self.assertEqual([each["instance_id"] for each in listed.record["not_asked"]], [silent])
            self.assertIn(silent, listed.err)
            self.refused(self.runs("show", "run-nothing"), f"instance {silent} (silent) could not be asked", code=1)
        finally:
            self.fault("clear", silent)
            self.succeeded(self.cloud.run("aws", "terminate", silent, "--yes"))

    def test_a_run_on_a_machine_that_is_gone_says_so(self):
        machine = self.cloud.machine("brief")
        run = self.started(LISTENS, machine=machine)
        self.succeeded(self.cloud.run("aws", "stop", machine))
        self.refused(self.runs("show", run), "is 'stop", "its runs lie on its disk")
        self.succeeded(self.cloud.run("aws", "start", machine, "--wait"))
        self.assertEqual(self.shown(run)["state"], "lost")
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))
        self.refused(self.runs("show", run), "is terminated", code=3)

    def test_a_machine_that_is_terminated_ends_the_waiting(self):
        machine = self.cloud.machine("doomed")
        process = subprocess.Popen([cloud.RUNCTL, "aws", "train", machine, self.script(LISTENS), "--wait"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env=self.cloud.environment, cwd=self.cloud.directory)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.run_of(process)
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))
        self.assertEqual(process.wait(timeout=120), 1)
        self.assertRegex(process.stderr.read(), "is '(terminated|shutting-down)'")

    def test_show_has_no_secrets_and_the_commit(self):
        run = self.succeeded(self.train("print('x')", "--output", "id", "--wait", "--", "--api-key", "s3cr3t-1",
                                        "--token=s3cr3t-2")).out.strip()
        shown = self.succeeded(self.runs("show", run))
        self.assertNotIn("s3cr3t", shown.out)
        self.assertIn("(redacted)", shown.out)
        self.assertNotIn("s3cr3t", self.runs("show", run, "--output", "json").out)
        self.assertNotIn("s3cr3t", self.cloud.run("aws", "status", self.shared).out)

    def test_tail_and_monitor(self):
        run = self.succeeded(self.train("for i in range(100): print('line', i)", "--output", "id", "--wait")).out.strip()
        self.assertEqual(self.succeeded(self.runs("logs", run, "--tail", "2")).out, "line 98\nline 99\n")
        self.assertEqual(self.succeeded(self.runs("logs", run, "--tail", "0")).out, "")
        self.refused(self.runs("logs", run, "--tail", "x"), "--tail", code=2)
        self.refused(self.runs("logs", run, "--tail", "1", "--since-offset", "1"), "exclude", code=2)
        seen = self.succeeded(self.cloud.run("aws", "monitor", self.shared, "--tail", "3"))
        self.assertEqual(seen.out, "line 97\nline 98\nline 99\n")
        self.assertIn(f"Run {run} succeeded", seen.err)
        followed = self.succeeded(self.cloud.run("aws", "monitor", self.shared, "--follow", "--tail", "1"))
        self.assertEqual(followed.out, "line 99\n")

    def test_processes_know_their_run(self):
        run = self.started("print('up', flush=True)\nwhile True: pass\n")
        record = self.succeeded(self.cloud.run("aws", "processes", self.shared, "--output", "json")).record
        busy = [each for each in record["processes"] if each["run_id"] == run]
        self.assertTrue(busy, record)
        self.assertGreater(busy[0]["cpu_percent"], 1)
        self.assertIn("script.py", busy[0]["command"])
        self.assertGreater(record["cpus"], 0)
        text = self.succeeded(self.cloud.run("aws", "processes", self.shared)).out
        self.assertIn("COMMAND", text)
        self.assertIn(run, text)


class OnDirectories(OnMachines, cloud.CloudTest):
    hardware = "files"


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockDevices(OnMachines, cloud.CloudTest):
    hardware = "block"

    def mounted(self, machine, directory="/ck"):
        volume = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "--mount", directory,
                                      "--format", "ext4"))
        return volume

    def test_a_full_disk_is_the_programs_failure_and_is_told(self):
        machine = self.cloud.machine()
        volume = self.mounted(machine)
        body = ("import os, sys\nout = os.environ['RUNCTL_CHECKPOINT_DIR'] + '/big'\n"
                "file = os.open(out, os.O_CREAT | os.O_WRONLY)\nsize = 0\n"
                "try:\n    while True:\n        os.posix_fallocate(file, size, 1 << 26); size += 1 << 26\n"
                "except OSError as error:\n    print('full:', error.errno, flush=True)\n    sys.exit(28)\n")
        waited = self.train(body, "--checkpoint-volume", volume, "--wait", machine=machine)
        self.assertEqual(waited.code, 1, waited)
        self.assertIn("full: 28", waited.out)
        self.assertIn("exit status 28", waited.err)

    def test_after_a_hand_off_the_stale_run_cannot_write(self):
        first, second = self.cloud.machine(), self.cloud.machine()
        volume = self.mounted(first)
        body = ("import os, time\nprint('fence', os.environ['RUNCTL_FENCE'], flush=True)\n"
                "path = os.environ['RUNCTL_CHECKPOINT_DIR'] + '/owner'\n"
                "while True:\n    open(path, 'w').write(os.environ['RUNCTL_FENCE'])\n"
                "    print('up', flush=True)\n    time.sleep(0.1)\n")
        stale = self.started(body, "--checkpoint-volume", volume, machine=first)
        # While it lives, the volume goes nowhere: neither by hand-off nor by a second attachment.
        for words in (("move", volume, "--to", second), ("attach", volume, "--instance", second)):
            self.assertEqual(self.cloud.run("aws", "ebs", *words).code, 4)
        self.fault("add", first, "power-loss")
        self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        fresh = self.started(body, "--checkpoint-volume", volume, machine=second)
        self.assertEqual(self.shown(fresh)["fence"], 2)
        # The first machine comes back and has noticed nothing: its run is not there, nor the volume.
        self.succeeded(self.cloud.run("aws", "start", first, "--wait"))
        self.assertEqual(self.shown(stale)["state"], "lost")
        status = self.succeeded(self.cloud.run("aws", "status", first, "--output", "json")).record
        self.assertNotIn(volume, [device["volume_id"] for device in status["on_machine"]])
        self.refused(self.train("print('never')", "--checkpoint-volume", volume, machine=first), second)
        self.assertEqual(self.train("print('never')", "--checkpoint-volume", volume, machine=second).code, 4)
        self.assertEqual(self.shown(fresh)["state"], "running")
        reader = "import os; print(open(os.environ['RUNCTL_DATA_DIR'] + '/checkpoints/owner').read())"
        self.assertIn("2", self.succeeded(self.train(reader, "--data-volume", volume, "--wait", machine=second)).out)


class Here(cloud.CloudTest):
    """`runctl local`, which needs no cloud at all."""

    @classmethod
    def setUpClass(cls):
        cls.cloud = cloud.Cloud()
        cls.addClassCleanup(cls.cloud.remove)

    def setUp(self):
        self.directory = os.path.join(self.cloud.directory, self.id().rpartition(".")[2])
        os.makedirs(self.directory)

    def script(self, body, name="train.py"):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(body)
        return path

    def local(self, body, *words, **options):
        return self.cloud.run("local", self.script(body), *words, **options)

    def detached(self, body, *words):
        run = self.succeeded(self.local(body, "--detach", "--output", "id", *words)).out.strip()
        self.addCleanup(self.cloud.run, "runs", "stop", run, "--yes", "--grace", "0s")
        self.assertTrue(cloud.wait_until(lambda: "up" in self.cloud.run("runs", "logs", run).out, 30))
        return run

    def test_it_ends_as_the_script_ends(self):
        checkpoints = os.path.join(self.directory, "checkpoints")
        body = ("import os, sys\nprint(sys.argv[1:], os.environ['MINE'], os.environ['RUNCTL_FENCE'],"
                " os.environ['RUNCTL_CHECKPOINT_DIR'], os.getcwd())\nsys.exit(int(sys.argv[1]))\n")
        good = self.local(body, "--checkpoint-dir", checkpoints, "--", "0", "a b", environment={"MINE": "own"})
        self.assertEqual(self.succeeded(good).out, f"['0', 'a b'] own 1 {checkpoints} {self.directory}\n")
        bad = self.local(body, "--checkpoint-dir", checkpoints, "--", "9", environment={"MINE": "own"})
        self.assertEqual(bad.code, 1, bad)
        self.assertIn("own 2 ", bad.out)
        self.assertIn("exit status 9", bad.err)
        listed = self.succeeded(self.cloud.run("runs", "list", "--local", "--output", "json")).record["runs"]
        self.assertEqual([run["state"] for run in listed[:2]], ["failed", "succeeded"])

    def test_a_second_run_on_one_checkpoint_directory_is_refused_with_the_holder(self):
        words = ("--checkpoint-dir", os.path.join(self.directory, "checkpoints"))
        run = self.detached(LISTENS, *words)
        self.refused(self.local("print('never')", *words), f"in use by run {run}", "runctl runs stop")
        stopped = self.succeeded(self.cloud.run("runs", "stop", run, "--yes", "--output", "json")).record
        self.assertEqual((stopped["state"], stopped["exit_status"]), ("stopped", 3))
        self.assertEqual(self.succeeded(self.local("print('now')", *words)).out, "now\n")

    def test_it_is_followed_shown_and_forked_processes_are_found(self):
        run = self.detached(IGNORES)
        shown = self.succeeded(self.cloud.run("runs", "show", run)).out
        self.assertIn("this machine", shown)
        self.assertIn("is running", shown)
        self.succeeded(self.cloud.run("runs", "stop", run, "--yes", "--grace", "1s"))
        self.assertEqual(cloud.processes_naming(f"RUNCTL_RUN_ID={run}"), [])
        self.assertIn("killed", self.cloud.run("runs", "show", run).out)

    def test_a_killed_runctl_leaves_it_going(self):
        process = subprocess.Popen([cloud.RUNCTL, "local", self.script(TICKS), "--", "30", "7"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.cloud.environment, cwd=self.cloud.directory)
        run = re.search(r"Run (run-\S+) is started", process.stderr.readline()).group(1)
        process.stdout.readline()
        process.kill()
        process.communicate()
        back = self.cloud.run("runs", "logs", run, "--follow")
        self.assertEqual((back.code, back.out), (1, "".join(f"tick {i}\n" for i in range(30))), back)

    def test_what_cannot_be_started_is_said(self):
        self.refused(self.cloud.run("local", "missing.py"), "here is no script missing.py", code=3)
        path = self.script("echo hi\n", "train.sh")
        self.refused(self.cloud.run("local", path), "not executable", "chmod +x", code=5)
        os.chmod(path, 0o755)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho hi $1\n")
        self.assertEqual(self.succeeded(self.cloud.run("local", path, "--", "you")).out, "hi you\n")
        self.refused(self.local("print()", "--resume"), "--checkpoint-dir", code=2)
        self.assertIn("start", self.succeeded(self.local("print()", "--dry-run")).out)
        self.refused(self.cloud.run("runs", "show", "run-nothing", "--local"), "his machine knows no run", code=3)

    def test_a_log_file_is_followed_over_rotation(self):
        log = os.path.join(self.directory, "train.log")
        with open(log, "w", encoding="utf-8") as file:
            file.writelines(f"line {i}\n" for i in range(50))
        self.assertEqual(self.succeeded(self.cloud.run("monitor", "--log", log, "--tail", "2")).out, "line 48\nline 49\n")
        process = subprocess.Popen([cloud.RUNCTL, "monitor", "--log", log, "--follow", "--tail", "1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env=self.cloud.environment)
        self.addCleanup(process.kill)
        self.assertEqual(process.stdout.readline(), "line 49\n")
        os.rename(log, log + ".1")
        with open(log, "w", encoding="utf-8") as file:
            file.write("fresh\n")
        self.assertEqual(process.stdout.readline(), "fresh\n")
        process.send_signal(cloud.signal.SIGINT)
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 0, said)
        self.assertIn("rotated", said)
        self.refused(self.cloud.run("monitor", "--log", log + ".none"), ".none", code=3)
        self.refused(self.cloud.run("monitor"), "--log", code=2)


if __name__ == "__main__":
    cloud.main()
