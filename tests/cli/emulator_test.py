"""The emulator as a program: started, found, stopped, killed."""
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class Emulator(cloud.unittest.TestCase):
    def setUp(self):
        self.cloud = cloud.Cloud()
        self.addCleanup(self.cloud.remove)
        self.addCleanup(self.run_it, "emulator", "stop")

    def run_it(self, *words, **options):
        return self.cloud.run(*words, "--state", self.cloud.state, **options)

    def start(self):
        outcome = self.run_it("emulator", "start", "--port", "0", "--hardware", "none", "--output", "json")
        self.assertEqual(outcome.code, 0, outcome)
        return outcome.record

    def test_start_status_stop(self):
        self.assertEqual(self.run_it("emulator", "status").code, 3)
        started = self.start()
        status = self.run_it("emulator", "status", "--output", "json").record
        self.assertEqual((status["endpoint"], status["pid"]), (started["endpoint"], started["pid"]))
        self.assertEqual(self.start()["pid"], started["pid"], "a second one was started")
        with urllib.request.urlopen(started["endpoint"] + "/_runctl/status", timeout=5) as answer:
            self.assertEqual(json.load(answer)["pid"], started["pid"])
        self.assertEqual(self.run_it("emulator", "stop").code, 0)
        self.assertEqual(self.run_it("emulator", "status").code, 3)
        self.assertFalse(cloud.is_running(started["pid"]))
        self.assertEqual(self.run_it("emulator", "stop").code, 0, "stopping what does not run is success")

    def test_volumes_outlive_it(self):
        environment = {"RUNCTL_EMULATOR": "1"}
        self.start()
        made = self.run_it("aws", "ebs", "create", "--size", "1", "--name", "kept", "--output", "id",
                           environment=environment)
        self.assertEqual(made.code, 0, made)
        self.assertIn("emulator at http://127.0.0.1", made.err)
        self.run_it("emulator", "stop")
        self.start()
        shown = self.run_it("aws", "ebs", "show", "kept", "--output", "id", environment=environment)
        self.assertEqual(shown.out, made.out, shown)

    def test_it_forgets_everything_when_told_to_and_nothing_else(self):
        self.cloud.start()
        volume = self.cloud.volume()
        kept = os.path.join(self.cloud.state, "mine.txt")
        with open(kept, "w", encoding="utf-8") as file:
            file.write("not the emulator's")
        asked = self.cloud.run("emulator", "reset", "--state", self.cloud.state)
        self.assertEqual(asked.code, 4, asked)
        self.assertEqual(self.cloud.run("aws", "ebs", "show", volume).code, 0, "it was only asked about")
        reset = self.cloud.run("emulator", "reset", "--state", self.cloud.state, "--yes")
        self.assertEqual(reset.code, 0, reset)
        self.assertIn("runctl emulator start", reset.out)
        self.assertEqual(sorted(os.listdir(self.cloud.state)), ["lock", "mine.txt"])
        self.assertIn("empty already", self.cloud.run("emulator", "reset", "--state", self.cloud.state, "--yes").out)
        self.cloud.stop()
        self.cloud.start()
        self.assertEqual(self.cloud.run("aws", "ebs", "show", volume).code, 3)
        elsewhere = self.cloud.run("emulator", "reset", "--state", self.cloud.directory, "--yes")
        self.assertEqual(elsewhere.code, 2, elsewhere)
        self.assertTrue(os.path.exists(kept))

    def test_it_tells_what_happened(self):
        self.assertEqual(self.cloud.run("emulator", "logs", "--state", self.cloud.state).code, 3)
        self.cloud.start()
        volume = self.cloud.volume()
        self.cloud.run("aws", "ebs", "show", "vol-0123456789abcdef0")
        logs = lambda *words: self.cloud.run("emulator", "logs", "--state", self.cloud.state, *words)
        self.assertIn(f"{volume}: creating -> available", logs().out)
        self.assertIn("DescribeVolumes: InvalidVolume.NotFound", logs().out)
        [made] = logs("--action", "CreateVolume", "--output", "json").out.splitlines()
        self.assertEqual(json.loads(made)["action"], "CreateVolume")
        self.assertEqual(len(logs("--tail", "2").out.splitlines()), 2)
        self.assertTrue(all(volume in line for line in logs("--id", volume).out.splitlines()))
        with subprocess.Popen([cloud.RUNCTL, "emulator", "logs", "--state", self.cloud.state, "--follow", "--tail", "1",
                               "--action", "CreateVolume"], stdout=subprocess.PIPE, text=True) as following:
            following.stdout.readline()
            self.cloud.volume()
            self.assertIn("CreateVolume", following.stdout.readline())
            following.send_signal(signal.SIGINT)
            self.assertEqual(following.wait(timeout=30), 0)

    def test_two_cannot_have_one_state(self):
        self.start()
        outcome = self.run_it("emulator", "run", "--port", "0", "--hardware", "none", timeout=20)
        self.assertEqual(outcome.code, 4, outcome)

    def test_a_port_that_is_taken_is_an_error_that_names_it(self):
        started = self.start()
        port = started["endpoint"].rsplit(":", 1)[1]
        other = self.cloud.run("emulator", "run", "--port", port, "--hardware", "none", "--state",
                               self.cloud.state + "-2", timeout=20)
        self.assertNotEqual(other.code, 0, other)
        self.assertIn(port, other.err)

    def test_machines_go_wrong_on_demand(self):
        self.cloud.start()
        machine = self.cloud.machine()
        def fault(*words):
            return self.cloud.run("emulator", "fault", *words, "--state", self.cloud.state, "--output", "json")

        offline = fault("add", machine, "agent-offline")
        self.assertEqual(offline.record["faults"], [f"{machine} agent-offline"], offline)
        self.assertEqual(fault("add", "*", "agent-slow", "ms=5").record["faults"][1:], ["* agent-slow ms=5"])
        self.assertEqual(fault("clear", machine).record["faults"], ["* agent-slow ms=5"])
        self.assertEqual(fault("add", "AttachVolume", "power-loss").code, 2)
        self.assertEqual(fault("add", "i-0123456789abcdef0", "power-loss").code, 3)
        lost = fault("add", machine, "power-loss")
        self.assertEqual((lost.code, lost.record["faults"]), (0, ["* agent-slow ms=5"]), lost)
        status = self.cloud.run("aws", "status", machine, "--output", "json")
        self.assertEqual(status.record["state"], "stopped", status)
        again = fault("add", machine, "power-loss")
        self.assertEqual(again.code, 4, again)
        self.assertIn("stopped", again.err + again.out)
        logs = self.cloud.run("emulator", "logs", "--state", self.cloud.state, "--id", machine, "--tail", "0").out
        self.assertRegex(logs, f"effect +boot {machine}\n(.*\n)*.*effect +cut-power {machine}\n")

    def test_a_killed_one_is_not_taken_for_running(self):
        started = self.start()
        os.kill(started["pid"], cloud.signal.SIGKILL)
        self.assertTrue(cloud.wait_until(lambda: self.run_it("emulator", "status").code == 3))
        self.assertNotEqual(self.start()["pid"], started["pid"])

    def test_a_request_without_a_signature_is_refused(self):
        started = self.start()
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(started["endpoint"] + "/", data=b"Action=DescribeVolumes&Version=2016-11-15", timeout=5)
        self.assertIn(caught.exception.code, (400, 401, 403))
        caught.exception.close()

    def test_a_state_that_cannot_be_read_is_not_overwritten(self):
        started = self.start()
        self.run_it("emulator", "stop")
        databases = [name for name in os.listdir(self.cloud.state) if name.endswith(".sqlite")]
        self.assertEqual(sorted(databases), ["s3.sqlite", "state.sqlite"], os.listdir(self.cloud.state))
        for name in databases:
            path = os.path.join(self.cloud.state, name)
            with open(path, "rb") as file:
                good = file.read()
            with open(path, "wb") as file:
                file.write(b"this is no database" * 100)
            outcome = self.run_it("emulator", "run", "--port", "0", "--hardware", "none", timeout=20)
            self.assertNotEqual(outcome.code, 0, started)
            self.assertTrue(outcome.err.startswith("Error: "), outcome)
            with open(path, "rb") as file:
                self.assertTrue(file.read().startswith(b"this is no database"))
            with open(path, "wb") as file:
                file.write(good)


if __name__ == "__main__":
    cloud.main()
