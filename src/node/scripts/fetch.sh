# Fills a mounted volume, or a folder of this machine's own disk, with objects of S3, each by a URL of its own, many at a time. An object is gathered below
# .runctl-fetch, compared with what S3 said of it, written back, and only then gets its name: nothing partial stands
# under a name, also after the machine has lost its power. What is there with the same size and time is left as it is.
# Parameters: VOLUME_ID (or "") FOLDER (its name; "" for a volume) LIST LIST_SHA256 WORKER (the text of
# fetch_worker.sh) FETCH_WITH (a program; empty: what is there) CLEAN (yes: what older runs have left is removed) WAIT_SECONDS
# LIST is a file with a line for each object, with tabs between: its number, an id (hexadecimal) that changes with its
# content, size, time (seconds), MD5 (hexadecimal) or -, ETag or -, URL, path. No field has a control character.
: "${FETCH_WORKERS:=12}" "${FETCH_ATTEMPTS:=5}" "${FETCH_PAUSE:=1}"
staging=.runctl-fetch
work=$(mktemp -d -p "${RUNCTL_JOB:-/tmp}") || die io_error "cannot create a temporary directory"
# Whoever has a URL can read its object.
undo() {
  rmdir "$staging" 2>/dev/null
  cd / || return
  rm -rf -- "$work" "$LIST"
}

target=$VOLUME_ID
if [ -n "$FOLDER" ]; then
  fetch_root=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/root}/var/lib/runctl/data/$FOLDER
  (umask 022 && mkdir -p -- "$fetch_root") || die io_error "cannot create $fetch_root (is the disk full?)"
  target=$fetch_root
fi
# In files_machine.sh a volume is a directory.
if [ -z "${fetch_root-}" ]; then
  open_volume "$WAIT_SECONDS"
  find_mount
  [ -n "$mount_pid" ] && [ "$mount_root" = / ] || die not_mounted "$VOLUME_ID is not mounted on this machine"
  case ,$mount_options, in *,ro,*) die read_only_device "$VOLUME_ID is mounted read-only at $mount_point" ;; esac
  fetch_root=$mount_point
  command cd -P -- "$fetch_root" && [ "$(stat -L -c %d .)" = "$(st_dev_of "$number")" ] ||
    die not_mounted "$VOLUME_ID is mounted only where a container sees it"
  exec 3<&-
fi
command cd -P -- "$fetch_root" || die io_error "cannot enter $fetch_root"

[ "$(sha256sum <"$LIST" | cut -c 1-64)" = "$LIST_SHA256" ] || die corrupt_content "the list of objects is not as it was sent"
mv -f -- "$LIST" "$work/list" || die io_error "cannot write in $work"
printf '%s' "$WORKER" >"$work/worker.sh" || die io_error "cannot write in $work (is it full?)"

downloader=$FETCH_WITH
[ -n "$downloader" ] || choose_downloader ""

# A start of the machine lies between: what was not written back by then may have holes.
read -r boot </proc/sys/kernel/random/boot_id
[ -d $staging ] && [ ! -L $staging ] || rm -f -- $staging
[ -d $staging ] || mkdir -m 700 $staging || die io_error "cannot write to $target (is it full?)"
find $staging -mindepth 1 ! -name "*.$boot" -delete

# A link on the volume could lead out of it: none is gone through.
umask 022
: >"$work/bad"
bad='
'
awk -F '\t' '{ n = split($8, part, "/"); dir = "."
  for (i = 1; i < n; i++) { dir = dir "/" part[i]; if (!(dir in seen)) { seen[dir] = 1; print dir } } }' \
  "$work/list" >"$work/directories"
while IFS= read -r directory; do
  code=
  case $bad in *"
${directory%/*}
"*) code=n ;; esac
  if [ -n "$code" ]; then
    :
  elif [ -L "$directory" ]; then
    code=l
  elif [ ! -d "$directory" ]; then
    if [ -e "$directory" ]; then
      code=n
    else
      mkdir -- "$directory" 2>/dev/null || code=w
    fi
  fi
  [ -z "$code" ] || {
    bad="$bad$directory
"
    printf '%s\t%s\n' "$code" "$directory" >>"$work/bad"
  }
done <"$work/directories"
umask 077

cut -f 8 "$work/list" | sed 's|^|./|' | tr '\n' '\0' | xargs -0 -r stat -c '%f %s %Y %n' 2>/dev/null >"$work/present"

# Tasks: long objects alone and first, so that all end together; short ones in company, over one connection.
summary=$(awk -v workers="$FETCH_WORKERS" -v work="$work" '
  FILENAME == work "/bad" { code[substr($0, 3)] = substr($0, 1, 1); next }
  FILENAME == work "/present" {
    mode = $1; size = $2; time = $3; path = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", path)
    if (mode ~ /^4/) is_directory[path] = 1
    if (mode ~ /^8/) has[path] = size " " time
    next
  }
  { split($0, field, "\t"); path = "./" field[8]; n = split(field[8], part, "/"); why = ""; dir = "."
    all += field[3]
    for (i = 1; i < n && why == ""; i++) { dir = dir "/" part[i]; if (dir in code) why = code[dir] }
    if (why == "" && path in is_directory) why = "d"
    if (why != "") { print field[1], why >(work "/failed.plan"); next }
    if (has[path] == field[3] " " field[4]) { skipped++; skipped_bytes += field[3]; next }
    todo++; bytes += field[3]
    if (field[3] >= 8388608) print >(work "/long"); else { print >(work "/short"); short++ } }
  END { printf "%.0f %.0f %.0f %.0f %.0f %.0f\n", all, skipped, skipped_bytes, todo, bytes, short }
' "$work/bad" "$work/present" "$work/list") || die io_error "cannot write in $work (is it full?)"
# shellcheck disable=SC2086 # numbers
set -- $summary
all=$1 skipped=$2 skipped_bytes=$3 todo=$4 todo_bytes=$5 short=$6
has_to_do "$all"
has_done "$skipped_bytes"

# shellcheck disable=SC2046 # two numbers
set -- $(stat -f -c '%a %S' .)
free=$(($1 * $2)) gathered=$(find $staging -mindepth 1 -printf '%b\n' | awk '{ sum += $1 * 512 } END { printf "%.0f", sum }')
needed=$((todo_bytes + todo * 4096 - gathered))
[ $needed -le $free ] || die no_space "$target has $free bytes free, and the next objects need $needed" \
  "\"free\":$free,\"needed\":$needed"

touch "$work/long" "$work/short"
group=$(((short + FETCH_WORKERS - 1) / FETCH_WORKERS))
[ $group -ge 1 ] || group=1
[ $group -le 32 ] || group=32
sort -t "$(printf '\t')" -k 3,3nr "$work/long" | awk -F '\t' -v work="$work" -v group=$group '
  function next_task() { if (file != "") close(file); n++; file = work "/task." n; print n; count = 0 }
  FILENAME != "-" && FILENAME != "" { if (count == 0 || count >= group) next_task(); print >file; count++; next }
  { next_task(); print >file }
' - "$work/short" >"$work/tasks" || die io_error "cannot write in $work (is it full?)"

export work staging boot downloader fetch_root FETCH_ATTEMPTS FETCH_PAUSE
xargs -r -P "$FETCH_WORKERS" -n 1 /bin/sh "$work/worker.sh" <"$work/tasks" 2>"$work/errors"

# All of them at once: writing back each by itself would take the disk longer than the objects took.
touch "$work/ready"
cat "$work"/ready.* >"$work/ready" 2>/dev/null
output=$(write_back . 2>&1) || die io_error "cannot write $target back: $output"
fetched=0 fetched_bytes=0
tab=$(printf '\t')
while IFS=$tab read -r n id size path; do
  if [ -d "./$path" ] && [ ! -L "./$path" ]; then
    echo "$n d" >>"$work/failed.names"
  elif mv -f -T -- "$staging/$id.$boot" "./$path" 2>/dev/null; then
    fetched=$((fetched + 1)) fetched_bytes=$((fetched_bytes + size))
  else
    echo "$n w" >>"$work/failed.names"
  fi
done <"$work/ready"
[ "$CLEAN" != yes ] || rm -rf -- $staging
rmdir $staging 2>/dev/null
output=$(write_back . 2>&1) || die io_error "cannot write $target back: $output"

# What no worker has said anything of: the disk was full, or it was ended.
rest=k
[ ! -e "$work/stop" ] || rest=f
touch "$work/long" "$work/short"
cat "$work"/failed.* >"$work/failures" 2>/dev/null
cat "$work/long" "$work/short" | cut -f 1 >"$work/wanted"
failed=$(awk -v rest=$rest -v work="$work" '
  FILENAME == work "/failures" { if (!($1 in code)) { code[$1] = $2; order[++count] = $1 } next }
  FILENAME == work "/ready" { split($0, field, "\t"); ready[field[1]] = 1; next }
  !($1 in code) && !($1 in ready) { code[$1] = rest; order[++count] = $1 }
  END { for (i = 1; i <= count; i++) printf "%s%s%s", (i > 1 ? " " : ""), order[i], code[order[i]] }
' "$work/failures" "$work/ready" "$work/wanted")
# In the downloader's own words, which may have the URL in them.
said=$(cat "$work"/said.* 2>/dev/null | sed -n 's/[a-z]*:\/\/[^ ]*/(URL)/g; /./p' | tail -n 1 | head -c 300)
quote "$said" && said=$quoted && quote "$fetch_root"
cd / || die io_error "cannot leave $fetch_root"
rm -rf -- "$work"
succeed "\"fetched\":$fetched,\"bytes\":$fetched_bytes,\"skipped\":$skipped,\"skipped_bytes\":$skipped_bytes,\
\"failed\":\"$failed\",\"said\":$said,\"directory\":$quoted"
