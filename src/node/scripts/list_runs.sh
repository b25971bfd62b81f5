# The newest runs of this machine. Parameters: COUNT
list=
# shellcheck disable=SC2012 # run ids have no blanks; ls is what sorts by time
for name in $(ls -1 -t "$runs" 2>/dev/null | head -n "$COUNT"); do
  read_run "$runs/$name"
  list="$list${list:+,}{$run_json}"
done
succeed "\"runs\":[$list]"
