# The newest runs of this machine. Parameters: COUNT
list=
list_newest
for name in $(printf '%s\n' "$newest" | head -n "$COUNT"); do
  read_run "$runs/$name"
  list="$list${list:+,}{$run_json}"
done
succeed "\"runs\":[$list]"
