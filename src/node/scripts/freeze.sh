# Holds back all writes to a volume's filesystem, for a bounded time whatever becomes of the caller.
# Parameters: VOLUME_ID TOKEN (letters, digits, '-') DEAD_MAN_SECONDS
lock_volume
open_volume 0
state=$RUNCTL_RUN/$VOLUME_ID.freeze

find_mount
probe
if [ -z "$mount_pid" ]; then
  # Its partitions, LVM, md: nothing here holds them still.
  opens_exclusively || { sync; succeed '"state":"in_use"'; }
  read_journal
  [ "$has_errors" = no ] || journal=dirty
  succeed "\"state\":\"not_mounted\",\"journal\":\"$journal\""
fi
quote "$mount_point"
case ,$mount_options, in *,ro,*) succeed "\"state\":\"read_only\",\"mount_point\":$quoted" ;; esac

command exec 4<"/proc/$mount_pid/root$mount_point" || die io_error "cannot open $mount_point"
st_dev=$(st_dev_of "$number")
[ "$(stat -L -c %d /proc/self/fd/4)" = "$st_dev" ] || die wrong_device "something else is mounted at $mount_point"
# What the machine itself runs on must not stand still: the thaw would wait for it.
for each in / /bin /usr /lib /etc /run /tmp /var "$RUNCTL_RUN"; do
  [ "$(stat -L -c %d "$each" 2>/dev/null)" != "$st_dev" ] ||
    die not_possible "$VOLUME_ID holds $each of this machine, which cannot be frozen"
done

# What is written back before need not be while all stands still, and may take longer than that may last.
output=$(write_back /proc/self/fd/4 2>&1) || die io_error "cannot write $VOLUME_ID back: $output"

rm -rf -- "$state"
mkdir "$state" && printf '%s\n' "$TOKEN" >"$state/token" || die io_error "cannot write $state"

# note_self NAME: leaves the number of the process that runs it, and when it started, in $state/NAME.
# lives NUMBER START: whether that process does.
processes='
note_self() {
  note=$state/$1
  read -r line </proc/$$/stat
  set -- ${line##*) }
  shift 19
  printf "%s %s\n" $$ "$1" >"$note.new" && mv "$note.new" "$note"
}
lives() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  wanted=$2
  set -- ${line##*) }
  [ "$1" != Z ] && shift 19 && [ "$1" = "$wanted" ]
}'
eval "$processes"
# The dead man: a process of its own, armed before anything stands still. It thaws when its time is over or SIGUSR1 comes,
# and goes on trying while the freeze is still under way: that waits in the kernel for the writes that were begun before, and
# cannot be ended there. It holds our lock (9), so that nothing else is begun meanwhile, and the directory (4), so that it
# needs no path.
dead_man='
  exec 3<&-
  trap : USR1
  note_self dead_man
  sleep "$seconds" 4<&- 9<&- &
  wait $!
  kill $! 2>/dev/null
  : >"$state/fired"
  until fsfreeze --unfreeze /proc/self/fd/4; do
    freezer="" start=""
    { read -r freezer start <"$state/freezer"; } 2>/dev/null || { read -r freezer start <"$state/parent"; } 2>/dev/null
    if ! lives "$freezer" "$start"; then
      sleep 0.2 # it may have come to its end meanwhile
      fsfreeze --unfreeze /proc/self/fd/4
      break
    fi
    sleep 0.2
  done'
# Out of the service that runs us, which may be ended at any time. setsid has --fork only since 2018.
scope=
[ ! -d /run/systemd/system ] || scope='systemd-run --quiet --scope --'
export state
note_self parent
# shellcheck disable=SC2086 # words
seconds=$DEAD_MAN_SECONDS setsid $scope /bin/sh -c "$processes$dead_man" >/dev/null 2>&1 &

dead_man_pid='' dead_man_start='' freezing=no
undo() {
  [ -n "$dead_man_pid" ] || { read -r dead_man_pid dead_man_start <"$state/dead_man"; } 2>/dev/null
  # What may stand still, or still come to that, is the dead man's, now.
  if [ "$freezing" = yes ] && kill -USR1 "$dead_man_pid" 2>/dev/null; then return; fi
  [ "$freezing" = no ] || fsfreeze --unfreeze /proc/self/fd/4 2>/dev/null
  [ -z "$dead_man_pid" ] || kill -KILL -- "-$dead_man_pid" 2>/dev/null || kill -KILL "$dead_man_pid" 2>/dev/null
  rm -rf -- "$state"
}
patience=100
until [ -e "$state/dead_man" ]; do
  patience=$((patience - 1))
  [ $patience -gt 0 ] || die start_failed "the guard that thaws $VOLUME_ID could not be started"
  sleep 0.05
done
read -r dead_man_pid dead_man_start <"$state/dead_man"

read -r began _ </proc/uptime
printf '%s\n' "$began" >"$state/began"
freezing=yes
/bin/sh -c "$processes"'
  note_self freezer && exec fsfreeze --freeze /proc/self/fd/4' 2>"$state/errors" &
wait $!
status=$?
# One that was ended by a signal may have frozen all the same. Else it has not, and what stands still is another's.
[ $status = 0 ] || [ $status -gt 128 ] || freezing=no
[ $status = 0 ] || die freeze_failed "cannot freeze $VOLUME_ID: $(cat "$state/errors")"
[ ! -e "$state/fired" ] || die freeze_failed "$VOLUME_ID took longer than $DEAD_MAN_SECONDS s to freeze"
lives "$dead_man_pid" "$dead_man_start" || die freeze_failed "the guard that thaws $VOLUME_ID was ended"
quote "$mount_point"
succeed "\"state\":\"frozen\",\"mount_point\":$quoted"
