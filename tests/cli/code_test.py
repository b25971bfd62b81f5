"""The code of a training run: what of a project gets to a machine, how often, and what never does. On both kinds of
hardware."""
import ast
import os
import random
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

# Prints what is in its folder: a line for each file, with its mode and content, and each link.
LIST = r"""
import os
for folder, folders, names in sorted(os.walk(".")):
    for name in sorted(names + [f for f in folders if os.path.islink(os.path.join(folder, f))]):
        path = os.path.join(folder, name)
        if os.path.islink(path):
            print("link", ascii(path), os.readlink(path))
        else:
            with open(path, "rb") as file:
                print("file", ascii(path), oct(os.stat(path).st_mode & 0o777), ascii(file.read()[:40]))
"""


class Code:
    """What holds on both kinds of hardware."""

    pace = "fast"

    def setUp(self):
        self.home = self.cloud.directory
        self.project = os.path.join(self.home, f"project-{self.id().rpartition('.')[2]}")
        os.makedirs(self.project)
        self.write("list.py", LIST)
        self.machine = self.cloud.machine()

    def write(self, path, content="", mode=None):
        full = os.path.join(self.project, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        if mode is not None:
            os.chmod(full, mode)

    def train(self, *words, script="list.py", machine=None, **options):
        return self.cloud.run("aws", "train", machine or self.machine, os.path.join(self.project, script), *words,
                              **options)

    def waited(self, *words, **options):
        return self.succeeded(self.train("--wait", *words, **options))

    def listed(self, outcome):
        """The paths of the files, and all lines."""
        quoted = r"""^(?:file|link) ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
        return [ast.literal_eval(name) for name in re.findall(quoted, outcome.out, re.M)]

    def test_first_unchanged_changed_and_deleted(self):
        self.write("pkg/a.py", "A = 1")
        self.write("pkg/b.py", "B = 1")
        first = self.waited()
        self.assertEqual(self.listed(first), ["./list.py", "./pkg/a.py", "./pkg/b.py"])
        self.assertRegex(first.err, r"Sending 3 of 3 files \(.* compressed\) to i-")

        before = self.cloud.requests().count("SendCommand")
        second = self.succeeded(self.train("--output", "json")).record["code"]
        self.assertEqual((second["sent_files"], second["way"], second["files"]), (0, "none", 3))
        self.assertEqual(self.cloud.requests().count("SendCommand") - before, 2, "the code, and the start")

        self.write("pkg/a.py", "A = 2")
        planned = self.succeeded(self.train("--dry-run", "--output", "json")).record
        self.assertEqual(planned["code"]["to_send"], ["pkg/a.py"])
        third = self.waited()
        self.assertIn("Sending 1 of 3 files", third.err)
        self.assertIn("A = 2", third.out)

        shutil.rmtree(os.path.join(self.project, "pkg"))
        self.write("pkg", "a file by now")
        fourth = self.waited()
        self.assertEqual(self.listed(fourth), ["./list.py", "./pkg"])

    def test_names_links_modes_and_secrets(self):
        hostile = "it's \"a\"\n $(id) \\ \t*"
        self.write(f"d/{hostile}", "x")
        self.write("übung/naïve.sh", "y", mode=0o755)
        self.write(".env", "TOKEN=do-not-send-me")
        self.write("keys/a.pem", "do-not-send-me")
        os.symlink("d", os.path.join(self.project, "inside"))
        os.symlink("/etc/hostname", os.path.join(self.project, "outside"))
        os.symlink("../..", os.path.join(self.project, "d", "above"))
        done = self.waited()
        self.assertEqual(self.listed_text(done), sorted([
            f"file {ascii('./d/' + hostile)} 0o644 b'x'",
            "link './inside' d",
            f"file {ascii('./übung/naïve.sh')} 0o755 b'y'"]))
        self.assertNotIn("do-not-send-me", done.out)
        self.assertIn("has the name of a secret: .env, keys/a.pem.", done.err)
        self.assertIn("leads out of the project: d/above, outside.", done.err)
        named = self.waited("--include-pattern", "keys/a.pem")
        self.assertIn("./keys/a.pem", self.listed(named))
        self.assertNotIn("./.env", self.listed(named))

    def listed_text(self, outcome):
        return sorted(line for line in outcome.out.splitlines() if line.startswith(("file ", "link "))
                      and "list.py" not in line)

    def test_rules_and_patterns(self):
        self.write(".gitignore", "data/\n*.log\n")
        self.write(".runctlignore", "docs/\n")
        for path in ("data/x.csv", "docs/page.md", "a.log", "a.py"):
            self.write(path)
        self.assertEqual(self.listed(self.waited()), ["./.gitignore", "./.runctlignore", "./a.py", "./list.py"])
        self.assertEqual(self.listed(self.waited("--include-pattern", "data", "--include-pattern", "docs/*.md")),
                         ["./.gitignore", "./.runctlignore", "./a.py", "./list.py", "./data/x.csv", "./docs/page.md"])
        alone = self.waited("--no-sync-code")
        self.assertEqual(self.listed(alone), ["./list.py"])
        self.refused(self.train("--no-sync-code", "--include-pattern", "x"), "--include-pattern", code=2)
        self.refused(self.train("--no-sync-code", "--sync-code"), "exclude each other", code=2)

    def test_the_run_starts_in_the_root_with_its_arguments(self):
        self.write("pyproject.toml")
        self.write("jobs/deep/go.py", "import os, sys; print(os.path.exists('pyproject.toml'), sys.argv)")
        done = self.waited("--", "a b", "$(id)", "", "it's", script="jobs/deep/go.py")
        self.assertIn("""True ['jobs/deep/go.py', 'a b', '$(id)', '', "it's"]""", done.out)
        self.write("jobs/go.sh", "#!/bin/sh\necho \"$0: $*\"\n", mode=0o755)
        self.assertIn("./jobs/go.sh: a b", self.waited("--", "a b", script="jobs/go.sh").out)

    @cloud.unittest.skipUnless(shutil.which("git"), "this machine has no git")
    def test_a_git_repository_is_what_git_tracks(self):
        git = lambda *words: subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=self.project, check=True,
            capture_output=True, text=True, env=self.cloud.environment).stdout.strip()
        git("init", "-q", ".")
        self.write("src/go.py", "import os; print(os.environ['RUNCTL_GIT_COMMIT'])\n" + LIST)
        self.write(".gitignore", "*.bin\n")
        self.write("kept.bin")
        self.write("lost.bin")
        git("add", "-f", "src/go.py", ".gitignore", "kept.bin")
        git("commit", "-q", "-m", "x")
        self.write("new.py")
        done = self.waited(script="src/go.py")
        self.assertEqual(self.listed(done), ["./.gitignore", "./kept.bin", "./list.py", "./new.py", "./src/go.py"])
        self.assertIn(git("rev-parse", "HEAD"), done.out)

    def test_a_run_that_runs_is_not_touched_by_a_later_sync(self):
        body = ("import os, sys, time\n"
                "first = open('value').read()\n"
                "print('started in', os.getcwd(), flush=True)\n"
                "while not os.path.exists('go'): time.sleep(0.05)\n"
                "print('saw', first, open('value').read(), sorted(os.listdir('.')), flush=True)\n")
        self.write("hold.py", body)
        self.write("value", "one")
        started = self.succeeded(self.train("--output", "json", script="hold.py")).record
        folder = started["code"]["directory"]
        log = lambda: self.cloud.run("aws", "status", self.machine).out
        self.assertTrue(cloud.wait_until(lambda: "started in" in log(), 30), log())
        self.write("value", "two")
        self.write("more", "new")
        os.remove(os.path.join(self.project, "list.py"))
        self.write("look.py", "import sys; print(open('value').read()); open(sys.argv[1] + '/go', 'w')")
        second = self.waited("--", folder, script="look.py")
        self.assertIn("two", second.out)
        self.assertTrue(cloud.wait_until(lambda: "saw one one" in log() or "succeeded" in log(), 30), log())
        self.assertNotIn("'more'", log())

    def test_a_sync_that_is_killed_in_the_middle_starts_nothing_and_is_made_good(self):
        self.write("noise.bin", random.Random(7).randbytes(1_200_000))
        self.write("value", "one")
        self.waited("--no-sync-code")
        sent = lambda: self.cloud.requests().count("SendCommand")
        runs = lambda: self.cloud.run("aws", "status", self.machine).out
        before, known = sent(), runs().count("run-")
        process = subprocess.Popen([cloud.RUNCTL, "aws", "train", self.machine, os.path.join(self.project, "list.py")],
                                   env=self.cloud.environment, cwd=self.home, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.assertTrue(cloud.wait_until(lambda: sent() - before >= 8, 60), "nothing is sent")
        process.send_signal(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.assertEqual(runs().count("run-"), known, "a run was started")
        self.write("value", "two")
        again = self.waited()
        self.assertEqual(self.listed(again), ["./list.py", "./noise.bin", "./value"])
        self.assertIn("b'two'", again.out)
        # What was sent before it was killed is in nobody's way, and no run has half of it.
        self.assertIn("has all 3 files", self.waited().err)

    def test_what_is_too_large_is_refused_before_anything_happens(self):
        self.write("huge.bin", random.Random(7).randbytes(3_000_000))
        before = self.cloud.requests().count("SendCommand")
        self.refused(self.train("--code-limit", "1MiB"), "above the limit of 1.0 MiB", "huge.bin: 2.9 MiB",
                     ".runctlignore", code=2)
        self.assertEqual(self.cloud.requests().count("SendCommand"), before, "the machine was asked")
        self.refused(self.train(), "can be sent as commands", "huge.bin: 2.9 MiB", "--code-bucket", code=2)

    def test_much_code_goes_through_a_bucket_that_is_empty_afterwards(self):
        self.write("huge.bin", random.Random(7).randbytes(3_000_000))
        bucket = "code-" + re.sub(r"[^a-z]", "", self.hardware)
        self.succeeded(self.cloud.run("s3", "create", f"s3://{bucket}"))
        done = self.waited("--code-bucket", bucket)
        self.assertIn(f"through s3://{bucket}", done.err)
        self.assertEqual(self.listed(done), ["./huge.bin", "./list.py"])
        left = self.succeeded(self.cloud.run("s3", "list", f"s3://{bucket}/", "--recursive", "--output", "json"))
        self.assertNotIn("runctl-code", left.out)


class OnDirectories(Code, cloud.CloudTest):
    hardware = "files"


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockDevices(Code, cloud.CloudTest):
    hardware = "block"


if __name__ == "__main__":
    cloud.main()
