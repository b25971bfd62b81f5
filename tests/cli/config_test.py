"""Settings: written, found, shown with their origin, refused with line and column; and the shells' completion."""
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class Configured(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="runctl-test-")
        self.addCleanup(shutil.rmtree, self.home)
        self.project = os.path.join(self.home, "project", "deep")
        os.makedirs(self.project)
        self.environment = cloud.base_environment(self.home)

    def run_in(self, *words, directory=None, **environment):
        return cloud.Outcome(subprocess.run([cloud.RUNCTL, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                            env={**self.environment, **environment}, cwd=directory or self.project))

    def write(self, path, text):
        path = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def shown(self, *words, **environment):
        outcome = self.run_in("config", "show", *words, "--output", "json", **environment)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome.record


class Show(Configured):
    def test_nothing_is_configured(self):
        record = self.shown()
        self.assertEqual(record["region"]["value"], None)
        self.assertEqual(record["emulator"], {"value": "off", "from": "default"})
        self.assertEqual(record["files"], [])
        self.assertIn("runctl init", self.run_in("config", "show").out)

    def test_each_source_gives_way_to_the_one_before_it(self):
        user = self.write(".config/runctl/config.toml", '[aws]\nregion = "eu-west-1"\nprofile = "work"\n')
        self.assertEqual(self.shown()["region"], {"value": "eu-west-1", "from": f"{user}:2"})
        project = self.write("project/.runctl.toml", '[aws]\nregion = "eu-west-2"\n')
        self.assertEqual(self.shown()["region"], {"value": "eu-west-2", "from": f"{project}:2"})
        self.assertEqual(self.shown()["profile"]["value"], "work")
        self.assertEqual(self.shown()["files"], [project, user])
        environment = self.shown(AWS_REGION="eu-west-3")["region"]
        self.assertEqual(environment, {"value": "eu-west-3", "from": "environment variable AWS_REGION"})
        flag = self.shown("--region", "eu-north-1", AWS_REGION="eu-west-3")["region"]
        self.assertEqual(flag, {"value": "eu-north-1", "from": "--region"})

    def test_the_emulator_has_its_own(self):
        record = self.shown("--emulator", "--state", os.path.join(self.home, "state"), AWS_PROFILE="nowhere")
        self.assertNotIn("profile", record)
        self.assertEqual(record["region"], {"value": "us-east-1", "from": "the emulator's default"})
        self.assertEqual(record["credentials"], {"value": "found", "from": "the emulator's own"})
        self.assertEqual(record["endpoint"], {"value": None, "from": "it is started when it is needed"})

    def test_secrets_are_not_shown(self):
        outcome = self.run_in("config", "show", "--output", "json", AWS_ACCESS_KEY_ID="AKIDEXAMPLE",
                              AWS_SECRET_ACCESS_KEY="do-not-print-me", AWS_REGION="eu-west-1")
        self.assertEqual(outcome.record["credentials"]["from"], "environment variable AWS_ACCESS_KEY_ID")
        self.assertNotIn("do-not-print-me", outcome.out + outcome.err)

    def test_the_emulator_says_who_asked_for_it(self):
        self.assertEqual(self.shown("--emulator")["emulator"], {"value": "on", "from": "--emulator"})
        path = self.write("project/.runctl.toml", '[aws]\nendpoint = "emulator"\n')
        self.assertEqual(self.shown()["emulator"], {"value": "on", "from": f"{path}:2"})


class Wrong(Configured):
    def test_every_command_names_line_and_column(self):
        for text, where, what in (
                ('[aws]\nregion = \n', ":2:", ""),
                ('[aws]\nregoin = "x"\n', ":2:1", "region"),
                ('[aws]\nregion = 5\n', ":2:10", "takes a text"),
                ('[awz]\n', ":1:", "aws"),
                ('aws = 3\n', ":1:", "[aws]"),
                ('[aws]\nendpoint = "http://elsewhere"\n', ":2:12", "--endpoint-url"),
                ('[s3]\nbucket = "elsewhere"\n', ":2:10", "--code-bucket"),
                ('[aws]\nregion = "a"\nregion = "b"\n', ":3:", "")):
            with self.subTest(text=text):
                path = self.write("project/.runctl.toml", text)
                for command in (["config", "validate"], ["aws", "list"]):
                    outcome = self.run_in(*command)
                    self.assertEqual(outcome.code, 2, outcome)
                    self.assertIn(path + where, outcome.err)
                    self.assertIn(what, outcome.err)

    def test_a_file_that_is_named_must_be_there(self):
        outcome = self.run_in("config", "validate", "--config", "nowhere.toml")
        self.assertEqual(outcome.code, 3, outcome)
        self.assertIn("nowhere.toml", outcome.err)

    def test_a_directory_is_no_file(self):
        os.makedirs(os.path.join(self.home, "project", ".runctl.toml"))
        outcome = self.run_in("config", "validate")
        self.assertNotEqual(outcome.code, 0, outcome)
        self.assertIn(".runctl.toml", outcome.err)

    def test_good_files_are_named(self):
        path = self.write("project/.runctl.toml", '[aws]\nregion = "eu-west-1"\n')
        outcome = self.run_in("config", "validate")
        self.assertEqual((outcome.code, outcome.out), (0, f"{path}: good\n"))


class Init(Configured):
    def test_it_writes_what_every_command_then_reads(self):
        refused = self.run_in("init")
        self.assertEqual(refused.code, 4, refused)
        self.assertIn("--yes", refused.err)
        path = os.path.join(self.project, ".runctl.toml")
        self.assertEqual(self.run_in("init", "--yes", "--dry-run").code, 0)
        self.assertFalse(os.path.exists(path))
        wrote = self.run_in("init", "--yes")
        self.assertEqual(wrote.code, 0, wrote)
        self.assertEqual(self.shown()["emulator"], {"value": "on", "from": f"{path}:4"})
        again = self.run_in("init", "--yes", "--region", "eu-west-1")
        self.assertIn("nothing was changed", again.out)
        self.assertEqual(self.shown()["region"]["value"], "us-east-1")

    def test_a_profile_means_aws(self):
        self.assertEqual(self.run_in("init", "--yes", "--profile", "re\"se\\arch", "--region", "eu-west-1").code, 0)
        record = self.shown()
        self.assertEqual(record["profile"]["value"], "re\"se\\arch")
        self.assertEqual(record["emulator"]["value"], "off")

    def test_a_region_that_is_none_is_refused_and_nothing_written(self):
        outcome = self.run_in("init", "--yes", "--region", "not a region")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertFalse(os.path.exists(os.path.join(self.project, ".runctl.toml")))

    def test_on_a_terminal_it_asks(self):
        master, terminal = pty.openpty()
        process = subprocess.Popen([cloud.RUNCTL, "init"], stdin=terminal, stdout=subprocess.PIPE, stderr=terminal,
                                   env=self.environment, cwd=self.project)
        os.close(terminal)
        os.write(master, b"aws\neu-west-1\nresearch\n")
        out, _ = process.communicate(timeout=30)
        os.close(master)
        self.assertEqual(process.returncode, 0, out)
        self.assertIn(b'profile = "research"', out)
        self.assertEqual(self.shown()["region"]["value"], "eu-west-1")


class Completion(Configured):
    def completed(self, line):
        script = self.run_in("completion", "bash")
        self.assertEqual(script.code, 0)
        words = line.split(" ")
        said = subprocess.run(["bash", "-c", script.out + f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); "
                               f"COMP_CWORD={len(words) - 1}; _runctl; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                              capture_output=True, text=True, check=True)
        self.assertEqual(said.stderr, "")
        return said.stdout.split()

    def test_bash_completes_groups_commands_and_options(self):
        self.assertIn("aws", self.completed("runctl "))
        self.assertEqual(self.completed("runctl aws eb"), ["ebs"])
        self.assertEqual(sorted(self.completed("runctl aws ebs de")), ["delete", "detach"])
        self.assertEqual(self.completed("runctl aws ebs attach vol-1 --inst"), ["--instance"])
        self.assertIn("--output", self.completed("runctl -q aws ebs attach --o"))

    def test_the_other_shells_accept_their_scripts(self):
        for shell in ("zsh", "fish"):
            script = self.run_in("completion", shell)
            self.assertEqual(script.code, 0)
            self.assertIn("runctl", script.out)
            with self.subTest(shell=shell):
                if not shutil.which(shell):
                    self.skipTest(f"needs {shell}")
                subprocess.run([shell, "-n", "-c", script.out], check=True)
        self.assertEqual(self.run_in("completion", "tcsh").code, 2)


if __name__ == "__main__":
    cloud.main()
