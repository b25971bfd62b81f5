// Filters and pages of the Describe actions.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aws/ec2/tags.hpp"
#include "base/result.hpp"
#include "emulator/refusal.hpp"

namespace runctl::emulator::ec2 {

// `pattern` may hold * (anything), ? (one character) and a backslash before either to mean itself.
// Source: EC2 User Guide, "Find your Amazon EC2 resources", wildcards.
[[nodiscard]] bool matches_wildcards(std::string_view text, std::string_view pattern);

// A filter that an action has: the values of one resource to match, any of them.
template <class Resource>
struct FilterField {
  std::string_view name;
  std::vector<std::string> (*values)(const Resource&);
};

[[nodiscard]] std::vector<std::string> tag_values(std::span<const aws::ec2::Tag> tags,
                                                  std::string_view key);
[[nodiscard]] std::vector<std::string> tag_keys(std::span<const aws::ec2::Tag> tags);

// Drops the resources that one of `filters` does not let through: filters are anded, the values of
// each ored. Errors: InvalidParameterValue for a filter that the action does not have or that has
// no value.
template <class Resource>
[[nodiscard]] Result<void> keep_matching(std::vector<Resource>& resources,
                                         std::span<const aws::ec2::Filter> filters,
                                         std::span<const FilterField<Resource>> fields) {
  for (const aws::ec2::Filter& filter : filters) {
    std::function<std::vector<std::string>(const Resource&)> values;
    for (const FilterField<Resource>& field : fields) {
      if (field.name == filter.name) values = field.values;
    }
    if constexpr (requires(const Resource& r) { r.tags; }) {
      if (filter.name.starts_with("tag:")) {
        values = [key = filter.name.substr(4)](const Resource& r) {
          return tag_values(r.tags, key);
        };
      } else if (filter.name == "tag-key") {
        values = [](const Resource& r) { return tag_keys(r.tags); };
      }
    }
    if (!values)
      return refuse("InvalidParameterValue", "The filter '" + filter.name + "' is invalid");
    if (filter.values.empty()) {
      return refuse("InvalidParameterValue", "The filter '" + filter.name + "' has no value");
    }
    std::erase_if(resources, [&](const Resource& resource) {
      for (const std::string& value : values(resource)) {
        for (const std::string& pattern : filter.values) {
          if (matches_wildcards(value, pattern)) return false;
        }
      }
      return true;
    });
  }
  return {};
}

struct PageRequest {
  std::optional<std::int64_t> max_results;
  std::string_view next_token;
  bool names_ids = false;  // explicit ids and pages exclude each other
  std::int64_t least = 5;
  std::int64_t most = 1'000;
};

// The key behind which the page starts, "" for the first.
// Errors: InvalidParameterCombination, InvalidParameterValue, InvalidNextToken.
// Source: EC2 API reference, MaxResults of DescribeVolumes, DescribeInstances and
// DescribeSnapshots.
[[nodiscard]] Result<std::string> start_of(const PageRequest& page);
[[nodiscard]] std::string token_behind(std::string_view key);

// Cuts `resources`, which are in the order of their keys, to the page. Returns the next page's
// token, "" with the last page. A resource that is made or deleted between two pages moves no other
// to another page.
template <class Resource, class KeyOf>
[[nodiscard]] Result<std::string> cut_to_page(std::vector<Resource>& resources,
                                              const PageRequest& page, const KeyOf& key_of) {
  RUNCTL_TRY_LET(const std::string start, start_of(page));
  if (!start.empty()) {
    std::erase_if(resources, [&](const Resource& r) { return key_of(r) <= start; });
  }
  const auto most = static_cast<std::size_t>(page.max_results.value_or(page.most));
  const bool paged = page.max_results.has_value() || !start.empty();
  if (!paged || resources.size() <= most) return std::string{};
  resources.resize(most);
  return token_behind(key_of(resources.back()));
}

// The page that a Describe request asks for, of `rows` in the order of `id`; `ids` are those that
// it names.
template <class Row, class Request>
[[nodiscard]] Result<std::string> page_of(std::vector<Row>& rows, const Request& request,
                                          const std::vector<std::string>& ids,
                                          std::string Row::* id) {
  return cut_to_page(rows,
                     {.max_results = request.max_results,
                      .next_token = request.next_token,
                      .names_ids = !ids.empty()},
                     [&](const Row& row) -> const std::string& { return row.*id; });
}

}  // namespace runctl::emulator::ec2
