# What runs on this machine, by what it took of the processors between two looks.
# Parameters: COUNT (of processes) TENTHS (between the looks)
page=$(getconf PAGESIZE 2>/dev/null) || page=4096
hertz=$(getconf CLK_TCK 2>/dev/null) || hertz=100
look() { cat /proc/[0-9]*/stat 2>/dev/null; }
uptime() { read -r up _ </proc/uptime && printf '%s' "$up"; }
first=$(look)
from=$(uptime)
sleep "$((TENTHS / 10)).$((TENTHS % 10))"
second=$(look)
to=$(uptime)

# GPU memory in MiB by process; what the machine has of them. Nothing where there is no nvidia-smi.
gpu_users=$(nvidia-smi --query-compute-apps=pid,used_gpu_memory --format=csv,noheader,nounits 2>/dev/null) || gpu_users=
gpu_list=$(nvidia-smi --query-gpu=index,name,utilization.gpu,memory.used,memory.total,temperature.gpu \
  --format=csv,noheader,nounits 2>/dev/null) || gpu_list=

# A command's name may have any bytes, line ends and parentheses among them: a process without a whole line is left out.
chosen=$(printf '%s\n#\n%s\n#\n%s\n' "$first" "$gpu_users" "$second" |
  own=$$ seconds="$(awk "BEGIN { print $to - $from }")" hertz="$hertz" page="$page" awk '
  function fields(line,    rest) {
    if (line !~ /^[0-9]+ \(.*\) [A-Za-z] /) return 0
    pid = line; sub(/ .*/, "", pid)
    rest = line; sub(/^.*\) /, "", rest); return split(rest, f, " ")
  }
  $0 == "#" { part++; next }
  part == 0 { if (fields($0) >= 22) { before[pid] = f[12] + f[13]; born[pid] = f[20] } next }
  part == 1 { split($0, g, /, */); if (g[1] ~ /^[0-9]+$/) gpu[g[1]] += g[2]; next }
  { if (fields($0) < 22 || f[1] == "Z" || pid == ENVIRON["own"] || f[2] == ENVIRON["own"]) next
    # One that began between the two looks has all of its time from then on.
    took = f[12] + f[13] - ((pid in before) && born[pid] == f[20] ? before[pid] : 0)
    cpu = ENVIRON["seconds"] > 0 ? 100 * took / ENVIRON["hertz"] / ENVIRON["seconds"] : 0
    printf "%.1f %.0f %d %d %.0f\n", cpu, f[22] * ENVIRON["page"], pid, (pid in gpu) ? gpu[pid] : 0, f[20] }' |
  sort -k 1,1nr -k 4,4nr -k 2,2nr | head -n "$COUNT")

processes=
while read -r cpu memory pid gpu start; do
  [ -n "$pid" ] || continue
  # Another process may have the number by now.
  is_alive "$pid" "$start" || continue
  command=$(head -c 200 "/proc/$pid/cmdline" 2>/dev/null | tr '\000\n' '  ')
  [ -n "$command" ] || command=[$(cat "/proc/$pid/comm" 2>/dev/null)]
  quote "${command% }"
  run=$(tr '\000' '\n' 2>/dev/null <"/proc/$pid/environ" | sed -n 's/^RUNCTL_RUN_ID=\([A-Za-z0-9._-]*\)$/\1/p' | head -n 1)
  user=$(stat -c %U "/proc/$pid" 2>/dev/null)
  processes="$processes${processes:+,}{\"pid\":$pid,\"cpu_percent\":$cpu,\"memory_bytes\":$memory,\
\"gpu_memory_mib\":$gpu,\"user\":\"${user:-?}\",\"run_id\":\"$run\",\"command\":$quoted}"
done <<END
$chosen
END

gpus=$(printf '%s\n' "$gpu_list" | awk "$json_awk"'
  function number(text) { return text ~ /^[0-9]+$/ ? text : "null" } # "[N/A]"
  { n = split($0, g, /, */); if (n < 6) next
    printf "%s{\"index\":%s,\"name\":%s,\"utilization_percent\":%s,\"memory_used_mib\":%s,\"memory_total_mib\":%s,\"temperature_c\":%s}",
      (m++ ? "," : ""), number(g[1]), json(g[2]), number(g[3]), number(g[4]), number(g[5]), number(g[6]) }')
memory=$(awk '$1 == "MemTotal:" { total = $2 } $1 == "MemAvailable:" { free = $2 }
  END { printf "\"memory_total_bytes\":%.0f,\"memory_available_bytes\":%.0f", total * 1024, free * 1024 }' /proc/meminfo)
read -r load _ </proc/loadavg
succeed "\"cpus\":$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 0),\"load\":$load,$memory,\"gpus\":[$gpus],\"processes\":[$processes]"
