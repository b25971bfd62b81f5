# What goes on without us: how it is started, and whether it lives.

# Whether process $1 lives and is the one that started at $2 (clock ticks since boot): numbers are used again.
is_alive() {
  [ -n "$1" ] && alive_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  alive_wanted=$2
  # shellcheck disable=SC2086 # the fields after the command's name are numbers and letters
  set -- ${alive_stat##*) }
  [ "$1" != Z ] && [ "$1" != X ] && [ "${20}" = "$alive_wanted" ]
}

# Starts a command in a session of its own, and does not wait for it. The first setsid makes of itself a leader, so that the
# second one has to fork: its --fork came with util-linux 2.32, which Amazon Linux 2 does not have yet. A background job of
# this shell, and what it starts, would ignore SIGINT.
start_session() { setsid setsid "$@" </dev/null >/dev/null 2>&1; }

# Starts a command in a unit of its own: it must not end with the agent's service that runs us. Parameters: those of
# systemd-run. Sets output.
start_unit() {
  # When the kernel takes one process for want of memory, systemd ends the whole unit, unless it is told otherwise (since
  # version 243): what uploads the results of a run as well, and what writes down how it ended.
  systemd_version=$(systemd-run --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  [ "${systemd_version:-0}" -lt 243 ] || set -- --property=OOMPolicy=continue "$@"
  output=$(systemd-run --quiet "$@" 2>&1)
}

