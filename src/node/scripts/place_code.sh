# Brings this machine's copy of a project to a state, and gives a run a copy of it of its own. All that is kept of a
# project is in one folder: `manifest` (what `tree` consists of, a line a file; training/code_manifest.hpp), `tree`,
# `incoming` (archives on their way), `lock`. A state is named by the hash of its manifest. While `tree` is being changed
# there is no manifest: what is interrupted there leaves a project that this machine has nothing of, never half of one.
# Parameters: PROJECT STATE (that is wanted; "" for none) RUN (that gets a copy; "" to change nothing) BASE (the state
# that the archive builds upon; "" for nothing) ARCHIVE (its name in incoming; "" for none) ARCHIVE_SHA256 COMPRESSION
# (zstd or gzip) URL (where it is to be had from; "" when it is there) NEEDED (bytes on the disk)
# Answers with placed:false, having changed nothing, when the wanted state is not here and no archive leads to it.
library=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/root}/var/lib/runctl
project=$library/projects/$PROJECT
code=$library/code
new_run=$code/.$RUN.new

# What unpacks here: every machine has gzip, and minimal ones have no zstd (Amazon Linux 2, Debian's images).
zstd=false
! command -v zstd >/dev/null || zstd=true

find_state() {
  have=
  [ ! -f "$project/manifest" ] || [ ! -d "$project/tree" ] || have=$(sha256sum <"$project/manifest" | cut -c 1-64)
}
report() { # report PLACED [MEMBERS]
  succeed "\"placed\":$1,\"have\":\"$have\",\"zstd\":$zstd${2:+,$2}"
}

# By an URL that is on no command line.
download() {
  case $downloader in
    curl)
      printf 'url = "%s"\noutput = "archive"\n' "$URL" |
        curl -q --fail --silent --show-error --retry 4 --connect-timeout 20 --speed-limit 1 --speed-time 60 --config -
      ;;
    wget)
      printf '%s\n' "$URL" |
        wget --no-config --tries=5 --timeout=30 --no-verbose --output-document=archive --input-file=-
      ;;
    python3)
      printf '%s\n' "$URL" | python3 -c '
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.stdin.readline().strip(), timeout=60) as answer, open("archive", "wb") as file:
    shutil.copyfileobj(answer, file)'
      ;;
  esac
}

fetch_archive() {
  if [ -n "$URL" ]; then
    choose_downloader ", to download code with"
    # The URL lets whoever has it read the archive.
    output=$(download 2>&1) || {
      output=$(printf '%s' "$output" | tail -n 1 | sed 's|https*://[^ ]*|(URL)|g')
      die io_error "the archive could not be downloaded by $downloader: $output"
    }
  else
    mv -f -- "incoming/$ARCHIVE" archive || die io_error "there is no archive $ARCHIVE"
  fi
  [ "$(sha256sum <archive | cut -c 1-64)" = "$ARCHIVE_SHA256" ] ||
    die corrupt_content "the archive of the code has another hash than was sent"
}

# Aside. A pipe tells only of its last program.
unpack() {
  mkdir new && : >new/errors || die io_error "cannot write in $project"
  (
    umask 022
    { "$COMPRESSION" -d -c <archive || echo "$COMPRESSION failed" >&2; } 2>>new/errors |
      (command cd new && exec tar -x --no-same-owner -f - 2>/dev/null)
  ) && [ ! -s new/errors ] ||
    die io_error "the code could not be unpacked (is the disk full?) $(head -c 200 new/errors)"
  [ -d new/files ] || (umask 022 && mkdir new/files)
  rm -f -- archive
}

# It is compared with what was meant before anything is changed.
make_manifest() {
  if [ -n "$BASE" ]; then
    comm -23 manifest new/minus | sort -m - new/plus >new/manifest
  else
    mv -f -- new/plus new/manifest
  fi
  [ "$(sha256sum <new/manifest | cut -c 1-64)" = "$STATE" ] ||
    die corrupt_content "the archive does not lead to the code that was meant"
}

change_tree() {
  rm -f -- manifest || die io_error "cannot write in $project"
  if [ -n "$BASE" ]; then
    # Only what was sent is here: nothing else ever writes in `tree`.
    (
      command cd tree || exit 1
      xargs -0 -r rm -f -- <../new/removed_files && xargs -0 -r rmdir -- <../new/removed_folders &&
        cp -a -l -f --remove-destination -- ../new/files/. .
    ) || die io_error "cannot change the project's code"
  else
    { [ ! -e tree ] || mv -T -- tree old; } && mv -T -- new/files tree || die io_error "cannot put the code in place"
  fi
  # The manifest must not outlast a power cut that the files do not.
  write_back tree || die io_error "cannot write the code back"
  mv -f -T -- new/manifest manifest || die io_error "cannot write in $project"
  rm -rf -- new old
}

if [ -z "$RUN" ]; then
  find_state
  report false
fi
(umask 022 && mkdir -p -- "$code") && mkdir -p -- "$project/incoming" || die io_error "cannot create $project"
command cd -- "$project" && command exec 9>>lock || die io_error "cannot write in $project"
flock -w "${RUNCTL_LOCK_WAIT:-120}" 9 || die locked "another sync of this project is under way on the machine"
undo() { rm -rf -- "$new_run" new old archive; }
undo
find_state
if [ -d "$code/$RUN" ]; then
  quote "$code/$RUN"
  report true "\"path\":$quoted,\"already\":true"
fi
if [ -z "$STATE" ] || [ "$have" != "$STATE" ]; then
  [ -n "$ARCHIVE" ] && { [ -z "$BASE" ] || [ "$have" = "$BASE" ]; } || report false
  # shellcheck disable=SC2046 # two numbers
  set -- $(stat -f -c '%a %S' .)
  [ "$NEEDED" -le $(($1 * $2)) ] ||
    die no_space "the machine has $(($1 * $2)) bytes free, and the code needs $NEEDED" \
      "\"free\":$(($1 * $2)),\"needed\":$NEEDED"
  fetch_archive
  unpack
  make_manifest
  change_tree
  have=$STATE
fi
# What broken transfers have left; one that is under way is younger.
find incoming -mindepth 1 -mmin +1440 -exec rm -rf -- {} + 2>/dev/null

# A copy, not links: a run may write into its files, and neither it nor a later sync must change the other's. Where the
# file system can (XFS, Btrfs) the copy shares the blocks.
cp -a --reflink=auto -- tree "$new_run" && mv -T -- "$new_run" "$code/$RUN" ||
  die io_error "cannot copy the code for the run (is the disk full?)"
quote "$code/$RUN"
report true "\"path\":$quoted,\"already\":false"
