"""Names that would do something, were they ever run, on real machines over SSM. Needs root."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import machines

# Mount points may hold anything printable; a line end is refused before anything is sent.
NAMES = ["/data/it's here", '/data/"quoted"', "/data/$(touch pwned)", "/data/`touch pwned`", "/data/a;touch pwned", "/data/*",
         "/data/-rf", "/data/back\\slash\\040", "/data/日本 ü", "/data/" + "n" * 255, "/data/%s%n", "/data/&& touch pwned"]


@cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class HostileNames(cloud.CloudTest):
    hardware = "block"

    def test_any_mount_point_arrives_unchanged_and_runs_nothing(self):
        machine = self.cloud.machine()
        volume = self.cloud.volume()
        words = ["aws", "ebs", "attach", volume, "--instance", machine, "--output", "json", "--mount"]
        for number, name in enumerate(NAMES):
            with self.subTest(name):
                mounted = self.succeeded(self.cloud.run(*words, name, *(["--format", "ext4"] if number == 0 else []))).record
                self.assertIn(name, mounted.values(), mounted)
                # The kernel's own word for it, in which blanks and backslashes are octal.
                table = machines.run_on(self.cloud.state, machine, "cat /proc/self/mountinfo")
                point = name.replace("\\", "\\134").replace(" ", "\\040")
                self.assertIn(f" {point} ", table)
                self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        pwned = machines.run_on(self.cloud.state, machine, "find / -xdev -name 'pwned*' 2>/dev/null; true")
        self.assertEqual(pwned, "")

    def test_a_mount_point_with_a_line_end_is_refused(self):
        machine = self.cloud.machine()
        volume = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        before = self.cloud.requests().count("SendCommand")
        outcome = self.cloud.run("aws", "ebs", "mount", volume, "/data/a\ntouch pwned")
        self.assertEqual(outcome.code, 2, outcome)
        self.assertEqual(self.cloud.requests().count("SendCommand"), before)

    def test_arguments_of_a_run_arrive_unchanged(self):
        machine = self.cloud.machine()
        script = os.path.join(self.cloud.directory, "show it.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write("import sys\nfor word in sys.argv[1:]:\n    print(word.encode().hex())\n")
        words = ["a b", "it's", '"q"', "$(touch pwned)", "`touch pwned`", "; touch pwned", "line\nbreak", "日本", "x" * 255, "", "*", "-n"]
        outcome = self.cloud.run("aws", "train", machine, script, "--wait", "--", *words)
        self.succeeded(outcome)
        for word in words:
            self.assertIn(word.encode().hex(), outcome.out + outcome.err)
        self.assertEqual(machines.run_on(self.cloud.state, machine, "find / -xdev -name 'pwned*' 2>/dev/null; true"), "")


if __name__ == "__main__":
    cloud.main()
