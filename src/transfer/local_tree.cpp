#include "transfer/local_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace runctl::transfer {
namespace {

TreeItem obstacle(std::string name, Obstacle what, std::string why = {}) {
  return {.name = std::move(name), .obstacle = what, .why = std::move(why)};
}

// Of something that could not be opened or looked at.
TreeItem obstacle(std::string name, const Error& error) {
  const bool gone = error.code == Errc::not_found;
  return obstacle(std::move(name), gone ? Obstacle::vanished : Obstacle::unreadable, error.message);
}

}  // namespace

std::string_view in_words(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::symlink:
      return "it is a symbolic link, and those are not followed";
    case Obstacle::dangling_link:
      return "it is a symbolic link that leads nowhere";
    case Obstacle::link_cycle:
      return "it is a symbolic link to a directory that it is in";
    case Obstacle::special_file:
      return "it is a device, a socket or a pipe";
    case Obstacle::empty_directory:
      return "it is an empty directory, and S3 has none";
    case Obstacle::unreadable:
      return "it cannot be read";
    case Obstacle::unfinished:
      return "it is a part of an unfinished download";
    case Obstacle::vanished:
      return "it was there a moment ago, and is no more";
    case Obstacle::name:
      return "its name cannot be a key's";
  }
  std::unreachable();
}

std::string_view name_of(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::symlink:
      return "symlink";
    case Obstacle::dangling_link:
      return "dangling_link";
    case Obstacle::link_cycle:
      return "link_cycle";
    case Obstacle::special_file:
      return "special_file";
    case Obstacle::empty_directory:
      return "empty_directory";
    case Obstacle::unreadable:
      return "unreadable";
    case Obstacle::unfinished:
      return "unfinished";
    case Obstacle::vanished:
      return "vanished";
    case Obstacle::name:
      return "name";
  }
  std::unreachable();
}

bool is_failure(Obstacle obstacle) {
  return obstacle == Obstacle::unreadable || obstacle == Obstacle::vanished ||
         obstacle == Obstacle::name;
}

Result<LocalTree> LocalTree::open(const std::filesystem::path& root, WalkOptions options) {
  LocalTree tree{std::move(options)};
  RUNCTL_TRY_LET(DirectoryReader directory, DirectoryReader::open(root));
  RUNCTL_TRY_LET(const FileFacts facts, directory.facts());
  RUNCTL_TRY_LET(NameList names, tree.sorted_names(directory));
  tree.levels_.push_back(
      {.directory = std::move(directory), .names = std::move(names), .prefix = {}, .facts = facts});
  return tree;
}

// Sorted as keys, which needs to be known of each name whether it is a directory's.
Result<NameList> LocalTree::sorted_names(const DirectoryReader& directory) const {
  RUNCTL_TRY_LET(NameList names, directory.names());
  const auto is_open_question = [&](FileKind kind) {
    return kind == FileKind::unknown ||
           (kind == FileKind::symlink && options_.links == Links::followed);
  };
  bool any = false;
  for (std::size_t i = 0; i < names.size() && !any; ++i) any = is_open_question(names.kind(i));
  if (any) {
    NameList resolved;
    for (std::size_t i = 0; i < names.size(); ++i) {
      FileKind kind = names.kind(i);
      if (is_open_question(kind)) {
        // What cannot be looked at now is looked at again, and told, when its turn has come.
        const auto facts = directory.facts(names.name(i), options_.links);
        if (facts) kind = facts->kind;
      }
      resolved.add(names.name(i), kind);
    }
    names = std::move(resolved);
  }
  names.sort();
  return names;
}

std::optional<TreeItem> LocalTree::next() {
  while (!levels_.empty()) {
    Level& level = levels_.back();
    if (level.at == level.names.size()) {
      levels_.pop_back();
      continue;
    }
    const std::size_t index = level.at++;
    // A copy: entering a directory moves the levels.
    const std::string name{level.names.name(index)};
    if (auto item = look_at(level, name, level.names.kind(index))) return item;
  }
  return std::nullopt;
}

bool LocalTree::is_open(const FileFacts& facts) const {
  return std::ranges::any_of(levels_, [&](const Level& level) {
    return level.facts.device == facts.device && level.facts.inode == facts.inode;
  });
}

std::optional<TreeItem> LocalTree::look_at(const Level& level, std::string_view name,
                                           FileKind kind) {
  std::string path = level.prefix;
  path += name;
  const bool is_directory = kind == FileKind::directory;
  const NameFilter& filter = options_.filter;
  if (is_directory ? !filter.enters(path) : !filter.takes_file(path)) return std::nullopt;
  if (const NameFault fault = fault_of_name(path, options_.folder_size); fault != NameFault::none) {
    if (is_directory) path += '/';
    const bool partial = fault == NameFault::reserved;
    TreeItem item = obstacle(std::move(path), partial ? Obstacle::unfinished : Obstacle::name);
    item.fault = fault;
    return item;
  }
  if (is_directory) return enter(level, name, std::move(path));
  const auto facts = level.directory.facts(name, options_.links);
  if (!facts) {
    if (kind != FileKind::symlink) return obstacle(std::move(path), facts.error());
    const bool nowhere = facts.error().code == Errc::not_found;
    return obstacle(std::move(path), nowhere ? Obstacle::dangling_link : Obstacle::unreadable,
                    facts.error().message);
  }
  TreeItem item{.name = std::move(path), .facts = *facts};
  switch (facts->kind) {
    case FileKind::file:
      break;
    case FileKind::symlink:
      item.obstacle = Obstacle::symlink;
      break;
    case FileKind::directory:  // it was none when the directory was read
      item.obstacle = Obstacle::vanished;
      break;
    case FileKind::other:
    case FileKind::unknown:
      item.obstacle = Obstacle::special_file;
      break;
  }
  return item;
}

std::optional<TreeItem> LocalTree::enter(const Level& level, std::string_view name,
                                         std::string path) {
  path += '/';
  auto directory = level.directory.open_below(name, options_.links);
  if (!directory) return obstacle(std::move(path), directory.error());
  const auto facts = directory->facts();
  if (!facts) return obstacle(std::move(path), facts.error());
  if (is_open(*facts)) return obstacle(std::move(path), Obstacle::link_cycle);
  auto names = sorted_names(*directory);
  if (!names) return obstacle(std::move(path), names.error());
  if (names->size() == 0) return obstacle(std::move(path), Obstacle::empty_directory);
  levels_.push_back({.directory = *std::move(directory),
                     .names = *std::move(names),
                     .prefix = std::move(path),
                     .facts = *facts});
  return std::nullopt;
}

}  // namespace runctl::transfer
