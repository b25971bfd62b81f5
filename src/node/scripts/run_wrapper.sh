#!/bin/sh
# Runs the command in its directory $1 and outlives it, to write down how it ended.
set -u
run=$1
cd "$run" || exit 1
put() { printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"; }
start_of() {
  this_stat=$(cat "/proc/$1/stat")
  # shellcheck disable=SC2086 # the fields after the command's name are numbers and letters
  set -- ${this_stat##*) }
  shift 19
  printf '%s' "$1"
}
# What uploads the results (upload.sh), where there is something: in a session of its own, so that what ends the run does
# not end it, and without our descriptors, since it must not hold the checkpoint directory.
start_upload() {
  [ -e upload.sh ] || return 0
  /bin/sh ./upload.sh begin </dev/null >/dev/null 2>&1 8>&- 9>&-
  setsid /bin/sh ./upload.sh watch </dev/null >/dev/null 2>&1 8>&- 9>&- &
}
# Waits for it, or does its work should it have been killed.
finish_upload() {
  [ -e upload.sh ] || return 0
  setsid --wait /bin/sh ./upload.sh watch </dev/null >/dev/null 2>&1 8>&-
}
# Whether a process of the run is left, whose wrapper had number $1: one of its session, or one that has the run's id in its
# environment, into whatever session it went. What the wrapper itself has started since is no part of the run.
is_left() {
  grep -q -s -z -x -F -e "RUNCTL_RUN_ID=${run##*/}" /proc/[0-9]*/environ && return 0
  wrapper=$1 awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      text = ""
      while ((getline line < ARGV[i]) > 0) text = text line
      close(ARGV[i])
      if (text !~ /\) /) continue
      pid = text; sub(/ .*/, "", pid); sub(/^.*\) /, "", text); split(text, field, " ")
      if (field[1] == "Z" || field[1] == "X" || pid == ENVIRON["wrapper"] || field[2] == ENVIRON["wrapper"]) continue
      if (field[4] == ENVIRON["wrapper"]) exit 0
    }
    exit 1 }' /proc/[0-9]*/stat 2>/dev/null
}
# Holds the checkpoint directory as long as one is: it may have closed the descriptor, as Python's subprocess does, and
# write there all the same. By itself, since our end is that of a systemd unit.
if [ "${2-}" = hold ]; then
  trap '' HUP INT QUIT TERM
  looks=0
  while is_left "$3"; do
    looks=$((looks + 1))
    if [ $looks -lt 50 ]; then sleep 0.2; else sleep 1; fi
  done
  exit 0
fi
# Of two wrappers of one run one goes on, and none after it ran.
exec 8>>lock
flock -n 8 || exit 0
[ ! -e started ] || exit 0

fence=0
checkpoints=$(cat checkpoint_directory)
if [ -n "$checkpoints" ]; then
  # Held through descriptor 9, which the program inherits, for as long as one of its processes lives. What has ended holds
  # it for a moment longer.
  if ! command exec 9<>"$checkpoints/.runctl.lock"; then
    put refused "cannot open $checkpoints/.runctl.lock"
    exit 0
  fi
  last='' last_of_choice=''
  if flock -w 1 9; then
    # What the last run has left, should its wrapper be gone, or another one's hold be over.
    { read -r last _ _ last_of_choice <"$checkpoints/.runctl.lock"; } 2>/dev/null
    [ "$last" != choosing ] || last=$last_of_choice
    if [ -n "$last" ]; then
      left=$(grep -l -s -z -x -F -e "RUNCTL_RUN_ID=$last" /proc/[0-9]*/environ | head -n 1)
      left=${left#/proc/}
      [ -z "$left" ] || put refused "left $last ${left%/environ}"
    fi
  else
    put refused "busy $(head -n 1 "$checkpoints/.runctl.lock")"
  fi
  [ ! -e refused ] || exit 0
  # Only where there is none at all it is the first run: of one that a crash has emptied, no number is known to be new.
  if [ -e "$checkpoints/.runctl.fence" ]; then
    fence=
    { read -r fence <"$checkpoints/.runctl.fence"; } 2>/dev/null
  fi
  case $fence in
    '' | *[!0-9]*)
      put refused "$checkpoints/.runctl.fence is damaged"
      exit 0
      ;;
  esac
  # The checkpoint to go on from was chosen when this was the last run: one in between may have written newer ones.
  expected=$(cat expected_fence 2>/dev/null)
  if [ -n "$expected" ] && [ "$expected" != "$fence" ]; then
    put refused "changed $fence"
    exit 0
  fi
  fence=$((fence + 1))
  # Durable before use: a number that was given out must not be given out again after a crash.
  if ! (cd "$checkpoints" && printf '%s\n' $fence >.runctl.fence.new && sync .runctl.fence.new &&
    mv -f .runctl.fence.new .runctl.fence && sync .runctl.fence); then
    put refused "cannot write $checkpoints/.runctl.fence ($(df -hP "$checkpoints" | awk 'NR == 2 { print $4 }') free)"
    exit 0
  fi
  printf '%s\n' "${run##*/} $$ $fence" >"$checkpoints/.runctl.lock"
fi
# Their blocks are taken now: what is written over them at the end needs no room on a disk that the run has filled.
sync status stop interruption 2>/dev/null
read -r boot_id </proc/sys/kernel/random/boot_id
put started "$(date +%s) $boot_id $$ $(start_of $$) $fence"

# In a session of its own, since it is no part of what it brings to an end, and without our locks.
watcher=
if [ -s watch.sh ]; then
  setsid /bin/sh watch.sh 8>&- 9>&- </dev/null >/dev/null 2>&1 &
  watcher=$!
fi

# A trap with a body is not inherited, unlike an ignored signal: the program gets its signals, and this shell
# lives on until the program has ended.
trap : HUP INT QUIT USR1 USR2 TERM
start_upload
RUNCTL_FENCE=$fence
export RUNCTL_FENCE
# In the foreground: a background job of a shell would ignore SIGINT.
sh -c 'read -r stat </proc/$$/stat; pid=$$; set -- ${stat##*) }; shift 19
  printf "%s %s\n" $pid $1 >program.new && mv -f program.new program
  exec 8>&-; . ./command.sh' >>log 2>&1 </dev/null
status=$?
sync log 2>/dev/null
# From here the checkpoint directory is the next run's, or its volume is unmounted, unless something of the run is left.
# Most of that is about to end as well.
patience=5
while [ -n "$checkpoints" ] && [ $patience -gt 0 ] && is_left $$; do
  patience=$((patience - 1))
  sleep 0.1
done
if [ -n "$checkpoints" ] && is_left $$; then
  setsid /bin/sh ./wrapper.sh "$run" hold $$ </dev/null >/dev/null 2>&1 8>&- &
fi
exec 9>&-
printf '%s\n' "$status $(date +%s)" 1<>status
sync status 2>/dev/null
finish_upload
# What we started is not to be ended by our own end, as a systemd unit's is, while it brings the machine's run to an end.
if [ -n "$watcher" ]; then
  read -r noticed <interruption
  [ -n "$noticed" ] || kill "$watcher"
  while kill -0 "$watcher"; do wait "$watcher"; done
fi 2>/dev/null
exit 0
