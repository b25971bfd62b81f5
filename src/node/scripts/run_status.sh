# How a run stands, and the next piece of its log.
# Parameters: RUN_ID LOG_OFFSET MAX_BYTES
run=$runs/$RUN_ID
[ -d "$run" ] || die no_run "this machine knows no run $RUN_ID"
# The state first: when it says that the run has ended, the log that is read after it is whole.
read_run "$run"
log_size=$(stat -L -c %s "$run/log") || die io_error "cannot read the log of run $RUN_ID"
text=
next=$log_size
if [ "$LOG_OFFSET" -lt "$log_size" ]; then
  length=$((log_size - LOG_OFFSET < MAX_BYTES ? log_size - LOG_OFFSET : MAX_BYTES))
  text=$(tail -c +$((LOG_OFFSET + 1)) "$run/log" | head -c $length | base64 -w 0)
  next=$((LOG_OFFSET + length))
fi
succeed "$run_json,\"log\":\"$text\",\"next_offset\":$next,\"log_size\":$log_size"
