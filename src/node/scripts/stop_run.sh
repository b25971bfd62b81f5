# Asks a run to end, or ends it, and waits a while for that.
# Parameters: RUN_ID SIGNAL (a name) SEND (no: only look; note: write down that it is asked to, and send nothing yet; noted:
#   send what was noted) BY (who asks) FORCE (yes: SIGKILL to all) WAIT_TENTHS
run=$runs/$RUN_ID
[ -d "$run" ] || die no_run "this machine knows no run $RUN_ID"

# Written over in place. Parameters: the fields of `stop`.
write_stop() {
  printf '%s\n' "$*" 1<>"$run/stop" || die io_error "cannot write $run/stop"
  sync "$run/stop" 2>/dev/null
}

own_stat=$(cat /proc/$$/stat)
# shellcheck disable=SC2086 # the fields after the command's name are numbers and letters
set -- ${own_stat##*) }
own_session=$4

# Sets members: the processes of the run but for its wrapper, which writes down how it ended. They are those of its
# session, and those that began with its id in their environment, into whatever session they went. The number of a
# session is not given to another one while a process of it lives, and one of these two is known by its start time.
find_members() {
  session=none
  if [ "$run_boot" = "$boot_id" ] &&
    { is_alive "$wrapper_pid" "$wrapper_start" || is_alive "$program_pid" "$program_start"; }; then
    session=$wrapper_pid
  fi
  marked=$(grep -l -s -z -x -F -e "RUNCTL_RUN_ID=$RUN_ID" /proc/[0-9]*/environ)
  members=$(session="$session" marked="$marked" own="$own_session" wrapper="$wrapper_pid" awk 'BEGIN {
    n = split(ENVIRON["marked"], line, "\n")
    for (i = 1; i <= n; i++) { split(line[i], part, "/"); is_marked[part[3]] = 1 }
    for (i = 1; i < ARGC; i++) {
      text = ""
      while ((getline line_of < ARGV[i]) > 0) text = text line_of
      close(ARGV[i])
      if (text !~ /\) /) continue
      pid = text; sub(/ .*/, "", pid); sub(/^.*\) /, "", text); split(text, field, " ")
      if (field[1] == "Z" || field[1] == "X" || pid == ENVIRON["wrapper"] || field[4] == ENVIRON["own"]) continue
      if (field[4] == ENVIRON["session"] || pid in is_marked) print pid
    } }' /proc/[0-9]*/stat 2>/dev/null)
}

# signal_members SIGNAL. A process that has ended meanwhile is no failure.
signal_members() {
  # shellcheck disable=SC2086 # numbers
  [ -z "$members" ] || kill -s "$1" $members 2>/dev/null
}

# Sets now: tenths of a second since the machine was started. What is waited for by the number of looks takes as long as
# these do.
read_clock() {
  read -r now _ </proc/uptime
  now=${now%?}
  now=$((${now%.*} * 10 + ${now#*.}))
}

read_clock
end=$((now + WAIT_TENTHS))
read_run "$run"
already=true
send=$SEND
[ "$SEND" != noted ] || send=yes
if [ "$state" = running ]; then
  if [ -z "$stop_at" ] && [ "$SEND$FORCE" = nono ]; then
    already=false # nobody has asked yet
  elif [ -z "$stop_at" ]; then
    already=false
    # Before the signal: an end that follows it must not look like the run's own.
    write_stop "$(date +%s)" "$SIGNAL" 0 "$BY"
    read_run "$run"
    # It was faster than we.
    [ -z "$exit_status" ] || { write_stop "$(printf '%200s' '')" && send=no; }
  elif [ "$stop_signal" = "$SIGNAL" ] && { [ "$SEND" != noted ] || [ "$stop_by" != "$BY" ]; }; then
    send=no # a second one could cut short what the first one began
  fi
fi
find_members
[ "$send" != yes ] || signal_members "$SIGNAL"
if [ "$FORCE" = yes ]; then
  if [ "$state" = running ] && [ "$killed_at" = 0 ]; then
    write_stop "$stop_at" "$stop_signal" "$(date +%s)" "$stop_by"
  fi
  # One that has just forked is found at the next look.
  read_clock
  kill_end=$((now + 50))
  while [ -n "$members" ]; do
    signal_members KILL
    sleep 0.1
    find_members
    read_clock
    [ $now -lt $kill_end ] || break
  done
fi

read_run "$run"
while [ "$state" = running ] || { find_members && [ -n "$members" ]; }; do
  read_clock
  [ $now -lt $end ] || break
  sleep 0.2
  read_run "$run"
done
find_members
# What holds the checkpoint directory for them sees a moment later that nothing is left.
if [ "$state" != running ] && [ -z "$members" ]; then
  checkpoints=$(cat "$run/checkpoint_directory" 2>/dev/null)
  [ ! -e "$checkpoints/.runctl.lock" ] || flock -s -w 2 "$checkpoints/.runctl.lock" true
fi
left=0
processes=
for pid in $members; do
  left=$((left + 1))
  [ $left -le 10 ] || continue
  quote "$(head -c 100 "/proc/$pid/cmdline" 2>/dev/null | tr '\000\n' '  ')"
  processes="$processes${processes:+,}{\"pid\":$pid,\"command\":$quoted}"
done
read_upload
succeed "$run_json$upload_json,\"already\":$already,\"left\":$left,\"processes\":[$processes]"
