// Holds every described shape against AWS's own service model (tests/data/aws_model/shapes.json).
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "aws/ec2/image.hpp"
#include "aws/ec2/instance.hpp"
#include "aws/ec2/instance_type.hpp"
#include "aws/ec2/modification.hpp"
#include "aws/ec2/network.hpp"
#include "aws/ec2/snapshot.hpp"
#include "aws/ec2/spot_request.hpp"
#include "aws/ec2/status.hpp"
#include "aws/ec2/tags.hpp"
#include "aws/ec2/volume.hpp"
#include "aws/ec2/volume_copy.hpp"
#include "aws/ec2/zone.hpp"
#include "aws/s3/bucket.hpp"
#include "aws/s3/list.hpp"
#include "aws/s3/multipart.hpp"
#include "aws/s3/object.hpp"
#include "aws/ssm/invocations.hpp"
#include "aws/ssm/shapes.hpp"
#include "aws/sts/shapes.hpp"
#include "base/json.hpp"
#include "io/file.hpp"

namespace runctl::aws {
namespace {

const boost::json::value& models() {
  static const boost::json::value value = [] {
    const auto text = read_file(RUNCTL_SOURCE_DIR "/tests/data/aws_model/shapes.json");
    return parse_json(text.value()).value();
  }();
  return value;
}

template <class T>
struct Kind;  // the model's word for a C++ type, with the target structure where there is one
template <>
struct Kind<std::string> {
  static constexpr std::string_view type = "string", item = "", target = "";
};
template <>
struct Kind<std::int64_t> {
  static constexpr std::string_view type = "integer", item = "", target = "";
};
template <>
struct Kind<bool> {
  static constexpr std::string_view type = "boolean", item = "", target = "";
};
template <>
struct Kind<Timestamp> {
  static constexpr std::string_view type = "timestamp", item = "", target = "";
};
template <>
struct Kind<std::map<std::string, std::vector<std::string>>> {
  static constexpr std::string_view type = "map", item = "", target = "";
};
template <>
struct Kind<std::map<std::string, std::string>> {
  static constexpr std::string_view type = "map", item = "", target = "";
};
template <Described T>
struct Kind<T> {
  static constexpr std::string_view type = "structure", item = "", target = T::shape.name;
};
template <class T>
struct Kind<std::optional<T>> : Kind<T> {};
template <class T>
struct Kind<std::vector<T>> {
  static constexpr std::string_view type = "list", item = Kind<T>::type, target = Kind<T>::target;
};

// The model's word for a place; the text of the root is the one thing that it does not know.
std::string_view word_for(Place place) {
  switch (place) {
    case Place::body:
    case Place::text:
      return "";
    case Place::payload:
      return "payload";
    case Place::uri:
      return "uri";
    case Place::query:
      return "querystring";
    case Place::header:
      return "header";
    case Place::headers:
      return "headers";
  }
  std::unreachable();
}

void check_place(const std::string& where, const FieldNames& names,
                 const boost::json::value& member) {
  EXPECT_EQ(string_at(member, "place").value_or(""), word_for(names.place))
      << where << "." << names.member;
  const auto* flat = member.as_object().if_contains("flattened");
  EXPECT_EQ(flat != nullptr && flat->is_bool() && flat->get_bool(), names.flattened)
      << where << "." << names.member;
  const std::string item = string_at(member, "item").value_or("");
  EXPECT_EQ(item, names.flattened ? "" : names.item) << where << "." << names.member;
}

template <class Value>
void check_field(const std::string& where, const FieldNames& names,
                 const boost::json::object& members) {
  const auto* member = members.if_contains(names.member);
  ASSERT_NE(member, nullptr) << where << " has no member " << names.member << " in AWS's model";
  EXPECT_EQ(string_at(*member, "location").value_or(""), names.location)
      << where << "." << names.member;
  std::string type = string_at(*member, "type").value_or("");
  if (type == "long") type = "integer";
  EXPECT_EQ(type, Kind<Value>::type) << where << "." << names.member;
  EXPECT_EQ(string_at(*member, "item_type").value_or(""), Kind<Value>::item)
      << where << "." << names.member;
  EXPECT_EQ(string_at(*member, "target").value_or(""), Kind<Value>::target)
      << where << "." << names.member;
  check_place(where, names, *member);
}

// "ec2/Volume": what a test has looked at.
std::set<std::string>& checked() {
  static std::set<std::string> names;
  return names;
}

template <Described T>
void check_shape(const std::string& service);

// The structure in a list or an optional member, where there is one.
template <class T>
struct Inner {
  using type = T;
};
template <class T>
struct Inner<std::optional<T>> : Inner<T> {};
template <class T>
struct Inner<std::vector<T>> : Inner<T> {};

template <Described T>
void check_shape(const std::string& service) {
  const std::string name{T::shape.name};
  if (!checked().insert(service + '/' + name).second) return;
  if (name == "Return") return;  // what EC2 sends where its model has no answer at all
  const auto& shapes = models().at(service).at("shapes").as_object();
  const auto* shape = shapes.if_contains(name);
  ASSERT_NE(shape, nullptr) << "AWS's model of " << service << " has no shape " << name
                            << " (run tests/data/aws_model/extract.py after adding one)";
  const auto check = [&]<class Value>(const Field<T, Value>& field) {
    check_field<Value>(name, field.names, shape->as_object());
    using Item = typename Inner<Value>::type;
    if constexpr (Described<Item>) check_shape<Item>(service);
  };
  std::apply([&](const auto&... fields) { (check(fields), ...); }, T::shape.fields);
}

template <class Operation>
void check_operation() {
  const std::string service{Operation::info.service.id};
  const std::string name{Operation::info.name};
  const auto& model = models().at(service);
  EXPECT_EQ(string_at(model, "api_version").value_or(""), Operation::info.service.api_version);
  const auto* operation = model.at("operations").as_object().if_contains(name);
  ASSERT_NE(operation, nullptr) << service << " has no operation " << name;
  EXPECT_EQ(string_at(*operation, "input").value_or(""), Operation::Request::shape.name);
  const std::string output = string_at(*operation, "output").value_or("");
  const std::string described{Operation::Response::shape.name};
  EXPECT_EQ(output, described == "Return" ? "" : described);
  check_shape<typename Operation::Request>(service);
  check_shape<typename Operation::Response>(service);
}

template <class Operation>
void check_rest_operation() {
  const RestInfo& info = Operation::info;
  const auto& model = models().at("s3");
  const auto* operation = model.at("operations").as_object().if_contains(info.name);
  ASSERT_NE(operation, nullptr) << "s3 has no operation " << info.name;
  EXPECT_EQ(string_at(*operation, "method").value_or(""), info.method) << info.name;
  EXPECT_EQ(string_at(*operation, "uri").value_or(""), info.uri) << info.name;
  EXPECT_EQ(operation->at("status").as_int64(), info.status) << info.name;
  EXPECT_EQ(operation->at("needs_check").as_bool(), info.needs_check) << info.name;
  EXPECT_EQ(string_at(*operation, "input").value_or(""), Operation::Request::shape.name);
  const std::string described{Operation::Response::shape.name};
  EXPECT_EQ(string_at(*operation, "output").value_or(""), described == "Nothing" ? "" : described);
  check_shape<typename Operation::Request>("s3");
  if (described != "Nothing") check_shape<typename Operation::Response>("s3");
}

template <class... Operations>
void check_rest_operations() {
  EXPECT_EQ(models().at("s3").at("operations").as_object().size(), sizeof...(Operations));
  (check_rest_operation<Operations>(), ...);
}

template <class... Operations>
void check_operations() {
  (check_operation<Operations>(), ...);
}
TEST(ServiceModel, KnowsEveryOperationAndItsShapes) {
  check_operations<
      ec2::CreateTags, ec2::DeleteTags, ec2::DescribeVolumes, ec2::CreateVolume, ec2::AttachVolume,
      ec2::DetachVolume, ec2::DeleteVolume, ec2::CreateSnapshot, ec2::DescribeSnapshots,
      ec2::DeleteSnapshot, ec2::RunInstances, ec2::DescribeInstances, ec2::TerminateInstances,
      ec2::StopInstances, ec2::StartInstances, ec2::ModifyInstanceAttribute, ec2::RebootInstances,
      ec2::CopyVolumes, ec2::ModifyVolume, ec2::DescribeVolumesModifications,
      ec2::DescribeAvailabilityZones, ec2::DescribeInstanceTypes, ec2::DescribeRegions,
      ec2::DescribeImages, ec2::DescribeVpcs, ec2::DescribeSubnets, ec2::DescribeSecurityGroups,
      ec2::DescribeTags, ec2::DescribeSpotInstanceRequests, ec2::CancelSpotInstanceRequests,
      ec2::DescribeSpotPriceHistory, ec2::DescribeVolumeStatus, ec2::DescribeInstanceStatus,
      ssm::SendCommand, ssm::GetCommandInvocation, ssm::ListCommandInvocations, ssm::CancelCommand,
      ssm::DescribeInstanceInformation, sts::GetCallerIdentity, sts::AssumeRole,
      sts::AssumeRoleWithWebIdentity>();
  check_rest_operations<s3::ListObjectsV2, s3::ListObjectVersions, s3::HeadObject, s3::GetObject,
                        s3::PutObject, s3::CopyObject, s3::DeleteObject, s3::DeleteObjects,
                        s3::CreateMultipartUpload, s3::UploadPart, s3::UploadPartCopy,
                        s3::CompleteMultipartUpload, s3::AbortMultipartUpload, s3::ListParts,
                        s3::ListMultipartUploads, s3::ListBuckets, s3::CreateBucket,
                        s3::DeleteBucket, s3::HeadBucket, s3::GetBucketLocation>();
  // extract.py takes over each shape that the sources describe: none is left unlooked at.
  for (const auto& [service, model] : models().as_object()) {
    for (const auto& [name, shape] : model.at("shapes").as_object()) {
      const std::string full = std::string{service} + '/' + std::string{name};
      EXPECT_TRUE(checked().contains(full))
          << full << " is part of no operation that is listed here";
    }
  }
}

}  // namespace
}  // namespace runctl::aws
