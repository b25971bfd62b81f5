# Seals a volume: reads all that is on it, writes a manifest of it, and leaves the device read-only. Nobody else can
# reach it meanwhile, and nothing is written to it before all of it has been read.
# Parameters: VOLUME_ID
enter_namespace
lock_volume
leave_other_mounts
open_volume 0
restore_device
scan_mounts
mounts_json "$number"
[ "$mounts_json" = '[]' ] || die mounted_elsewhere "$VOLUME_ID is mounted on this machine" "\"mounts\":$mounts_json"
require_filesystem
require_clean "mount and unmount it first"
# Sets free: bytes for files on what is mounted.
read_free() {
  # shellcheck disable=SC2046 # two numbers
  set -- $(stat -f -c '%a %S' .)
  free=$(($1 * $2))
}
require_space() {
  [ $free -ge $needed ] || die no_space "$VOLUME_ID has $free bytes free, its manifest needs $needed"
}

was_read_only=$(blockdev --getro "$opened") || die io_error "cannot ask $device"

make_work
mount_private ro
hash_contents
[ -z "$unreadable" ] || die io_error "not all of $VOLUME_ID can be read: $unreadable"
write_manifest
has_it=no
has_manifest && has_it=yes
read_free
needed=$(($(stat -c %s "$work/manifest") + 65536))
leave_private || die io_error "cannot unmount $VOLUME_ID: $(cat "$work/umount_error")"

if [ $has_it = no ]; then
  [ "$was_read_only" = 0 ] || die read_only_device "$device ($VOLUME_ID) is read-only, and has no manifest of what is on it"
  require_space
  mount_private rw
  # What XFS keeps back for itself shows as free where it cannot be written.
  read_free
  require_space
  put_manifest
  leave_private || die io_error "cannot unmount $VOLUME_ID: $(cat "$work/umount_error")"
fi
opens_exclusively || die busy "$device ($VOLUME_ID) is held by the kernel or another program"
blockdev --flushbufs "$opened" || die io_error "cannot write $VOLUME_ID back"
read_journal
[ "$journal" = clean ] || die not_clean "$VOLUME_ID was unmounted, but its journal is $journal"
blockdev --setro "$opened" && [ "$(blockdev --getro "$opened")" = 1 ] ||
  die io_error "cannot make $device ($VOLUME_ID) read-only"
rm -rf -- "$work"
succeed "\"kind\":\"block\",\"digest\":\"$digest\",\"files\":$files,\"bytes\":$bytes"
