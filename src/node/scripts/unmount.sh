# Unmounts a volume everywhere on this machine, never lazily, and proves that nothing holds it afterwards.
# Parameters: VOLUME_ID
lock_volume
open_volume 0
probe
recorded_path='' created_directory=no set_read_only=no
if [ -r "$record" ]; then
  { read -r recorded_path && read -r created_directory && read -r set_read_only; } <"$record"
fi

# Sets ours: "namespace pid point" of the volume's mounts, and wrote when one of them is read-write; and adds to
# `users` the mounts that stand in the way: bind mounts elsewhere (a container's), mounts below, overlays.
# What has the same mount point in another namespace is that namespace's copy of our mount; what only a container
# has, at a place of its own, is the container's.
judge_mounts() {
  scan_mounts
  judged=$(printf '%s\n' "$mounts" | number="$number" recorded="$recorded_path" own="$own_namespace" \
    awk -F '\t' "$json_awk"'
    { namespace[NR] = $2; pid[NR] = $3; id[NR] = $4; parent[NR] = $5; root[NR] = $6; point[NR] = $7
      is_ours[NR] = $1 == ENVIRON["number"]
      if (is_ours[NR]) { ids[$2, $4] = 1; if ($8 !~ /^ro(,|$)/) wrote = 1 }
      overlay[NR] = $9 == "overlay" ? $10 : "" }
    is_ours[NR] && main == "" && $6 == "/" &&
      ($2 == ENVIRON["own"] || unescape($7) == ENVIRON["recorded"]) { main = $7 }
    END {
      for (i = 1; i <= NR; i++) {
        at = "the mount " point[i] (namespace[i] == ENVIRON["own"] ? "" : " in the mount namespace of process " pid[i])
        if (is_ours[i] && point[i] == main && root[i] == "/") print "mount", namespace[i], pid[i], main
        else if (is_ours[i]) print "user\t" ENVIRON["number"] "\tm" i "\tbind_mount\t" at
        else if ((namespace[i], parent[i]) in ids) print "user\t" ENVIRON["number"] "\tm" i "\tnested_mount\t" at
        else if (main != "" && index(overlay[i], "=" main "/")) print "user\t" ENVIRON["number"] "\tm" i "\toverlay\t" at
      }
      if (wrote) print "wrote" }')
  ours=$(printf '%s\n' "$judged" | sed -n 's/^mount //p')
  tab=$(printf '\t')
  mount_users=$(printf '%s\n' "$judged" | sed -n "s/^user$tab//p")
  case $judged in *wrote) wrote=yes ;; *) wrote=no ;; esac
}

# Everything that stands in the way, in `users`.
find_users() {
  judge_mounts
  scan_users "$number"
  scan_kernel_users "$number"
  scan_exports "$number"
  users="$users
$mount_users"
  users_json "$number" 20
}

only_the_device() { ! cut -f 3 | grep -q -v -e device -e '^$'; }

# Our own namespace first: where mounts propagate, the copies go with it.
unmount_all() {
  for _ in 1 2 3 4 5 6 7 8; do # stacked mounts, and copies
    printf '%s\n' "$ours" >"$record.ours"
    while read -r namespace pid _; do
      if [ "$namespace" = "$own_namespace" ]; then
        umount -- "$main_path"
      else
        # With its root, which is ours as well, and not the namespace's, which differs when we run under chroot.
        nsenter -t "$pid" -m -r -- umount -- "$main_path"
      fi
    done <"$record.ours" 2>"$record.errors"
    output=$(cat "$record.errors")
    rm -f -- "$record.ours" "$record.errors"
    judge_mounts
    [ -n "$ours" ] || return 0
    case $output in *busy*) break ;; esac
  done
  find_users
  die busy "$VOLUME_ID cannot be unmounted: $output" "\"users\":$users_json,\"user_count\":$user_count"
}

find_users
# Known before it is unmounted; afterwards there is no mount that would show it.
had_writer=$wrote
unmounted=no
# udev and its like open a device for a moment after each change.
patience=10
while [ "$user_count" -gt 0 ] && [ $patience -gt 0 ] && printf '%s\n' "$users" | only_the_device; do
  sleep 0.1
  patience=$((patience - 1))
  find_users
done
[ "$user_count" = 0 ] || die busy "$VOLUME_ID is in use" "\"users\":$users_json,\"user_count\":$user_count"
if [ -n "$ours" ]; then
  main=${ours#* * }
  main=${main%%
*}
  main_path=$(main="$main" awk "$json_awk"' BEGIN { printf "%s", unescape(ENVIRON["main"]) }')
  case $ours in
    *"$own_namespace "*)
      # A frozen filesystem would stay alive in the kernel after its last unmount. Fails when it is not frozen.
      fsfreeze --unfreeze "$main_path" 2>/dev/null
      output=$(write_back "$main_path" 2>&1) || die io_error "cannot write $VOLUME_ID back: $output" ;;
  esac
  unmount_all
  unmounted=yes
fi

opens_exclusively || die busy "$device ($VOLUME_ID) is still held by something that /proc does not show, such as \
an NFS export, a container's storage or a device mapping" '"users":[],"user_count":0'
blockdev --flushbufs "$opened" || die io_error "cannot write $VOLUME_ID back"
if [ "$set_read_only" = yes ]; then blockdev --setrw "$opened" || :; fi
read_journal
[ "$unmounted:$had_writer:$journal" != yes:yes:dirty ] ||
  die not_clean "$VOLUME_ID was unmounted, but its journal is not empty: the filesystem had failed before"
rm -f -- "$record"
[ "$created_directory" = no ] || rmdir -- "$recorded_path" 2>/dev/null
already=true
[ "$unmounted" = no ] || already=false
succeed "\"kind\":\"block\",\"device\":\"$device\",\"type\":\"$fs_type\",\"journal\":\"$journal\",\"already\":$already"
