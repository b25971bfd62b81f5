"""The journal: what a killed or deceived runctl left, found again and finished."""
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud
from proxy import LossyProxy


class JournalCase(cloud.CloudTest):
    def setUp(self):
        self.proxy = LossyProxy(self.cloud.endpoint).start()
        self.addCleanup(self.proxy.stop)
        # A journal of this test's own: what others left is not its business.
        self.through = {"AWS_ENDPOINT_URL": self.proxy.endpoint,
                        "XDG_STATE_HOME": os.path.join(self.cloud.directory, self.id())}

    def run_through(self, *words, **options):
        return self.cloud.run(*words, environment=self.through, **options)

    def killed_at(self, action, when, *words):
        """Runs a command and kills it as soon as that request of its is lost."""
        self.proxy.lose(action, when, "hold")
        process = subprocess.Popen([cloud.RUNCTL, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={**self.cloud.environment, **self.through}, cwd=self.cloud.directory)
        try:
            self.assertTrue(self.proxy.lost.wait(30), f"{action} was never sent")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def unfinished(self):
        outcome = self.succeeded(self.run_through("operations", "list", "--output", "json"))
        return outcome.record["operations"]


class Journal(JournalCase):
    def test_nothing_was_ever_begun(self):
        self.assertIn("Nothing was left unfinished", self.succeeded(self.run_through("operations", "list")).out)
        self.refused(self.run_through("operations", "show", "op-1"), "no operation 'op-1'", code=3)

    def test_a_command_that_ends_leaves_only_history(self):
        volume = self.run_through("aws", "ebs", "create", "--size", "1", "--output", "id").out.strip()
        self.assertEqual(self.unfinished(), [])
        history = self.run_through("operations", "list", "--all", "--output", "json").record["operations"]
        self.assertEqual([(o["kind"], o["state"], o["subjects"]) for o in history], [("create", "done", [volume])])
        self.assertEqual(history[0]["steps"][0]["action"], "CreateVolume")
        self.assertEqual(history[0]["steps"][0]["outcome"], "applied")

    def test_reading_leaves_no_trace(self):
        self.succeeded(self.run_through("aws", "ebs", "list"))
        self.assertFalse(os.path.exists(self.through["XDG_STATE_HOME"]))

    def test_killed_after_the_volume_was_attached(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.killed_at("AttachVolume", "after", "aws", "ebs", "attach", volume, "--instance", machine)
        [left] = self.unfinished()
        self.assertEqual((left["kind"], left["state"]), ("attach", "unfinished"))
        self.assertEqual(left["subjects"], [volume, machine])
        self.assertEqual(left["steps"][0]["outcome"], "pending")
        # Whoever touches the volume is told first.
        shown = self.succeeded(self.run_through("aws", "ebs", "show", volume))
        self.assertIn("left unfinished", shown.err)
        self.assertIn(f"runctl operations resume {left['operation_id']}", shown.err)

        resumed = self.succeeded(self.run_through("operations", "resume", left["operation_id"]))
        self.assertIn("AttachVolume took effect", resumed.out)
        self.assertIn(f"Volume {volume} is attached to {machine}", resumed.out)
        self.assertEqual(self.proxy.count("AttachVolume"), 1, "sent again")
        self.assertEqual(self.unfinished(), [])
        self.assertNotIn("unfinished", self.run_through("aws", "ebs", "show", volume).err)
        again = self.succeeded(self.run_through("operations", "resume", left["operation_id"]))
        self.assertIn("over already: done", again.out)

    def test_killed_before_the_volume_was_attached(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.killed_at("AttachVolume", "before", "aws", "ebs", "attach", volume, "--instance", machine)
        [left] = self.unfinished()
        early = self.run_through("operations", "resume", left["operation_id"])
        self.refused(early, "may still take effect until", f"nobody has volume {volume}")
        self.assertEqual(len(self.unfinished()), 1, "given up while the request may still act")
        # Another machine takes it meanwhile: that settles it.
        other = self.cloud.machine()
        self.succeeded(self.run_through("aws", "ebs", "attach", volume, "--instance", other))
        resumed = self.succeeded(self.run_through("operations", "resume", left["operation_id"]))
        self.assertIn("AttachVolume did not take effect", resumed.out)
        self.assertIn(other, resumed.out)
        held = self.run_through("aws", "ebs", "show", volume, "--output", "json").record["attachments"]
        self.assertEqual([a["instance_id"] for a in held], [other], "the winner's was touched")

    def test_killed_after_a_volume_was_made(self):
        self.killed_at("CreateVolume", "after", "aws", "ebs", "create", "--size", "3")
        [left] = self.unfinished()
        resumed = self.succeeded(self.run_through("operations", "resume", left["operation_id"], "--output", "json"))
        [volume] = [v["volume_id"] for v in self.run_through("aws", "ebs", "list", "--output", "json").record["volumes"]
                    if v["size_gib"] == 3]
        self.assertIn(volume, resumed.record["outcome"])
        history = self.run_through("operations", "show", left["operation_id"], "--output", "json").record
        self.assertEqual(history["subjects"], [volume])

    def test_killed_after_a_machine_was_rented(self):
        self.killed_at("RunInstances", "after", "aws", "create", "--name", "forgotten")
        [left] = self.unfinished()
        machine = self.cloud.id_of("aws", "status", "forgotten")
        resumed = self.succeeded(self.run_through("operations", "resume", left["operation_id"]))
        self.assertIn(f"runctl aws terminate {machine}", resumed.out)

    def test_killed_after_a_snapshot_was_taken(self):
        volume = self.cloud.volume()
        self.killed_at("CreateSnapshot", "after", "aws", "ebs", "snapshot", volume)
        [left] = self.unfinished()
        self.assertIn("is there (completed, ",
                      self.succeeded(self.run_through("operations", "resume", left["operation_id"])).out)

    def test_killed_after_a_volume_was_deleted(self):
        volume = self.cloud.volume()
        self.killed_at("DeleteVolume", "after", "aws", "ebs", "delete", volume, "--confirm", volume)
        [left] = self.unfinished()
        self.assertIn("The delete is done",
                      self.succeeded(self.run_through("operations", "resume", left["operation_id"])).out)

    def test_an_operation_is_given_up_only_with_consent(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.killed_at("AttachVolume", "before", "aws", "ebs", "attach", volume, "--instance", machine)
        [left] = self.unfinished()
        self.refused(self.run_through("operations", "abandon", left["operation_id"]), "--yes")
        self.succeeded(self.run_through("operations", "abandon", left["operation_id"], "--yes"))
        self.assertEqual(self.unfinished(), [])
        shown = self.run_through("operations", "show", left["operation_id"], "--output", "json").record
        self.assertEqual(shown["state"], "abandoned")

    def test_another_cloud_s_operation_is_not_judged_here(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.killed_at("AttachVolume", "after", "aws", "ebs", "attach", volume, "--instance", machine)
        [left] = self.unfinished()
        self.refused(self.run_through("operations", "resume", left["operation_id"], "--region", "eu-west-1"),
                     "was on another cloud", "us-east-1 at")

    def test_nothing_is_sent_without_a_journal(self):
        before = self.cloud.requests().count("CreateVolume")
        with open(os.path.join(self.cloud.directory, "a-file"), "w", encoding="utf-8"):
            pass
        outcome = self.cloud.run("aws", "ebs", "create", "--size", "1", environment={
            "XDG_STATE_HOME": os.path.join(self.cloud.directory, "a-file")})
        self.refused(outcome, "so nothing was sent", "XDG_STATE_HOME", code=1)
        self.assertEqual(self.cloud.requests().count("CreateVolume"), before)

    def test_ctrl_c_leaves_it_to_be_finished(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.proxy.lose("AttachVolume", "after", "hold")
        process = subprocess.Popen([cloud.RUNCTL, "aws", "ebs", "attach", volume, "--instance", machine],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**self.cloud.environment, **self.through}, cwd=self.cloud.directory)
        self.assertTrue(self.proxy.lost.wait(30))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 130, said)
        [left] = self.unfinished()
        self.assertIn(f"runctl operations resume {left['operation_id']}", said)
        self.succeeded(self.run_through("operations", "resume", left["operation_id"]))


class Mounting(JournalCase):
    """The same with machines behind, where directories stand for volumes."""
    hardware = "files"

    def test_what_was_attached_is_mounted_as_was_asked(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.killed_at("AttachVolume", "after", "aws", "ebs", "attach", volume, "--instance", machine,
                       "--mount", "/data", "--format", "ext4")
        [left] = self.unfinished()
        resumed = self.succeeded(self.run_through("operations", "resume", left["operation_id"]))
        self.assertIn("It is mounted at", resumed.out)
        self.assertIn("/data", self.run_through("aws", "status", machine).out)

    def test_what_was_unmounted_is_detached(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.run_through("aws", "ebs", "attach", volume, "--instance", machine,
                                        "--mount", "/data", "--format", "ext4"))
        self.killed_at("DetachVolume", "before", "aws", "ebs", "detach", volume)
        [left] = self.unfinished()
        self.assertEqual([s["action"] for s in left["steps"]], ["machine:unmount", "DetachVolume"])
        # The request that was lost may still act. To send the same again does no harm, and settles both.
        resumed = self.succeeded(self.run_through("operations", "resume", left["operation_id"]))
        self.assertIn("DetachVolume is not seen to have taken effect", resumed.out)
        self.assertIn(f"Volume {volume} is detached from {machine}", resumed.out)
        self.assertEqual(self.proxy.count("DetachVolume"), 2)
        self.assertEqual(self.unfinished(), [])


if __name__ == "__main__":
    cloud.main()
