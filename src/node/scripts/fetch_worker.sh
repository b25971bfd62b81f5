#!/bin/sh
# Downloads the objects of task $1 (lines of the list) into the staging directory, below the working directory, compares
# them with what S3 said of them, and notes each as ready or failed. URLs go through standard input: anybody can read the
# words of a command. Environment: work staging boot downloader fetch_root FETCH_ATTEMPTS FETCH_PAUSE RUNCTL_JOB
#
# The codes of failures, for node/fetch.cpp: hNNN an HTTP status; c no answer; s another size; m another MD5 or SHA-256;
# x changed since it was listed; f the disk is full; w it cannot be written.
set -u
: "${work:?}" "${staging:?}" "${boot:?}" "${downloader:?}" "${fetch_root:?}"
[ ! -e "$work/stop" ] || exit 0
left=$work/left.$1 sizes=$work/sizes.$1 task=$1
cp -- "$work/task.$1" "$left" || exit 1
umask 022
read_sizes() {
  cut -f 2 "$left" | sed "s|.*|$staging/&.$boot|" | xargs -r stat -c '%s %n' >"$sizes" 2>/dev/null
  gathered=$(awk '{ sum += $1 } END { printf "%.0f", sum }' "$sizes")
}

# A line of what is still to be downloaded: id, what is there of it, ETag, URL.
list_requests() {
  awk -F '\t' -v staging="$staging" -v boot="$boot" -v sizes="$sizes" '
    FILENAME == sizes { split($0, field, " "); have[field[2]] = field[1]; next }
    { part = staging "/" $2 "." boot; if (have[part] != $3 || $3 == 0) printf "%s\t%.0f\t%s\t%s\n", $2, have[part], $6, $7 }
  ' "$sizes" "$left"
}

fetch_with_curl() {
  list_requests | awk -F '\t' -v staging="$staging" -v boot="$boot" -v work="$work" '{
    etag = $3; gsub(/\\/, "\\\\", etag); gsub(/"/, "\\\"", etag)
    if (NR > 1) print "next"
    printf "url = \"%s\"\noutput = \"%s/%s.%s\"\ndump-header = \"%s/head.%s\"\n", $4, staging, $1, boot, work, $1
    if ($4 ~ /^https:/) print "proto = \"=https\""
    if ($3 != "-") printf "header = \"If-Match: %s\"\n", etag
    if ($2 > 0) printf "continue-at = %s\n", $2
    print "header = \"x-amz-checksum-mode: ENABLED\"\nfail\nsilent\nshow-error\ngloboff"
    print "connect-timeout = 10\nspeed-limit = 1\nspeed-time = 30"
  }' | curl -q --config - 2>"$work/said.$task" >&2
}

fetch_with_wget() {
  list_requests >"$work/requests.$task"
  tab=$(printf '\t')
  while IFS=$tab read -r id _ etag url; do
    condition=
    [ "$etag" = - ] || condition="--header=If-Match: $etag"
    printf '%s\n' "$url" | wget --no-config --tries=1 --timeout=30 --max-redirect=0 --no-verbose --server-response \
      --header='x-amz-checksum-mode: ENABLED' ${condition:+"$condition"} --continue --output-document="$staging/$id.$boot" \
      --input-file=- 2>"$work/head.$id" >/dev/null
  done <"$work/requests.$task"
}

fetch_with_python3() {
  list_requests >"$work/requests.$task"
  staging=$staging boot=$boot work=$work python3 -I -c '
import os, sys, urllib.error, urllib.request
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None
opener = urllib.request.build_opener(Stay)
for line in sys.stdin:
    name, have, etag, url = line.rstrip("\n").split("\t")
    headers = {"x-amz-checksum-mode": "ENABLED"}
    if etag != "-": headers["If-Match"] = etag
    if have != "0": headers["Range"] = "bytes=" + have + "-"
    try:
        with open(os.environ["work"] + "/head." + name, "w") as head:
            def tell(answer):
                head.write("HTTP/1.1 %d\n%s" % (answer.status, answer.headers))
                head.flush()
            try:
                answer = opener.open(urllib.request.Request(url, headers=headers), timeout=30)
            except urllib.error.HTTPError as refused:
                tell(refused)
                continue
            with answer:
                tell(answer)
                path = os.environ["staging"] + "/" + name + "." + os.environ["boot"]
                with open(path, "ab" if answer.status == 206 else "wb") as part:
                    while piece := answer.read(1 << 20):
                        part.write(piece)
    except Exception as error:
        print(type(error).__name__, str(error).replace(url, "(URL)"), file=sys.stderr)
' <"$work/requests.$task" 2>"$work/said.$task"
}

# What came of the requests, from the heads of the answers and the sizes of the files: `complete` (id, MD5 or -, SHA-256
# in base64 or -), `again` and `failed` (id, code), and `remove` (ids of parts that are worth nothing). What S3 encrypts
# with a key of the user's or KMS's has an ETag that is no MD5, though it looks like one.
judge() {
  : >"$work/complete.$task"
  : >"$work/again.$task"
  : >"$work/over.$task"
  : >"$work/remove.$task"
  awk -F '\t' -v staging="$staging" -v boot="$boot" -v sizes="$sizes" -v work="$work" -v task="$task" '
    FILENAME == sizes { split($0, field, " "); have[field[2]] = field[1]; is_there[field[2]] = 1; next }
    { part = staging "/" $2 "." boot; head = work "/head." $2; status = 0; md5 = $5; sha = "-"
      while ((getline line <head) > 0) {
        gsub(/^[ \t]+|\r$/, "", line); name = tolower(line)
        if (name ~ /^http\/[0-9.]+ [0-9]/) { split(line, word, " "); status = word[2] + 0; sha = "-" }
        if (name ~ /^x-amz-server-side-encryption: *aws:kms/ || name ~ /^x-amz-server-side-encryption-customer/) md5 = "-"
        if (name ~ /^x-amz-checksum-sha256:/ && status == 200) { sha = line; sub(/^[^:]*: */, "", sha); if (sha ~ /-/) sha = "-" }
      }
      close(head)
      good = status >= 200 && status < 300
      if (have[part] + 0 == $3 && ($3 > 0 ? is_there[part] : good)) print $2, md5, sha >(work "/complete." task)
      else if (status == 412) { print $2, "x" >(work "/over." task); print $2 >(work "/remove." task) }
      else if (status == 416 || good && have[part] > $3) { print $2, "s" >(work "/again." task); print $2 >(work "/remove." task) }
      else if (good) print $2, "s" >(work "/again." task)
      else if (status == 0) print $2, "c" >(work "/again." task)
      else if (status == 408 || status == 429 || status >= 500) print $2, "h" status >(work "/again." task)
      else {
        print $2, "h" status >(work "/over." task)
        if (have[part] + 0 == 0) print $2 >(work "/remove." task)
      }
    }' "$sizes" "$left"
}

hex_of() { printf '%s' "$1" | base64 -d 2>/dev/null | od -An -v -t x1 | tr -d ' \n'; }

# Compares the complete ones; those that are right are noted in `right`.
verify() {
  : >"$work/right.$task"
  while read -r id md5 sha; do
    part=$staging/$id.$boot
    [ -e "$part" ] || : >"$part"
    wanted='' sum=''
    if [ "$md5" != - ]; then
      wanted=$md5 sum=$(md5sum <"$part")
    elif [ "$sha" != - ]; then
      wanted=$(hex_of "$sha") sum=$(sha256sum <"$part")
    fi
    if [ "$wanted" = "${sum%% *}" ]; then
      echo "$id" >>"$work/right.$task"
    else
      echo "$id m" >>"$work/again.$task"
      echo "$id" >>"$work/remove.$task"
    fi
  done <"$work/complete.$task"
}

# settle FILE KIND: the lines of `left` whose ids are in FILE go to ready.N or, with their codes, to failed.N.
settle() {
  awk -F '\t' -v kind="$2" -v ids="$1" '
    FILENAME == ids { split($0, field, " "); code[field[1]] = field[2]; known[field[1]] = 1; next }
    !($2 in known) { next }
    kind == "ready" { printf "%s\t%s\t%s\t%s\n", $1, $2, $3, $8; next }
    { print $1, code[$2] }' "$1" "$left" >>"$work/$2.$task"
}

# What has arrived of the task so far, for those who follow the job.
told=0
tell() {
  [ -z "${RUNCTL_JOB-}" ] || [ "$1" = "$told" ] || printf '%s\n' "$(($1 - told))" >>"$RUNCTL_JOB/done"
  told=$1
}
# Beside the download of a long object. Not in the volume's directory: it may end a moment after everything else.
watch_part() {
  command cd / || exit
  while sleep 1; do
    tell "$(stat -c %s "$fetch_root/$staging/$1.$boot" 2>/dev/null || echo 0)"
    echo "$told" >"$work/told.$task"
  done
}

settled_bytes=0 most=0 attempt=0
while [ -s "$left" ]; do
  read_sizes
  rm -f -- "$work/told.$task"
  cut -f 2 "$left" | sed "s|.*|$work/head.&|" | xargs rm -f
  watcher=
  IFS=$(printf '\t') read -r _ id size _ <"$left"
  if [ "$size" -ge 67108864 ]; then
    watch_part "$id" &
    watcher=$!
  fi
  "fetch_with_$downloader"
  if [ -n "$watcher" ]; then
    kill "$watcher"
    wait "$watcher" 2>/dev/null
    { read -r told <"$work/told.$task"; } 2>/dev/null
  fi
  read_sizes
  judge
  verify
  cut -d ' ' -f 1 "$work/right.$task" >"$work/times.$task"
  awk -F '\t' -v ids="$work/times.$task" 'FILENAME == ids { known[$1] = 1; next } $2 in known { print $2, $4, $3 }' \
    "$work/times.$task" "$left" >"$work/stamps.$task"
  while read -r id time size; do
    touch -m -d "@$time" "$staging/$id.$boot"
    settled_bytes=$((settled_bytes + size))
  done <"$work/stamps.$task"
  while read -r id; do rm -f -- "$staging/$id.$boot"; done <"$work/remove.$task"
  tell "$settled_bytes"
  settle "$work/right.$task" ready
  settle "$work/over.$task" failed

  # What goes on again. An object that grows has all its attempts before it again.
  attempt=$((attempt + 1))
  [ "$((gathered + settled_bytes))" -lt "$((most + 1048576))" ] || { most=$((gathered + settled_bytes)) attempt=1; }
  if [ -s "$work/again.$task" ] && [ "$(stat -f -c '%a * %S' . | { read -r a _ b; echo $((a * b)); })" -lt 1048576 ]; then
    sed -i 's/ .*/ f/' "$work/again.$task"
    : >"$work/stop"
  fi
  if [ $attempt -ge "$FETCH_ATTEMPTS" ] || [ -e "$work/stop" ]; then
    settle "$work/again.$task" failed
    # What is long is worth going on with.
    awk -F '\t' '$3 < 1048576 { print $2 }' "$left" >"$work/short.$task"
    while read -r id; do
      grep -q "^$id " "$work/again.$task" && rm -f -- "$staging/$id.$boot"
    done <"$work/short.$task"
    exit 0
  fi
  awk -F '\t' -v ids="$work/again.$task" 'FILENAME == ids { split($0, field, " "); known[field[1]] = 1; next } $2 in known' \
    "$work/again.$task" "$left" >"$left.new"
  mv -f -- "$left.new" "$left"
  # A server that answers with less than the whole, or lies about what it has: from the start once more.
  [ $attempt -ne 3 ] || cut -f 2 "$left" | while read -r id; do rm -f -- "$staging/$id.$boot"; done
  [ ! -s "$left" ] || sleep $((FETCH_PAUSE << (attempt < 4 ? attempt - 1 : 3)))
done
