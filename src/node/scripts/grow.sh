# Grows a mounted filesystem to the size of its device, once the device has the size that was asked for.
# Parameters: VOLUME_ID SIZE_BYTES WAIT_SECONDS
lock_volume
open_volume 0
find_mount
probe
case $fs_type in ext4 | xfs) ;; *) die no_filesystem "$VOLUME_ID holds ${fs_type:-nothing that is known}, not ext4 or xfs" ;; esac
[ -n "$mount_pid" ] || die not_mounted "$VOLUME_ID is not mounted on this machine, and a filesystem grows while it is"
case ,$mount_options, in *,ro,*) die not_mounted "$VOLUME_ID is mounted read-only on this machine" ;; esac
[ "$mount_root" = / ] || die not_mounted "only the directory $mount_root of $VOLUME_ID is mounted on this machine"
here="/proc/$mount_pid/root$mount_point"
[ "$(stat -L -c %d "$here")" = "$(st_dev_of "$number")" ] || die wrong_device "something else is mounted at $mount_point"

# EC2 says that a volume has grown before the machine sees it.
give_up=$(($(date +%s) + WAIT_SECONDS))
until size=$(blockdev --getsize64 "$opened") && [ "$size" -ge "$SIZE_BYTES" ]; do
  [ "$(date +%s)" -lt "$give_up" ] ||
    die not_grown "$device ($VOLUME_ID) still has $size bytes instead of $SIZE_BYTES"
  sleep 0.2
done

# Sets bytes: what the filesystem itself takes for its size.
read_size() {
  case $fs_type in
    ext4) bytes=$(dumpe2fs -h "$opened" 2>/dev/null | awk -F ':' '
        $1 == "Block count" { count = $2 } $1 == "Block size" { printf "%.0f", count * $2 }') ;;
    xfs) bytes=$(xfs_growfs -n "$here" 2>/dev/null | awk '
        $1 == "data" { gsub(/[^0-9 ]/, " "); split($0, part, " "); printf "%.0f", part[1] * part[2] }') ;;
  esac
  [ "${bytes:-0}" -gt 0 ] || die grow_failed "cannot read the size of the filesystem on $VOLUME_ID"
}
read_size
old=$bytes
# Both know by themselves when there is nothing to do.
case $fs_type in
  ext4) output=$(resize2fs "$opened" 2>&1) ;;
  xfs) output=$(xfs_growfs -d "$here" 2>&1) ;;
esac || case $output in
  # Linux asks for CAP_SYS_RESOURCE, which root has on a machine but not in every container.
  *'Permission denied to resize'*) die not_possible "this machine does not let root grow a mounted ext4 (it lacks \
CAP_SYS_RESOURCE); unmounted, resize2fs $device does it" ;;
  *) die grow_failed "the $fs_type on $VOLUME_ID could not be grown: $output" ;;
esac
read_size
[ "$bytes" -ge "$old" ] || die grow_failed "the $fs_type on $VOLUME_ID has $bytes bytes, after $old"
already=false
[ "$bytes" -gt "$old" ] || already=true
succeed "\"kind\":\"block\",\"type\":\"$fs_type\",\"old\":$old,\"new\":$bytes,\"already\":$already"
