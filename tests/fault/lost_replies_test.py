"""Every request of every command that changes something, lost once before and once after its effect.

The command ends right: it did what was asked, or says that it does not know. Nothing is made twice, and what is not
known is in the journal.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
from proxy import LossyProxy

WHEN = ("before", "after")


class LostReplies(cloud.CloudTest):
    hardware = "files"  # machines that answer: detach, stop and terminate unmount first

    def setUp(self):
        self.proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(self.proxy.stop)
        self.through = {"AWS_ENDPOINT_URL": self.proxy.endpoint,
                        "XDG_STATE_HOME": os.path.join(self.cloud.directory, self.id())}

    def lost(self, action, when, *words):
        self.proxy.lose(action, when)
        outcome = self.cloud.run(*words, "--timeout", "4s", environment=self.through)
        self.assertTrue(self.proxy.lost.is_set(), f"{action} was never sent: {outcome}")
        return outcome

    def journal(self, *words):
        return self.cloud.run("operations", "list", *words, "--output", "json",
                              environment=self.through).record["operations"]

    def listed(self, kind, name):
        record = self.cloud.run("aws", *kind, "--name", name, "--output", "json").record
        [things] = [value for value in record.values() if isinstance(value, list)]
        return things

    def done(self, outcome):
        self.succeeded(outcome)
        self.assertEqual(self.journal(), [], "left unfinished")
        self.assertEqual(self.journal("--all")[0]["state"], "done")

    def unknown(self, outcome, action):
        """It says that it does not know, and the journal keeps it."""
        self.assertIn(outcome.code, (1, 6), outcome)
        self.assertIn("Whether it took effect is not known", outcome.err)
        [left] = self.journal()
        self.assertIn(f"runctl operations resume {left['operation_id']}", outcome.err)
        self.assertEqual(left["steps"][-1]["action"], action)
        self.assertEqual(left["steps"][-1]["outcome"], "unknown")
        self.cloud.run("operations", "abandon", left["operation_id"], "--yes", environment=self.through)

    def test_create(self):
        for when in WHEN:
            with self.subTest(when=when):
                outcome = self.lost("CreateVolume", when, "aws", "ebs", "create", "--size", "1", "--name", f"new-{when}")
                self.done(outcome)
                self.assertEqual(self.proxy.count("CreateVolume"), 2, "its token makes it safe to send again")
                self.assertEqual(len(self.listed(("ebs", "list"), f"new-{when}")), 1)

    def test_launch(self):
        for when in WHEN:
            with self.subTest(when=when):
                self.done(self.lost("RunInstances", when, "aws", "create", "--name", f"machine-{when}"))
                self.assertEqual(self.cloud.id_of("aws", "status", f"machine-{when}").count("i-"), 1)

    def test_attach(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume, machine = self.cloud.volume(), self.cloud.machine()
                outcome = self.lost("AttachVolume", when, "aws", "ebs", "attach", volume, "--instance", machine)
                self.assertEqual(self.proxy.count("AttachVolume"), 1, "sent again")
                if when == "after":
                    self.done(outcome)
                else:
                    self.unknown(outcome, "AttachVolume")

    def test_detach(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume, machine = self.cloud.volume(), self.cloud.machine()
                self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
                outcome = self.lost("DetachVolume", when, "aws", "ebs", "detach", volume)
                self.assertEqual(self.proxy.count("DetachVolume"), 1, "sent again")
                if when == "after":
                    self.done(outcome)
                else:
                    self.unknown(outcome, "DetachVolume")

    def test_snapshot(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume = self.cloud.volume()
                outcome = self.lost("CreateSnapshot", when, "aws", "ebs", "snapshot", volume)
                self.assertEqual(self.proxy.count("CreateSnapshot"), 1, "sent again")
                made = self.cloud.run("aws", "ebs", "snapshots", "--volume", volume, "--output", "json").record
                if when == "after":
                    self.done(outcome)
                    self.assertEqual(len(made["snapshots"]), 1)
                else:
                    self.unknown(outcome, "CreateSnapshot")
                    self.assertEqual(made["snapshots"], [])

    def test_clone(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume = self.cloud.volume()
                self.done(self.lost("CopyVolumes", when, "aws", "ebs", "clone", volume, "--name", f"copy-{when}"))
                self.assertEqual(self.proxy.count("CopyVolumes"), 2, "its token makes it safe to send again")
                self.assertEqual(len(self.listed(("ebs", "list"), f"copy-{when}")), 1)

    def test_modify(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume = self.cloud.volume()
                outcome = self.lost("ModifyVolume", when, "aws", "ebs", "modify", volume, "--size", "2")
                self.assertEqual(self.proxy.count("ModifyVolume"), 1, "sent again")
                size = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record["size_gib"]
                if when == "after":
                    self.done(outcome)
                    self.assertEqual(size, 2)
                else:
                    self.unknown(outcome, "ModifyVolume")
                    self.assertEqual(size, 1)

    def test_delete(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume = self.cloud.volume()
                outcome = self.lost("DeleteVolume", when, "aws", "ebs", "delete", volume, "--confirm", volume)
                if when == "after":
                    self.done(outcome)
                    self.assertEqual(self.cloud.run("aws", "ebs", "show", volume).code, 3)
                else:
                    self.unknown(outcome, "DeleteVolume")

    def test_protect_and_unprotect(self):
        for when in WHEN:
            with self.subTest(when=when):
                volume = self.cloud.volume()
                self.done(self.lost("CreateTags", when, "aws", "ebs", "protect", volume))
                self.refused(self.cloud.run("aws", "ebs", "delete", volume, "--confirm", volume), "protected")
                self.done(self.lost("DeleteTags", when, "aws", "ebs", "unprotect", volume, "--yes"))
                self.succeeded(self.cloud.run("aws", "ebs", "delete", volume, "--confirm", volume))

    def test_stop_start_terminate(self):
        for when in WHEN:
            with self.subTest(when=when):
                machine = self.cloud.machine()
                # These are the same sent twice as sent once.
                self.done(self.lost("StopInstances", when, "aws", "stop", machine))
                self.done(self.lost("StartInstances", when, "aws", "start", machine, "--wait"))
                self.done(self.lost("TerminateInstances", when, "aws", "terminate", machine, "--yes"))

    def test_no_action_is_forgotten_here(self):
        """What the program can send and a test of this file does not lose would go unnoticed."""
        import re
        root = os.path.join(cloud.ROOT, "src")
        sent = set()
        for folder in ("volume", "fleet", "training"):
            for name in os.listdir(os.path.join(root, folder)):
                with open(os.path.join(root, folder, name), encoding="utf-8") as file:
                    sent |= set(re.findall(r"send<aws::ec2::(\w+)>", file.read()))
        with open(os.path.abspath(__file__), encoding="utf-8") as file:
            lost = set(re.findall(r'lost\("(\w+)"', file.read()))
        self.assertTrue(sent)
        self.assertEqual(sent - lost, set())


if __name__ == "__main__":
    cloud.main()
