"""boto3, with AWS's newest models, against the emulator. It is no package of Debian's that the tests install: where no
Python of this machine has it, this is left out."""
import hashlib
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
class Boto3Test(cloud.CloudTest):

    def client(self, service="ec2", **options):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        return boto3.client(service, region_name="us-east-1", endpoint_url=self.cloud.endpoint,
                            **{"aws_access_key_id": "emulator", "aws_secret_access_key": "emulator", **options},
                            config=botocore.config.Config(retries={"max_attempts": 0}))

    def code_of(self, call, **parameters):
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**parameters)
        self.assertTrue(caught.exception.response["ResponseMetadata"]["RequestId"])
        return caught.exception.response["Error"]["Code"]


class Boto3(Boto3Test):
    pace = "fast"

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


class Boto3S3(Boto3Test):
    """What the newest models send of their own accord: checks in headers and trailers, conditions on writes."""
    pace = "instant"

    def setUp(self):
        self.s3 = self.client("s3")

    def digest_of(self, body):
        return hashlib.sha256(body).hexdigest()

    def test_objects_are_checked_on_their_way(self):
        self.s3.create_bucket(Bucket="checked")
        body = os.urandom(300_000)
        for algorithm in ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"):
            try:
                put = self.s3.put_object(Bucket="checked", Key=algorithm, Body=body, ChecksumAlgorithm=algorithm)
            except botocore.exceptions.MissingDependencyException:
                continue  # CRC32C and CRC64NVME need awscrt
            got = self.s3.get_object(Bucket="checked", Key=algorithm, ChecksumMode="ENABLED")
            self.assertEqual(self.digest_of(got["Body"].read()), self.digest_of(body))
            self.assertEqual(got[f"Checksum{algorithm}"], put[f"Checksum{algorithm}"])
            self.assertEqual(got["ChecksumType"], "FULL_OBJECT")
        plain = self.s3.put_object(Bucket="checked", Key="plain", Body=body)
        self.assertEqual(plain["ETag"].strip('"'), hashlib.md5(body).hexdigest())
        self.assertEqual(self.code_of(self.s3.put_object, Bucket="checked", Key="plain", Body=body, IfNoneMatch="*"),
                         "PreconditionFailed")
        self.s3.put_object(Bucket="checked", Key="plain", Body=b"2", IfMatch=plain["ETag"])
        self.assertEqual(self.code_of(self.s3.delete_object, Bucket="checked", Key="plain", IfMatch=plain["ETag"]),
                         "PreconditionFailed")
        self.assertEqual(self.code_of(self.s3.get_object, Bucket="checked", Key="none"), "NoSuchKey")

    def test_parts_of_both_types(self):
        self.s3.create_bucket(Bucket="parts")
        pieces = [os.urandom(5 << 20), os.urandom(1000)]
        for kind, ends in (("COMPOSITE", "-2"), ("FULL_OBJECT", "==")):
            made = self.s3.create_multipart_upload(Bucket="parts", Key=kind, ChecksumAlgorithm="CRC32", ChecksumType=kind)
            where = {"Bucket": "parts", "Key": kind, "UploadId": made["UploadId"]}
            parts = []
            for number, piece in enumerate(pieces, 1):
                part = self.s3.upload_part(**where, PartNumber=number, Body=piece, ChecksumAlgorithm="CRC32")
                parts.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
            done = self.s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts}, ChecksumType=kind,
                                                     MpuObjectSize=sum(map(len, pieces)))
            self.assertEqual(done["ChecksumType"], kind)
            self.assertTrue(done["ChecksumCRC32"].endswith(ends), done)
            if kind == "FULL_OBJECT":
                whole = self.s3.put_object(Bucket="parts", Key="whole", Body=b"".join(pieces), ChecksumAlgorithm="CRC32")
                self.assertEqual(done["ChecksumCRC32"], whole["ChecksumCRC32"])
            got = self.s3.get_object(Bucket="parts", Key=kind)
            self.assertEqual(self.digest_of(got["Body"].read()), self.digest_of(b"".join(pieces)))

    def test_pages(self):
        self.s3.create_bucket(Bucket="pages")
        for number in range(25):
            self.s3.put_object(Bucket="pages", Key=f"{number % 5}/{number:02}", Body=b"")
        pages = list(self.s3.get_paginator("list_objects_v2").paginate(Bucket="pages", PaginationConfig={"PageSize": 10}))
        self.assertEqual([len(page["Contents"]) for page in pages], [10, 10, 5])
        pages = list(self.s3.get_paginator("list_objects_v2").paginate(
            Bucket="pages", Delimiter="/", PaginationConfig={"PageSize": 2}))
        self.assertEqual([one["Prefix"] for page in pages for one in page["CommonPrefixes"]], [f"{n}/" for n in range(5)])
        deleted = self.s3.delete_objects(Bucket="pages", Delete={"Objects": [{"Key": "0/00"}, {"Key": "0/05"}]})
        self.assertEqual(len(deleted["Deleted"]), 2)
        self.assertEqual(self.s3.list_object_versions(Bucket="pages", Prefix="1/")["Versions"][0]["VersionId"], "null")


if __name__ == "__main__":
    cloud.main()
