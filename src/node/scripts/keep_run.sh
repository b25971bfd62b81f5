# Copies what a run that has ended has left on the machine's own disk (its log, and what is known of it, but not its
# command, which may hold secrets) to the filesystem that its checkpoints are on: runs/RUN beside them. A copy that is
# there already is replaced. Parameters: RUN_ID
run=$runs/$RUN_ID
[ -d "$run" ] || die no_run "there is no run $RUN_ID on this machine"
checkpoints=
[ ! -e "$run/checkpoint_directory" ] || IFS= read -r checkpoints <"$run/checkpoint_directory"
[ -n "$checkpoints" ] || die no_checkpoints "run $RUN_ID has no checkpoint directory, beside which its log would be kept"
# Not made: where the volume is not mounted any more it would be made on the machine's own disk.
[ -d "$checkpoints" ] || die no_checkpoints "the volume of the checkpoints of run $RUN_ID is not mounted"
kept=${checkpoints%/*}/runs
mkdir -p -- "$kept" || die io_error "cannot make the directory $kept"
if [ "$(realpath -m -- "$kept")" = "$(realpath -m -- "$runs")" ]; then # it is there already
  quote "$run"
  succeed "\"directory\":$quoted,\"kib\":0"
fi
undo() { rm -rf -- "${kept:?}/.$RUN_ID"; }
undo

needed=$(du -sk -- "$run/log" | awk '{ print $1 }')
free=$(df -Pk -- "$kept" | awk 'NR == 2 { print $4 }')
[ "$needed" -lt "$free" ] ||
  die no_space "the log of run $RUN_ID has $needed KiB, and the volume of its checkpoints $free KiB free"
mkdir -- "$kept/.$RUN_ID" || die io_error "cannot make a directory in $kept"
for name in log record.json details.json started status stop interruption; do
  [ -e "$run/$name" ] || continue
  cp -- "$run/$name" "$kept/.$RUN_ID/$name" || die io_error "cannot copy $name of run $RUN_ID to $kept"
done
rm -rf -- "${kept:?}/$RUN_ID"
mv -- "$kept/.$RUN_ID" "$kept/$RUN_ID" && write_back "$kept" || die io_error "cannot keep what run $RUN_ID has left, in $kept"
quote "$kept/$RUN_ID"
succeed "\"directory\":$quoted,\"kib\":$needed"
