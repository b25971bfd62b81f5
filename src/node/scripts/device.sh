# Finding and judging the block device of a volume. A device is known by the serial of what was opened, never by
# its name or a link: names are handed out in any order, and udev's links can be stale. Descriptor 3 stays open
# to the end, so that its number cannot come to mean another device, and all work goes through it.
: "${RUNCTL_SYSFS:=/sys}" "${RUNCTL_DEV:=/dev}" "${RUNCTL_RUN:=/run/runctl}" "${RUNCTL_LOCK_WAIT:=10}"
opened=/proc/self/fd/3

# Opens device file $1. Sets device, number (major:minor), sys_block and serial; fails when it cannot be opened.
open_device() {
  device=$1
  serial=
  [ -b "$device" ] || return 1
  command exec 3<"$device" || return 1
  opened_hex=$(stat -L -c '%t %T' "$opened") || return 1
  number=$((0x${opened_hex% *})):$((0x${opened_hex#* }))
  sys_block=$RUNCTL_SYSFS/dev/block/$number
  # `read` drops the blanks with which NVMe pads a serial.
  if [ -r "$sys_block/device/serial" ]; then read -r serial <"$sys_block/device/serial" || :; fi
} 2>/dev/null

# One look: leaves the volume's device open on 3, or fails with nothing open.
# Two devices with one serial are no proof of either.
find_volume() {
  found=
  for candidate in "$RUNCTL_DEV"/nvme*n1; do
    open_device "$candidate" || continue
    if [ "$serial" = "vol${VOLUME_ID#vol-}" ]; then
      [ -z "$found" ] || die wrong_device "$found and $candidate both have the serial of $VOLUME_ID"
      found=$candidate
    fi
  done
  if [ -z "$found" ]; then
    exec 3<&-
    return 1
  fi
  open_device "$found" && [ "$serial" = "vol${VOLUME_ID#vol-}" ]
}

# Waits up to $1 seconds: EC2 says `attached` before udev has made the device node.
open_volume() {
  give_up=$(($(date +%s) + $1))
  until find_volume; do
    [ "$(date +%s)" -lt "$give_up" ] || refuse_without_device
    sleep 0.1
  done
  size=$(blockdev --getsize64 "$opened") || die io_error "cannot read the size of $device ($VOLUME_ID)"
  if [ -n "${EXPECTED_BYTES:-}" ] && [ "$size" != "$EXPECTED_BYTES" ]; then
    die wrong_device "$device has the serial of $VOLUME_ID but $size bytes instead of $EXPECTED_BYTES"
  fi
}

refuse_without_device() {
  nameless=
  for candidate in "$RUNCTL_DEV"/xvd*[a-z] "$RUNCTL_DEV"/sd*[a-z]; do
    [ ! -b "$candidate" ] || nameless="$nameless $candidate"
  done
  # Not no_device, which says that the machine has let go of it.
  [ -z "$nameless" ] || die no_serial "no device with the serial of $VOLUME_ID; this machine's$nameless have no serial \
(a Xen instance type), so which volume they are cannot be proved"
  die no_device "no device of this machine has the serial of $VOLUME_ID"
}

# One operation on a volume at a time on this machine; the kernel ends the lock with its holder. One whose caller was
# interrupted may still be ending.
lock_volume() {
  mkdir -p "$RUNCTL_RUN" || die io_error "cannot create $RUNCTL_RUN"
  command exec 9>>"$RUNCTL_RUN/$VOLUME_ID.lock" || die io_error "cannot open $RUNCTL_RUN/$VOLUME_ID.lock"
  flock -w "$RUNCTL_LOCK_WAIT" 9 || die locked "another operation on $VOLUME_ID is running on this machine"
}

# What runctl itself did at mount, for unmount to take back. Gone after a reboot, as its subjects are.
record=$RUNCTL_RUN/${VOLUME_ID:-}.mount

# Whether $1 bytes (a multiple of 65536) from offset $2 (of 4096) can be read past the page cache and are all zero.
# A read error is no zero: what dd did not deliver changes the sum.
reads_zero() {
  [ "$(dd if="$opened" iflag=direct,skip_bytes bs=65536 skip="$2" count=$(($1 / 65536)) 2>/dev/null | sha256sum)" = \
    "$(head -c "$1" /dev/zero | sha256sum)" ]
}

is_readable() { # the same range, whatever is in it
  dd if="$opened" iflag=direct,skip_bytes bs=65536 skip="$2" count=$(($1 / 65536)) of=/dev/null 2>/dev/null
}

# Sets probed: `filesystem` (with fs_type, fs_uuid, fs_label), `blank` (no signature, zeros at the start),
# `unknown` (no signature, but something is there), `ambivalent` (several signatures), `unreadable`.
# blkid's status 2 also means "could not read", so silence on stderr and a read of our own go with it.
probe() {
  fs_type='' fs_uuid='' fs_label=''
  probe_text=$(blkid -p -o export "$opened" 2>&1)
  case $?:$probe_text in
    0:*) probed=filesystem ;;
    2:) if reads_zero 1048576 0; then probed=blank
      elif is_readable 1048576 0; then probed=unknown
      else probed=unreadable; fi ;;
    8:*) probed=ambivalent ;;
    *) probed=unreadable ;;
  esac
  [ "$probed" = filesystem ] || return 0
  while IFS='=' read -r probe_key probe_value; do
    case $probe_key in
      TYPE) fs_type=$probe_value ;;
      PTTYPE) fs_type=${fs_type:-partition table $probe_value} ;;
      UUID) fs_uuid=$probe_value ;;
      LABEL) fs_label=$probe_value ;;
    esac
  done <<END
$probe_text
END
}

# The start of the device must read the same three times: a device that changes under us is someone else's.
reads_stable() {
  stable=
  for _ in 1 2 3; do
    sum=$(dd if="$opened" iflag=direct bs=65536 count=2 2>/dev/null | sha256sum)
    [ "${stable:-$sum}" = "$sum" ] || return 1
    stable=$sum
  done
  is_readable 131072 0
}

# wipefs opens with O_EXCL before it looks, and --no-act writes nothing: it fails while the kernel lets a
# filesystem, swap, md, dm or a mount in a namespace without processes hold the device.
opens_exclusively() {
  for _ in 1 2 3 4 5; do
    wipefs --no-act --all "$opened" >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  return 1
}

# Probes, and refuses what is no filesystem of ours or does not hold still.
require_filesystem() {
  probe
  case $probed in
    filesystem) ;;
    blank) die no_filesystem "$VOLUME_ID is blank" ;;
    unreadable) die io_error "$VOLUME_ID cannot be read" ;;
    *) die no_filesystem "what is on $VOLUME_ID cannot be told ($probed)" ;;
  esac
  case $fs_type in ext4 | xfs) ;; *) die no_filesystem "$VOLUME_ID holds $fs_type, not ext4 or xfs" ;; esac
  reads_stable || die io_error "the first blocks of $VOLUME_ID do not read the same three times"
  opens_exclusively || die busy "$device ($VOLUME_ID) is held by the kernel or another program"
}

# Refuses what has yet to be recovered, which nobody does who only reads, and what has errors. $1: why that matters.
require_clean() {
  read_journal
  [ "$journal" != dirty ] || die needs_recovery "$VOLUME_ID was not cleanly unmounted: $1"
  [ "$has_errors" = no ] || die needs_repair "the $fs_type on $VOLUME_ID has noted errors of its own: check it first, \
where it is attached and not mounted (e2fsck -f $device)"
}

# The device number $1 (major:minor) as stat shows it for files.
st_dev_of() {
  st_major=${1%:*} st_minor=${1#*:}
  echo $(((st_minor & 255) | (st_major << 8) | ((st_minor & ~255) << 12)))
}

# Makes the device read-only for a while, and notes that it was us: for restore_device, should this script be killed.
set_device_read_only() {
  [ "$(blockdev --getro "$opened")" = 0 ] || return 0
  : >"$RUNCTL_RUN/$VOLUME_ID.read_only" && blockdev --setro "$opened" && [ "$(blockdev --getro "$opened")" = 1 ] ||
    die io_error "cannot make $device ($VOLUME_ID) read-only"
}

# For a device that is not mounted.
restore_device() {
  [ -e "$RUNCTL_RUN/$VOLUME_ID.read_only" ] || return 0
  blockdev --setrw "$opened" && rm -f -- "$RUNCTL_RUN/$VOLUME_ID.read_only"
}

# Checks the filesystem before it is written, after a machine may have been cut off in the middle of a write: replays
# the journal and looks at all of it. Small inconsistencies of an ext4 are mended as at a start of the machine; what
# needs a decision is refused.
check_filesystem() {
  case $fs_type in
    ext4)
      output=$(e2fsck -f -p "$opened" 2>&1)
      status=$?
      case $status:$output in
        0:* | 1:*) return ;;
        *MMP* | *mmp*) die busy "$VOLUME_ID seems to be mounted on another machine: $output" ;;
      esac ;;
    xfs)
      # Only a mount replays the journal of an XFS. nouuid: the volume is known by its serial.
      replay_path=$RUNCTL_RUN/private.$VOLUME_ID
      mkdir -p -- "$replay_path" || die io_error "cannot create $replay_path"
      output=$(device="$device" replay_path="$replay_path" unshare --mount --propagation slave /bin/sh -c '
        mount -t xfs -o nosuid,nodev,noexec,nouuid -- "$device" "$replay_path" && umount -- "$replay_path"' 2>&1) &&
        output=$(xfs_repair -n "$opened" 2>&1)
      status=$?
      rmdir -- "$replay_path"
      [ "$status" != 0 ] || return 0 ;;
  esac
  die needs_repair "the $fs_type on $VOLUME_ID is damaged, and is not mounted to be written: $(printf '%s' "$output" |
    tail -c 700)"
}

# Sets journal: clean, dirty or unknown; and has_errors, of an ext4: yes when the kernel has noted some.
read_journal() {
  journal=unknown has_errors=no
  case $fs_type in
    ext4)
      superblock=$(dumpe2fs -h "$opened" 2>/dev/null)
      fs_state=$(printf '%s\n' "$superblock" | sed -n 's/^Filesystem state: *//p')
      case $fs_state in *'with errors'*) has_errors=yes ;; esac
      case $superblock:$fs_state in
        *needs_recovery*:* | *:'not clean'*) journal=dirty ;; # the latter without a journal
        *:clean*) journal=clean ;;
      esac ;;
    xfs) case $(xfs_logprint -t "$opened" 2>/dev/null) in
        *'<DIRTY>'*) journal=dirty ;;
        *'<CLEAN>'*) journal=clean ;;
      esac ;;
  esac
}
