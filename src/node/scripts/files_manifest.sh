# Manifests of volumes that are directories; see files_machine.sh.
# A directory can have a manifest; what cannot be is that nobody else reaches it meanwhile, or that it is read-only.
files_make_manifest() {
  files_open
  [ ! -f "$mount_record" ] || {
    files_mounted_json "$VOLUME_ID"
    die mounted_elsewhere "$VOLUME_ID is mounted on this machine" "\"mounts\":$mounts_json"
  }
  make_work
  undo() { rm -rf -- "$work"; }
  command cd -- "$volume_directory" || die io_error "cannot enter $volume_directory"
  hash_contents
  [ -z "$unreadable" ] || die io_error "not all of $VOLUME_ID can be read: $unreadable"
  write_manifest
  has_manifest || put_manifest
  rm -rf -- "$work"
  succeed "\"kind\":\"directory\",\"digest\":\"$digest\",\"files\":$files,\"bytes\":$bytes"
}

files_verify_manifest() {
  files_open
  make_work
  undo() { rm -rf -- "$work"; }
  command cd -- "$volume_directory" || die io_error "cannot enter $volume_directory"
  open_manifest "$EXPECTED_DIGEST"
  hash_contents
  compare_contents
  rm -rf -- "$work"
  succeed "\"kind\":\"directory\",\"intact\":$intact,\"digest\":\"$digest\",\"files\":$files,\"bytes\":$bytes,\
\"difference_count\":$difference_count,\"differences\":$differences"
}
