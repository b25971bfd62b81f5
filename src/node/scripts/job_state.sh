# Jobs: scripts that take long and go on without us. Where they are kept, and how one stands. A job's directory holds
#   script      its text                         wrapper.sh  job_wrapper.sh
#   started     boot id, wrapper's pid and start time
#   alive       locked by the wrapper while it lives
#   total done  bytes to go through, and those that were (a line for each step)
#   out err     what it said, up to a bound      code status  its exit status; `status` once all of it has ended
# Where they are kept goes with a reboot, as they do. Parameters: JOB (a script's name) TARGET
jobs=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/jobs}
jobs=${jobs:-${RUNCTL_RUN:-/run/runctl}/jobs}
key=$JOB.$TARGET

# Sets job (a directory) to the newest of this key, or to nothing.
find_job() {
  job=
  { read -r newest <"$jobs/$key.newest"; } 2>/dev/null || return 0
  [ ! -d "$jobs/$newest" ] || job=$jobs/$newest
}

# Sets state: running, ended (with job_status), or lost: it was killed, and nothing wrote down how it ended.
read_job() {
  job_boot='' job_pid='' job_start='' job_status='' boot_id=''
  read -r boot_id </proc/sys/kernel/random/boot_id
  { read -r job_boot job_pid job_start <"$job/started"; } 2>/dev/null
  { read -r job_status <"$job/status"; } 2>/dev/null
  state=lost
  if [ -n "$job_status" ]; then
    state=ended
  elif [ "$job_boot" = "$boot_id" ] && is_alive "$job_pid" "$job_start"; then
    state=running
  else
    # It may have ended between our two looks.
    { read -r job_status <"$job/status"; } 2>/dev/null
    [ -z "$job_status" ] || state=ended
  fi
}

# Waits up to $1 tenths of a second for its end, upon which the kernel takes the wrapper's lock away.
await_job() {
  patience=$1
  read_job
  if [ "$state" = running ] && [ "$patience" -gt 0 ] && [ -e "$job/alive" ]; then
    flock -s -w "$((patience / 10)).$((patience % 10))" "$job/alive" true
    case $? in
      0) read_job ;;
      1) return 0 ;; # the time is over
    esac
  fi
  # One that was started by an older runctl has none.
  while [ "$state" = running ] && [ "$patience" -gt 0 ]; do
    patience=$((patience - 1))
    sleep 0.1
    read_job
  done
}

report_job() {
  done_bytes=$(awk '{ sum += $1 } END { printf "%.0f", sum }' "$job/done" 2>/dev/null)
  total_bytes=0 record=null
  { read -r total_bytes <"$job/total"; } 2>/dev/null
  [ "$state" != ended ] || record=$(tail -n 1 "$job/out")
  case $record in '{'*'}') ;; *) record=null ;; esac
  quote "$(tail -c 300 "$job/err" 2>/dev/null)"
  succeed "\"job\":\"${job##*/}\",\"state\":\"$state\",\"exit_status\":${job_status:-0},\"done\":${done_bytes:-0},\
\"total\":$total_bytes,\"already\":${already:-false},\"said\":$quoted,\"record\":$record"
}
