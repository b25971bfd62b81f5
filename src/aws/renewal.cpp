#include "aws/renewal.hpp"

#include <algorithm>

#include "base/time_text.hpp"

namespace runctl::aws {

Result<std::shared_ptr<const Credentials>> Renewal::current(const CallOptions& options) {
  const std::lock_guard lock{renewing_};
  if (!credentials_->expires || !renew_) return credentials_;
  const auto now = clock_.now();
  const Timestamp ends = *credentials_->expires;
  const Timestamp renewed_from =
      ends - std::min<std::chrono::milliseconds>(std::chrono::minutes{10}, (ends - taken_) / 5);
  if (now < renewed_from) return credentials_;
  auto renewed = renew_(options);
  if (renewed) {
    credentials_ = std::make_shared<const Credentials>(*std::move(renewed));
    taken_ = now;
    return credentials_;
  }
  log_.write({.level = LogLevel::warning,
              .name = "aws.credentials_not_renewed",
              .fields = {{.name = "why", .value = renewed.error().message},
                         {.name = "end", .value = iso8601(ends)}}});
  if (now < ends) return credentials_;
  return std::unexpected{std::move(renewed).error()};
}

}  // namespace runctl::aws
