// What an instance type can do. Members are those in use; names are the service model's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "aws/operation.hpp"
#include "aws/shape.hpp"

namespace runctl::aws::ec2 {

struct EbsInfo {
  std::string ebs_optimized_support = {};
  std::string encryption_support = {};
  std::string nvme_support = {};
  std::optional<std::int64_t> maximum_ebs_attachments = {};
  std::string attachment_limit_type = {};
  static constexpr auto shape = describe(
      "EbsInfo",
      field("EbsOptimizedSupport", "ebsOptimizedSupport", &EbsInfo::ebs_optimized_support),
      field("EncryptionSupport", "encryptionSupport", &EbsInfo::encryption_support),
      field("NvmeSupport", "nvmeSupport", &EbsInfo::nvme_support),
      field("MaximumEbsAttachments", "maximumEbsAttachments", &EbsInfo::maximum_ebs_attachments),
      field("AttachmentLimitType", "attachmentLimitType", &EbsInfo::attachment_limit_type));
};

struct VCpuInfo {
  std::optional<std::int64_t> default_vcpus = {};
  static constexpr auto shape =
      describe("VCpuInfo", field("DefaultVCpus", "defaultVCpus", &VCpuInfo::default_vcpus));
};

struct MemoryInfo {
  std::optional<std::int64_t> size_in_mib = {};
  static constexpr auto shape =
      describe("MemoryInfo", field("SizeInMiB", "sizeInMiB", &MemoryInfo::size_in_mib));
};

struct InstanceTypeInfo {
  std::string instance_type = {};
  std::optional<bool> current_generation = {};
  std::optional<bool> bare_metal = {};
  std::string hypervisor = {};
  std::optional<VCpuInfo> vcpu_info = {};
  std::optional<MemoryInfo> memory_info = {};
  std::optional<EbsInfo> ebs_info = {};
  static constexpr auto shape = describe(
      "InstanceTypeInfo", field("InstanceType", "instanceType", &InstanceTypeInfo::instance_type),
      field("CurrentGeneration", "currentGeneration", &InstanceTypeInfo::current_generation),
      field("BareMetal", "bareMetal", &InstanceTypeInfo::bare_metal),
      field("Hypervisor", "hypervisor", &InstanceTypeInfo::hypervisor),
      field("VCpuInfo", "vCpuInfo", &InstanceTypeInfo::vcpu_info),
      field("MemoryInfo", "memoryInfo", &InstanceTypeInfo::memory_info),
      field("EbsInfo", "ebsInfo", &InstanceTypeInfo::ebs_info));
};

struct DescribeInstanceTypesRequest {
  std::vector<std::string> instance_types = {};
  std::vector<Filter> filters = {};
  std::optional<std::int64_t> max_results = {};
  std::string next_token = {};
  std::optional<bool> dry_run = {};
  static constexpr auto shape = describe(
      "DescribeInstanceTypesRequest",
      field("InstanceTypes", "InstanceType", &DescribeInstanceTypesRequest::instance_types),
      field("Filters", "Filter", &DescribeInstanceTypesRequest::filters),
      field("MaxResults", &DescribeInstanceTypesRequest::max_results),
      field("NextToken", &DescribeInstanceTypesRequest::next_token),
      field("DryRun", &DescribeInstanceTypesRequest::dry_run));
};

struct DescribeInstanceTypesResult {
  std::vector<InstanceTypeInfo> instance_types = {};
  std::string next_token = {};
  static constexpr auto shape = describe(
      "DescribeInstanceTypesResult",
      field("InstanceTypes", "instanceTypeSet", &DescribeInstanceTypesResult::instance_types),
      field("NextToken", "nextToken", &DescribeInstanceTypesResult::next_token));
};

struct DescribeInstanceTypes {
  using Request = DescribeInstanceTypesRequest;
  using Response = DescribeInstanceTypesResult;
  static constexpr OperationInfo info{ec2_service, "DescribeInstanceTypes", Idempotent::yes};
};

}  // namespace runctl::aws::ec2
