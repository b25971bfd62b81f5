# A machine of the emulator without root: a volume is a directory, a mount is a symbolic link. What cannot be
# shown there is refused as not_possible. Takes over from the script below when RUNCTL_FILES_ROOT is set.
files_root=${RUNCTL_FILES_ROOT-}

files_open() {
  give_up=$(($(date +%s) + ${WAIT_SECONDS:-0}))
  until [ -d "$files_root/volumes/$VOLUME_ID" ]; do
    [ "$(date +%s)" -lt "$give_up" ] || die no_device "no directory of this machine is $VOLUME_ID"
    sleep 0.1
  done
  volume_directory=$(readlink -f -- "$files_root/volumes/$VOLUME_ID") || die no_device "$VOLUME_ID leads nowhere"
  mount_record=$files_root/mounts/$VOLUME_ID
  mkdir -p "$files_root/mounts" "$files_root/formatted" || die io_error "cannot write to $files_root"
}

# Our own processes with a working directory or an open file below $1. Sets users as users.sh does.
files_users() {
  users=$(find /proc/[0-9]*/cwd /proc/[0-9]*/fd /proc/[0-9]*/root -maxdepth 1 -type l -printf '%p\t%l\n' 2>/dev/null |
    below="$1" awk -F '\t' '$2 == ENVIRON["below"] || index($2, ENVIRON["below"] "/") == 1 {
      split($1, part, "/"); line = "volume\t" part[3] "\t" part[4]; if (!seen[line]++) print line }')
  users_json volume 20
}

files_mounted_json() {
  mounts_json='[]'
  if [ -f "$files_root/mounts/$1" ]; then
    quote "$(cat "$files_root/mounts/$1")"
    mounts_json="[{\"mount_point\":$quoted,\"root\":\"/\",\"options\":\"rw\",\"read_only\":false,\"own_namespace\":true}]"
  fi
}

files_inspect() {
  devices=
  for link in "$files_root"/volumes/vol-*; do
    [ -d "$link" ] || continue
    volume=${link##*/}
    files_users "$(readlink -f -- "$link")"
    files_mounted_json "$volume"
    quote "$link"
    devices="$devices${devices:+,}{\"device\":$quoted,\"serial\":\"vol${volume#vol-}\",\"type\":\"\",\"uuid\":\"\",\
\"label\":\"\",\"probe\":\"directory\",\"size\":0,\"number\":\"\",\"read_only\":false,\"mounts\":$mounts_json,\
\"users\":$users_json,\"user_count\":$user_count,\"holders\":[]}"
  done
  machine_facts "$files_root"
  succeed "\"kind\":\"directory\",$facts,\"devices\":[$devices]"
}

files_format() {
  files_open
  marker=$files_root/formatted/$VOLUME_ID
  already=true
  if [ ! -f "$marker" ] || [ "$(cat "$marker")" != "$FILESYSTEM $FILESYSTEM_UUID" ]; then
    [ "$CREATED_EMPTY" = yes ] || die not_created_empty "$VOLUME_ID was not created empty by this operation"
    [ ! -f "$marker" ] && [ -z "$(ls -A -- "$volume_directory")" ] || die not_blank "$VOLUME_ID is not empty"
    printf '%s\n' "$FILESYSTEM $FILESYSTEM_UUID" >"$marker" || die io_error "cannot write $marker"
    already=false
  fi
  quote "$volume_directory"
  succeed "\"kind\":\"directory\",\"device\":$quoted,\"type\":\"$FILESYSTEM\",\"uuid\":\"$FILESYSTEM_UUID\",\"already\":$already"
}

files_mount() {
  files_open
  [ "$READ_ONLY" = no ] ||
    die not_possible "this machine's volumes are directories (hardware = files), which cannot be made read-only as a device"
  here=$files_root/root$MOUNT_POINT
  already=true
  if [ -f "$mount_record" ]; then
    [ "$(cat "$mount_record")" = "$MOUNT_POINT" ] && [ "$(readlink -f -- "$here")" = "$volume_directory" ] || {
      files_mounted_json "$VOLUME_ID"
      die mounted_elsewhere "$VOLUME_ID is already mounted on this machine at another place" "\"mounts\":$mounts_json"
    }
  else
    mkdir -p -- "${here%/*}" || die io_error "cannot create ${here%/*}"
    # A link that is ours but has no record is a mount that was interrupted.
    if [ "$(readlink -f -- "$here")" != "$volume_directory" ] || [ ! -L "$here" ]; then
      [ ! -d "$here" ] || [ -L "$here" ] || rmdir -- "$here" 2>/dev/null ||
        die mount_point_not_empty "$MOUNT_POINT is a directory with files in it"
      ln -s -n -- "$volume_directory" "$here" 2>/dev/null || die mount_point_in_use "something else is at $MOUNT_POINT"
    fi
    printf '%s\n' "$MOUNT_POINT" >"$mount_record" || die io_error "cannot write $mount_record"
    already=false
  fi
  # shellcheck disable=SC2046 # three numbers
  set -- $(stat -f -c '%a %b %S' "$volume_directory")
  quote "$volume_directory" && members="\"path\":$quoted,\"device\":$quoted"
  quote "$MOUNT_POINT" && members="$members,\"mount_point\":$quoted"
  succeed "\"kind\":\"directory\",$members,\"type\":\"directory\",\"uuid\":\"\",\"options\":\"rw\",\"already\":$already,\
\"free\":$(($1 * $3)),\"size\":$(($2 * $3))"
}

files_unmount() {
  files_open
  already=true
  if [ -f "$mount_record" ]; then
    files_users "$volume_directory"
    [ "$user_count" = 0 ] || die busy "$VOLUME_ID is in use" "\"users\":$users_json,\"user_count\":$user_count"
    output=$(write_back "$volume_directory" 2>&1) || die io_error "cannot write $VOLUME_ID back: $output"
    here=$files_root/root$(cat "$mount_record")
    [ ! -L "$here" ] || rm -f -- "$here"
    rm -f -- "$mount_record" || die io_error "cannot remove $mount_record"
    already=false
  fi
  quote "$volume_directory"
  succeed "\"kind\":\"directory\",\"device\":$quoted,\"type\":\"directory\",\"journal\":\"unknown\",\"already\":$already"
}

# A directory cannot be made to stand still; what is in it can be written back.
files_freeze() {
  files_open
  [ -f "$mount_record" ] || succeed '"state":"not_mounted","journal":"unknown"'
  output=$(write_back "$volume_directory" 2>&1) || die io_error "cannot write $VOLUME_ID back: $output"
  quote "$(cat "$mount_record")"
  succeed "\"state\":\"written_back\",\"mount_point\":$quoted"
}

files_warm() { die not_possible "this machine's volumes are directories (hardware = files): there is no device to warm"; }
files_grow() { die not_possible "this machine's volumes are directories (hardware = files), which have no size to grow"; }

# The script goes on in the directory.
files_fetch() {
  [ -z "$FOLDER" ] || return 0
  files_open
  [ -f "$mount_record" ] || die not_mounted "$VOLUME_ID is not mounted on this machine"
  fetch_root=$volume_directory
}

files_thaw() { succeed '"held":false,"frozen_ms":0'; }

[ -z "$files_root" ] || "files_$OPERATION"
