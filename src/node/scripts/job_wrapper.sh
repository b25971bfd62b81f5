#!/bin/sh
# Runs the script in its directory $1 and outlives it, to write down how it ended.
set -u
cd "$1" || exit 1
RUNCTL_JOB=$1
export RUNCTL_JOB
umask 077
put() { printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"; }
this_stat=$(cat /proc/$$/stat)
# shellcheck disable=SC2086 # the fields after the command's name are numbers and letters
set -- ${this_stat##*) }
shift 19
read -r boot_id </proc/sys/kernel/random/boot_id
exec 4>alive
flock 4
put started "$boot_id $$ $1"

# A trap with a body is not inherited, unlike an ignored signal: the script gets its signals, and we live on until it
# has ended. What it says is kept up to a bound, and read and dropped above it.
trap : HUP INT TERM
keep() {
  trap '' HUP INT TERM
  head -c "$2" >"$1"
  cat >/dev/null
}
follow() {
  trap : HUP INT TERM
  /bin/sh ./script 3>&-
  put code $?
}
{
  trap : HUP INT TERM
  follow 2>&1 1>&3 | keep err 16384 3>&-
} 3>&1 4>&- | keep out 20000 4>&-
status=255
{ read -r status <code; } 2>/dev/null
put status "$status"
