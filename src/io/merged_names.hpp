// File systems that take two names for one: by case, or by Unicode's normal forms.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runctl {

// Whether something that is there as `name` may be there under other bytes. False on ext4, Btrfs,
// F2FS, tmpfs, NFS and overlays of these, but for a directory whose `casefold` attribute is set; on
// XFS, which can compare ASCII letters by either case (mkfs.xfs -n version=ci), by trying; true
// elsewhere (FAT, NTFS, SMB, ZFS, FUSE), since only reading tells there. Source: statfs(2),
// ioctl_iflags(2), linux/fs.h, mkfs.xfs(8).
[[nodiscard]] bool may_merge_names(int directory, const std::string& name);

// Whether the directory has a name of these very bytes. Reads all of it. Errors: as fail_errno.
[[nodiscard]] Result<bool> has_exact_name(int directory, std::string_view name);

}  // namespace runctl
