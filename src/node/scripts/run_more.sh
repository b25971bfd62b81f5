# What watch_run.sh did upon EC2's notice, and how the upload of results stands: what runs have and jobs do not.

# Sets newest: the ids of the runs that were started, the last one first. A directory's own time is that of what was done in
# it last, as of an upload.
list_newest() {
  # shellcheck disable=SC2012 # run ids have no blanks; ls is what sorts by time
  newest=$(ls -1 -t "$runs"/*/started 2>/dev/null | sed 's|/started$||; s|.*/||')
}

# For read_run: sets interruption_json.
read_interruption() {
  interruption_json='' action='' unmounted='' kept='' finished_at=0
  {
    read -r action at noticed_at
    while read -r word volume reason; do
      case $word in
        unmounted) unmounted="$unmounted${unmounted:+,}\"$volume\"" ;;
        kept)
          quote "$reason"
          kept="$kept${kept:+,}{\"volume\":\"$volume\",\"why\":$quoted}"
          ;;
        done) finished_at=$volume ;;
      esac
    done
  } <"$run/interruption" || :
  [ -z "$action" ] ||
    interruption_json=",\"interruption\":{\"action\":\"$action\",\"at\":$at,\"noticed_at\":$noticed_at,\
\"finished_at\":$finished_at,\"unmounted\":[$unmounted],\"kept\":[$kept]}"
} 2>/dev/null

# Sets upload_json: what is uploaded of the run that was read, and whether something is still at work on that, as the
# wrapper is to the end; nothing for a run that uploads nothing.
read_upload() {
  upload_json=
  [ -e "$run/upload_status" ] || return 0
  working=false
  ! { [ "$run_boot" = "$boot_id" ] && is_alive "$wrapper_pid" "$wrapper_start"; } || working=true
  flock -n -s "$run/upload_lock" true 2>/dev/null || working=true
  # After that look: when nothing was at work, this is the last that was said.
  upload_json=",\"upload\":$(head -c 4000 "$run/upload_status"),\"upload_working\":$working"
}
