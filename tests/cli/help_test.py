"""The command line itself: help, versions, words that are wrong."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

COMMANDS = """init
quickstart
aws create
aws list
aws status
aws wait
aws train
aws monitor
aws processes
aws start
aws stop
aws terminate
aws ebs create
aws ebs list
aws ebs show
aws ebs attach
aws ebs detach
aws ebs move
aws ebs mount
aws ebs unmount
aws ebs snapshot
aws ebs snapshots
aws ebs restore
aws ebs clone
aws ebs seal
aws ebs unseal
aws ebs verify
aws ebs warm
aws ebs pre-warm
aws ebs modify
aws ebs protect
aws ebs unprotect
aws ebs delete
aws ebs check
aws ebs advise
s3 upload
s3 download
s3 sync
s3 list
s3 copy
s3 remove
s3 cleanup
s3 presign
s3 cat
s3 du
s3 create
checkpoint list
checkpoint info
checkpoint verify
checkpoint resume
checkpoint cleanup
local
workflow train
runs list
runs show
runs logs
runs stop
monitor
operations list
operations show
operations resume
operations abandon
emulator run
emulator start
emulator stop
emulator status
emulator reset
emulator logs
emulator fault add
emulator fault list
emulator fault clear
config show
config validate
completion
help""".split("\n")


class Help(cloud.unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = cloud.Cloud()
        cls.addClassCleanup(cls.cloud.remove)

    def test_the_version_is_one_line(self):
        outcome = self.cloud.run("--version")
        self.assertEqual(outcome.code, 0)
        self.assertRegex(outcome.out, r"^runctl \d+\.\d+\.\d+\n$")

    def test_help_lists_every_command_and_each_has_its_page(self):
        outcome = self.cloud.run("--help")
        self.assertEqual(outcome.code, 0)
        listed = re.findall(r"^  ([a-z][a-z0-9 -]*[a-z])  ", outcome.out, re.M)
        self.assertEqual(listed, COMMANDS)
        for command in COMMANDS:
            page = self.cloud.run(*command.split(), "--help")
            self.assertEqual(page.code, 0, page)
            self.assertIn(f"Usage: runctl {command}", page.out)
            name = command.removeprefix("aws ebs ").removeprefix("aws ").removeprefix("emulator ")
            self.assertTrue(len(page.out.splitlines()) > 5, f"the page of {name} is empty")
            self.assertLessEqual(max(map(len, page.out.splitlines())), 120, page.out)

    def test_the_reference_has_every_command_with_all_that_its_page_has(self):
        reference = self.cloud.run("help", "reference")
        self.assertEqual(reference.code, 0, reference)
        self.assertEqual(re.findall(r"^## runctl (.+)$", reference.out, re.M), COMMANDS)
        for command in COMMANDS:
            page = self.cloud.run(*command.split(), "--help").out.splitlines()[2:-1]
            self.assertIn("\n".join(page).strip(), reference.out)
        for option in ("--profile NAME", "--yes", "--timeout DURATION"):
            self.assertIn(option, reference.out)

    def test_on_a_terminal_it_fits(self):
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 72, 0, 0))
        process = subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "attach", "--help"], stdout=follower,
                                   env=self.cloud.environment)
        os.close(follower)
        page = b""
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                piece = b""
            if not piece:
                break
            page += piece
        os.close(leader)
        self.assertEqual(process.wait(timeout=30), 0)
        lines = page.decode().splitlines()
        self.assertGreater(len(lines), 20)
        too_long = [line for line in lines if len(line) > 72 and not line.startswith("  runctl ")]
        self.assertEqual(too_long, [])

    def test_help_is_the_same_by_all_its_names(self):
        page = self.cloud.run("aws", "ebs", "attach", "--help").out
        self.assertEqual(self.cloud.run("help", "aws", "ebs", "attach").out, page)
        self.assertEqual(self.cloud.run("aws", "ebs", "attach", "-h").out, page)

    def test_a_group_lists_its_commands(self):
        outcome = self.cloud.run("aws", "ebs", "--help")
        self.assertEqual(outcome.code, 0)
        self.assertIn("aws ebs attach", outcome.out)
        self.assertNotIn("emulator run", outcome.out)

    def test_a_topic_is_a_section_of_the_guide(self):
        outcome = self.cloud.run("help", "held-volume")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertTrue(outcome.out.startswith("## Held volume"))
        self.assertNotIn("## Multi-Attach", outcome.out)
        missing = self.cloud.run("help", "nonsense")
        self.assertEqual(missing.code, 3)

    def test_every_section_that_a_refusal_names_is_in_the_guide(self):
        sources = os.path.join(cloud.ROOT, "src")
        anchors = set()
        for directory, _, files in os.walk(sources):
            for name in files:
                if name.endswith((".cpp", ".hpp")) and not name.endswith("_test.cpp"):
                    with open(os.path.join(directory, name), encoding="utf-8") as file:
                        anchors.update(re.findall(r"EBS_CONCURRENT_ACCESS\.md#([a-z-]+)", file.read()))
        anchors.update(["held-volume", "wrong-zone", "volume-states", "instance-states", "attachment-limits",
                        "device-names", "managed-volumes", "unreachable-machine", "multi-attach", "root-volumes"])
        for anchor in sorted(anchors):
            self.assertEqual(self.cloud.run("help", anchor).code, 0, anchor)

    def test_wrong_words_are_usage_errors_that_name_the_nearest_right_one(self):
        for words, text in [
            (["aws", "ebs", "atach"], "Did you mean 'runctl aws ebs attach'?"),
            (["aws", "ebs", "create", "--sise", "5"], "Did you mean --size?"),
            (["aws", "ebs", "attach"], "needs VOLUME"),
            (["aws", "ebs", "show", "a", "b"], "'b' is one word too many"),
            (["aws", "ebs", "create"], "needs --size"),
            (["aws", "ebs", "create", "--size", "many"], "Not a size in GiB: 'many'"),
            (["aws", "ebs", "create", "--size", "8", "--type", "gp33"], "Did you mean 'gp3'?"),
            (["aws", "ebs", "attach", "v", "--instance", "i", "--mount", "data"], "absolute path"),
            (["aws", "list", "--output", "yaml"], "text, json or id"),
            (["aws", "list", "--timeout", "soon"], "Not a duration"),
            (["--nonsense"], "no option '--nonsense'"),
            (["emulator", "run", "--port", "99999"], "from 0 to 65535"),
        ]:
            outcome = self.cloud.run(*words)
            self.assertEqual(outcome.code, 2, (words, outcome))
            self.assertIn(text, outcome.err, words)
            self.assertEqual(outcome.out, "", words)

    def test_a_group_alone_is_a_usage_error_with_the_commands(self):
        outcome = self.cloud.run("aws", "ebs")
        self.assertEqual(outcome.code, 2)
        self.assertIn("aws ebs attach", outcome.err)

    def test_no_words_are_a_question_for_help(self):
        outcome = self.cloud.run()
        self.assertEqual(outcome.code, 0)
        self.assertIn("runctl quickstart", outcome.out)

    def test_errors_are_records_under_json(self):
        outcome = self.cloud.run("aws", "ebs", "create", "--output", "json")
        self.assertEqual(outcome.code, 2)
        self.assertEqual(outcome.record["error"]["code"], "invalid_argument")
        self.assertEqual(outcome.err, "")

    def test_the_configuration_is_checked_with_line_and_column(self):
        path = os.path.join(self.cloud.directory, ".runctl.toml")
        for text, message in [
            ("[aws]\nregoin = 'x'\n", "2:1: unknown key 'regoin'"),
            ("[aws\n", "1:5"),
            ("[aws]\nendpoint = 'http://elsewhere'\n", "2:12"),
            ("[aws]\nregion = 5\n", "2:10"),
        ]:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            outcome = self.cloud.run("aws", "list")
            self.assertEqual(outcome.code, 2, outcome)
            self.assertIn(message, outcome.err)
        os.remove(path)


if __name__ == "__main__":
    cloud.main()
