# Writes back what this machine caches of one filesystem. Parameters: MOUNT_POINT
path=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/root}$MOUNT_POINT
sync -f -- "$path" || die io_error "cannot write back $MOUNT_POINT"
succeed '"synced":true'
