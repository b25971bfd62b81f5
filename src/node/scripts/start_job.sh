# Starts a job, or finds the same one under way. What has ended is no answer to a new question: the volume may have
# changed since.
# Parameters: JOB TARGET TEXT (of the script) WRAPPER WAIT_TENTHS (for its end)
mkdir -p "$jobs" || die io_error "cannot create $jobs"
command exec 9>>"$jobs/$key.lock" || die io_error "cannot write in $jobs"
flock -w 10 9 || die locked "another $JOB of $TARGET is being started on this machine"
find_job
already=false
if [ -n "$job" ]; then
  read_job
  if [ "$state" = running ]; then
    # The x keeps the line ends at the end.
    [ "$(cat "$job/script" && echo x)" = "${TEXT}x" ] ||
      die locked "another $JOB of $TARGET, with other parameters, is under way on this machine"
    already=true
  fi
fi

if [ $already = false ]; then
  # Who follows the one before has seen its end by now.
  find "$jobs" -mindepth 1 -maxdepth 1 -type d -name "$key.*" -mmin +2 -exec rm -rf -- {} +
  read -r nonce </proc/sys/kernel/random/uuid
  job=$jobs/$key.$nonce
  mkdir "$job" && printf '%s' "$TEXT" >"$job/script" && printf '%s' "$WRAPPER" >"$job/wrapper.sh" &&
    : >"$job/out" && : >"$job/err" && printf '%s\n' "${job##*/}" >"$jobs/$key.new" &&
    mv -f -- "$jobs/$key.new" "$jobs/$key.newest" || die io_error "cannot write in $jobs"
  if [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
    set --
    for name in RUNCTL_FILES_ROOT RUNCTL_RUN RUNCTL_DEV RUNCTL_SYSFS RUNCTL_STATE PATH; do
      eval "value=\${$name-}"
      [ -z "$value" ] || set -- "$@" "--setenv=$name=$value"
    done
    start_unit --unit="runctl-job-$nonce" "$@" /bin/sh "$job/wrapper.sh" "$job" 9>&- ||
      die start_failed "systemd-run failed for $JOB of $TARGET: $output"
  else
    start_session /bin/sh "$job/wrapper.sh" "$job" 9>&-
  fi
  patience=200
  until [ -e "$job/started" ]; do
    patience=$((patience - 1))
    [ $patience -gt 0 ] || die start_failed "$JOB of $TARGET did not start within 10 s"
    sleep 0.05
  done
fi
exec 9>&-
await_job "$WAIT_TENTHS"
report_job
