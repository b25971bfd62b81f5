#include "emulator/rows.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "base/json.hpp"

namespace runctl::emulator {
namespace {

namespace json = boost::json;

// One description a record serves both directions: `Archive` is Saver or Loader.

template <class Archive>
void members(Archive& archive, Zone& r) {
  archive("name", r.name)("id", r.id);
}

template <class Archive>
void members(Archive& archive, ec2::Attachment& r) {
  archive("instance", r.instance)("device", r.device)("state", r.state)("attached", r.attached)(
      "due", r.due)("delete_on_termination", r.delete_on_termination)("is_root", r.is_root);
}

template <class Archive>
void members(Archive& archive, ec2::VolumeShape& r) {
  archive("size", r.size.count)("type", r.type)("iops", r.iops)("throughput", r.throughput)(
      "multi_attach", r.multi_attach);
}

template <class Archive>
void members(Archive& archive, ec2::Modification& r) {
  archive("original", r.original)("target", r.target)("state", r.state)("message", r.message)(
      "started", r.started)("optimizing", r.optimizing)("ended", r.ended)("due", r.due);
}

template <class Archive>
void members(Archive& archive, ec2::Volume& r) {
  archive("size", r.size.count)("type", r.type)("iops", r.iops)("throughput", r.throughput)(
      "encrypted", r.encrypted)("kms_key", r.kms_key)("multi_attach", r.multi_attach)(
      "zone", r.zone)("source", r.source)("created", r.created)("state", r.state)(
      "attachments", r.attachments)("tags", r.tags)("last_snapshot", r.last_snapshot)(
      "has_disk", r.has_disk)("due", r.due)("source_volume", r.source_volume)(
      "initialization_rate", r.initialization_rate)("modification", r.modification)("modified",
                                                                                    r.modified);
}

template <class Archive>
void members(Archive& archive, ec2::Snapshot& r) {
  archive("volume", r.volume)("size", r.size.count)("description", r.description)(
      "encrypted", r.encrypted)("started", r.started)("state", r.state)("message", r.message)(
      "captured", r.captured)("tags", r.tags)("due", r.due)("completed", r.completed);
}

template <class Archive>
void members(Archive& archive, ec2::Instance& r) {
  archive("reservation", r.reservation)("image", r.image)("type", r.type)("key_name", r.key_name)(
      "subnet", r.subnet)("client_token", r.client_token)("instance_profile", r.instance_profile)(
      "zone", r.zone)("launched", r.launched)("state", r.state)("reason", r.reason)(
      "reason_code", r.reason_code)("reason_message", r.reason_message)("tags", r.tags)(
      "due", r.due)("spot_request", r.spot_request)("interruption", r.interruption);
}

template <class Archive>
void members(Archive& archive, ec2::SpotTerms& r) {
  archive("persistent", r.persistent)("behavior", r.behavior)("max_price", r.max_price)(
      "valid_until", r.valid_until);
}

template <class Archive>
void members(Archive& archive, ec2::SpotRequest& r) {
  archive("instance", r.instance)("terms", r.terms)("state", r.state)("code", r.code)(
      "message", r.message)("updated", r.updated)("created", r.created)("image", r.image)(
      "instance_type", r.instance_type)("key_name", r.key_name)("subnet", r.subnet)("zone", r.zone)(
      "tags", r.tags);
}

template <class Archive>
void members(Archive& archive, ec2::Token& r) {
  archive("fingerprint", r.fingerprint)("answer", r.answer);
}

template <class Archive>
void members(Archive& archive, ssm::Invocation& r) {
  archive("instance", r.instance)("status", r.status)("details", r.details)(
      "response_code", r.response_code)("started", r.started)("ended", r.ended)("out", r.out)(
      "err", r.err);
}

template <class Archive>
void members(Archive& archive, ssm::Command& r) {
  archive("comment", r.comment)("requested", r.requested)("expires", r.expires)("invocations",
                                                                                r.invocations);
}

template <class T>
struct IsStrongId : std::false_type {};
template <class Kind>
struct IsStrongId<StrongId<Kind>> : std::true_type {};
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

class Saver {
 public:
  template <class T>
  Saver& operator()(std::string_view name, const T& value) {
    out_[name] = encode(value);
    return *this;
  }

  template <class Record>
  [[nodiscard]] static json::object save(const Record& record) {
    Saver saver;
    // `members` serves the loader too, and so takes a reference that is not const.
    Record copy{record};
    members(saver, copy);
    return std::move(saver.out_);
  }

 private:
  template <class T>
  static json::value encode(const T& value) {
    if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, bool> ||
                  std::is_same_v<T, std::int64_t> || std::is_same_v<T, unsigned>) {
      return json::value(value);
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      return value.time_since_epoch().count();
    } else if constexpr (std::is_enum_v<T>) {
      return json::string{name_of(value)};
    } else if constexpr (IsStrongId<T>::value) {
      return json::string{value.str()};
    } else if constexpr (IsOptional<T>::value) {
      return value ? encode(*value) : json::value(nullptr);
    } else if constexpr (std::is_same_v<T, ec2::Tags>) {
      json::object object;
      for (const auto& [key, text] : value) object[key] = text;
      return object;
    } else if constexpr (IsVector<T>::value) {
      json::array array;
      for (const auto& item : value) array.push_back(encode(item));
      return array;
    } else {
      return save(value);
    }
  }

  json::object out_;
};

// Any id: overwritten as the record is loaded.
const InstanceId& no_instance() {
  static const InstanceId id = *InstanceId::parse("i-00000000");
  return id;
}

template <class T>
T blank() {
  if constexpr (std::is_same_v<T, ec2::Attachment>) {
    return ec2::Attachment{.instance = no_instance()};
  } else {
    return T{};
  }
}

class Loader {
 public:
  explicit Loader(const json::value& row) : row_{row} {}

  template <class T>
  Loader& operator()(std::string_view name, T& value) {
    const json::object* const object = row_.if_object();
    const json::value* const found = object == nullptr ? nullptr : object->if_contains(name);
    // A row of an older version lacks what came later: that may be nothing, or none.
    const bool is_older = found == nullptr && (IsOptional<T>::value || IsVector<T>::value);
    if (is_older || !problem_.empty()) return *this;
    if (found == nullptr || !decode(*found, value)) problem_ = name;
    return *this;
  }

  // The name of the first member that is missing or is not what it should be; empty when all is
  // well.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  template <class T>
  static bool decode(const json::value& from, T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (const auto* const text = from.if_string()) {
        value.assign(text->data(), text->size());
        return true;
      }
      return false;
    } else if constexpr (std::is_same_v<T, bool>) {
      if (const auto* const flag = from.if_bool()) value = *flag;
      return from.is_bool();
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      if (const auto* const number = from.if_int64()) value = *number;
      return from.is_int64();
    } else if constexpr (std::is_same_v<T, unsigned>) {
      const auto* const number = from.if_int64();
      if (number == nullptr || *number < 0 || *number > UINT32_MAX) return false;
      value = static_cast<unsigned>(*number);
      return true;
    } else if constexpr (std::is_same_v<T, Timestamp>) {
      if (const auto* const number = from.if_int64()) {
        value = Timestamp{std::chrono::milliseconds{*number}};
      }
      return from.is_int64();
    } else {
      return decode_composite(from, value);
    }
  }

  template <class T>
  static bool decode_composite(const json::value& from, T& value) {
    if constexpr (std::is_enum_v<T>) {
      const auto* const text = from.if_string();
      if (text == nullptr) return false;
      // No enumeration here has more values.
      for (std::uint8_t i = 0; i < count_of(T{}); ++i) {
        value = static_cast<T>(i);
        if (name_of(value) == std::string_view{*text}) return true;
      }
      return false;
    } else if constexpr (IsStrongId<T>::value) {
      const auto* const text = from.if_string();
      if (text == nullptr) return false;
      auto id = T::parse(*text);
      if (!id) return false;
      value = *std::move(id);
      return true;
    } else if constexpr (IsOptional<T>::value) {
      return decode_optional(from, value);
    } else if constexpr (std::is_same_v<T, ec2::Tags>) {
      const auto* const object = from.if_object();
      if (object == nullptr) return false;
      for (const auto& [key, text] : *object) {
        if (!decode(text, value[std::string{key}])) return false;
      }
      return true;
    } else if constexpr (IsVector<T>::value) {
      const auto* const array = from.if_array();
      if (array == nullptr) return false;
      for (const json::value& item : *array) {
        value.push_back(blank<typename T::value_type>());
        if (!decode(item, value.back())) return false;
      }
      return true;
    } else {
      return load(from, value);
    }
  }

  template <class T>
  static bool decode_optional(const json::value& from, std::optional<T>& value) {
    if (from.is_null()) return true;
    if constexpr (IsStrongId<T>::value) {
      const auto* const text = from.if_string();
      if (text == nullptr) return false;
      auto id = T::parse(*text);
      if (!id) return false;
      value = *std::move(id);
      return true;
    } else {
      return decode(from, value.emplace());
    }
  }

  template <class T>
  static bool load(const json::value& from, T& value) {
    Loader loader{from};
    members(loader, value);
    return loader.problem().empty();
  }

  static constexpr std::uint8_t count_of(ec2::VolumeState) { return 5; }
  static constexpr std::uint8_t count_of(ec2::AttachmentState) { return 4; }
  static constexpr std::uint8_t count_of(ec2::SnapshotState) { return 3; }
  static constexpr std::uint8_t count_of(ec2::ModificationState) { return 4; }
  static constexpr std::uint8_t count_of(ec2::InstanceState) { return 6; }
  static constexpr std::uint8_t count_of(ec2::SpotState) { return 4; }
  static constexpr std::uint8_t count_of(ec2::InterruptionBehavior) { return 3; }

  const json::value& row_;
  std::string problem_;
};

template <class Record>
Result<Record> load_record(const json::value& row, std::string_view id, Record record) {
  Loader loader{row};
  members(loader, record);
  if (loader.problem().empty()) return record;
  return fail(Errc::corrupt,
              fmt::format("the row of {} has no proper member '{}'", id, loader.problem()));
}

}  // namespace

std::string to_row(const ec2::Volume& record) { return to_text(Saver::save(record)); }
std::string to_row(const ec2::Snapshot& record) { return to_text(Saver::save(record)); }
std::string to_row(const ec2::Instance& record) { return to_text(Saver::save(record)); }
std::string to_row(const ec2::SpotRequest& record) { return to_text(Saver::save(record)); }
std::string to_row(const ec2::Token& record) { return to_text(Saver::save(record)); }
std::string to_row(const ssm::Command& record) { return to_text(Saver::save(record)); }

Result<void> load_row(ec2::State& state, std::string_view kind, const std::string& id,
                      std::string_view json) {
  RUNCTL_TRY_LET(const auto row, parse_json(json));
  if (kind == "volume") {
    RUNCTL_TRY_LET(const auto key, VolumeId::parse(id));
    RUNCTL_TRY_LET(auto record, load_record(row, id, ec2::Volume{.id = key}));
    state.volumes.load(key, std::move(record));
  } else if (kind == "snapshot") {
    RUNCTL_TRY_LET(const auto key, SnapshotId::parse(id));
    static const VolumeId none = *VolumeId::parse("vol-00000000");
    RUNCTL_TRY_LET(auto record, load_record(row, id, ec2::Snapshot{.id = key, .volume = none}));
    state.snapshots.load(key, std::move(record));
  } else if (kind == "instance") {
    RUNCTL_TRY_LET(const auto key, InstanceId::parse(id));
    RUNCTL_TRY_LET(auto record, load_record(row, id, ec2::Instance{.id = key}));
    state.instances.load(key, std::move(record));
  } else if (kind == "spot-request") {
    RUNCTL_TRY_LET(auto record, load_record(row, id, ec2::SpotRequest{.instance = no_instance()}));
    state.spot_requests.load(id, std::move(record));
  } else if (kind == "token") {
    RUNCTL_TRY_LET(auto record, load_record(row, id, ec2::Token{}));
    state.tokens.load(id, std::move(record));
  } else if (kind == "command") {
    RUNCTL_TRY_LET(auto record, load_record(row, id, ssm::Command{.id = id}));
    state.commands.load(id, std::move(record));
  } else {
    return fail(Errc::corrupt, fmt::format("a row is of the unknown kind '{}'", kind));
  }
  return {};
}

}  // namespace runctl::emulator
