# Starts a command that goes on without us.
# Parameters: RUN_ID COMMAND (a shell text) RECORD and DETAILS (JSON) CHECKPOINT_DIRECTORY WRAPPER
# EXPECTED_FENCE (the fencing number that the directory must still have; nothing: any)
#   WATCH (watch_run.sh and what it needs; nothing: it is no spot machine) WATCH_HOOK (nothing: none) UPLOAD (upload.sh with
#   its parameters; nothing: nothing is uploaded): these and WRAPPER as gzip and base64 make them
unpack() { # FILE TEXT: nothing for no text
  [ -z "$2" ] || printf '%s' "$2" | base64 -d | gzip -d >"$1"
}
# Several files, each behind a line with its name: together they are a third smaller.
unpack_files() { # DIRECTORY TEXT
  [ -z "$2" ] || printf '%s' "$2" | base64 -d | gzip -d |
    directory="$1" awk '/^#### [a-z]+[.]sh$/ { file = ENVIRON["directory"] "/" $2; next } { print >file }'
}
run=$runs/$RUN_ID
[ -z "$UPLOAD" ] || command -v curl >/dev/null || command -v python3 >/dev/null || command -v wget >/dev/null ||
  die no_uploader "this machine has neither curl nor python3 nor wget to upload results with"
if [ ! -d "$run" ]; then
  # Whole or not at all: made aside, then renamed.
  new=$runs/.$RUN_ID.$$
  undo() { rm -rf -- "$new"; }
  mkdir -p "$new" &&
    printf '%s\n' "$COMMAND" >"$new/command.sh" && printf '%s\n' "$RECORD" >"$new/record.json" &&
    printf '%s\n' "$DETAILS" >"$new/details.json" && unpack "$new/wrapper.sh" "$WRAPPER" &&
    : >"$new/log" && printf '%4095s\n' '' >"$new/status" && printf '%4095s\n' '' >"$new/stop" &&
    unpack_files "$new" "$WATCH" && unpack "$new/hook.sh" "$WATCH_HOOK" &&
    { [ -z "$WATCH" ] || printf '%4095s\n' '' >"$new/interruption"; } &&
    printf '%s\n' "$CHECKPOINT_DIRECTORY" >"$new/checkpoint_directory" &&
    printf '%s\n' "$EXPECTED_FENCE" >"$new/expected_fence" &&
    unpack "$new/upload.sh" "$UPLOAD" ||
    die io_error "cannot write $new"
  if [ -n "$CHECKPOINT_DIRECTORY" ]; then
    (umask 022 && mkdir -p -- "$CHECKPOINT_DIRECTORY") || die io_error "cannot create $CHECKPOINT_DIRECTORY"
  fi
  if ! mv -T -- "$new" "$run" 2>/dev/null; then
    [ -d "$run" ] || die io_error "cannot create $run"
    rm -rf -- "$new" # another call was first
  fi
fi
[ "$(cat "$run/command.sh")" = "$COMMAND" ] || die run_exists "run $RUN_ID exists with another command"

already=true
if [ ! -e "$run/started" ]; then
  already=false
  # What this shell set for itself is not the program's business.
  unset LC_ALL
  [ -z "$caller_locale" ] || { LC_ALL=$caller_locale && export LC_ALL; }
  umask 022
  if [ "$(id -u)" = 0 ]; then : "${HOME:=/root}"; else : "${HOME:=/}"; fi
  export HOME
  # A run on the user's own machine, or one that a run starts, is no part of where it is started from.
  of_user=${RUNCTL_RUNS:+yes}
  unset RUNCTL_RUNS RUNCTL_RUN_ID RUNCTL_FENCE RUNCTL_CHECKPOINT_DIR
  if [ -z "$of_user" ] && [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then
    start_unit --unit="runctl-$RUN_ID" --setenv=HOME="$HOME" /bin/sh "$run/wrapper.sh" "$run" ||
      die start_failed "systemd-run failed for run $RUN_ID: $output"
  else
    start_session /bin/sh "$run/wrapper.sh" "$run"
  fi
  LC_ALL=C
  export LC_ALL
fi

patience=200
while [ ! -e "$run/started" ]; do
  if [ -e "$run/refused" ]; then
    read -r word holder <"$run/refused"
    rm -rf -- "$run" # nothing ran
    case $word in
      busy) die_busy "$CHECKPOINT_DIRECTORY" "$holder" ;;
      left) die_left "$CHECKPOINT_DIRECTORY" "${holder% *}" "${holder##* }" ;;
      changed) die changed "another run has used $CHECKPOINT_DIRECTORY since the checkpoint was chosen" ;;
      *) die not_started "run $RUN_ID was not started: $word $holder" ;;
    esac
  fi
  patience=$((patience - 1))
  [ $patience -gt 0 ] || die start_failed "run $RUN_ID did not start within 10 s"
  sleep 0.05
done
# The program's own number follows at once.
patience=40
read_run "$run"
while [ -z "$program_pid" ] && [ -z "$exit_status" ] && [ $patience -gt 0 ]; do
  patience=$((patience - 1))
  sleep 0.05
  read_run "$run"
done
succeed "$run_json,\"already\":$already"
