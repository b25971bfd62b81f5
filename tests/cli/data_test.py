"""The data of training runs that are in S3: staged before the run, once, whole or not at all. On both kinds of hardware."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
import sigv4

SCRIPT = r"""
import hashlib, os
top = os.environ["RUNCTL_DATA_DIR"]
for folder, folders, names in sorted(os.walk(top)):
    folders[:] = [one for one in folders if one not in ("lost+found",)]
    for name in sorted(names):
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            print("file", ascii(os.path.relpath(path, top)), hashlib.sha256(file.read()).hexdigest()[:16])
print("in", top)
"""
FILES = {"a.txt": b"one", "deep/er/b.bin": bytes(range(256)) * 300, "empty": b"", "with blank": b"two"}


class OnMachines:
    pace = "fast"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = os.path.join(cls.cloud.directory, "tree")
        for name, content in FILES.items():
            cloud.write_file(os.path.join(cls.tree, name), content)
        cls.script = os.path.join(cls.cloud.directory, "job", "show.py")
        cloud.write_file(cls.script, SCRIPT.encode())
        for words in (["s3", "create", "s3://data"], ["s3", "upload", cls.tree, "s3://data/set/", "--recursive"]):
            outcome = cls.cloud.run(*words)
            assert outcome.code == 0, outcome
        cls.machine = cls.cloud.machine()

    def train(self, *words, **options):
        return self.cloud.run("aws", "train", self.machine, self.script, *words, **options)

    def waited(self, *words):
        outcome = self.train("--wait", *words)
        self.assertEqual(outcome.code, 0, outcome)
        return outcome.out

    def assert_has_all(self, said):
        self.assertEqual(sum(line.startswith("file ") for line in said.splitlines()), len(FILES), said)
        self.assertIn("file 'deep/er/b.bin' ", said)
        self.assertIn("file 'empty' e3b0c44298fc1c14", said)

    def put_raw(self, path, content):
        status, _, answer = sigv4.S3(self.cloud.endpoint).call("PUT", f"/{path}", body=content)
        self.assertEqual(status, 200, answer)

    def test_it_lies_on_the_machines_disk_and_is_fetched_once(self):
        planned = self.train("--data-s3", "s3://data/set", "--dry-run")
        self.assertIn("download 4 objects (75.0 KiB) from s3://data/set to the machine's own disk", planned.out)
        said = self.waited("--data-s3", "s3://data/set")
        self.assert_has_all(said)
        self.assertRegex(said, r"in /.*/data/data-[0-9a-f]{16}\n")
        again = self.train("--data-s3", "s3://data/set", "--output", "json")
        self.assertEqual(again.code, 0, again)
        data = again.record["data"]
        self.assertEqual((data["files"], data["already"], data["left_out"]), (0, len(FILES), 0))

    def test_a_volume_gets_it(self):
        volume = self.cloud.volume("--filesystem", "ext4", "--name", "for-data")
        self.cloud.run("aws", "ebs", "attach", volume, "--instance", self.machine, "--mount", "/for-data", "--format", "ext4")
        said = self.waited("--data-s3", "s3://data/set", "--data-volume", "for-data")
        self.assert_has_all(said)
        self.assertIn("in /", said)
        self.assertNotIn("/data/data-", said)
        again = self.train("--data-s3", "s3://data/set/", "--data-volume", "for-data", "--output", "json")
        self.assertEqual((again.record["data"]["files"], again.record["data"]["already"]), (0, len(FILES)), again)
        shared = self.train("--data-s3", "s3://data/set", "--data-volume", "for-data", "--checkpoint-volume", "for-data")
        self.assertEqual(shared.code, 4, shared)
        self.assertIn("is to hold both the data of S3 and the checkpoints", shared.err)

    def test_a_run_whose_data_are_not_whole_is_not_started(self):
        """What is listed has a size; a folder stands where the object would be."""
        self.put_raw("data/torn/a", b"one")
        self.assertIn("file 'a'", self.waited("--data-s3", "s3://data/torn"))
        self.put_raw("data/torn/a/b", b"two")
        runs = self.cloud.run("runs", "list", "--output", "json").record["runs"]
        outcome = self.train("--data-s3", "s3://data/torn", "--wait")
        self.assertEqual(outcome.code, 4, outcome)
        self.assertIn("1 object below s3://data/torn could not be downloaded", outcome.err)
        self.assertIn("a/b: a file is where a directory of its path would be", outcome.err)
        self.assertIn("The run is not started", outcome.err)
        self.assertEqual(len(self.cloud.run("runs", "list", "--output", "json").record["runs"]), len(runs))

    def test_keys_that_cannot_be_files_are_left_out_and_named(self):
        self.put_raw("data/odd/good", b"one")
        self.put_raw("data/odd/../../etc/passwd", b"two")
        outcome = self.train("--data-s3", "s3://data/odd", "--wait")
        self.assertEqual(outcome.code, 0, outcome)
        self.assertIn("file 'good'", outcome.out)
        self.assertNotIn("passwd", outcome.out)
        self.assertIn("Left out: odd/../../etc/passwd", outcome.err)

    def test_what_is_not_there(self):
        for uri, code in (("s3://data/nothing-here", 3), ("s3://no-such-bucket-here/x", 3), ("data/set", 2)):
            with self.subTest(uri):
                outcome = self.train("--data-s3", uri)
                self.assertEqual(outcome.code, code, outcome)


class OnDirectories(OnMachines, cloud.CloudTest):
    hardware = "files"


@unittest.skipIf(cloud.block_hardware_missing(), cloud.block_hardware_missing())
class OnBlockHardware(OnMachines, cloud.CloudTest):
    hardware = "block"

    def test_a_sealed_volume_is_not_downloaded_to(self):
        volume = self.cloud.volume("--filesystem", "ext4", "--name", "sealed-data")
        for words in (("attach", volume, "--instance", self.machine, "--mount", "/sealed-data", "--format", "ext4"),
                      ("seal", volume)):
            outcome = self.cloud.run("aws", "ebs", *words, "--yes")
            self.assertEqual(outcome.code, 0, outcome)
        refused = self.train("--data-s3", "s3://data/set", "--data-volume", "sealed-data")
        self.assertEqual(refused.code, 4, refused)
        self.assertIn("is sealed, and nothing can be downloaded to it", refused.err)
        self.assertIn("leave out --data-s3", refused.err)


if __name__ == "__main__":
    unittest.main()
