# Beside a run on a spot machine: watches for the notice by which EC2 takes the machine back, and brings the run to a
# safe end before. Its program is asked to end, its volumes are written back and unmounted, and what was done is
# written down. Needs nobody: it works whether runctl is connected or not.
# In the run's directory, and in a session of its own: the processes of a run are told by their session. Beside it:
#   stop.sh     ends a run (stop_run.sh)        unmount.sh  unmounts a volume
#   hook.sh     what to do before the signal; may be missing
# Parameters: VOLUMES (ids) POLL_SECONDS RESERVE_SECONDS (kept of the notice's time for the volumes)
run=$(pwd)
imds=${AWS_EC2_METADATA_SERVICE_ENDPOINT:-http://169.254.169.254}
imds=${imds%/}/latest
lf='
'

# request METHOD PATH HEADER: sets body, and http_status, which is empty without an answer.
if command -v curl >/dev/null 2>&1; then
  request() {
    answer=$(curl -s --noproxy '*' --max-time 2 -X "$1" -H "$3" -w '\n%{http_code}' "$imds/$2" 2>/dev/null) || answer=
    split_answer
  }
else
  request() {
    answer=$(python3 -I -c 'import sys, urllib.error, urllib.request
method, url, header = sys.argv[1:]
request = urllib.request.Request(url, method=method, headers=dict([header.split(": ", 1)]))
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    answer = opener.open(request, timeout=2)
except urllib.error.HTTPError as error:
    answer = error
print(answer.read().decode() + "\n" + str(answer.getcode()), end="")' "$1" "$imds/$2" "$3" 2>/dev/null) || answer=
    split_answer
  }
fi
split_answer() {
  http_status=${answer##*"$lf"}
  body=${answer%"$lf"*}
}

# ask PATH: fails without an answer. A token holds for six hours; one that does not hold any more is 401.
token=
ask() {
  if [ -z "$token" ]; then
    request PUT api/token 'X-aws-ec2-metadata-token-ttl-seconds: 21600'
    [ "$http_status" = 200 ] || return 1
    token=$body
  fi
  request GET "meta-data/$1" "X-aws-ec2-metadata-token: $token"
  [ "$http_status" != 401 ] || token=
  [ "$http_status" = 200 ]
}

# member NAME: of the JSON object in `body`, a text without escapes.
member() { printf '%s' "$body" | tr -d '\n' | sed -n "s/.*\"$1\" *: *\"\\([A-Za-z0-9:.-]*\\)\".*/\\1/p"; }

report=
write_report() { # LINE: one more
  report="$report$1$lf"
  printf '%s' "$report" 1<>interruption
  sync interruption 2>/dev/null
}

# stop_run SEND FORCE TENTHS: fails while processes of the run live.
stop_run() {
  said=$(RUNCTL_RUNS=${run%/*} SIGNAL=TERM SEND=$1 FORCE=$2 WAIT_TENTHS=$3 BY="EC2's spot interruption notice" \
    /bin/sh ./stop.sh 2>/dev/null)
  case $said in *'"left":0,'*) return 0 ;; *) return 1 ;; esac
}

# Results that are still uploaded are read from the volumes.
wait_for_upload() {
  while [ -e upload_status ] && ! grep -q '"finished":true' upload_status && [ "$(seconds_until $((at - reserve / 2)))" -gt 0 ]; do
    sleep 0.5
  done
}

seconds_until() { echo $(($1 - $(date +%s) > 0 ? $1 - $(date +%s) : 0)); }

unmount_volume() { # ID
  while :; do
    said=$(VOLUME_ID=$1 /bin/sh ./unmount.sh 2>/dev/null)
    case $said in
      *'"ok":true'*)
        write_report "unmounted $1"
        return 0
        ;;
      # Another run's watcher is about to end what uses it.
      *'"code":"busy"'* | *'"code":"locked"'*) [ "$(seconds_until $((at - 2)))" -gt 0 ] || break ;;
      *) break ;;
    esac
    sleep 0.5
  done
  sync
  write_report "kept $1 $(printf '%s' "$said" | sed -n '$s/.*"error":"\([^"\\]*\).*/\1/p' | head -c 200)"
}

# The notice is in `body`.
bring_to_an_end() {
  noticed=$(date +%s)
  action=$(member action)
  at=$(date -u -d "$(member time)" +%s 2>/dev/null) || at=$((noticed + 120))
  write_report "${action:-terminate} $at $noticed"
  # Its memory is kept and comes back: nothing ends.
  if [ "$action" = hibernate ]; then
    sync
    write_report "done $(date +%s)"
    return 0
  fi
  # A notice that came late leaves less, and the program the most of it.
  reserve=$((at - noticed > 4 * RESERVE_SECONDS ? RESERVE_SECONDS : (at - noticed) / 4))
  end=$((at - reserve))
  # Before the hook, which may make the program save and end: that is no end of its own.
  stop_run note no 0
  for_hook=$(seconds_until "$end")
  # `timeout 0` would let it run for ever.
  if [ -e hook.sh ] && [ "$for_hook" -gt 0 ]; then timeout -k 2 "$for_hook" /bin/sh ./hook.sh >>log 2>&1; fi
  stop_run noted no "$(seconds_until "$end")0" || stop_run no yes 20
  wait_for_upload
  for volume in $VOLUMES; do unmount_volume "$volume"; done
  write_report "done $(date +%s)"
}

is_spot=
read_run "$run"
while [ "$state" = running ]; do
  if [ -z "$is_spot" ] && ask instance-life-cycle; then
    [ "$body" = spot ] || break # no notice ever comes
    is_spot=yes
  fi
  if [ -n "$is_spot" ] && ask spot/instance-action && [ -n "$(member action)" ]; then
    bring_to_an_end
    break
  fi
  sleep "$POLL_SECONDS"
  read_run "$run"
done
succeed
