# How a run stands, and the next piece of its log.
# Parameters: RUN_ID LOG_OFFSET MAX_BYTES (of the log) ROOM (for it in the answer, at least 1,000 bytes)
#   DETAILS (yes: what its directory says of it as well)
run=$runs/$RUN_ID
[ -d "$run" ] || die no_run "this machine knows no run $RUN_ID"
# The state first: when it says that the run has ended, the log that is read after it is whole.
read_run "$run"
log_size=$(stat -L -c %s "$run/log") || die io_error "cannot read the log of run $RUN_ID"
text=
next=$log_size
if [ "$LOG_OFFSET" -lt "$log_size" ]; then
  length=$((log_size - LOG_OFFSET < MAX_BYTES ? log_size - LOG_OFFSET : MAX_BYTES))
  # What does not become smaller by compression fits all the same: gzip adds less than 100 bytes.
  surely=$((ROOM * 3 / 4 - 200))
  while :; do
    text=$(tail -c +$((LOG_OFFSET + 1)) "$run/log" | head -c $length | gzip -1 -c | base64 -w 0)
    [ ${#text} -gt "$ROOM" ] && [ $length -gt $surely ] || break
    # A tenth less than what would fit if all of it were alike.
    length=$((length * ROOM * 9 / (${#text} * 10)))
    [ $length -ge $surely ] || length=$surely
  done
  next=$((LOG_OFFSET + length))
fi
more=
if [ "$DETAILS" = yes ]; then
  free=$(df -P -k "$run" | awk 'NR == 2 { printf "%.0f", $4 * 1024 }')
  more=",\"free_bytes\":${free:-0},\"details\":$(cat "$run/details.json" 2>/dev/null || echo null)"
fi
read_upload
succeed "$run_json$upload_json,\"log\":\"$text\",\"next_offset\":$next,\"log_size\":$log_size$more"
