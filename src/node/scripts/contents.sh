# What is below a directory, hashed on all cores: the text of a manifest.
#
# A manifest's first line is "runctl-manifest 1 piece=P files=N bytes=M". Then a line for each path, sorted, with tabs
# between: the path without "./", what it is, its size, and
#   f  a file of up to P bytes: its SHA-256
#   p  a longer one: the SHA-256 of the lines that hold the SHA-256 of each of its pieces of P bytes, in hexadecimal
#   l  a symbolic link: where it leads (its size is 0)      d  a directory: -
#   o  anything else (a socket, a pipe, a device): find's letter for it; never opened
#   !  what could not be read (never in a manifest that is kept)
# In paths, '\', control characters and bytes above 126 are '\' and three octal digits, so all is ASCII on one line.
# Names of one file (hard links) are read once. A mount below is not entered. .runctl/manifest itself is left out.
piece_bytes=67108864
work=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/work}
work=${work:-${RUNCTL_STATE:-/var/lib/runctl}/work}/$OPERATION.$VOLUME_ID

make_work() {
  rm -rf -- "$work"
  mkdir -p -- "$work/hashes" "$work/pieces" || die io_error "cannot create $work"
}

# SHA-256 may be done by the processor itself, for those programs that know it: what is faster here is taken, if it
# gives the same.
pick_hasher() {
  hasher=sha256sum
  command -v openssl >/dev/null || return 0
  head -c 8388608 /dev/zero >"$work/sample"
  # Once each to load them.
  a=$(sha256sum <"$work/sample") b=$(openssl dgst -sha256 -r <"$work/sample" 2>/dev/null)
  [ "${a%% *}" = "${b%% *}" ] || return 0
  began=$(date +%s%N)
  sha256sum <"$work/sample" >/dev/null
  between=$(date +%s%N)
  openssl dgst -sha256 -r <"$work/sample" >/dev/null
  [ $(($(date +%s%N) - between)) -ge $((between - began)) ] || hasher='openssl dgst -sha256 -r'
}

# A sed program (for -z) that writes a name in the form of a manifest; it looks closer at odd names only.
escape_program() {
  awk 'BEGIN {
    printf "/[^]-~ -[]/!b\ns/\\\\/\\\\134/g\ns/\\n/\\\\012/g\n"
    for (i = 1; i < 256; i++) if (i != 10 && (i < 32 || i > 126)) printf "s/\\o%03o/\\\\%03o/g\n", i, i }'
}

# list_contents: of the working directory, into others (lines of the manifest), names (number of the file, size, path;
# in the order of the disk), distinct (a path of each file) and tasks for hash_task.
list_contents() {
  escape_program >"$work/escape.sed"
  {
    find . -xdev -mindepth 1 -printf '%y %i %s %P\0%l\0' 2>"$work/find_errors"
    printf 'end\0\0'
  } | sed -z -f "$work/escape.sed" | tr '\000' '\n' | paste - - >"$work/list"
  [ "$(tail -n 1 "$work/list")" = "end$(printf '\t')" ] || die io_error "cannot write a list in $work (is it full?)"
  awk -F '\t' -v files="$work/files" -v others="$work/others" '
    BEGIN { printf "" >files; printf "" >others }
    $1 == "end" { next }
    { path = $1; sub(/^. [0-9]+ -?[0-9]+ /, "", path); split($1, part, " ") }
    path == ".runctl" && part[1] == "d" || path == ".runctl/manifest" { next }
    part[1] == "f" { print part[2] "\t" part[3] "\t" path >files; next }
    { print path "\t" (part[1] == "d" || part[1] == "l" ? part[1] : "o") "\t0\t" \
        (part[1] == "d" ? "-" : part[1] == "l" ? $2 : part[1]) >others }' "$work/list" &&
    sort -S 64M -T "$work" -k 1,1n "$work/files" >"$work/sorted" || die io_error "cannot write in $work (is it full?)"
  # Few and large tasks, yet enough of them for all cores, within what a command line takes.
  awk -F '\t' -v piece=$piece_bytes -v names="$work/names" -v distinct="$work/distinct" '
    function flush() { if (count) printf "batch %d %.0f %d %d %.0f\n", first, start, length_, count, bytes
      count = bytes = length_ = 0 }
    BEGIN { printf "" >names; printf "" >distinct }
    { if ($1 != inode || NR == 1) {
        inode = $1; n++; size = length($3) + 1
        print $3 >distinct
        if ($2 > piece) {
          for (p = 0; p * piece < $2; p++)
            printf "piece %d %.0f %d %d %.0f\n", n, at, size, p, (p + 1) * piece < $2 ? piece : $2 - p * piece
          flush()
        } else {
          if (count && (count >= 256 || length_ + size > 65536 || bytes + $2 > piece)) flush()
          if (!count) { first = n; start = at }
          count++; bytes += $2; length_ += size
        }
        at += size
        total += $2
      }
      print n "\t" $2 "\t" $3 >names }
    END { flush(); printf "%.0f\n", total >"/dev/stderr" }' "$work/sorted" >"$work/tasks" 2>"$work/total" ||
    die io_error "cannot write in $work (is it full?)"
  read -r total <"$work/total" || die io_error "cannot list what is there: $(head -c 300 "$work/total")"
  has_to_do "$total"
}

# One task of many, run by xargs: KIND NUMBER OFFSET LENGTH COUNT-or-PIECE BYTES. Writes "NUMBER HASH" lines into a file
# of its own; ! for what cannot be read. Handed on as text.
hash_task='
  # Names of files, each ended by NUL, from lines of the list.
  raw_names() {
    tail -c +$(($2 + 1)) "$work/distinct" | head -c "$3" | awk "$json_awk"'\''{ printf "./%s%c", unescape($0), 0 }'\''
  }
  case $1 in
    batch)
      raw_names "$2" "$3" "$4" | xargs -0 $hasher >"$work/hashes/$2.raw" 2>/dev/null
      status=$?
      # Should a name hold a line end, or a file be unreadable, they are asked for one at a time.
      if [ $status != 0 ] || [ "$(wc -l <"$work/hashes/$2.raw")" != "$5" ]; then
        raw_names "$2" "$3" "$4" | xargs -0 -n 1 /bin/sh -c '\''
          hash=$($hasher <"$1") || hash="!"
          printf "%s\n" "$hash"'\'' sh >"$work/hashes/$2.raw" 2>/dev/null
      fi
      awk -v n="$2" '\''{ sub(/^\\/, ""); print n + NR - 1 "\t" ($0 ~ /^!/ ? "!" : substr($0, 1, 64)) }'\'' \
        "$work/hashes/$2.raw" >"$work/hashes/$2" || exit 255
      rm -f -- "$work/hashes/$2.raw"
      ;;
    piece)
      raw_names "$2" "$3" "$4" | xargs -0 -n 1 /bin/sh -c '\''
        n=$1 piece=$2 file=$3 direct=direct,
        out=$(printf "%s/pieces/%d.%012d" "$work" "$n" "$piece")
        # Past the page cache, which would be full of it and had no use of it; where the filesystem can do that.
        dd if="$file" iflag=direct count=0 of=/dev/null 2>/dev/null || direct=
        hash=$({ dd if="$file" iflag=${direct}skip_bytes,count_bytes bs=4M \
          skip=$((piece * piece_bytes)) count="$piece_bytes" 2>/dev/null || : >"$out.bad"; } | $hasher)
        hash=${hash%% *}
        [ ! -e "$out.bad" ] && [ ${#hash} = 64 ] || hash="!"
        rm -f -- "$out.bad"
        printf "%s\n" "$hash" >"$out" || exit 255'\'' sh "$2" "$5" || exit 255
      ;;
  esac
  [ -z "${RUNCTL_JOB-}" ] || printf "%s\n" "$6" >>"$RUNCTL_JOB/done"
'

# hash_contents: of the working directory. Sets files, bytes and unreadable (the first, "" for none), and leaves the
# lines of the manifest, sorted, in body.
hash_contents() {
  pick_hasher
  list_contents
  printf '%s' "$hash_task" >"$work/task.sh" || die io_error "cannot write in $work (is it full?)"
  # Twice as many as cores: while one reads, another one counts.
  task=$work/task.sh tasks=$work/tasks
  work=$work hasher=$hasher json_awk=$json_awk piece_bytes=$piece_bytes RUNCTL_JOB=${RUNCTL_JOB-} \
    xargs -P $(($(nproc) * 2)) -n 6 /bin/sh "$task" <"$tasks" ||
    die io_error "cannot write in $work (is it full?)"
  # Long files: one hash of the hashes of their pieces.
  awk '$1 == "piece" && $5 == 0 { print $2 }' "$work/tasks" | while read -r n; do
    find "$work/pieces" -name "$n.*" -print0 | sort -z | xargs -0 cat >"$work/long"
    hash=$($hasher <"$work/long")
    ! grep -q '!' "$work/long" || hash='!'
    printf '%d\t%s\n' "$n" "${hash%% *}" >"$work/hashes/$n" || exit
  done || die io_error "cannot write in $work (is it full?)"
  find "$work/hashes" -type f -print0 | xargs -0 cat | sort -S 64M -T "$work" -k 1,1n >"$work/results" || die io_error "cannot write in $work (is it full?)"
  awk -F '\t' -v results="$work/results" -v piece=$piece_bytes -v summary="$work/summary" '
    $1 != n { n = $1; hash = "!"
      if ((getline line < results) > 0) { split(line, part, "\t"); if (part[1] == n) hash = part[2]; else exit 1 } }
    { if (hash == "!" && unreadable == "") unreadable = $3
      files++; bytes += $2; print $3 "\t" (hash == "!" ? "!" : $2 > piece ? "p" : "f") "\t" $2 "\t" hash }
    END { printf "%d %.0f %s\n", files, bytes, unreadable >summary }' "$work/names" >"$work/lines" &&
    sort -S 64M -T "$work" "$work/others" "$work/lines" >"$work/body" &&
    read -r files bytes unreadable <"$work/summary" ||
    die io_error "cannot put the hashes together in $work"
  # A directory that cannot be read is no empty one.
  [ -n "$unreadable" ] || unreadable=$(head -n 1 "$work/find_errors")
}

# The manifest, in $work/manifest; digest is its SHA-256.
write_manifest() {
  { printf 'runctl-manifest 1 piece=%s files=%s bytes=%s\n' "$piece_bytes" "$files" "$bytes" && cat "$work/body"; } \
    >"$work/manifest" || die io_error "cannot write in $work (is it full?)"
  digest=$(sha256sum <"$work/manifest")
  digest=${digest%% *}
}

# Whether it is already on the volume, in the working directory.
has_manifest() {
  [ ! -L .runctl ] && [ ! -L .runctl/manifest ] && [ "$(sha256sum 2>/dev/null <.runctl/manifest)" = "$digest  -" ]
}

die_of_error() {
  case $(cat "$work/error") in *'No space left'*) die no_space "$1: there is no space left" ;; esac
  die io_error "$1: $(cat "$work/error")"
}

# Puts it there. Whatever lies there, nothing is written through a link.
put_manifest() {
  [ ! -L .runctl ] && { [ -d .runctl ] || (umask 022 && mkdir .runctl); } 2>"$work/error" && [ -d .runctl ] ||
    die_of_error "cannot make the directory .runctl on $VOLUME_ID"
  rm -rf -- .runctl/manifest.new
  { (set -C && umask 022 && cat "$work/manifest" >.runctl/manifest.new) &&
    mv -f -T -- .runctl/manifest.new .runctl/manifest; } 2>"$work/error" ||
    die_of_error "cannot write the manifest of $VOLUME_ID"
  output=$(write_back . 2>&1) || die io_error "cannot write $VOLUME_ID back: $output"
  has_manifest || die io_error "the manifest on $VOLUME_ID is not what was written"
}

# open_manifest DIGEST: of the working directory, before anything else is read. Sets digest.
open_manifest() {
  [ ! -L .runctl ] && [ ! -L .runctl/manifest ] && [ -f .runctl/manifest ] ||
    die no_manifest "$VOLUME_ID has no manifest: it was never sealed"
  cp .runctl/manifest "$work/wanted" || die io_error "cannot read the manifest of $VOLUME_ID"
  digest=$(sha256sum <"$work/wanted")
  digest=${digest%% *}
  [ -z "$1" ] || [ "$digest" = "$1" ] || die wrong_manifest "the manifest on $VOLUME_ID is not the one that it was \
sealed with: its SHA-256 is $digest instead of $1"
  read -r header <"$work/wanted" || header=
  case $header in "runctl-manifest 1 piece=$piece_bytes files="*) ;; *)
    die wrong_manifest "the manifest on $VOLUME_ID cannot be read" ;;
  esac
  tail -n +2 "$work/wanted" >"$work/wanted_body"
  sort -c "$work/wanted_body" 2>/dev/null || die wrong_manifest "the manifest on $VOLUME_ID is not sorted"
}

# Sets intact, difference_count and differences (JSON, the first 20, of bounded length), from wanted_body and body.
compare_contents() {
  compared=$(comm -3 "$work/wanted_body" "$work/body" | awk -F '\t' -v errors="$work/find_errors" "$json_awk"'
    function tell(word, path) {
      if (++count > 20 || room < 0) return
      text = json(word " " (length(path) > 1500 ? substr(path, 1, 1500) "..." : path))
      room -= length(text); if (room < 0) return
      out = out (out == "" ? "" : ",") text
    }
    function flush() { if (held != "") tell(held_new ? (held_what == "!" ? "unreadable" : "unexpected") : "missing", held)
      held = "" }
    BEGIN { room = 15000 }
    { is_new = sub(/^\t/, ""); n = split($0, part, "\t")
      if (held != "" && part[1] == held && is_new != held_new) {
        tell((is_new ? part[2] : held_what) == "!" ? "unreadable" : "changed", held); held = ""; next
      }
      flush(); held = part[1]; held_new = is_new; held_what = part[2] }
    END { flush()
      while ((getline line < errors) > 0) tell("unreadable", line)
      printf "%d [%s]", count, out }')
  difference_count=${compared%% *} differences=${compared#* }
  intact=true
  [ "$difference_count" = 0 ] || intact=false
}
