# Where runs are kept, and how the state of one is told. A run's directory holds
#   command.sh  the command as it was given      record.json  the same for programs
#   details.json what else is known of it        wrapper.sh   run_wrapper.sh
#   started     time, boot id, wrapper's pid and start time, fencing number
#   program     the program's pid and start time refused      why it was not started
#   status      exit status, end time            stop         who asked it to end: time, signal, time of SIGKILL, by
#   log         its output                       upload.sh    what uploads its results, where that was asked for
#   watch.sh    watch_run.sh, of a spot machine  interruption what that saw and did: action, time, when it saw it; then
#                                                             "unmounted VOLUME", "kept VOLUME REASON", "done TIME"
# `status`, `stop` and `interruption` are blank files from the start, which are written over in place: on a full disk too.
runs=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/runs}
runs=${RUNCTL_RUNS:-${runs:-/var/lib/runctl/runs}}

# Ends with the refusal of the checkpoint directory $1, whose lock says $2: a run's id, its pid and its fencing number, or
# `choosing` first: a --resume looks for its checkpoint, and the last run's id is behind.
die_busy() {
  busy_directory=$1
  # shellcheck disable=SC2086 # words
  set -- $2
  [ "${1-}" != choosing ] ||
    die busy "the checkpoint directory $busy_directory is being looked through by another --resume"
  die busy "the checkpoint directory $busy_directory is in use by run ${1:-unknown} (pid ${2:-unknown})" \
    "\"users\":[{\"pid\":${2:-0},\"command\":\"run ${1:-unknown}\",\"what\":[\"lock\"]}],\"user_count\":1"
}

# Ends with the refusal of the checkpoint directory $1, in which the process with number $3 may write: run $2, which has
# ended, has left it behind.
die_left() {
  busy_directory=$1 left_of=$2 left=$3
  quote "$(head -c 100 "/proc/$left/cmdline" 2>/dev/null | tr '\000\n' '  ')"
  die busy "the checkpoint directory $busy_directory is still in use: run $left_of has ended and left process $left behind" \
    "\"users\":[{\"pid\":$left,\"command\":$quoted,\"what\":[\"of run $left_of\"]}],\"user_count\":1"
}

# Sets state and run_json of the run in directory $1. Never by what the log says.
read_run() {
  run=$1
  started_at=0 run_boot='' wrapper_pid='' wrapper_start='' fence=0 program_pid='' program_start=''
  exit_status='' ended_at=0 stop_at='' stop_signal='' killed_at=0 stop_by='' boot_id=''
  read -r boot_id </proc/sys/kernel/random/boot_id
  read_files
  state=lost
  if [ -n "$exit_status" ]; then
    judge_exit
  elif [ "$run_boot" = "$boot_id" ] &&
    { is_alive "$wrapper_pid" "$wrapper_start" || is_alive "$program_pid" "$program_start"; }; then
    state=running
  else
    # It may have ended between our two looks.
    read_files
    if [ -n "$exit_status" ]; then judge_exit; elif [ -n "$stop_at" ]; then state=stopped; fi
  fi
  run_json="\"run_id\":\"${run##*/}\",\"state\":\"$state\",\"pid\":${program_pid:-0},\"fence\":$fence"
  run_json="$run_json,\"started_at\":$started_at,\"ended_at\":${ended_at:-0}"
  [ -z "$exit_status" ] || run_json="$run_json,\"exit_status\":$exit_status"
  if [ -n "$stop_at" ]; then
    quote "$stop_by"
    run_json="$run_json,\"stop\":{\"at\":$stop_at,\"signal\":\"$stop_signal\",\"killed_at\":$killed_at,\"by\":$quoted}"
  fi
  read_interruption
  run_json="$run_json$interruption_json"
  quote "$run" && run_json="$run_json,\"directory\":$quoted"
  run_json="$run_json,\"record\":$(cat "$run/record.json" 2>/dev/null || echo null)"
}

# One that had ended before it was asked to did so by itself.
judge_exit() {
  if [ -n "$stop_at" ] && [ "$ended_at" -ge "$stop_at" ]; then
    state=stopped
  elif [ "$exit_status" = 0 ]; then
    state=succeeded
  else
    state=failed
  fi
}

read_files() {
  read -r started_at run_boot wrapper_pid wrapper_start fence <"$run/started"
  read -r program_pid program_start <"$run/program"
  read -r exit_status ended_at <"$run/status"
  read -r stop_at stop_signal killed_at stop_by <"$run/stop"
} 2>/dev/null
