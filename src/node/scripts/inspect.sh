# What this machine has: its volumes' devices, what is on them, where they are mounted, and who uses them.
numbers=
for candidate in "$RUNCTL_DEV"/nvme*n1; do
  open_device "$candidate" && numbers="$numbers $number"
done
scan_mounts
# shellcheck disable=SC2086 # numbers between blanks
scan_users $numbers
# shellcheck disable=SC2086
scan_kernel_users $numbers

devices=
budget=60 # users named in all: the answer must fit the transport's 24,000 characters
for candidate in "$RUNCTL_DEV"/nvme*n1; do
  open_device "$candidate" || continue
  size=$(blockdev --getsize64 "$opened") && read_only=$(blockdev --getro "$opened") || continue
  [ "$read_only" = 0 ] && read_only=false || read_only=true
  probe
  mounts_json "$number"
  users_json "$number" $((budget < 20 ? budget : 20))
  budget=$((budget - (user_count < 20 ? user_count : 20)))
  [ "$budget" -gt 0 ] || budget=0
  holders=
  for holder in "$sys_block"/holders/*; do
    [ ! -e "$holder" ] || { quote "${holder##*/}" && holders="$holders${holders:+,}$quoted"; }
  done
  quote "$device" && entry="\"device\":$quoted"
  quote "$serial" && entry="$entry,\"serial\":$quoted"
  quote "$fs_type" && entry="$entry,\"type\":$quoted"
  quote "$fs_uuid" && entry="$entry,\"uuid\":$quoted"
  quote "$fs_label" && entry="$entry,\"label\":$quoted"
  entry="$entry,\"probe\":\"$probed\",\"size\":$size,\"number\":\"$number\",\"read_only\":$read_only"
  entry="$entry,\"mounts\":$mounts_json,\"users\":$users_json,\"user_count\":$user_count,\"holders\":[$holders]"
  devices="$devices${devices:+,}{$entry}"
done
machine_facts
succeed "\"kind\":\"block\",$facts,\"devices\":[$devices]"
