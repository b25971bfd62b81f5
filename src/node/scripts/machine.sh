# Facts of the machine itself, in both kinds of machines. Sets facts.
machine_facts() {
  quote "$(uname -n)" && facts="\"hostname\":$quoted"
  boot_id=unknown uptime=0
  read -r boot_id </proc/sys/kernel/random/boot_id || :
  read -r uptime _ </proc/uptime || :
  # shellcheck disable=SC2046 # two numbers
  set -- $(stat -f -c '%a %S' "${1:-/}")
  facts="$facts,\"boot_id\":\"$boot_id\",\"uptime\":${uptime%.*},\"root_free\":$(($1 * $2))"
}
