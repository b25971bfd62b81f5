// runctl s3 list
#include <ostream>

#include <fmt/format.h>

#include "base/time_text.hpp"
#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/s3/json_list.hpp"
#include "cli/s3/listing.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/report.hpp"
#include "transfer/object_name.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI",
     .help = "a bucket, a folder or an object; all buckets without",
     .need = PositionalSpec::Need::optional},
}};
constexpr std::array<OptionSpec, 2> own_options{{
    {.name = "--bytes", .help = "sizes in bytes, not in words"},
    {.name = "--versions", .help = "every version, and what was deleted"},
}};
constexpr auto options = joined(recursive_option, own_options, connection_options);

// One line, or one record, of what a folder has.
struct Entry {
  std::string key = {};
  bool is_folder = false;
  std::uint64_t size = 0;
  Timestamp modified{};
  std::string etag = {};
  std::string storage_class = {};
  std::string version_id = {};
  bool is_latest = true;
  bool is_deleted = false;
};

Entry to_entry(ListedObject object) {
  return {.key = std::move(object.key),
          .size = object.size,
          .modified = object.last_modified,
          .etag = std::move(object.etag),
          .storage_class = std::move(object.storage_class)};
}

// Writes entries as they come, each in the form that --output asks for.
class Writer {
 public:
  Writer(Context& context, std::string bucket, std::string folder, bool exact)
      : context_{context},
        bucket_{std::move(bucket)},
        folder_{std::move(folder)},
        exact_{exact},
        list_{context, "objects"} {}

  void add(const Entry& entry) {
    (entry.is_folder ? folders_ : objects_) += 1;
    bytes_ += entry.size;
    switch (context_.globals.output) {
      case OutputFormat::text:
        context_.out << line(entry) << '\n';
        break;
      case OutputFormat::json:
        list_.add(record(entry));
        break;
      case OutputFormat::id:
        context_.out << fmt::format("s3://{}/{}\n", bucket_, transfer::printable(entry.key));
        break;
    }
  }

  void end() {
    if (context_.globals.output == OutputFormat::json) {
      list_.end({{"count", objects_}, {"folders", folders_}, {"bytes", bytes_}});
    } else if (context_.globals.output == OutputFormat::text) {
      std::string sum = fmt::format("{}, {}", counted(objects_, "object"), bytes_in_words(bytes_));
      if (folders_ > 0) sum = fmt::format("{}, {}", counted(folders_, "folder"), sum);
      if (objects_ + folders_ == 0) sum = "The bucket is empty.";
      context_.out << sum << '\n';
    }
    context_.out.flush();
  }

  [[nodiscard]] bool cut(const Error& error) { return list_.cut(error); }
  [[nodiscard]] bool is_empty() const { return objects_ + folders_ == 0; }

 private:
  [[nodiscard]] std::string line(const Entry& entry) const {
    std::string name =
        entry.key.starts_with(folder_) ? entry.key.substr(folder_.size()) : entry.key;
    if (name.empty()) name = entry.key;  // the folder's own marker
    name = transfer::printable(name);
    if (entry.is_folder) return fmt::format("{:>12}  {:20}  {}", "folder", "", name);
    std::string size = exact_ ? std::to_string(entry.size) : bytes_in_words(entry.size);
    if (entry.is_deleted) size = "deleted";
    std::string text =
        fmt::format("{:>12}  {:20}  {}", size, iso8601(entry.modified).substr(0, 19) + "Z", name);
    if (!entry.storage_class.empty() && entry.storage_class != "STANDARD") {
      text += fmt::format("  [{}]", entry.storage_class);
    }
    if (!entry.version_id.empty()) {
      text += fmt::format("  {}{}", entry.version_id, entry.is_latest ? " (current)" : "");
    }
    return text;
  }

  [[nodiscard]] boost::json::object record(const Entry& entry) const {
    boost::json::object out{{"uri", for_json(fmt::format("s3://{}/{}", bucket_, entry.key))},
                            {"key", for_json(entry.key)}};
    if (entry.is_folder) {
      out["folder"] = true;
      return out;
    }
    if (!entry.is_deleted) {
      out["bytes"] = entry.size;
      out["etag"] = entry.etag;
      if (!entry.storage_class.empty()) out["storage_class"] = entry.storage_class;
    }
    out["last_modified"] = iso8601(entry.modified);
    if (!entry.version_id.empty()) {
      out["version_id"] = entry.version_id;
      out["current"] = entry.is_latest;
      out["deleted"] = entry.is_deleted;
    }
    return out;
  }

  Context& context_;
  std::string bucket_;
  std::string folder_;
  bool exact_;
  JsonList list_;
  std::uint64_t objects_ = 0;
  std::uint64_t folders_ = 0;
  std::uint64_t bytes_ = 0;
};

// Objects and folders of a page are sorted each; a listing has them in one order.
void add_page(Writer& writer, aws::s3::ListObjectsV2Output page) {
  auto folder = page.common_prefixes.begin();
  const auto add_folder = [&] { writer.add({.key = (folder++)->prefix, .is_folder = true}); };
  for (aws::s3::Object& object : page.contents) {
    while (folder != page.common_prefixes.end() && folder->prefix < object.key) add_folder();
    writer.add(to_entry(to_listed(std::move(object))));
  }
  while (folder != page.common_prefixes.end()) add_folder();
}

Result<void> list_folder(S3Session& session, Writer& writer, const std::string& bucket,
                         const std::string& folder) {
  PageRequest request{.bucket = bucket, .prefix = folder, .delimiter = "/"};
  while (true) {
    RUNCTL_TRY_LET(auto page, list_page(session, request));
    const bool more = page.is_truncated.value_or(false) && !page.next_continuation_token.empty();
    request.token = page.next_continuation_token;
    add_page(writer, std::move(page));
    if (!more) return {};
  }
}

Result<void> list_all(S3Session& session, Writer& writer, const std::string& bucket,
                      const std::string& folder) {
  ObjectListing listing{session, bucket, folder};
  while (true) {
    RUNCTL_TRY_LET(auto object, listing.next());
    if (!object) return {};
    writer.add(to_entry(*std::move(object)));
  }
}

// Versions and delete markers of a page are sorted each, by key and then the newest first. With
// `only`, those of that key. True when the list has come past it.
bool add_versions(Writer& writer, aws::s3::ListObjectVersionsOutput& page,
                  const std::string& only) {
  std::vector<Entry> entries;
  entries.reserve(page.versions.size() + page.delete_markers.size());
  for (auto& version : page.versions) {
    entries.push_back({.key = std::move(version.key),
                       .size = static_cast<std::uint64_t>(version.size.value_or(0)),
                       .modified = version.last_modified.value_or(Timestamp{}),
                       .etag = std::move(version.etag),
                       .storage_class = std::move(version.storage_class),
                       .version_id = std::move(version.version_id),
                       .is_latest = version.is_latest.value_or(false)});
  }
  for (auto& marker : page.delete_markers) {
    entries.push_back({.key = std::move(marker.key),
                       .modified = marker.last_modified.value_or(Timestamp{}),
                       .version_id = std::move(marker.version_id),
                       .is_latest = marker.is_latest.value_or(false),
                       .is_deleted = true});
  }
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    if (a.key != b.key) return a.key < b.key;
    // Of two within a second the one that counts comes first.
    return a.modified != b.modified ? a.modified > b.modified : a.is_latest && !b.is_latest;
  });
  bool is_past = false;
  for (const Entry& entry : entries) {
    const bool is_wanted = only.empty() || entry.key == only;
    if (is_wanted) writer.add(entry);
    is_past = is_past || !is_wanted;
  }
  if (!only.empty()) return is_past;
  for (auto& folder : page.common_prefixes) {
    writer.add({.key = std::move(folder.prefix), .is_folder = true});
  }
  return false;
}

Result<void> list_versions_at(S3Session& session, Writer& writer,
                              aws::s3::ListObjectVersionsRequest request, const std::string& only) {
  request.request_payer = std::string{session.payer()};
  while (true) {
    RUNCTL_TRY_LET(auto page,
                   session.client().call<aws::s3::ListObjectVersions>(request, session.options()));
    const bool more = page.is_truncated.value_or(false) && !page.next_key_marker.empty();
    request.key_marker = page.next_key_marker;
    request.version_id_marker = page.next_version_id_marker;
    if (add_versions(writer, page, only) || !more) return {};
  }
}

// Of the object of that very name, and of what is in the folder of that name.
Result<void> list_versions(S3Session& session, Writer& writer, const transfer::S3Uri& uri,
                           bool recursive) {
  if (!uri.key.empty() && !uri.key.ends_with('/')) {
    RUNCTL_TRY(list_versions_at(
        session, writer, {.bucket = uri.bucket, .delimiter = "/", .prefix = uri.key}, uri.key));
  }
  return list_versions_at(
      session, writer,
      {.bucket = uri.bucket, .delimiter = recursive ? "" : "/", .prefix = transfer::folder_of(uri)},
      "");
}

Result<ExitCode> list_buckets(S3Session& session, Context& context) {
  Table table{{"CREATED", "REGION", "BUCKET"}};
  boost::json::array records;
  std::string ids;
  aws::s3::ListBucketsRequest request;
  do {
    RUNCTL_TRY_LET(const auto page,
                   session.client().call<aws::s3::ListBuckets>(request, session.options()));
    for (const auto& bucket : page.buckets) {
      const std::string created =
          bucket.creation_date ? iso8601(*bucket.creation_date).substr(0, 19) + "Z" : "";
      table.add({created, bucket.bucket_region, bucket.name});
      records.emplace_back(boost::json::object{{"bucket", bucket.name},
                                               {"uri", "s3://" + bucket.name},
                                               {"created", created},
                                               {"region", bucket.bucket_region}});
      ids += (ids.empty() ? "" : "\n") + bucket.name;
    }
    request.continuation_token = page.continuation_token;
  } while (!request.continuation_token.empty());
  const bool none = records.empty();
  present(context, {.text = none ? "There are no buckets. To make one: runctl s3 create s3://NAME\n"
                                 : table.text(),
                    .record = {{"buckets", std::move(records)}},
                    .id = ids});
  return ExitCode::ok;
}

// The object of that very name, and what is in the folder of that name.
Result<void> list_named(S3Session& session, Writer& writer, const transfer::S3Uri& uri,
                        bool recursive) {
  if (!uri.key.empty() && !uri.key.ends_with('/')) {
    RUNCTL_TRY_LET(auto object, find_object(session, uri));
    if (object) writer.add(to_entry(*std::move(object)));
  }
  const std::string folder = transfer::folder_of(uri);
  return recursive ? list_all(session, writer, uri.bucket, folder)
                   : list_folder(session, writer, uri.bucket, folder);
}

Result<ExitCode> list(const Arguments& arguments, Context& context) {
  std::optional<transfer::S3Uri> uri;
  if (arguments.positionals.contains("S3URI")) {
    RUNCTL_TRY_LET(uri, parse_uri(arguments, "S3URI"));
  }
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  if (!uri) return list_buckets(*session, context);
  const bool recursive = arguments.has("--recursive");
  const std::string folder =
      uri->key.empty() || uri->key.ends_with('/') ? uri->key : uri->key + '/';
  Writer writer{context, uri->bucket, folder, arguments.has("--bytes")};
  const auto done = arguments.has("--versions") ? list_versions(*session, writer, *uri, recursive)
                                                : list_named(*session, writer, *uri, recursive);
  if (!done) {
    if (writer.cut(done.error())) return exit_code_for(done.error().code);
    return std::unexpected{done.error()};
  }
  if (writer.is_empty() && !uri->key.empty()) {
    auto nothing = fail(Errc::not_found,
                        fmt::format("there is nothing at {}", transfer::printable(to_text(*uri))));
    nothing.error().hint = fmt::format("See what there is: runctl s3 list s3://{}", uri->bucket);
    return nothing;
  }
  writer.end();
  return ExitCode::ok;
}

}  // namespace

const CommandSpec s3_list{.path = "s3 list",
                          .summary = "buckets, or what is in one",
                          .positionals = positionals,
                          .options = options,
                          .run = list};

}  // namespace runctl::cli
