# Receives a file in pieces: each is appended at its place to a file that is named after the content's hash; the last
# one unpacks it, checks the hash and renames it into place.
# Parameters: TARGET SHA256 MODE OFFSET PIECE (base64) LAST PACKING (gzip or none)
# In a machine of the emulator without root, paths are those below its own folder.
TARGET=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/root}$TARGET
quote "$TARGET"
path="\"path\":$quoted"
directory=$(dirname -- "$TARGET")
[ ! -d "$TARGET" ] || die bad_parameter "$TARGET is a directory"
sum_of() { sha256sum <"$1" | cut -c 1-64; }

if [ -f "$TARGET" ] && [ "$(sum_of "$TARGET")" = "$SHA256" ]; then
  chmod -- "$MODE" "$TARGET" || die io_error "cannot set the mode of $TARGET"
  succeed "$path,\"done\":true,\"already\":true,\"have\":0"
fi
(umask 022 && mkdir -p -- "$directory") || die io_error "cannot create $directory"
part=$directory/.runctl-$SHA256.part
inode_of() { stat -L -c %d:%i -- "$1" 2>/dev/null; }
while :; do
  command exec 9>>"$part" || die io_error "cannot write in $directory"
  flock -w 10 9 || die locked "another transfer of the same file is running"
  # Another transfer of the same content that ended meanwhile has taken the file that we opened.
  [ "$(inode_of "$part")" != "$(inode_of /proc/self/fd/9)" ] || break
done
have=$(stat -L -c %s "$part")
[ "$have" -ge "$OFFSET" ] || die gap "the piece at byte $OFFSET came before the one at $have" "\"have\":$have"
# A piece that came twice, or was cut off in the middle, is written again from its own start.
truncate -s "$OFFSET" "$part" && printf '%s' "$PIECE" | base64 -d >&9 || die io_error "cannot write $part"
have=$(stat -L -c %s "$part")
[ "$LAST" = yes ] || succeed "\"done\":false,\"already\":false,\"have\":$have"

# Both have their names as long as the lock is held: once they have not, the next transfer makes its own.
whole=$part
undo() { rm -f -- "$whole" "$part"; }
if [ "$PACKING" = gzip ]; then
  whole=$part.whole
  gzip -d -c <"$part" >"$whole" || die corrupt_content "what arrived for $TARGET is not complete gzip data"
fi
[ "$(sum_of "$whole")" = "$SHA256" ] || die corrupt_content "what arrived for $TARGET has another hash"
chmod -- "$MODE" "$whole" && sync "$whole" && mv -f -T -- "$whole" "$TARGET" && write_back "$directory" ||
  die io_error "cannot put $TARGET in place"
[ "$whole" = "$part" ] || rm -f -- "$part"
succeed "$path,\"done\":true,\"already\":false,\"have\":$have"
