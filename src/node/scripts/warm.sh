# Reads every block of a volume once, past the page cache. Only reads, so it goes on beside whatever else is done to the
# volume, and holds no lock. Parameters: VOLUME_ID WAIT_SECONDS READERS (programs, gzip in base64, a blank between them)
# A restored volume's blocks come from afar: what counts is how many are asked for at once.
: "${WARM_BLOCK:=1048576}" "${WARM_READERS:=32}"
open_volume "$WAIT_SECONDS"
has_to_do "$size"

began=$(cut -d ' ' -f 1 /proc/uptime)
finish() { # by whom it was read, and why by nobody better
  ended=$(cut -d ' ' -f 1 /proc/uptime)
  quote "${2-}"
  succeed "\"kind\":\"block\",\"bytes\":$size,\"reader\":\"$1\",\"why\":$quoted,\"milliseconds\":$(
    began="$began" ended="$ended" awk 'BEGIN { printf "%.0f", (ENVIRON["ended"] - ENVIRON["began"]) * 1000 }')"
}

# What programs file $1 is for: 32 or 64 bits, byte order, processor. Source: elf(5), e_ident and e_machine.
processor_of() { od -A n -v -t x1 -N 20 "$1" | tr -d '\n' | cut -d ' ' -f 6,7,20,21; }

# Leaves the first of READERS that is made for this machine open on 8, unpacked in directory $1; sets no_reader to why
# there is none. By its descriptor it can be run when its file is gone, so nothing is left behind, whoever kills us.
unpack_reader() {
  exec 8<&-
  no_reader="cannot write in $1"
  work=$(mktemp -d -p "$1" 2>/dev/null) || return 1
  no_reader="none is made for this machine's processor"
  found=1
  for packed in $READERS; do
    printf '%s' "$packed" | base64 -d 2>/dev/null | gzip -d -c 2>/dev/null >"$work/reader" &&
      [ "$(processor_of "$work/reader")" = "$(processor_of /proc/self/exe)" ] || continue
    chmod 700 "$work/reader" && command exec 8<"$work/reader" && found=0 && break
  done 2>/dev/null
  rm -rf -- "$work"
  return $found
}

# Programs cannot be run from every filesystem (noexec): the first one from which they can.
progress=${RUNCTL_JOB:+$RUNCTL_JOB/done}
for place in "${RUNCTL_JOB:-/tmp}" /dev/shm /var/tmp; do
  unpack_reader "$place" || continue
  said=$(/proc/self/fd/8 "$opened" "$size" 2>&1 >>"${progress:-/dev/null}")
  status=$?
  case $status in
    0) finish aio ;;
    1)
      read -r first count end <<END
$said
END
      what="$device ($VOLUME_ID) cannot be read at byte $first"
      [ "$count" -le 4096 ] || what="$what, $count bytes of it in all"
      if [ "$end" = "$size" ]; then die io_error "$what; all the rest has been read"; fi
      die io_error "$what; given up at byte $end, after 1 GiB of which nothing could be read" ;;
    126 | 127) no_reader="programs cannot be run from $place" ;;
    # It cannot do what it is made for: its own 3; SIGILL, SIGSYS.
    3 | 132 | 159) no_reader="it cannot work here (status $status)" && break ;;
    *) die io_error "the program that reads $device ($VOLUME_ID) ended in the middle (status $status)" ;;
  esac
done
exec 8<&-

# With what every machine has, and a process for each request. A reader takes a stretch at a time: long enough that
# starting one costs little (two processes), short enough that all end together.
stretch=$((size / WARM_READERS / 2 / WARM_BLOCK * WARM_BLOCK))
[ $stretch -ge $((WARM_BLOCK * 16)) ] || stretch=$((WARM_BLOCK * 16))
[ $stretch -le $((WARM_BLOCK * 256)) ] || stretch=$((WARM_BLOCK * 256))
work=$(mktemp -d -p "${RUNCTL_JOB:-/tmp}") || die io_error "cannot create a temporary directory"
undo() { rm -rf -- "$work"; }
reader='
  # All stretches before a bad one have been begun by then, and are read to their end.
  [ ! -e "$work/stop" ] || exit 1
  left=$((size - $1))
  [ $left -le $stretch ] || left=$stretch
  if ! dd if="$opened" of=/dev/null iflag=direct,skip_bytes,count_bytes bs=$block skip="$1" count=$left \
    2>"$work/error.$1"; then
    : >"$work/stop"
    # Which byte: dd counts what it could read before; then block by block.
    read -r blocks _ <<END
$(sed -n "s/+.*records in$//p" "$work/error.$1")
END
    at=$(($1 + ${blocks:-0} * block))
    end=$(($1 + left))
    while [ $at -lt $end ] &&
      dd if="$opened" of=/dev/null iflag=direct,skip_bytes bs=4096 skip=$at count=1 2>/dev/null; do
      at=$((at + 4096))
    done
    [ $at -ge $end ] || { echo $at >"$work/bad.$1"; exit 1; }
  fi
  [ -z "$RUNCTL_JOB" ] || echo $left >>"$RUNCTL_JOB/done"
'
awk -v size="$size" -v stretch=$stretch 'BEGIN { for (at = 0; at < size; at += stretch) printf "%.0f\n", at }' >"$work/list"
size=$size stretch=$stretch block=$WARM_BLOCK opened=$opened work=$work RUNCTL_JOB=${RUNCTL_JOB-} \
  xargs -P "$WARM_READERS" -n 1 /bin/sh -c "$reader" sh <"$work/list" 2>"$work/errors" || {
  bad=$(cat "$work"/bad.* 2>/dev/null | sort -n | head -n 1)
  [ -n "$bad" ] || die io_error "$VOLUME_ID cannot be read: $(head -c 300 "$work/errors")"
  die io_error "$device ($VOLUME_ID) cannot be read at byte $bad; the reading ended there"
}
rm -rf -- "$work"
finish dd "$no_reader"
