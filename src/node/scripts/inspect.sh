# What this machine has: its volumes' devices, what is on them, where they are mounted, and who uses them.
numbers=
left=0
for candidate in "$RUNCTL_DEV"/nvme*n1; do
  open_device "$candidate" && numbers="$numbers $number" && left=$((left + 1))
done
scan_mounts
# shellcheck disable=SC2086 # numbers between blanks
scan_users $numbers
# shellcheck disable=SC2086
scan_kernel_users $numbers
for number in $numbers; do scan_exports "$number"; done

# describe MOUNTS LONGEST USERS: sets entry, with at most so many mounts (with paths of at most so many bytes) and users.
describe() {
  mounts_json "$number" "$1" "$2"
  users_json "$number" "$3"
  cut=false
  [ "$mount_count" -le "$1" ] && [ "$user_count" -le "$3" ] && [ "$2" = 4096 ] || cut=true
  entry="$constant,\"mounts\":$mounts_json,\"mount_count\":$mount_count,\"users\":$users_json,\"user_count\":$user_count,\
\"cut\":$cut"
}

devices=
# What SSM gives back of an answer, less what stands around it. A device has an equal share of what is left, and is told
# in less detail when it has more to tell.
room=22500
for candidate in "$RUNCTL_DEV"/nvme*n1; do
  open_device "$candidate" || continue
  size=$(blockdev --getsize64 "$opened") && read_only=$(blockdev --getro "$opened") || continue
  [ "$read_only" = 0 ] && read_only=false || read_only=true
  probe
  holders=
  for holder in "$sys_block"/holders/*; do
    [ ! -e "$holder" ] || { quote "${holder##*/}" && holders="$holders${holders:+,}$quoted"; }
  done
  # Of a mounted filesystem the journal says nothing.
  mounts_json "$number" 1
  journal=unknown
  [ "$mount_count" != 0 ] || read_journal
  quote "$device" && constant="\"device\":$quoted"
  quote "$serial" && constant="$constant,\"serial\":$quoted"
  quote "$fs_type" && constant="$constant,\"type\":$quoted"
  quote "$fs_uuid" && constant="$constant,\"uuid\":$quoted"
  quote "$fs_label" && constant="$constant,\"label\":$quoted"
  constant="$constant,\"probe\":\"$probed\",\"size\":$size,\"number\":\"$number\",\"read_only\":$read_only"
  constant="$constant,\"journal\":\"$journal\",\"holders\":[$holders]"
  share=$((room / (left > 0 ? left : 1)))
  describe 20 4096 20
  [ ${#entry} -le $share ] || describe 20 4096 5
  [ ${#entry} -le $share ] || describe 5 4096 2
  [ ${#entry} -le $share ] || describe 2 200 1
  [ ${#entry} -le $share ] || describe 1 60 0
  room=$((room - ${#entry} - 3))
  left=$((left - 1))
  devices="$devices${devices:+,}{$entry}"
done
machine_facts
succeed "\"kind\":\"block\",$facts,\"devices\":[$devices]"
