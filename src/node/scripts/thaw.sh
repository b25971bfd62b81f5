# Lets writes to a frozen volume go on, and says whether they had stood still all the time.
# Parameters: VOLUME_ID TOKEN
state=$RUNCTL_RUN/$VOLUME_ID.freeze
token=
{ read -r token <"$state/token"; } 2>/dev/null
# shellcheck disable=SC2153 # a parameter
[ "$token" = "$TOKEN" ] || succeed '"held":false,"frozen_ms":0'
dead_man='' start=''
{ read -r dead_man start <"$state/dead_man"; } 2>/dev/null
is_alive() {
  [ -n "$dead_man" ] || return 1
  { read -r stat <"/proc/$dead_man/stat"; } 2>/dev/null || return 1
  # shellcheck disable=SC2086 # the fields after the command's name are numbers and letters
  set -- ${stat##*) }
  [ "$1" != Z ] && shift 19 && [ "$1" = "$start" ]
}

held=false
if is_alive; then
  # Through the directory that the dead man holds open: no path can lead elsewhere. That it lives shows that it has
  # not thawed: it ends when it has.
  if fsfreeze --unfreeze "/proc/$dead_man/fd/4" 2>/dev/null && [ ! -e "$state/fired" ] && is_alive; then held=true; fi
  kill -- "-$dead_man" 2>/dev/null || kill "$dead_man" 2>/dev/null
  # It holds the directory and the lock until it is gone.
  patience=50
  while is_alive && [ $patience -gt 0 ]; do
    patience=$((patience - 1))
    sleep 0.02
  done
else
  # Somebody ended it before its time.
  open_volume 0
  scan_mounts
  pid=$(printf '%s\n' "$mounts" | number="$number" awk -F '\t' '$1 == ENVIRON["number"] { print $3; exit }')
  if [ -n "$pid" ]; then
    point=$(printf '%s\n' "$mounts" | number="$number" awk -F '\t' "$json_awk"'
      $1 == ENVIRON["number"] { printf "%s", unescape($7); exit }')
    fsfreeze --unfreeze "/proc/$pid/root$point" 2>/dev/null
  fi
fi
read -r now _ </proc/uptime
began=$now
{ read -r began <"$state/began"; } 2>/dev/null
rm -rf -- "$state"
succeed "\"held\":$held,\"frozen_ms\":$(began="$began" now="$now" awk 'BEGIN {
  printf "%d", (ENVIRON["now"] - ENVIRON["began"]) * 1000 }')"
