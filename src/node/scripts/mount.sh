# Mounts a volume, found by the serial of what was opened.
# Parameters: VOLUME_ID MOUNT_POINT READ_ONLY RESTORED CHECK_FIRST EXPECTED_BYTES WAIT_SECONDS
lock_volume
open_volume "$WAIT_SECONDS"
path=$(readlink -m -- "$MOUNT_POINT") || die bad_parameter "cannot resolve $MOUNT_POINT"
path_escaped=$(path="$path" awk 'BEGIN { path = ENVIRON["path"]; n = length(path)
  for (i = 1; i <= n; i++) { c = substr(path, i, 1)
    printf "%s", c == " " ? "\\040" : c == "\t" ? "\\011" : c == "\n" ? "\\012" : c == "\\" ? "\\134" : c } }')

# Sets here: what is mounted at the path in this namespace ("number root options"), the topmost last.
find_here() {
  here=$(printf '%s\n' "$mounts" | path="$path_escaped" own="$own_namespace" awk -F '\t' '
    $2 == ENVIRON["own"] && $7 == ENVIRON["path"] { print $1, $6, $8 }' | tail -n 1)
}

mounted_facts() {
  # shellcheck disable=SC2046 # three numbers
  set -- "$1" $(stat -f -c '%a %b %S' "$path")
  quote "$path" && members="\"path\":$quoted,\"mount_point\":$quoted"
  quote "$fs_uuid" && members="$members,\"uuid\":$quoted"
  quote "${here##* }" && members="$members,\"options\":$quoted"
  succeed "\"kind\":\"block\",\"device\":\"$device\",\"type\":\"$fs_type\",$members,\"already\":$1,\
\"free\":$(($2 * $4)),\"size\":$(($3 * $4))"
}

probe
scan_mounts
mounts_json "$number"
find_here
if [ "$mounts_json" != '[]' ]; then
  case $here in
    "$number / ro"*) [ "$READ_ONLY" = yes ] && [ "$(blockdev --getro "$opened")" = 1 ] && mounted_facts true ;;
    "$number / rw"*) [ "$READ_ONLY" = no ] && mounted_facts true ;;
  esac
  die mounted_elsewhere "$VOLUME_ID is already mounted on this machine, elsewhere or in another way" \
    "\"mounts\":$mounts_json"
fi
[ -z "$here" ] || die mount_point_in_use "something else is mounted at $path"
if [ -e "$path" ] || [ -L "$path" ]; then
  [ -d "$path" ] || die mount_point_in_use "$path is not a directory"
  [ -z "$(ls -A -- "$path")" ] || die mount_point_not_empty "$path is a directory with files in it"
fi

require_filesystem
restore_device
case $fs_type in
  ext4) options=nosuid,nodev,errors=remount-ro no_replay=noload ;;
  xfs) options=nosuid,nodev no_replay=norecovery ;;
esac
# Without nouuid XFS refuses two copies of one filesystem, the only guard against a mount of the wrong one.
# Of a read-only one nothing can be lost, and two machines of the emulator, which share a kernel, may read one volume.
case $fs_type:$RESTORED:$READ_ONLY in xfs:yes:* | xfs:*:yes) options=$options,nouuid ;; esac

created_directory=no set_read_only=no mounted=no
undo() {
  [ "$mounted" = no ] || umount -- "$path"
  [ "$set_read_only" = no ] || blockdev --setrw "$opened"
  [ "$created_directory" = no ] || rmdir -- "$path"
  rm -f -- "$record"
} 2>/dev/null

if [ "$READ_ONLY" = yes ]; then
  require_clean "a read-only mount would show an old or broken state"
  # Before the mount: set on a mounted device it stops nothing that the filesystem writes.
  if [ "$(blockdev --getro "$opened")" = 0 ]; then
    set_read_only=yes
    blockdev --setro "$opened" && [ "$(blockdev --getro "$opened")" = 1 ] ||
      die io_error "cannot make $device ($VOLUME_ID) read-only"
  fi
  options=ro,$no_replay,$options
else
  [ "$(blockdev --getro "$opened")" = 0 ] || die read_only_device "$device ($VOLUME_ID) is read-only"
  options=rw,$options
fi
# A snapshot of a mounted ext4 says that it is in use, for which mount waits 45 s. A restored copy that only this machine
# can have, and that nothing here holds (see above), is in nobody's use.
if [ "$fs_type:$RESTORED:$READ_ONLY" = ext4:yes:no ] &&
  dumpe2fs -h "$opened" 2>/dev/null | grep -q '^Filesystem features:.* mmp '; then
  tune2fs -f -E clear_mmp "$opened" >/dev/null 2>&1 || :
fi
[ "$CHECK_FIRST:$READ_ONLY" != yes:no ] || check_filesystem
if [ ! -d "$path" ]; then
  (umask 022 && mkdir -p -- "$path") || die io_error "cannot create $path"
  created_directory=yes
fi
printf '%s\n' "$path" "$created_directory" "$set_read_only" >"$record" || die io_error "cannot write $record"
output=$(mount -t "$fs_type" -o "$options" -- "$device" "$path" 2>&1) ||
  die mount_failed "cannot mount $VOLUME_ID at $path: $output"
mounted=yes

# mount opened the device by its name; the kernel says which one it got.
scan_mounts
find_here
case $here in "$number / "*) ;; *)
  die wrong_device "$device was not $VOLUME_ID any more when it was mounted; unmounted again" ;;
esac
if [ "$READ_ONLY" = yes ]; then
  if (: >"$path/.runctl-write-test.$$") 2>/dev/null; then
    rm -f -- "$path/.runctl-write-test.$$"
    die not_read_only "a file could be written on $VOLUME_ID, which was mounted read-only"
  fi
  # Its own first sector, so that a write that should fail but does not changes nothing.
  if dd if="$opened" bs=4096 count=1 2>/dev/null |
    dd of="$opened" bs=4096 count=1 conv=nocreat,notrunc oflag=direct iflag=fullblock 2>/dev/null; then
    die not_read_only "$device ($VOLUME_ID) could be written, though it was set read-only"
  fi
fi
mounted_facts false
