// runctl s3 du
#include <map>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/units.hpp"
#include "cli/commands.hpp"
#include "cli/ebs/options.hpp"
#include "cli/output.hpp"
#include "cli/s3/options.hpp"
#include "cli/s3/report.hpp"
#include "cli/s3/sources.hpp"

namespace runctl::cli {
namespace {

constexpr std::array<PositionalSpec, 1> positionals{{
    {.name = "S3URI", .help = "a bucket or a folder"},
}};
constexpr std::array<OptionSpec, 2> own_options{{
    {.name = "--depth",
     .value = "N",
     .help = "folders down to this depth; 0 is the sum alone, 1 else"},
    {.name = "--bytes", .help = "sizes in bytes, not in words"},
}};
constexpr auto options = joined(own_options, filter_options, connection_options);

struct Sum {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  void add(std::uint64_t size) {
    ++objects;
    bytes += size;
  }
};

struct Usage {
  Sum all;
  std::map<std::string, Sum> folders;  // each with all that is below it
  std::map<std::string, Sum> classes;
};

void add(Usage& usage, const FolderListing::Named& named, std::uint64_t depth) {
  usage.all.add(named.object.size);
  const std::string& kind = named.object.storage_class;
  usage.classes[kind.empty() ? "STANDARD" : kind].add(named.object.size);
  std::size_t slash = named.name.find('/');
  for (std::uint64_t level = 0; level < depth && slash != std::string::npos; ++level) {
    usage.folders[named.name.substr(0, slash + 1)].add(named.object.size);
    slash = named.name.find('/', slash + 1);
  }
}

boost::json::object record_of(const Sum& sum) {
  return {{"objects", sum.objects}, {"bytes", sum.bytes}};
}

Presentation present_usage(const Usage& usage, const std::string& place, bool exact) {
  const auto size = [&](std::uint64_t bytes) {
    return exact ? std::to_string(bytes) : bytes_in_words(bytes);
  };
  Table table{{"SIZE", "OBJECTS", "FOLDER"}};
  boost::json::array folders;
  for (const auto& [name, sum] : usage.folders) {
    table.add({size(sum.bytes), std::to_string(sum.objects), transfer::printable(name)});
    boost::json::object one = record_of(sum);
    one["folder"] = for_json(name);
    folders.emplace_back(std::move(one));
  }
  table.add({size(usage.all.bytes), std::to_string(usage.all.objects), transfer::printable(place)});
  std::string text = table.text();
  boost::json::object classes;
  for (const auto& [name, sum] : usage.classes) classes[name] = record_of(sum);
  if (usage.classes.size() > 1) {
    Table kinds{{"SIZE", "OBJECTS", "STORAGE CLASS"}};
    for (const auto& [name, sum] : usage.classes) {
      kinds.add({size(sum.bytes), std::to_string(sum.objects), name});
    }
    text += "\n" + kinds.text();
  }
  boost::json::object record = record_of(usage.all);
  record["uri"] = for_json(place);
  record["folders"] = std::move(folders);
  record["storage_classes"] = std::move(classes);
  return {
      .text = std::move(text), .record = std::move(record), .id = std::to_string(usage.all.bytes)};
}

Result<ExitCode> du(const Arguments& arguments, Context& context) {
  RUNCTL_TRY_LET(const auto uri, parse_uri(arguments, "S3URI"));
  RUNCTL_TRY_LET(const auto depth,
                 parse_number("--depth", arguments.get("--depth").value_or("1"), 1'000));
  RUNCTL_TRY_LET(const auto filter, parse_filter(arguments));
  RUNCTL_TRY_LET(const auto session, connect_s3(context, arguments));
  Usage usage;
  if (!uri.key.empty() && !uri.key.ends_with('/') && filter.empty()) {
    RUNCTL_TRY_LET(auto object, find_object(*session, uri));
    if (object) add(usage, {.name = uri.key, .object = *std::move(object)}, 0);
  }
  FolderListing listing{*session, uri, filter};
  while (true) {
    RUNCTL_TRY_LET(const auto named, listing.next());
    if (!named) break;
    add(usage, *named, depth);
  }
  if (usage.all.objects == 0 && !uri.key.empty() && filter.empty()) {
    return fail(Errc::not_found,
                fmt::format("there is nothing at {}", transfer::printable(to_text(uri))));
  }
  present(context, present_usage(usage, to_text(uri), arguments.has("--bytes")));
  return ExitCode::ok;
}

}  // namespace

const CommandSpec s3_du{.path = "s3 du",
                        .summary = "how much a bucket or folder holds",
                        .positionals = positionals,
                        .options = options,
                        .run = du};

}  // namespace runctl::cli
