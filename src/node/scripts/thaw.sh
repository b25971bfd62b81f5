# Lets writes to a frozen volume go on, and says whether they had stood still all the time.
# Parameters: VOLUME_ID TOKEN
state=$RUNCTL_RUN/$VOLUME_ID.freeze
token=
{ read -r token <"$state/token"; } 2>/dev/null
# shellcheck disable=SC2153 # a parameter
[ "$token" = "$TOKEN" ] || succeed '"held":false,"frozen_ms":0'
dead_man='' dead_man_start=''
{ read -r dead_man dead_man_start <"$state/dead_man"; } 2>/dev/null
# Whether the freeze may still come: it waits for writes that were begun before, or its script has not come to it.
is_under_way() {
  freezer='' freezer_start=''
  { read -r freezer freezer_start <"$state/freezer" || read -r freezer freezer_start <"$state/parent"; } 2>/dev/null
  is_alive "$freezer" "$freezer_start"
}
wait_for_its_end() {
  patience=500
  while is_alive "$dead_man" "$dead_man_start" && [ $patience -gt 0 ]; do
    patience=$((patience - 1))
    sleep 0.02
  done
}

held=false
# Through the directory that the dead man holds open: no path can lead elsewhere. That it lives shows that it has not
# thawed: it ends when it has.
if is_alive "$dead_man" "$dead_man_start"; then
  if fsfreeze --unfreeze "/proc/$dead_man/fd/4" 2>/dev/null; then
    [ -e "$state/fired" ] || ! is_alive "$dead_man" "$dead_man_start" || held=true
  elif is_under_way; then
    # It thaws as soon as that is possible, and nobody else could: its time is now.
    kill -USR1 "$dead_man" 2>/dev/null
    wait_for_its_end
    ! is_alive "$dead_man" "$dead_man_start" || succeed '"held":false,"frozen_ms":0'
  else
    fsfreeze --unfreeze "/proc/$dead_man/fd/4" 2>/dev/null # it may have come to its end in between
  fi
  kill -KILL -- "-$dead_man" 2>/dev/null || kill -KILL "$dead_man" 2>/dev/null
  # It holds the directory and the lock until it is gone.
  wait_for_its_end
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
