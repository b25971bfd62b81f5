"""The commands that stand in the documents that users have, typed into a shell exactly as they stand there."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class DocumentedCommands(cloud.CloudTest):
    # Directories stand for volumes: it is about words, and everybody can run it.
    hardware = "files"
    pace = "fast"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.programs = os.path.join(cls.cloud.directory, "bin")
        os.mkdir(cls.programs)
        os.symlink(cloud.RUNCTL, os.path.join(cls.programs, "runctl"))

    def typed(self, line, **variables):
        """What a shell makes of a line, with these variables set."""
        environment = {**self.cloud.environment, **variables}
        environment["PATH"] = self.programs + ":" + environment["PATH"]
        return cloud.Outcome(subprocess.run(["/bin/sh", "-euc", line], capture_output=True, text=True, timeout=120,
                                            stdin=subprocess.DEVNULL, env=environment, cwd=self.cloud.directory,
                                            check=False))

    def says(self, line, **variables):
        return self.succeeded(self.typed(line, **variables)).out

    def volume_shown(self, volume):
        return self.succeeded(self.cloud.run("aws", "ebs", "show", volume, "--output", "json")).record

    def test_create(self):
        volume = self.says("runctl aws ebs create --size 8 --output volume-id").strip()
        shown = self.volume_shown(volume)
        self.assertEqual((shown["size_gib"], shown["type"], shown["multi_attach"]), (8, "gp3", False))
        for kind, size in (("gp3", 1), ("gp2", 1), ("io1", 4), ("io2", 4), ("st1", 125), ("sc1", 125), ("standard", 1)):
            with self.subTest(kind):
                made = self.says(f"runctl aws ebs create --size {size} --type {kind} --name the-{kind} --output id").strip()
                self.assertEqual(self.volume_shown(f"the-{kind}")["volume_id"], made)
                self.assertEqual(self.volume_shown(made)["type"], kind)
        self.assertEqual((self.volume_shown("the-io1")["iops"], self.volume_shown("the-io2")["iops"]), (200, 3000))
        for kind in ("io1", "io2"):
            with self.subTest(kind + " with Multi-Attach"):
                made = self.typed(f"runctl aws ebs create --size 100 --type {kind} --multi-attach --name shared-{kind}")
                self.assertIn("3000, as nothing else is said with --iops (the volume costs about $", self.succeeded(made).err)
                self.assertTrue(self.volume_shown(f"shared-{kind}")["multi_attach"])
        for kind in ("gp3", "gp2", "st1", "sc1", "standard"):
            self.refused(self.typed(f"runctl aws ebs create --size 125 --type {kind} --multi-attach"), "io1", code=2)

    def test_attach_and_detach(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        said = self.says('runctl aws ebs attach "$VOL" --instance "$INSTANCE"', VOL=volume, INSTANCE=machine)
        self.assertIn(f"Volume {volume} is attached to {machine}", said)
        self.assertEqual([a["instance_id"] for a in self.volume_shown(volume)["attachments"]], [machine])
        self.refused(self.typed(f"runctl aws ebs attach {volume} --instance {self.cloud.machine()}"),
                     f"Volume {volume} is already attached to instance {machine}.",
                     "Detach it first or use a different volume.")
        self.assertIn(f"Volume {volume} is detached from {machine}", self.says(f"runctl aws ebs detach {volume}"))
        self.assertEqual(self.volume_shown(volume)["attachments"], [])

    def test_snapshot_and_restore(self):
        self.cloud.volume("--name", "to-keep", size=2)
        plain = self.says("runctl aws ebs snapshot to-keep --output snapshot-id").strip()
        self.assertRegex(plain, r"^snap-[0-9a-f]{17}$")
        snapshot = self.says("runctl aws ebs snapshot to-keep --description 'before the \"change\"' --name kept "
                             "--output snapshot-id").strip()
        shown = self.cloud.run("aws", "ebs", "snapshots", "--volume", "to-keep", "--output", "json").record["snapshots"]
        [kept] = [each for each in shown if each["snapshot_id"] == snapshot]
        self.assertEqual((kept["description"], kept["name"]), ('before the "change"', "kept"))
        self.assertTrue(cloud.wait_until(lambda: all(
            each["state"] == "completed" for each in
            self.cloud.run("aws", "ebs", "snapshots", "--volume", "to-keep", "--output", "json").record["snapshots"])))
        same = self.volume_shown(self.says(f"runctl aws ebs restore {plain} --output volume-id").strip())
        self.assertEqual(same["size_gib"], 2)
        self.says(f"runctl aws ebs restore {snapshot} --size 5 --name back-again")
        self.assertEqual(self.volume_shown("back-again")["size_gib"], 5)

    def test_a_machine_with_volumes(self):
        """The line that scripts have: an id and nothing else arrives in the variable."""
        first, second = (self.cloud.volume("--filesystem", "ext4", "--name", name) for name in ("data-a", "data-b"))
        said = self.says("ID=$(runctl aws create t3.medium --ebs-volume data-a --ebs-volume data-b --output instance-id); "
                         'echo "<$ID>"')
        self.assertRegex(said, r"^<i-[0-9a-f]{17}>\n$")
        machine = said.strip("<>\n")
        for volume in (first, second):
            self.assertEqual([a["instance_id"] for a in self.volume_shown(volume)["attachments"]], [machine])
        waited = self.says("runctl aws create --instance-type t3.medium --wait --output instance-id")
        self.assertIn("running", self.says(f"runctl aws status {waited.strip()}"))

    def test_each_of_a_machine_s_volumes_gets_a_name_of_its_own(self):
        """Names are chosen by chance among eleven: eight that do not know of each other would hardly all differ."""
        names = [f"many-{number}" for number in range(8)]
        for name in names:
            self.cloud.volume("--filesystem", "ext4", "--name", name)
        machine = self.says("runctl aws create " + " ".join(f"--ebs-volume {name}" for name in names) +
                            " --output instance-id").strip()
        attached = [attachment for name in names for attachment in self.volume_shown(name)["attachments"]]
        self.assertEqual({attachment["instance_id"] for attachment in attached}, {machine})
        self.assertEqual(len({attachment["device"] for attachment in attached}), len(names))

    def test_train_with_data_of_s3(self):
        self.says("mkdir -p numbers && seq 5 >numbers/a && seq 7 >numbers/b; runctl s3 create s3://data && "
                  "runctl s3 upload numbers s3://data/numbers/ --recursive")
        self.says("echo 'import os; d = os.environ[\"RUNCTL_DATA_DIR\"]; "
                  "print(\"sum\", sum(int(n) for f in \"ab\" for n in open(d + \"/\" + f)))' >add.py")
        machine = self.cloud.machine()
        said = self.says('runctl aws train "$INSTANCE" add.py --data-s3 s3://data/numbers --wait', INSTANCE=machine)
        self.assertIn("sum 43", said)

    def test_the_names_of_older_notes_are_understood(self):
        volume = self.says("runctl aws ebs create --size 1 --volume-type gp2 --name older --output volume-id").strip()
        self.assertEqual(self.volume_shown(volume)["type"], "gp2")
        machine = self.cloud.machine()
        self.says(f"runctl aws ebs attach older --instance-id {machine}")
        self.says(f"runctl aws ebs detach older --instance-id {machine}")
        self.assertEqual(self.volume_shown(volume)["attachments"], [])
        snapshot = self.says("runctl aws ebs snapshot older --wait --output snapshot-id").strip()
        restored = self.says(f"runctl aws ebs restore {snapshot} --volume-type gp3 --output volume-id").strip()
        self.assertEqual(self.volume_shown(restored)["type"], "gp3")
        self.refused(self.typed("runctl aws ebs delete older"), "--yes")
        self.says("runctl aws ebs delete older --force")
        for page in ("ebs create", "ebs attach", "ebs delete"):
            shown = self.says(f"runctl aws {page} --help")
            for hidden in ("--volume-type", "--instance-id", "--force"):
                self.assertNotRegex(shown, rf"(?<!unsafe){hidden}\b")

    def test_the_old_word_for_consent_lifts_no_refusal(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.says(f"runctl aws ebs attach {volume} --instance {machine}")
        self.refused(self.typed(f"runctl aws ebs delete {volume} --force"), "is attached to instance")
        self.refused(self.typed(f"runctl aws ebs attach {volume} --instance {self.cloud.machine()} --force"),
                     "is already attached to instance")


if __name__ == "__main__":
    cloud.main()
