# Writes back what this machine caches of one filesystem. Parameters: MOUNT_POINT
path=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/root}$MOUNT_POINT
write_back "$path" || die io_error "cannot write back $MOUNT_POINT"
succeed '"synced":true'
