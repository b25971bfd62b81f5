# How a job stands, at its end or after a while. Parameters: JOB TARGET ID WAIT_TENTHS
job=$jobs/$ID
[ -d "$job" ] || die no_run "this machine knows no job $ID"
await_job "$WAIT_TENTHS"
report_job
