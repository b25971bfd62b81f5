# Chooses the checkpoint that a run goes on from: the newest that is whole. It holds the lock that runs hold while they
# live, so that none of ours writes meanwhile, and says the last run's fencing number: the run that goes on from the choice
# is refused when another one has had the directory in between (run_wrapper.sh).
# Parameters: DIRECTORY PROGRAM (newest_checkpoint.py, as gzip and base64 make it)
fence=0
nothing() { succeed "\"fence\":$fence,\"ordered_by\":\"time\",\"skipped_count\":0,\"skipped_bad\":0,\"skipped\":[]"; }
[ -d "$DIRECTORY" ] || nothing
lock=$DIRECTORY/.runctl.lock
command exec 9<>"$lock" || die io_error "cannot open $lock"
# A run that has ended holds it for a moment longer.
flock -w 1 9 || die_busy "$DIRECTORY" "$(head -n 1 "$lock")"
# What the last run has left may write here, though it holds no lock.
last='' last_of_choice=''
{ read -r last _ _ last_of_choice <"$lock"; } 2>/dev/null
[ "$last" != choosing ] || last=$last_of_choice
if [ -n "$last" ]; then
  left=$(grep -l -s -z -x -F -e "RUNCTL_RUN_ID=$last" /proc/[0-9]*/environ | head -n 1)
  left=${left#/proc/}
  [ -z "$left" ] || die_left "$DIRECTORY" "$last" "${left%/environ}"
fi
if [ -e "$DIRECTORY/.runctl.fence" ]; then
  fence=
  { read -r fence <"$DIRECTORY/.runctl.fence"; } 2>/dev/null
fi
case $fence in '' | *[!0-9]*) die not_started "$DIRECTORY/.runctl.fence is damaged" ;; esac
printf 'choosing %s %s %s\n' $$ "$fence" "$last" >"$lock"
there=$(find "$DIRECTORY" -mindepth 1 -maxdepth 1 ! -name '.runctl.*' ! -name lost+found | head -n 1)
[ -n "$there" ] || nothing

# Nothing is guessed without it: by its name and size a torn checkpoint is like any other.
python=$(command -v python3) && "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null ||
  die no_python "the checkpoints in $DIRECTORY cannot be verified: the machine has no python3 of version 3.6 or newer"
program=${RUNCTL_JOB:?}/newest_checkpoint.py
printf '%s' "$PROGRAM" | base64 -d | gzip -d >"$program" || die io_error "cannot write $program"
said=$("$python" -I -S "$program" "$DIRECTORY")
case $? in
  0) ;;
  3) die io_error "cannot read $said" ;;
  4) die bad_parameter "$said" ;;
  *) die script_failed "the checkpoints in $DIRECTORY could not be looked through" ;;
esac
said=${said#\{}
succeed "\"fence\":$fence,${said%\}}"
