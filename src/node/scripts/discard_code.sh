# Removes the copy of the code that a run was to have, if the run was not started. Parameters: RUN
runs=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/runs}
copy=${RUNCTL_FILES_ROOT:+$RUNCTL_FILES_ROOT/root}/var/lib/runctl/code/$RUN
[ ! -e "${runs:-/var/lib/runctl/runs}/$RUN" ] || succeed '"removed":false'
rm -rf -- "$copy" || die io_error "cannot remove $copy"
succeed '"removed":true'
