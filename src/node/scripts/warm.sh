# Reads every block of a volume once, past the page cache. Only reads, so it goes on beside whatever else is done to the
# volume, and holds no lock. Parameters: VOLUME_ID WAIT_SECONDS
# A restored volume's blocks come from afar: what counts is how many are asked for at once.
: "${WARM_BLOCK:=1048576}" "${WARM_READERS:=32}"
open_volume "$WAIT_SECONDS"
has_to_do "$size"
# A reader takes a stretch at a time: long enough that starting one costs little (two processes), short enough that all
# end together.
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
read -r began _ </proc/uptime
awk -v size="$size" -v stretch=$stretch 'BEGIN { for (at = 0; at < size; at += stretch) printf "%.0f\n", at }' >"$work/list"
size=$size stretch=$stretch block=$WARM_BLOCK opened=$opened work=$work RUNCTL_JOB=${RUNCTL_JOB-} \
  xargs -P "$WARM_READERS" -n 1 /bin/sh -c "$reader" sh <"$work/list" 2>"$work/errors" || {
  bad=$(cat "$work"/bad.* 2>/dev/null | sort -n | head -n 1)
  [ -n "$bad" ] || die io_error "$VOLUME_ID cannot be read: $(head -c 300 "$work/errors")"
  die io_error "$device ($VOLUME_ID) cannot be read at byte $bad"
}
read -r ended _ </proc/uptime
rm -rf -- "$work"
succeed "\"kind\":\"block\",\"bytes\":$size,\"milliseconds\":$(began="$began" ended="$ended" awk 'BEGIN {
  printf "%.0f", (ENVIRON["ended"] - ENVIRON["began"]) * 1000 }')"
