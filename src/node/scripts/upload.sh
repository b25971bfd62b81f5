# Uploads what a run writes, to S3, while it goes on and once more when it has ended; in the run's directory, with what
# the machine has: curl, python3 or wget. No credentials: a form that S3 takes until UPLOAD_EXPIRES, and only for keys that
# begin with UPLOAD_PREFIX. It goes on whatever becomes of the connection, of runctl, and of the run's wrapper.
#   upload.sh begin   before the program starts: what lies there already is none of the run's
#   upload.sh watch   ends when everything is uploaded that can be; one of a run at a time, a second one waits
#   upload.sh work    what `watch` starts again when it is killed
#   upload.sh task N  some of the files
# Parameters: UPLOAD_URL UPLOAD_FORM (lines: a field, a tab, its value) UPLOAD_PREFIX UPLOAD_TARGET (in words)
# UPLOAD_EXPIRES (seconds) UPLOAD_LARGEST (bytes) UPLOAD_INTERVAL (seconds) UPLOAD_OUTPUT UPLOAD_CHECKPOINTS (directories or nothing)
# It keeps in the run's directory, besides what run_state.sh names:
#   upload_known   what needs no upload (any more): b, u or s; size, mtime, ctime, inode; SHA-256 or -; path
#   upload_status  how it stands, for run_status.sh         upload_lock  held while something is at work
#   upload_roots   the devices that both directories were on when the program began
#
# A file is sent when it has been the same for an interval, or at once when it got its name after its last byte: a rename
# changes a file's ctime and not its mtime, and writing changes both. S3 compares what comes with the SHA-256 that was
# taken before, so that nothing torn is stored, also of a file that changes meanwhile.
set -u
LC_ALL=C
PATH=${PATH:+$PATH:}/usr/local/bin:/usr/bin:/bin
export LC_ALL PATH
umask 077
: "${UPLOAD_ATTEMPTS:=10}" "${UPLOAD_PAUSE:=1}" "${UPLOAD_WITH:=}" "${UPLOAD_WORKERS:=4}"
export UPLOAD_URL UPLOAD_FORM UPLOAD_PREFIX UPLOAD_TARGET UPLOAD_EXPIRES UPLOAD_LARGEST UPLOAD_OUTPUT UPLOAD_CHECKPOINTS \
  UPLOAD_ATTEMPTS UPLOAD_PAUSE UPLOAD_WITH
run=$(pwd)
tab=$(printf '\t')
[ -n "$UPLOAD_OUTPUT" ] || UPLOAD_OUTPUT=$run/output
inode_of() { stat -L -c %d:%i -- "$1" 2>/dev/null; }
# One directory for both: what is in it is sent once.
[ -z "$UPLOAD_CHECKPOINTS" ] || [ "$(inode_of "$UPLOAD_OUTPUT" || echo none)" != "$(inode_of "$UPLOAD_CHECKPOINTS")" ] || UPLOAD_OUTPUT=

choose_program() {
  [ -z "$UPLOAD_WITH" ] || return 0
  for UPLOAD_WITH in curl python3 wget; do
    ! command -v "$UPLOAD_WITH" >/dev/null || return 0
  done
  UPLOAD_WITH=none
}

is_expired() { [ "$(date +%s)" -ge "$UPLOAD_EXPIRES" ]; }

# Whether process $1 lives and is the one that started at $2.
lives() {
  [ -n "$1" ] && live_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  live_start=$2
  # shellcheck disable=SC2086 # the fields after the command's name are numbers and letters
  set -- ${live_stat##*) }
  [ "$1" != Z ] && [ "$1" != X ] && [ "${20}" = "$live_start" ]
}

# Whether the program has ended, or is gone with its wrapper, and nothing wrote down how.
has_ended() {
  run_ended='' run_boot='' wrapper='' wrapper_start='' program='' program_start='' boot=''
  { read -r run_ended _ <status; } 2>/dev/null
  [ -z "$run_ended" ] || return 0
  read -r boot </proc/sys/kernel/random/boot_id
  { read -r _ run_boot wrapper wrapper_start _ <started; } 2>/dev/null
  # Not begun yet.
  [ -n "$run_boot" ] || return 1
  [ "$run_boot" = "$boot" ] || return 0
  # shellcheck disable=SC2094 # a file and a variable of one name
  { read -r program program_start <program; } 2>/dev/null
  ! lives "$wrapper" "$wrapper_start" && ! lives "$program" "$program_start"
}

is_finished() { grep -q '"finished":true' upload_status 2>/dev/null; }

# list FILE: a line for each file: size, mtime, ctime and inode; a tab; its path below the prefix. A line end in a name
# becomes \001. What is inside the other directory as well is left to that. What could not be looked at is told in FILE.said;
# what has gone meanwhile is none of it. Fails when the list is not whole.
list() {
  : >"$1.raw" || return
  : >"$1.said" || return
  # shellcheck disable=SC2094 # what find has said is looked at when it has ended
  for tag in output checkpoints; do
    root=$UPLOAD_CHECKPOINTS other=$UPLOAD_OUTPUT
    [ $tag = checkpoints ] || { root=$UPLOAD_OUTPUT other=$UPLOAD_CHECKPOINTS; }
    [ -d "$root" ] || continue
    if [ -n "$other" ] && [ -d "$other" ]; then
      find "$root/" -type d -samefile "$other" -prune -o -type f -printf "%s %T@ %C@ %i\\t$tag/%P\\0"
    else
      find "$root/" -type f -printf "%s %T@ %C@ %i\\t$tag/%P\\0"
    fi || [ -s "$1.said" ] || return
  done >>"$1.raw" 2>>"$1.said"
  tr '\n\000' '\001\n' <"$1.raw" >"$1" && rm -f "$1.raw"
}

# The device of a directory; nothing where there is none.
device_of() { [ -z "$1" ] || stat -L -c %d -- "$1" 2>/dev/null; }

# A line for each directory that is not there any more, or is what its volume was mounted on: path, why.
find_lost_roots() {
  output_device='' checkpoints_device=''
  {
    read -r output_device
    read -r checkpoints_device
  } <upload_roots || return
  set -- "$output_device" "$checkpoints_device"
  for root in "$UPLOAD_OUTPUT" "$UPLOAD_CHECKPOINTS"; do
    [ -z "$root" ] || [ "$(device_of "$root")" = "$1" ] ||
      printf '%s\tthe directory is not there any more\n' "$(printf '%s' "$root" | tr -c ' -~' '?')"
    shift
  done
}

# What is no result: locks, runctl's own, and what a writer has not finished (as checkpoint/names.cpp has it).
# shellcheck disable=SC2016 # awk's
awk_names='
  function is_none(path,    part, n, i, name) {
    n = split(tolower(path), part, "/")
    for (i = 2; i <= n; i++) {
      name = part[i]
      if (name ~ /^(\.runctl|\.writing-|\.tmp|tmp-|tmp_|\.~|\.nfs)/ || name ~ /\.tmp[._-]/ || name == "lost+found" ||
          name ~ /(\.tmp|\.temp|\.part|\.partial|\.incomplete|\.writing|\.crdownload|\.swp|\.lock|~)$/) return 1
    }
    return 0
  }
  function is_utf8(s) {
    gsub(/[\302-\337][\200-\277]/, ".", s)
    gsub(/\340[\240-\277][\200-\277]/, ".", s)
    gsub(/[\341-\354\356\357][\200-\277][\200-\277]/, ".", s)
    gsub(/\355[\200-\237][\200-\277]/, ".", s)
    gsub(/\360[\220-\277][\200-\277][\200-\277]/, ".", s)
    gsub(/[\361-\363][\200-\277][\200-\277][\200-\277]/, ".", s)
    gsub(/\364[\200-\217][\200-\277][\200-\277]/, ".", s)
    return s !~ /[\200-\377]/
  }
  function shown(s) {
    gsub(/[\001-\037\177]/, "?", s)
    if (!is_utf8(s)) gsub(/[\200-\377]/, "?", s)
    return s
  }
  function local_path(path) {
    if (path ~ /^output\//) return ENVIRON["UPLOAD_OUTPUT"] substr(path, 7)
    return ENVIRON["UPLOAD_CHECKPOINTS"] substr(path, 12)
  }'

# What is to be sent now: due (a line as `list` has it, and the SHA-256 of what was sent under that name before), and
# failed.names (path, why). Parameter: yes for the last time.
plan() {
  : >"$work/failed.names"
  awk -F '\t' -v final="$1" -v work="$work" "$awk_names"'
    FILENAME == work "/known" { known[$4] = $2; if ($3 != "-") sum[$4] = $3; next }
    FILENAME == work "/seen" { seen[$2] = $1; next }
    FILENAME == work "/refused" { refused[$2] = $1; why_of[$2] = $3; next }
    {
      at = index($0, "\t"); stat = substr($0, 1, at - 1); path = substr($0, at + 1)
      if (is_none(path) || known[path] == stat) next
      split(stat, field, " "); why = ""
      if (path ~ /[\001-\037\177]/) why = "its name has control characters"
      else if (!is_utf8(path)) why = "its name is no UTF-8"
      else if (index(path, "${filename}")) why = "its name has ${filename}, which S3 replaces"
      else if (length(ENVIRON["UPLOAD_PREFIX"] path) > 1024) why = "its key would be longer than 1,024 bytes"
      else if (field[1] + 0 > ENVIRON["UPLOAD_LARGEST"] + 0) why = "it is larger than the 5 GiB that one upload can have"
      else if (final != "yes" && refused[path] == stat) why = why_of[path]
      if (why != "") { print shown(path) "\t" why >(work "/failed.names"); next }
      pending++
      if (final != "yes" && seen[path] != stat && !(field[3] "" > field[2] "")) next
      print stat "\t" (path in sum ? sum[path] : "-") "\t" path >(work "/due")
    }
    END { print pending + 0 >(work "/pending") }
  ' "$work/known" "$work/seen" "$work/refused" "$work/list"
}

# The status. Parameter: true when nothing more will come.
write_status() {
  expired=false
  ! is_expired || expired=true
  awk -F '\t' -v finished="$1" -v expired=$expired -v work="$work" '
    function json(s,    i, n, c, out) {
      n = length(s)
      for (i = 1; i <= n; i++) { c = substr(s, i, 1); out = out (c == "\"" || c == "\\" ? "\\" c : c) }
      return "\"" out "\""
    }
    FILENAME == work "/known" { if ($1 == "u") { if (!($4 in there)) files++; there[$4] = 1; split($2, f, " "); bytes += f[1] } next }
    FILENAME == work "/pending" { pending = $1; next }
    FILENAME == work "/trouble" { trouble = $0; gsub(/[\001-\037\177-\377]/, "?", trouble); next }
    { failed++; if (length(list) + length($0) < 1200) list = list (list == "" ? "" : ",") "{\"path\":" json($1) ",\"why\":" json($2) "}" }
    END {
      printf "{\"finished\":%s,\"expired\":%s,\"expires\":%s,\"target\":%s,\"uploaded\":%.0f,\"bytes\":%.0f,", finished,
        expired, ENVIRON["UPLOAD_EXPIRES"], json(ENVIRON["UPLOAD_TARGET"]), files, bytes
      printf "\"pending\":%.0f,\"failed_count\":%.0f,\"failed\":[%s],\"trouble\":%s}\n", pending, failed, list,
        json(substr(trouble, 1, 300))
    }' "$work/known" "$work/pending" "$work/trouble" "$work/failed" >"$work/status" && [ -s "$work/status" ] || return
  # On a full disk it is written over what is there: that has its block.
  if ! { cp "$work/status" upload_status.new && mv -f upload_status.new upload_status; } 2>/dev/null; then
    rm -f upload_status.new
    printf '%-4095s\n' "$(cat "$work/status")" 1<>upload_status
  fi
}

room_in() { df -P -k "$1" 2>/dev/null | awk 'NR == 2 { room = $4 } END { print room + 0 }'; }

# Where there is room even when the run has filled its disk; or its memory, as programs do that share tensors there.
make_work() {
  work=
  if [ "$(room_in /dev/shm)" -ge 16384 ] || [ "$(room_in /dev/shm)" -ge "$(room_in "$run")" ]; then
    work=$(mktemp -d /dev/shm/runctl-upload.XXXXXX 2>/dev/null) || work=
  fi
  [ -n "$work" ] || work=$(mktemp -d "$run/upload_work.XXXXXX") || exit 1
  # What one that was killed has left.
  { read -r old <upload_work && case $old in */runctl-upload.?????? | */upload_work.??????) rm -rf -- "$old" ;; esac; } 2>/dev/null
  printf '%s\n' "$work" >upload_work 2>/dev/null
  trap 'rm -rf -- "$work"' EXIT
  : >"$work/known"
  : >"$work/refused"
  : >"$work/seen"
  : >"$work/failed"
  : >"$work/trouble"
  echo 0 >"$work/pending"
  # The last line may have been cut off.
  { awk -F '\t' 'NF == 4' <upload_known >"$work/known"; } 2>/dev/null
}

# One look, and the uploads that it finds to be due; it ends us where it cannot be made whole, and we are started again.
# Sets unsaid, when a part was killed. Parameter: yes for the last one.
pass() {
  unsaid=
  list "$work/list" || exit 1
  : >"$work/due"
  plan "$1" || exit 1
  cp "$work/failed.names" "$work/failed" || exit 1
  grep -v ': No such file or directory$' "$work/list.said" | tr -c ' -~\n' '?' |
    awk '{ print $0 "\tit cannot be looked at" }' >>"$work/failed" || exit 1
  find_lost_roots >"$work/lost" && cat "$work/lost" >>"$work/failed" || exit 1
  if [ -s "$work/due" ] && is_expired; then
    awk -F '\t' '{ print $3 "\tthe permission to upload has expired" }' "$work/due" >>"$work/failed"
    [ "$1" != yes ] || echo 0 >"$work/pending"
    : >"$work/due"
  fi
  if [ -s "$work/due" ]; then
    write_status false
    send "$1"
  fi
  mv -f "$work/list" "$work/seen"
}

# After the last time: what nothing was said of was not sent, and what is gone with its directory is no file that the run
# has removed.
check_all_said() {
  : >"$work/unsaid"
  awk -F '\t' -v work="$work" "$awk_names"'
    FILENAME == work "/done" { said[$1 == "u" || $1 == "s" ? $4 : $3] = 1; next }
    !($3 in said) { print shown($3) "\tnothing was said of it" >(work "/unsaid") }
  ' "$work/done" "$work/due" || exit 1
  # What is there all the same had no room for its line.
  awk -F '\t' "$awk_names"'$1 == "g" { print local_path($3) }' "$work/done" | tr '\n' '\000' |
    xargs -0 -r sh -c 'for file; do [ ! -f "$file" ] || printf "%s\tit could not be looked at\n" "$file"; done' sh |
    tr -c ' -~\t\n' '?' >>"$work/unsaid" || exit 1
  [ ! -s "$work/unsaid" ] || unsaid=yes
  cat "$work/unsaid" >>"$work/failed" || exit 1
  [ ! -s "$work/lost" ] || return 0 # told already
  find_lost_roots >"$work/lost" && cat "$work/lost" >>"$work/failed" || exit 1
  [ -s "$work/lost" ] || return 0
  awk -F '\t' "$awk_names"'$1 == "g" { print shown($3) "\tit went with its directory" }' "$work/done" >>"$work/failed" || exit 1
}

# Long files alone and first, short ones in company, over one connection.
send() {
  rm -f "$work"/task.* "$work"/done.*
  : >"$work/tasks"
  : >"$work/tasks.last"
  # Behind all others what a writer writes last, so that a folder without the rest of it does not seem whole in S3.
  sort -k 1,1nr "$work/due" | awk -F '\t' -v work="$work" '
    $3 ~ /\/trainer_state\.json$/ { last[++lasts] = $0; next }
    { split($1, field, " ")
      if (field[1] >= 8388608 || count == 0 || count >= 32) { if (file != "") close(file); file = work "/task." ++n; print n; count = 0 }
      if (field[1] < 8388608) count++
      print >file }
    END {
      for (i = 1; i <= lasts; i++) {
        if (i % 32 == 1) { if (file != "") close(file); file = work "/task." ++n; print n >(work "/tasks.last") }
        print last[i] >file
      } }' >"$work/tasks" || exit 1
  for tasks in "$work/tasks" "$work/tasks.last"; do
    work=$work final=$1 xargs -r -P "$UPLOAD_WORKERS" -n 1 /bin/sh ./upload.sh task <"$tasks" 2>/dev/null
  done
  touch "$work/done.0"
  cat "$work"/done.* >"$work/done" || exit 1
  awk -F '\t' -v work="$work" -v final="$1" '
    $1 == "u" || $1 == "s" { print >(work "/learnt"); next }
    $1 == "f" { print $3 "\t" $4 >(work "/failed.new"); if ($2 != "-") print $2 "\t" $3 "\t" $4 >>(work "/refused") }
    $1 == "a" { print $4 >(work "/trouble.new"); if (final == "yes") print $3 "\t" $4 >(work "/failed.new") }
  ' "$work/done"
  [ ! -e "$work/failed.new" ] || cat "$work/failed.new" >>"$work/failed" || exit 1
  if [ "$1" = yes ]; then check_all_said; fi
  : >"$work/trouble"
  [ ! -e "$work/trouble.new" ] || tail -n 1 "$work/trouble.new" >"$work/trouble"
  if [ -e "$work/learnt" ]; then
    cat "$work/learnt" >>"$work/known"
    cat "$work/learnt" >>upload_known
  fi
  awk -F '\t' -v all="$(cat "$work/pending")" '$1 == "u" || $1 == "s" || $1 == "g" || $1 == "f" { all-- } END { print (all > 0 ? all : 0) }' \
    "$work/done" >"$work/pending.new" && mv -f "$work/pending.new" "$work/pending"
  [ "$1" != yes ] || echo 0 >"$work/pending"
  rm -f "$work/learnt" "$work/failed.new" "$work/trouble.new"
}

# --- One task: lines of `due` ---

# What is still to be sent, and whether it is as it was: requests (number, stat, SHA-256, the same in base64, path, file).
look_again() {
  awk -F '\t' "$awk_names"'{ print local_path($3) }' "$left" | tr '\n' '\000' >"$left.files"
  # shellcheck disable=SC2016 # sh -c's
  xargs -0 -r sh -c 'exec find "$@" -maxdepth 0 -type f -printf "%s %T@ %C@ %i\\t%p\\n"' sh <"$left.files" >"$left.stats" 2>/dev/null
  xargs -0 -r sha256sum -- <"$left.files" >"$left.sums" 2>/dev/null
  : >"$left.requests"
  # shellcheck disable=SC2154 # of send(), by the environment
  awk -F '\t' -v left="$left" -v final="$final" -v done_file="$work/done.$task" "$awk_names"'
    function base64(hex,    i, n, out, letters, bits, count) {
      letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
      for (i = 1; i <= 64; i += 6) {
        bits = 0; count = (64 - i + 1 < 6 ? 64 - i + 1 : 6)
        for (n = 0; n < 6; n++) bits = bits * 16 + (n < count ? index("0123456789abcdef", substr(hex, i + n, 1)) - 1 : 0)
        out = out substr(letters, int(bits / 262144) + 1, 1) substr(letters, int(bits / 4096) % 64 + 1, 1)
        if (count > 2) out = out (count == 6 ? substr(letters, int(bits / 64) % 64 + 1, 1) substr(letters, bits % 64 + 1, 1) \
          : substr(letters, int(bits / 64) % 64 + 1, 1) "=")
      }
      return out
    }
    FILENAME == left ".stats" { at = index($0, "\t"); stat[substr($0, at + 1)] = substr($0, 1, at - 1); next }
    FILENAME == left ".sums" {
      line = $0; name = substr(line, 67)
      # A backslash in a name makes two of it, and one before the line.
      if (substr(line, 1, 1) == "\\") {
        line = substr(line, 2); name = ""
        for (i = 67; i <= length(line); i++) { name = name substr(line, i, 1); if (substr(line, i, 1) == "\\") i++ }
      }
      sum[name] = substr(line, 1, 64); next
    }
    { file = local_path($3)
      if (!(file in stat)) print "g\t-\t" $3 >>done_file
      else if (stat[file] != $1 && final != "yes") next
      else if (!(file in sum)) print "f\t" stat[file] "\t" $3 "\tit cannot be read" >>done_file
      else if (sum[file] == $2) print "s\t" stat[file] "\t" $2 "\t" $3 >>done_file
      else print ++n "\t" stat[file] "\t" sum[file] "\t" base64(sum[file]) "\t" $3 "\t" file >(left ".requests") }
  ' "$left.stats" "$left.sums" "$left"
}

upload_with_curl() {
  awk -F '\t' -v left="$left" '
    function quoted(s,    i, c, out) {
      for (i = 1; i <= length(s); i++) { c = substr(s, i, 1); out = out (c == "\"" || c == "\\" ? "\\" c : c) }
      return "\"" out "\""
    }
    BEGIN { n = split(ENVIRON["UPLOAD_FORM"], line, "\n")
      for (i = 1; i <= n; i++) if (at = index(line[i], "\t"))
        form = form "form-string = " quoted(substr(line[i], 1, at - 1) "=" substr(line[i], at + 1)) "\n" }
    { if (NR > 1) print "next"
      print "url = " quoted(ENVIRON["UPLOAD_URL"]) "\nsilent\nshow-error\ngloboff\nconnect-timeout = 10\nspeed-limit = 1\nspeed-time = 60"
      if (ENVIRON["UPLOAD_URL"] ~ /^https:/) print "proto = \"=https\""
      print "output = " quoted(left ".body." $1) "\nwrite-out = \"" $1 " %{http_code}\\n\""
      printf "%s", form
      print "form-string = " quoted("key=" ENVIRON["UPLOAD_PREFIX"] $5)
      print "form-string = " quoted("x-amz-checksum-sha256=" $4)
      print "form = " quoted("file=@" quoted($6) ";filename=\"file\"") }
  ' "$left.requests" | curl -q --config - >"$left.answers" 2>"$left.said"
}

upload_with_python3() {
  left=$left python3 -I -c '
import os, sys, urllib.error, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
opener, mark, left = urllib.request.build_opener(Stay), os.urandom(16).hex(), os.environ["left"]
fields = [line.split("\t", 1) for line in os.environ["UPLOAD_FORM"].split("\n") if "\t" in line]
def field(name, value):
    return ("--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n" % (mark, name)).encode() + os.fsencode(value) + b"\r\n"
class Body:
    def __init__(self, head, path):
        self.file, self.pieces = open(path, "rb"), [head, None, ("\r\n--%s--\r\n" % mark).encode()]
        self.size = os.fstat(self.file.fileno()).st_size
        self.length, self.left = self.size + len(head) + len(self.pieces[2]), self.size
    def __iter__(self):
        with self.file:
            yield self.pieces[0]
            while self.left and (piece := self.file.read(min(self.left, 1 << 20))):
                self.left -= len(piece)
                yield piece
            if self.left: raise OSError("it became shorter")
            yield self.pieces[2]
for line in os.fsencode(sys.stdin.buffer.read().decode("utf-8", "surrogateescape")).split(b"\n"):
    if not line: continue
    number, _, _, check, path, file = (os.fsdecode(word) for word in line.split(b"\t"))
    head = b"".join(field(*pair) for pair in [*fields, ("key", os.environ["UPLOAD_PREFIX"] + path), ("x-amz-checksum-sha256", check)])
    head += ("--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\r\n" % mark).encode()
    status, text = 0, b""
    try:
        body = Body(head, file)
        request = urllib.request.Request(os.environ["UPLOAD_URL"], data=body, method="POST", headers={
            "Content-Type": "multipart/form-data; boundary=" + mark, "Content-Length": str(body.length)})
        try:
            with opener.open(request, timeout=60) as answer: status, text = answer.status, answer.read(4096)
        except urllib.error.HTTPError as refused: status, text = refused.code, refused.read(4096)
    except Exception as error: print(type(error).__name__, error, file=sys.stderr)
    with open(left + ".body." + number, "wb") as out: out.write(text)
    print(number, status, flush=True)
' <"$left.requests" >"$left.answers" 2>"$left.said"
}

# wget has no forms: the body is put together beside the run's log first.
upload_with_wget() {
  body=$run/upload_body.$task
  read -r mark </proc/sys/kernel/random/uuid
  : >"$left.answers"
  : >"$left.said"
  while IFS=$tab read -r number _ _ check path file; do
    {
      printf '%s\nkey\t%s\nx-amz-checksum-sha256\t%s\n' "$UPLOAD_FORM" "$UPLOAD_PREFIX$path" "$check" |
        mark=$mark awk '{ at = index($0, "\t"); if (at) printf "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n",
          ENVIRON["mark"], substr($0, 1, at - 1), substr($0, at + 1) }'
      printf -- '--%s\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n' "$mark"
      cat -- "$file" && printf '\r\n--%s--\r\n' "$mark"
    } >"$body" 2>>"$left.said" || {
      rm -f "$body"
      echo "$number 0" >>"$left.answers"
      continue
    }
    wget --no-config --tries=1 --timeout=60 --max-redirect=0 --no-verbose --server-response --content-on-error \
      --header="Content-Type: multipart/form-data; boundary=$mark" --post-file="$body" \
      --output-document="$left.body.$number" "$UPLOAD_URL" 2>"$left.head" >/dev/null
    rm -f "$body"
    awk -v number="$number" '$1 ~ /^HTTP\// { status = $2 } END { print number, status + 0 }' "$left.head" >>"$left.answers"
    grep -v -i -e '^ *HTTP/' -e '^ *[a-z0-9-]*: ' "$left.head" >>"$left.said"
  done <"$left.requests"
}

# What came of the requests: lines for done.N, and what is to be tried again.
judge() {
  : >"$left.again"
  said=$(sed -n '/./p' "$left.said" 2>/dev/null | tail -n 1 | head -c 200 | tr -c ' -~' '?')
  awk -F '\t' -v left="$left" -v done_file="$work/done.$task" -v said="$said" '
    FILENAME == left ".answers" { split($0, field, " "); status[field[1]] = field[2] + 0; next }
    { code = ""; text = ""; message = ""; body = left ".body." $1
      while ((getline line <body) > 0) text = text line
      close(body)
      if (match(text, /<Code>[^<]*/)) code = substr(text, RSTART + 6, RLENGTH - 6)
      if (match(text, /<Message>[^<]*/)) message = substr(text, RSTART + 9, RLENGTH - 9)
      gsub(/[\001-\037\177-\377]/, "?", code); gsub(/[\001-\037\177-\377]/, "?", message)
      s = status[$1]
      if (s == 200 || s == 201 || s == 204) { print "u\t" $2 "\t" $3 "\t" $5 >>done_file; continue_ = 1 }
      else {
        why = s == 0 ? "no answer came" (said == "" ? "" : " (" said ")") : "S3 answered " s (code == "" ? "" : " (" code (message == "" ? "" : ": " substr(message, 1, 120)) ")")
        if (message ~ /Policy expired/ || code == "ExpiredToken") why = "the permission to upload has expired"
        if (code == "BadDigest" || code == "XAmzContentSHA256Mismatch") why = "it changes while it is uploaded"
        again = s == 0 || s == 408 || s == 429 || s >= 500 || code == "BadDigest" || code == "XAmzContentSHA256Mismatch" || code == "RequestTimeout" || code == "IncompleteBody" || code == "MalformedPOSTRequest"
        if (again) print $2 "\t-\t" $5 "\t" why >(left ".again")
        else print "f\t" $2 "\t" $5 "\t" why >>done_file
      } }
  ' "$left.answers" "$left.requests"
  rm -f "$left".body.*
}

run_task() {
  : "${work:?}" "${final:?}"
  left=$work/left.$task attempt=0 pause=$UPLOAD_PAUSE
  cp "$work/task.$task" "$left" || exit 1
  # While the run goes on what fails is tried again in the next pass.
  [ "$final" = yes ] || [ "$UPLOAD_ATTEMPTS" -le 3 ] || UPLOAD_ATTEMPTS=3
  while [ -s "$left" ]; do
    look_again
    [ -s "$left.requests" ] || return 0
    "upload_with_$UPLOAD_WITH"
    judge
    attempt=$((attempt + 1))
    if [ $attempt -ge "$UPLOAD_ATTEMPTS" ] || is_expired; then
      awk -F '\t' '{ print "a\t" $1 "\t" $3 "\t" $4 }' "$left.again" >>"$work/done.$task"
      return 0
    fi
    mv -f "$left.again" "$left"
    [ ! -s "$left" ] || sleep "$pause"
    [ "$pause" -ge 32 ] || pause=$((pause * 2))
  done
}

case $1 in
  begin)
    if [ -n "$UPLOAD_OUTPUT" ]; then (umask 022 && mkdir -p -- "$UPLOAD_OUTPUT"); fi
    make_work
    [ ! -e upload_known ] || exit 0
    printf '%s\n%s\n' "$(device_of "$UPLOAD_OUTPUT")" "$(device_of "$UPLOAD_CHECKPOINTS")" >upload_roots || exit 1
    list "$work/list" || exit 1
    awk '{ at = index($0, "\t"); print "b\t" substr($0, 1, at - 1) "\t-\t" substr($0, at + 1) }' "$work/list" >upload_known
    write_status false
    ;;
  watch)
    trap '' HUP INT QUIT TERM USR1 USR2
    exec 7>>upload_lock && flock 7 || exit 1
    killed=0
    # Whoever removes the run's directory means it.
    until is_finished || [ ! -e upload.sh ]; do
      /bin/sh ./upload.sh work && continue
      ! has_ended || killed=$((killed + 1))
      [ $killed -lt 5 ] || exit 1
      sleep 1
    done
    ;;
  work)
    make_work
    choose_program
    while ! has_ended; do
      # What a user leaves in memory goes with the last session (systemd-logind): once more, from the start.
      [ -e upload.sh ] && [ -d "$work" ] || exit 1
      pass no
      write_status false
      waited=0
      while [ $waited -lt "$UPLOAD_INTERVAL" ] && ! has_ended; do
        sleep 1
        waited=$((waited + 1))
      done
    done
    pass yes
    [ -z "$unsaid" ] || pass yes
    write_status true || exit 1
    ;;
  task)
    task=$2
    run_task
    ;;
esac
