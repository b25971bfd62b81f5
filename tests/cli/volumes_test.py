"""The life of a volume as the control plane sees it, with no machine behind."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud


class Volumes(cloud.CloudTest):
    def test_create_show_list_agree(self):
        volume = self.cloud.volume("--name", "datasets", "--type", "io2", "--iops", "1000", "--tag", "team=a b", size=8)
        record = self.succeeded(self.cloud.run("aws", "ebs", "show", "datasets", "--output", "json")).record
        self.assertEqual(record["volume_id"], volume)
        self.assertEqual(record["state"], "available")
        self.assertEqual((record["size_gib"], record["type"], record["iops"]), (8, "io2", 1000))
        self.assertEqual(record["tags"]["team"], "a b")
        self.assertIn("runctl:created-empty", record["tags"])
        listed = self.cloud.run("aws", "ebs", "list", "--name", "datasets", "--output", "json").record
        self.assertEqual(listed["volumes"], [record])
        self.assertIn("datasets", self.cloud.run("aws", "ebs", "list").out)

    def test_limits_are_told_before_the_cloud_is_asked(self):
        before = self.cloud.requests().count("CreateVolume")
        for words in (["--size", "70000"], ["--size", "2", "--type", "io2"], ["--size", "8", "--multi-attach"],
                      ["--size", "8", "--throughput", "5000"]):
            self.assertEqual(self.cloud.run("aws", "ebs", "create", *words).code, 2, words)
        self.assertEqual(self.cloud.requests().count("CreateVolume"), before)

    def test_a_dry_run_changes_nothing(self):
        before = self.cloud.run("aws", "ebs", "list", "--output", "id").out
        outcome = self.succeeded(self.cloud.run("aws", "ebs", "create", "--size", "5", "--dry-run"))
        self.assertIn("It would:", outcome.out)
        self.assertEqual(self.cloud.run("aws", "ebs", "list", "--output", "id").out, before)

    def test_the_second_machine_is_refused_with_the_contract_s_words(self):
        volume = self.cloud.volume()
        first, second = self.cloud.machine("first"), self.cloud.machine("second")
        attached = self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", "first"))
        self.assertIn(f"Volume {volume} is attached to {first} as /dev/", attached.out)
        self.assertIn("No other machine can have it until it is detached", attached.out)
        self.assertIn(f"runctl aws ebs mount {volume} --instance {first} /data", attached.out)
        before = self.cloud.requests().count("AttachVolume")
        outcome = self.cloud.run("aws", "ebs", "attach", volume, "--instance", "second")
        self.assertEqual(outcome.code, 4)
        self.assertEqual(outcome.err.splitlines()[:2],
                         [f"Error: Volume {volume} is already attached to instance {first}.",
                          "       Detach it first or use a different volume."])
        self.refused(outcome, f"{first} (first), t3.medium, running", f"runctl aws ebs detach {volume}",
                     f"runctl aws ebs attach {volume} --instance {second}",
                     "docs/EBS_CONCURRENT_ACCESS.md#held-volume")
        self.assertEqual(self.cloud.requests().count("AttachVolume"), before, "asked AWS before refusing")
        record = self.cloud.run("aws", "ebs", "attach", volume, "--instance", second, "--output", "json").record
        self.assertEqual(record["error"]["code"], "conflict")
        self.assertTrue(record["error"]["ways_out"])

    def test_protection_is_set_once_and_taken_away_with_consent(self):
        volume = self.cloud.volume("--name", "guarded")
        self.assertIn("is now protected", self.succeeded(self.cloud.run("aws", "ebs", "protect", "guarded")).out)
        before = self.cloud.requests().count("CreateTags")
        self.assertIn("was already protected", self.succeeded(self.cloud.run("aws", "ebs", "protect", volume)).out)
        self.assertEqual(self.cloud.requests().count("CreateTags"), before)
        self.refused(self.cloud.run("aws", "ebs", "delete", volume, "--confirm", volume, "--yes"), "is protected",
                     f"runctl aws ebs unprotect {volume}")
        self.refused(self.cloud.run("aws", "ebs", "unprotect", volume), "--yes")
        self.assertIn("is now not protected",
                      self.succeeded(self.cloud.run("aws", "ebs", "unprotect", volume, "--yes")).out)
        shown = self.cloud.run("aws", "ebs", "show", volume, "--output", "json").record
        self.assertNotIn("runctl:protected", shown["tags"])
        self.assertEqual(shown["tags"]["Name"], "guarded", "another tag went with it")

    def test_the_risk_report_knows_one_volume_and_all(self):
        volume, machine = self.cloud.volume("--name", "risky"), self.cloud.machine()
        free = self.succeeded(self.cloud.run("aws", "ebs", "check", "risky"))
        self.assertIn("everything is gone: it has no completed snapshot", free.out)
        self.assertIn(f"runctl aws ebs protect {volume}", free.out)
        self.succeeded(self.cloud.run("aws", "ebs", "snapshot", volume, "--wait"))
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        [held] = self.cloud.run("aws", "ebs", "check", volume, "--output", "json").record["volumes"]
        levels = {risk["id"]: risk["level"] for risk in held["risks"]}
        self.assertEqual(held["level"], max(levels.values(), key=["none", "low", "medium", "high", "critical"].index))
        self.assertEqual((levels["delete"], levels["disk-failure"], levels["second-machine"]), ("none", "low", "none"))
        every = {each["volume_id"]: each for each in
                 self.cloud.run("aws", "ebs", "check", "--output", "json").record["volumes"]}
        # All but the snapshot's age, and that one machine was asked, is the same.
        self.assertEqual(levels.pop("silent-machine"), "medium")
        self.assertEqual({risk["id"]: risk["level"] for risk in every[volume]["risks"]}, levels)
        self.assertEqual(len(every), len(self.cloud.run("aws", "ebs", "list", "--output", "id").out.split()))

    def test_advice_says_what_fits_and_what_it_costs(self):
        advice = self.succeeded(self.cloud.run("aws", "ebs", "advise", "--readers", "8", "--size", "500"))
        self.assertIn("$320.00 a month", advice.out)
        self.assertIn("us-east-1", advice.out)
        record = self.cloud.run("aws", "ebs", "advise", "--readers", "2", "--writers", "1", "--size", "500",
                                "--output", "json").record
        ways = {way["id"]: way["fits"] for way in record["options"]}
        self.assertEqual(ways, {"s3": True, "volumes": True, "snapshots": True, "clones": True,
                                "sealed-multi-attach": False})
        self.assertEqual(self.cloud.run("aws", "ebs", "advise").code, 2)
        self.assertEqual(self.cloud.run("aws", "ebs", "advise", "--size", "5", "--readers", "0").code, 2)

    def test_multi_attach_is_warned_about_and_refused_where_it_cannot_be(self):
        made = self.succeeded(self.cloud.run("aws", "ebs", "create", "--size", "4", "--type", "io2", "--iops", "100",
                                             "--multi-attach", "--output", "id"))
        self.assertIn("two writers", made.err)
        volume, machine = made.out.strip(), self.cloud.machine()
        old = self.cloud.id_of("aws", "create", "m4.large", "--availability-zone", "us-east-1a", "--wait")
        self.refused(self.cloud.run("aws", "ebs", "attach", volume, "--instance", old), "m4.large", "Nitro")
        attached = self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine, "-v", "--log-format", "json")
        self.assertIn("Multi-Attach is on", self.succeeded(attached).out)
        self.assertRegex(attached.err, r'"volume.attached".*"multi_attach":\s*"yes"')
        self.refused(self.cloud.run("aws", "ebs", "attach", volume, "--instance", self.cloud.machine()),
                     f"already attached to instance {machine}")

    def test_attaching_again_is_success_and_sends_nothing(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        before = self.cloud.requests().count("AttachVolume")
        again = self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        self.assertIn("was already attached", again.out)
        self.assertEqual(self.cloud.requests().count("AttachVolume"), before)

    def test_a_device_name_that_is_taken_is_refused(self):
        machine = self.cloud.machine()
        self.succeeded(self.cloud.run(
            "aws", "ebs", "attach", self.cloud.volume(), "--instance", machine, "--device", "/dev/sdk"))
        outcome = self.cloud.run(
            "aws", "ebs", "attach", self.cloud.volume(), "--instance", machine, "--device", "/dev/sdk")
        self.refused(outcome, "has another volume as /dev/sdk")

    def test_a_snapshot_restores_into_another_zone_and_not_smaller(self):
        volume = self.cloud.volume("--name", "source", size=4)
        snapshot = self.cloud.id_of("aws", "ebs", "snapshot", "source", "--name", "kept", "--wait")
        shown = self.cloud.run("aws", "ebs", "snapshots", "--volume", volume, "--output", "json").record
        self.assertEqual(shown["snapshots"][0]["snapshot_id"], snapshot)
        self.assertEqual(shown["snapshots"][0]["consistency"], "consistent")
        self.assertEqual(self.cloud.run("aws", "ebs", "restore", "kept", "--size", "3").code, 2)
        restored = self.succeeded(self.cloud.run("aws", "ebs", "restore", "kept", "--availability-zone",
                                                 "us-east-1c", "--wait", "--output", "json")).record
        self.assertEqual(restored["availability_zone"], "us-east-1c")
        self.assertEqual(restored["snapshot_id"], snapshot)
        self.assertEqual(restored["size_gib"], 4)
        self.assertNotIn("runctl:created-empty", restored["tags"])

    def test_a_restored_volume_is_never_formatted(self):
        self.cloud.volume("--name", "full")
        snapshot = self.cloud.id_of("aws", "ebs", "snapshot", "full", "--wait")
        restored = self.cloud.id_of("aws", "ebs", "restore", snapshot, "--wait")
        machine = self.cloud.machine()
        outcome = self.cloud.run("aws", "ebs", "attach", restored, "--instance", machine, "--mount", "/data",
                                 "--format", "ext4")
        self.refused(outcome, "snapshot")
        shown = self.cloud.run("aws", "ebs", "show", restored, "--output", "json").record
        self.assertEqual(shown["attachments"], [], "the refusal came after the attachment")

    def test_deleting_needs_consent_and_an_only_copy_its_name(self):
        volume = self.cloud.volume()
        self.refused(self.cloud.run("aws", "ebs", "delete", volume), "no completed snapshot")
        self.refused(self.cloud.run("aws", "ebs", "delete", volume, "--yes"), f"--confirm {volume}")
        self.cloud.id_of("aws", "ebs", "snapshot", volume, "--wait")
        self.refused(self.cloud.run("aws", "ebs", "delete", volume), "pass --yes")
        self.succeeded(self.cloud.run("aws", "ebs", "delete", volume, "--yes"))
        other = self.cloud.volume()
        self.succeeded(self.cloud.run("aws", "ebs", "delete", other, "--confirm", other))

    def test_a_protected_volume_stays(self):
        volume = self.cloud.volume("--persistent")
        outcome = self.cloud.run("aws", "ebs", "delete", volume, "--yes", "--confirm", volume)
        self.refused(outcome, "is protected")

    def test_an_attached_volume_is_not_deleted(self):
        volume, machine = self.cloud.volume(), self.cloud.machine()
        self.succeeded(self.cloud.run("aws", "ebs", "attach", volume, "--instance", machine))
        self.refused(self.cloud.run("aws", "ebs", "delete", volume, "--confirm", volume), "is attached to instance")

    def test_detaching_a_free_volume_is_success(self):
        volume = self.cloud.volume()
        outcome = self.succeeded(self.cloud.run("aws", "ebs", "detach", volume))
        self.assertIn("is not attached", outcome.out)

    def test_terminating_needs_consent(self):
        machine = self.cloud.machine()
        self.refused(self.cloud.run("aws", "terminate", machine), "--yes")
        self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))
        again = self.succeeded(self.cloud.run("aws", "terminate", machine, "--yes"))
        self.assertIn("was already terminated", again.out)


if __name__ == "__main__":
    cloud.main()
