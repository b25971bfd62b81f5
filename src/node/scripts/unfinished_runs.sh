# The runs that still need this machine: those that go on, and those whose results are not all where they are uploaded to;
# of the latter, whether the machine's own disk has the only copy. The newest 20 of them. No parameters.
list='' count=0
list_newest
for name in $newest; do
  run=$runs/$name
  [ -e "$run/record.json" ] && [ $count -lt 20 ] || continue
  read_run "$run"
  unsent=false only_here=false
  if [ -s "$run/upload.sh" ]; then
    case $(cat "$run/upload_status" 2>/dev/null) in
      *'"finished":true'*'"failed_count":0,'*) ;;
      *) unsent=true ;;
    esac
    [ $unsent = false ] || [ -n "$(cat "$run/checkpoint_directory" 2>/dev/null)" ] || only_here=true
  fi
  [ "$state" = running ] || [ $unsent = true ] || continue
  list="$list${list:+,}{\"run_id\":\"$name\",\"state\":\"$state\",\"unsent\":$unsent,\"only_here\":$only_here}"
  count=$((count + 1))
done
succeed "\"runs\":[$list]"
