# Reads all that is on a volume, and compares it with the manifest on it.
# Parameters: VOLUME_ID EXPECTED_DIGEST (empty: any)
lock_volume
[ "${RUNCTL_INNER-}" != yes ] || leave_other_mounts
open_volume 0
restore_device
find_mount
if [ -z "$mount_pid" ]; then
  enter_namespace
  require_filesystem
  require_clean "a read-only mount would show an old or broken state"
  make_work
  mount_private ro
else
  [ "$mount_root" = / ] || die mounted_elsewhere "only the directory $mount_root of $VOLUME_ID is mounted on this machine"
  command cd -- "/proc/$mount_pid/root$mount_point" || die io_error "cannot enter $mount_point"
  [ "$(stat -L -c %d .)" = "$(st_dev_of "$number")" ] || die wrong_device "something else is mounted at $mount_point"
  make_work
fi
open_manifest "$EXPECTED_DIGEST"
hash_contents
compare_contents
leave_private || die io_error "cannot unmount $VOLUME_ID: $(cat "$work/umount_error")"
rm -rf -- "$work"
succeed "\"intact\":$intact,\"digest\":\"$digest\",\"files\":$files,\"bytes\":$bytes,\
\"difference_count\":$difference_count,\"differences\":$differences"
