# Ends a job with everything that it started. Parameters: JOB TARGET
find_job
[ -n "$job" ] || die no_run "no $JOB of $TARGET is under way on this machine"
read_job
already=true
[ "$state" != running ] || already=false

# signal_session SIGNAL: to all processes of the job's session. A process may have any name, line ends in it too.
signal_session() {
  members=$(session="$job_pid" awk 'BEGIN {
    for (i = 1; i < ARGC; i++) {
      text = ""
      while ((getline line < ARGV[i]) > 0) text = text line
      close(ARGV[i])
      if (text !~ /\) /) continue
      pid = text; sub(/ .*/, "", pid); sub(/^.*\) /, "", text); split(text, field, " ")
      if (field[4] == ENVIRON["session"] && field[1] != "Z") print pid
    } }' /proc/[0-9]*/stat 2>/dev/null)
  # shellcheck disable=SC2086 # numbers
  [ -z "$members" ] || kill -s "$1" $members 2>/dev/null
}

# Its own way of ending comes first: it takes back what it did.
seconds=20
while [ "$state" = running ] && [ $seconds -gt 0 ]; do
  signal_session TERM
  await_job 10
  seconds=$((seconds - 1))
done
if [ "$state" = running ]; then
  signal_session KILL
  await_job 50
fi
# What its wrapper has left behind, should there be something.
[ "$state" = running ] || [ -z "$job_pid" ] || signal_session KILL
report_job
