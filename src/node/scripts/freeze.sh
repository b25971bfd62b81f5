# Holds back all writes to a volume's filesystem, for a bounded time whatever becomes of the caller.
# Parameters: VOLUME_ID TOKEN (letters, digits, '-') DEAD_MAN_SECONDS
lock_volume
open_volume 0
state=$RUNCTL_RUN/$VOLUME_ID.freeze

find_mount
probe
if [ -z "$mount_pid" ]; then
  read_journal
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

rm -rf -- "$state"
mkdir "$state" && printf '%s\n' "$TOKEN" >"$state/token" || die io_error "cannot write $state"

# The dead man: a process of its own, armed before anything stands still. It thaws when its time is over, and goes on
# trying while the freeze is still under way. It holds our lock (9), so that nothing else is begun meanwhile, and the
# directory (4), so that it needs no path.
dead_man='
  exec 3<&-
  read -r stat </proc/$$/stat
  set -- ${stat##*) }
  shift 19
  printf "%s %s\n" $$ "$1" >"$state/dead_man.new" && mv "$state/dead_man.new" "$state/dead_man"
  sleep "$seconds"
  : >"$state/fired"
  until fsfreeze --unfreeze /proc/self/fd/4; do
    { read -r freezer <"$state/freezer"; } 2>/dev/null || freezer=$parent
    if ! kill -0 "$freezer" 2>/dev/null; then
      fsfreeze --unfreeze /proc/self/fd/4
      break
    fi
    sleep 0.2
  done'
# Out of the service that runs us, which may be ended at any time.
scope=
[ ! -d /run/systemd/system ] || scope='systemd-run --quiet --scope --'
# shellcheck disable=SC2086 # words
state=$state seconds=$DEAD_MAN_SECONDS parent=$$ setsid --fork $scope /bin/sh -c "$dead_man" >/dev/null 2>&1

dead_man_pid=
end_dead_man() {
  [ -n "$dead_man_pid" ] || { read -r dead_man_pid _ <"$state/dead_man"; } 2>/dev/null
  [ -z "$dead_man_pid" ] || kill -- "-$dead_man_pid" 2>/dev/null || kill "$dead_man_pid" 2>/dev/null
  rm -rf -- "$state"
}
undo() { fsfreeze --unfreeze /proc/self/fd/4 2>/dev/null; end_dead_man; }
patience=100
until [ -e "$state/dead_man" ]; do
  patience=$((patience - 1))
  [ $patience -gt 0 ] || die start_failed "the guard that thaws $VOLUME_ID could not be started"
  sleep 0.05
done
read -r dead_man_pid _ <"$state/dead_man"

# What is written back before need not be while all stands still.
output=$(write_back /proc/self/fd/4 2>&1) || die io_error "cannot write $VOLUME_ID back: $output"
read -r began _ </proc/uptime
printf '%s\n' "$began" >"$state/began"
fsfreeze --freeze /proc/self/fd/4 2>"$state/errors" &
printf '%s\n' $! >"$state/freezer"
wait $! || die freeze_failed "cannot freeze $VOLUME_ID: $(cat "$state/errors")"
[ ! -e "$state/fired" ] || die freeze_failed "$VOLUME_ID took longer than $DEAD_MAN_SECONDS s to freeze"
quote "$mount_point"
succeed "\"state\":\"frozen\",\"mount_point\":$quoted"
