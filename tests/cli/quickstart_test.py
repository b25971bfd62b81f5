"""The tour runs from start to end and leaves nothing behind."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class Tour(cloud.unittest.TestCase):
    def tour(self, *words):
        home = cloud.Cloud()
        self.addCleanup(home.remove)
        outcome = home.run("quickstart", *words, environment={"TMPDIR": home.directory}, timeout=180)
        self.assertEqual(outcome.code, 0, outcome)
        self.assertEqual(cloud.loop_devices_under(home.directory), [])
        self.assertEqual(cloud.mounts_under(home.directory), [])
        self.assertEqual(cloud.processes_naming(home.directory), [])
        self.assertEqual(os.listdir(home.directory), [])  # its home, and its place for temporary files
        self.assertEqual([name for name in os.listdir("/tmp") if name.startswith("runctl-quickstart")], [])
        return outcome

    def check(self, outcome):
        text = outcome.out
        self.assertRegex(text, r"Error: Volume vol-[0-9a-f]{17} is already attached to instance i-[0-9a-f]{17}\.")
        self.assertIn("Detach it first or use a different volume.", text)
        finals = re.findall(r"accuracy=([0-9.]+) sha256=([0-9a-f]{64})", text)
        self.assertGreaterEqual(len(finals), 2, text)
        self.assertEqual(len({digest for _, digest in finals}), 1, "the resumed model differs")
        self.assertGreater(float(finals[-1][0]), 0.95)
        self.assertIn("They are the same, bit for bit", text)

    def test_on_directories(self):
        self.check(self.tour("--hardware", "files"))

    @cloud.unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
    def test_on_block_devices(self):
        self.check(self.tour("--hardware", "block"))


if __name__ == "__main__":
    cloud.main()
