"""boto3, with AWS's newest models, against the emulator. It is no package of Debian's that the tests install: where no
Python of this machine has it, this is left out."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import cloud

try:
    import boto3
    import botocore.config
    import botocore.exceptions
except ImportError:
    boto3 = None


@unittest.skipUnless(boto3, "no Python here has boto3 (pip install boto3)")
class Boto3(cloud.CloudTest):
    pace = "fast"

    def client(self, service="ec2", **options):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        return boto3.client(service, region_name="us-east-1", endpoint_url=self.cloud.endpoint,
                            **{"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", **options},
                            config=botocore.config.Config(retries={"max_attempts": 0}))

    def volume(self, ec2, **options):
        made = ec2.create_volume(**{"AvailabilityZone": "us-east-1a", "Size": 1, "VolumeType": "gp3", **options})
        self.wait(ec2, "volume_available", VolumeIds=[made["VolumeId"]])
        return made["VolumeId"]

    def wait(self, ec2, name, **what):
        ec2.get_waiter(name).wait(**what, WaiterConfig={"Delay": 1, "MaxAttempts": 30})

    def machine(self, ec2, **options):
        [made] = ec2.run_instances(**{"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro", "MinCount": 1,
                                      "MaxCount": 1, "Placement": {"AvailabilityZone": "us-east-1a"}, **options})["Instances"]
        self.wait(ec2, "instance_running", InstanceIds=[made["InstanceId"]])
        return made["InstanceId"]

    def code_of(self, call, **parameters):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        self.assertTrue(caught.exception.response["ResponseMetadata"]["RequestId"])
        return caught.exception.response["Error"]["Code"]

    def test_one_machine_has_a_volume(self):
        ec2 = self.client()
        volume, first, second = self.volume(ec2), self.machine(ec2), self.machine(ec2)
        attached = ec2.attach_volume(VolumeId=volume, InstanceId=first, Device="/dev/sdf")
        self.assertEqual(attached["State"], "attaching")
        self.assertEqual(self.code_of(ec2.attach_volume, VolumeId=volume, InstanceId=second, Device="/dev/sdf"), "VolumeInUse")
        self.assertEqual(self.code_of(ec2.attach_volume, VolumeId=volume, InstanceId=first, Device="/dev/sdf"), "VolumeInUse")
        self.wait(ec2, "volume_in_use", VolumeIds=[volume])
        self.assertEqual(self.code_of(ec2.delete_volume, VolumeId=volume), "VolumeInUse")
        ec2.detach_volume(VolumeId=volume, InstanceId=first)
        self.wait(ec2, "volume_available", VolumeIds=[volume])
        self.assertEqual(self.code_of(ec2.detach_volume, VolumeId=volume), "IncorrectState")
        ec2.delete_volume(VolumeId=volume)
        self.wait(ec2, "volume_deleted", VolumeIds=[volume])
        ec2.terminate_instances(InstanceIds=[first, second])
        self.wait(ec2, "instance_terminated", InstanceIds=[first, second])

    def test_zones_limits_and_tokens_are_those_of_ec2(self):
        ec2 = self.client()
        elsewhere, machine = self.volume(ec2, AvailabilityZone="us-east-1b"), self.machine(ec2)
        self.assertEqual(self.code_of(ec2.attach_volume, VolumeId=elsewhere, InstanceId=machine, Device="/dev/sdf"),
                         "InvalidVolume.ZoneMismatch")
        self.assertEqual(self.code_of(ec2.create_volume, AvailabilityZone="us-east-1a", Size=70_000, VolumeType="gp3"),
                         "InvalidParameterValue")
        same = {"AvailabilityZone": "us-east-1a", "Size": 1, "ClientToken": "only-once"}
        self.assertEqual(ec2.create_volume(**same)["VolumeId"], ec2.create_volume(**same)["VolumeId"])
        self.assertEqual(self.code_of(ec2.create_volume, **{**same, "Size": 2}), "IdempotentParameterMismatch")

    def test_pages_filters_and_tags(self):
        ec2 = self.client()
        tags = [{"ResourceType": "volume", "Tags": [{"Key": "set", "Value": "dozen"}]}]
        made = {ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=tags)["VolumeId"] for _ in range(12)}
        pages = list(ec2.get_paginator("describe_volumes").paginate(
            Filters=[{"Name": "tag:set", "Values": ["doz*"]}], PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["Volumes"]) for page in pages], [5, 5, 2])
        self.assertEqual({volume["VolumeId"] for page in pages for volume in page["Volumes"]}, made)
        tagged = list(ec2.get_paginator("describe_tags").paginate(
            Filters=[{"Name": "key", "Values": ["set"]}], PaginationConfig={"PageSize": 5}))
        self.assertEqual({tag["ResourceId"] for page in tagged for tag in page["Tags"]}, made)
        self.assertEqual(self.code_of(ec2.describe_volumes, NextToken="made-up"), "InvalidNextToken")

    def test_what_the_newest_models_have(self):
        ec2 = self.client()
        [kind] = ec2.describe_instance_types(InstanceTypes=["m7i.large"])["InstanceTypes"]
        self.assertEqual((kind["EbsInfo"]["AttachmentLimitType"], kind["EbsInfo"]["MaximumEbsAttachments"]), ("dedicated", 32))
        [volume] = ec2.describe_volumes(VolumeIds=[self.volume(ec2)])["Volumes"]
        self.assertEqual((volume["AvailabilityZoneId"], volume["Operator"]["Managed"]), ("use1-az1", False))
        [image] = ec2.describe_images(Filters=[{"Name": "name", "Values": ["al2023-*"]}])["Images"]
        self.assertEqual(image["State"], "available")

    def test_snapshots(self):
        ec2 = self.client()
        volume = self.volume(ec2)
        snapshot = ec2.create_snapshot(VolumeId=volume, Description="before")["SnapshotId"]
        self.wait(ec2, "snapshot_completed", SnapshotIds=[snapshot])
        restored = self.volume(ec2, SnapshotId=snapshot, AvailabilityZone="us-east-1c")
        [seen] = ec2.describe_volumes(VolumeIds=[restored])["Volumes"]
        self.assertEqual((seen["SnapshotId"], seen["AvailabilityZone"]), (snapshot, "us-east-1c"))
        ec2.delete_snapshot(SnapshotId=snapshot)
        self.assertEqual(self.code_of(ec2.describe_snapshots, SnapshotIds=[snapshot]), "InvalidSnapshot.NotFound")

    def test_who_asks(self):
        self.assertRegex(self.client("sts").get_caller_identity()["Arn"], r"^arn:aws:iam::\d{12}:")
        wrong = self.client(aws_secret_access_key="wrong")
        self.assertEqual(self.code_of(wrong.describe_volumes), "AuthFailure")


if __name__ == "__main__":
    cloud.main()
