# What every script starts with. Parameters stand above this text as quoted assignments. A script says what
# it did in one JSON record on the last line of its standard output and exits 0 or 1.
# Needs a POSIX shell and utilities, coreutils, util-linux; never jq, and python in choose_checkpoint.sh alone.
set -u
caller_locale=${LC_ALL-}
LC_ALL=C
PATH=${PATH:+$PATH:}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH
umask 077
exec </dev/null

# What a long script (a job) has to go through, in bytes, and each step of the way.
has_to_do() { [ -z "${RUNCTL_JOB-}" ] || printf '%s\n' "$1" >"$RUNCTL_JOB/total"; }
has_done() { [ -z "${RUNCTL_JOB-}" ] || printf '%s\n' "$1" >>"$RUNCTL_JOB/done"; }

# Writes back the filesystem that holds $1. Amazon Linux 2's sync knows no -f, and writes back all of them.
write_back() {
  case $(sync --help 2>&1) in *--file-system*) sync -f -- "$1" ;; *) sync ;; esac
}

# Sets `quoted`. A variable, not output: `die` must not be called inside $(...), where it would end only the
# subshell, so nothing here is written to be called there.
json_awk='
function json(s,    i, n, c, out) {
  if (!escapes_known) {
    for (i = 1; i < 32; i++) escape[sprintf("%c", i)] = sprintf("\\u%04x", i)
    escape["\""] = "\\\""; escape["\\"] = "\\\\"; escapes_known = 1
  }
  n = length(s)
  for (i = 1; i <= n; i++) { c = substr(s, i, 1); out = out (c in escape ? escape[c] : c) }
  return "\"" out "\""
}
# The kernel writes blanks and backslashes in mount points as three octal digits.
function unescape(s,    at, out) {
  while ((at = match(s, /\\[0-7][0-7][0-7]/)) > 0) {
    out = out substr(s, 1, at - 1) \
      sprintf("%c", substr(s, at + 1, 1) * 64 + substr(s, at + 2, 1) * 8 + substr(s, at + 3, 1))
    s = substr(s, at + 4)
  }
  return out s
}'
quote() {
  case $1 in
    *[!A-Za-z0-9\ _.,:/=@%+-]*) quoted=$(quote_this="$1" awk "$json_awk"' BEGIN { printf "%s", json(ENVIRON["quote_this"]) }') ;;
    *) quoted=\"$1\" ;;
  esac
}

reported=no
undo() { :; } # a script that must clean up after itself gives this a body

# die CODE MESSAGE [MEMBERS]: the failure record. CODE is for programs and never changes its meaning.
die() {
  quote "$2"
  reported=yes
  printf '\n{"ok":false,"code":"%s","error":%s%s}\n' "$1" "$quoted" "${3:+,$3}"
  exit 1
}

# succeed MEMBERS
succeed() {
  reported=success
  printf '\n{"ok":true%s}\n' "${1:+,$1}"
  exit 0
}

# A second signal must not cut short what the first one began.
on_exit() {
  trap '' HUP INT TERM
  [ "$reported" = success ] && return
  undo
  [ "$reported" = yes ] || printf '\n{"ok":false,"code":"script_failed","error":"the script ended early"}\n'
}
trap on_exit EXIT
trap 'exit 143' HUP INT TERM
