# Makes a filesystem on a volume that is proved blank. Every doubt is a refusal: a probe that fails looks like
# an empty disk, so nothing but the caller's proof and a positive read of zeros counts.
# Parameters: VOLUME_ID FILESYSTEM FILESYSTEM_UUID CREATED_EMPTY EXPECTED_BYTES WAIT_SECONDS
lock_volume
open_volume "$WAIT_SECONDS"
scan_mounts
mounts_json "$number"
[ "$mounts_json" = '[]' ] || die mounted_elsewhere "$VOLUME_ID is mounted on this machine" "\"mounts\":$mounts_json"

probe
done_members() {
  succeed "\"kind\":\"block\",\"device\":\"$device\",\"type\":\"$fs_type\",\"uuid\":\"$fs_uuid\",\"already\":$1"
}
# A rerun knows its own work by the UUID that the operation chose beforehand.
if [ "$probed:$fs_type:$fs_uuid" = "filesystem:$FILESYSTEM:$FILESYSTEM_UUID" ]; then done_members true; fi

[ "$CREATED_EMPTY" = yes ] || die not_created_empty "$VOLUME_ID was not created empty by this operation"
case $probed in
  blank) ;;
  filesystem) die not_blank "$VOLUME_ID holds $fs_type${fs_uuid:+ $fs_uuid}" ;;
  unreadable) die io_error "$VOLUME_ID cannot be read, which proves nothing about it" ;;
  *) die not_blank "$VOLUME_ID has no known signature but is not empty ($probed)" ;;
esac
opens_exclusively || die busy "$device ($VOLUME_ID) is held by the kernel or another program"
# The library that blkid uses, asked again by a program with other rules (it also lists weak signatures).
signatures=$(wipefs --no-act "$opened" 2>&1) && [ -z "$signatures" ] ||
  die not_blank "$VOLUME_ID has a signature or cannot be probed: $signatures"

prove_zero() {
  reads_zero "$1" "$2" && return 0
  is_readable "$1" "$2" || die io_error "$VOLUME_ID cannot be read at byte $2, which proves nothing about it"
  die not_blank "$VOLUME_ID holds data near byte $2"
}
mebibyte=1048576
for _ in 1 2 3; do prove_zero $((4 * mebibyte)) 0; done
prove_zero $mebibyte $(((size - mebibyte) & ~4095))
sample=1
while [ $sample -lt 32 ]; do
  prove_zero 65536 $((size * sample / 32 & ~4095))
  sample=$((sample + 1))
done

# mkfs looks at the device once more by itself: neither is told to force.
case $FILESYSTEM in
  ext4)
    # mmp makes a second machine's mount fail. The other two are left out where mke2fs knows them: kernels of
    # machines to which the volume may move do not.
    portable=mmp,^orphan_file,^metadata_csum_seed
    mkfs.ext4 -n -q -O "$portable" "$opened" >/dev/null 2>&1 || portable=mmp
    output=$(mkfs.ext4 -q -O "$portable" -U "$FILESYSTEM_UUID" \
      -E lazy_itable_init=1,lazy_journal_init=1,nodiscard "$opened" 2>&1) ;;
  xfs) output=$(mkfs.xfs -q -K -m uuid="$FILESYSTEM_UUID" "$opened" 2>&1) ;;
  *) die bad_parameter "no filesystem is called $FILESYSTEM" ;;
esac || die mkfs_failed "mkfs.$FILESYSTEM failed on $VOLUME_ID: $output"
blockdev --flushbufs "$opened" || die io_error "cannot write $VOLUME_ID back"
probe
[ "$probed:$fs_type:$fs_uuid" = "filesystem:$FILESYSTEM:$FILESYSTEM_UUID" ] ||
  die mkfs_failed "$VOLUME_ID reads as '$probed $fs_type $fs_uuid' after mkfs.$FILESYSTEM"
done_members false
