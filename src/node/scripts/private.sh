# A mount that only one job sees: in a mount namespace of its own, which goes with its last process, however that ends.

# Starts the job's script again in such a namespace. Nothing that is mounted there is seen outside.
enter_namespace() {
  [ "${RUNCTL_INNER-}" != yes ] || return 0
  [ -n "${RUNCTL_JOB-}" ] || die script_failed "$OPERATION is a job's script"
  RUNCTL_INNER=yes
  export RUNCTL_INNER
  # `slave`: what is unmounted outside does not live on here.
  exec unshare --mount --propagation slave /bin/sh "$RUNCTL_JOB/script"
}

# Our copies of other volumes' mounts would hold them.
leave_other_mounts() {
  for other in "$RUNCTL_RUN"/*.mount; do
    { read -r other_path <"$other" && umount -- "$other_path"; } 2>/dev/null
  done
}

private=
private_ro=no
private_path=${RUNCTL_RUN:-/run/runctl}/private.$VOLUME_ID

# mount_private ro|rw: the volume, at $private_path, which becomes the working directory.
mount_private() {
  case $fs_type in
    ext4) options=nosuid,nodev,noexec,noatime,errors=remount-ro no_replay=noload ;;
    # nouuid: it is this volume by its serial, and its copy may be mounted beside it.
    xfs) options=nosuid,nodev,noexec,noatime,nouuid no_replay=norecovery ;;
  esac
  if [ "$1" = ro ]; then
    options=ro,$no_replay,$options
    set_device_read_only
  fi
  mkdir -p -- "$private_path" || die io_error "cannot create $private_path"
  output=$(mount -t "$fs_type" -o "$1,$options" -- "$device" "$private_path" 2>&1) ||
    die mount_failed "cannot mount $VOLUME_ID: $output"
  private=$private_path
  [ "$(stat -L -c %d "$private")" = "$(st_dev_of "$number")" ] ||
    die wrong_device "$device was not $VOLUME_ID any more when it was mounted; unmounted again"
  command cd -- "$private" || die io_error "cannot enter $private"
}

# Takes it back; fails when that cannot be done.
leave_private() {
  cd / || return 1
  if [ -n "$private" ]; then
    patience=50
    until umount -- "$private" 2>"$work/umount_error"; do
      patience=$((patience - 1))
      [ $patience -gt 0 ] || return 1
      sleep 0.1
    done
    private=
  fi
  rmdir -- "$private_path" 2>/dev/null
  restore_device
}

undo() {
  leave_private
  rm -rf -- "$work"
}
