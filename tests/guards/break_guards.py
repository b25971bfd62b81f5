"""Takes out each guard that data depends on, one at a time, and shows which tests then fail.

    python3 tests/guards/break_guards.py [--keep] [--all] [NAME...]

Works on a copy of the sources below build/guards, built with the dev preset; the tree itself is not touched. Of the tests
of a guard the first that notices is enough; --all asks them all. Takes an hour, and needs root for the guards whose
tests need real devices. Exit status 1 when a guard could go unnoticed.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "guards"
BUILD = COPY / "build" / "dev"

# Guards with another one behind them (mkfs: known signatures, behind which stands the reading of zeros) are not here: taking
# out one of two shows nothing. Nor are those of containers (S12), which come with them.
# name: (file, text, what stands in its place, the tests that are asked: what `ctest -R` takes, or a Python file and what of
# it). S6 to S15 are the rules of docs/EBS_CONCURRENT_ACCESS.md.
GUARDS = {
    "S1 refusal of a volume that another machine holds": (
        "src/volume/plan_attach.cpp", "    plan.refusal = held_volume(volume, volume.attachments.front(),",
        "    (void)held_volume(volume, volume.attachments.front(),", r"volume\.PlanAttach", r"cli\.volumes"),
    "S5 Multi-Attach alone lets no second machine in": (
        "src/volume/facts.cpp", "return volume.multi_attach && mode_of(volume) == VolumeMode::sealed;",
        "return volume.multi_attach;", r"volume\.PlanAttach"),
    "S5 a volume on two machines is mounted on neither": (
        "src/volume/mount.cpp", "  if (auto refusal = check_use(volume, instance.id)) return refusal;\n", "",
        r"volume\.CheckMount"),
    "S5 the second to get a Multi-Attach volume does not use it": (
        "src/volume/attach.cpp", "  if (auto others = check_use(attached, facts.instance.id)) {",
        "  if (auto others = check_use(attached, facts.instance.id); others && false) {", r"fault\.Once/Race"),
    "S8 nothing is pulled off a machine that answers again": (
        "src/volume/detach.cpp", "  if (online) {\n    auto answers", "  if (online && false) {\n    auto answers",
        r"fault\.Once/Race"),
    "S2 a resumed move takes a volume only from whom it named": (
        "src/fleet/continuation.cpp", "    if (holder == to || holder.str() == from) continue;", "    continue;",
        "disks/interrupted_test.py Interrupted.test_a_move_takes_it_from_nobody_whom_it_did_not_name"),
    "S16 an operation that was cut off half done stays open": (
        "src/journal/recorder.cpp", "  return is_cut_off && ", "  return false && is_cut_off && ", r"journal\.RecorderTest"),
    "S6 the device is set read-only before the mount": (
        "src/node/scripts/mount.sh", '    blockdev --setro "$opened" && [', "    true || [",
        r"node\.of/(mounting|sealed_mounting)"),
    "S6 no journal is replayed by a read-only mount": (
        "src/node/scripts/mount.sh", "  options=ro,$no_replay,$options", "  options=ro,$options",
        r"node\.of/mounting", "disks/volumes_test.py Sealing.test_sealed_volumes_never_change"),
    "S6 a dirty filesystem is not mounted read-only": (
        "src/node/scripts/mount.sh", '  require_clean "a read-only', '  : "a read-only',
        r"node\.on_block_machine.a_dirty", "disks/volumes_test.py Sealing.test_a_dirty_filesystem_is_not_sealed_and_not_replayed"),
    "S6 a dirty filesystem is not sealed": (
        "src/node/scripts/make_manifest.sh", 'require_clean "mount and', ': "mount and',
        r"node\.of/manifests"),
    "S6 nothing mounted is sealed": (
        "src/node/scripts/make_manifest.sh", '[ "$mounts_json" = \'[]\' ] ||', ": ||", r"node\.of/manifests"),
    "S6 the digest of a manifest": (
        "src/node/scripts/contents.sh", '[ -z "$1" ] || [ "$digest" = "$1" ] ||', ": ||", r"node\.of/manifest\."),
    "S6 the mount is proved by trying to write a file": (
        "src/node/scripts/mount.sh", '    die not_read_only "a file', '    : not_read_only "a file', r"node\.of/sealed_mounting"),
    "S6 the device is proved by trying to write it": (
        "src/node/scripts/mount.sh", '    die not_read_only "$device', '    : not_read_only "$device',
        r"node\.of/sealed_mounting"),
    "S6 a sealed volume is mounted read-only unasked": (
        "src/volume/mount.cpp", "return mode_of(volume) == VolumeMode::sealed ? node::Access::read_only : wanted;",
        "return mode_of(volume) == VolumeMode::cluster ? node::Access::read_only : wanted;",
        "disks/volumes_test.py Sealing.test_sealed_volumes_never_change"),
    "S6 a sealed volume is opened again only while nobody has it": (
        "src/volume/seal.cpp", "  } else if (!volume.attachments.empty()) {\n    plan.refusal = held_by_readers(volume);",
        "  } else if (false) {\n    plan.refusal = held_by_readers(volume);",
        "disks/volumes_test.py Sealing.test_a_sealed_volume_is_guarded"),
    "S7 the plan to unmount before a detach": (
        "src/volume/plan_detach.cpp", "plan.unmount_first = !off;", "plan.unmount_first = false;",
        r"volume\.PlanDetach"),
    "S7 the unmount before a detach": (
        "src/volume/detach.cpp", "  if (plan.unmount_first) {\n", "  if (plan.unmount_first && false) {\n",
        "disks/handoff_test.py HandOff.test_no_record_is_lost_on_ext4",
        "disks/rules_test.py S7DetachingWhatIsInUse.test_a_bind_mount_is_named"),
    "S7 in-use refusal of unmount": (
        "src/node/scripts/unmount.sh", '[ "$user_count" = 0 ] || die busy "$VOLUME_ID is in use"',
        ': || die busy "$VOLUME_ID is in use"', r"node\.(on_block_machine|.*in_use)"),
    "S7 swap and loop devices are users": (
        "src/node/scripts/unmount.sh", '  scan_kernel_users "$number"\n', "", r"node\.on_block_machine.loop",
        "disks/rules_test.py S7DetachingWhatIsInUse.test_swap_is_named"),
    "S7 bind mounts are users": (
        "src/node/scripts/unmount.sh", """else if (is_ours[i]) print "user\\t\"""", """else if (is_ours[i]) print "none\\t\"""",
        r"node\.on_block_machine.(mounts_below|a_container)", "disks/rules_test.py S7DetachingWhatIsInUse"),
    "S7 proof that nothing holds the device after the unmount": (
        "src/node/scripts/unmount.sh", 'opens_exclusively || die busy', ": || die busy", r"node\.on_block_machine.a_hold"),
    "S8 refusal when the machine cannot be reached": (
        "src/volume/plan_detach.cpp", "if (!plan.by_force) plan.refusal = unreachable", "if (!plan.by_force) (void)unreachable",
        r"volume\.PlanDetach", "disks/rules_test.py S8TheMachineCannotBeReached"),
    "S8 force only where it was asked for": (
        "src/volume/plan_detach.cpp", "plan.by_force = facts.force == Force::yes;", "plan.by_force = true;",
        r"volume\.PlanDetach"),
    "S8 force only once the volume was named": (
        "src/cli/ebs/detach.cpp", "  if (plan.by_force) RUNCTL_TRY(ask_for_force(", "  if (false) RUNCTL_TRY(ask_for_force(",
        "disks/volumes_test.py Unreachable"),
    "S8 a snapshot and a mark before the force": (
        "src/volume/detach.cpp", "  if (plan.by_force) RUNCTL_TRY(prepare_force(", "  if (false) RUNCTL_TRY(prepare_force(",
        "disks/volumes_test.py Unreachable"),
    "S8 the check before it is written again": (
        "src/node/scripts/mount.sh", '[ "$CHECK_FIRST:$READ_ONLY" != yes:no ] || check_filesystem\n', "",
        r"node\.of/after_a_cut", "disks/rules_test.py S8TheMachineCannotBeReached.test_a_damaged_one_is_not_written_again"),
    "S8 the mount asks for the check": (
        "src/volume/mount.cpp", "volume.tags.contains(tag::needs_check) ? node::CheckFirst::yes",
        "volume.tags.contains(tag::mode) ? node::CheckFirst::yes",
        "disks/rules_test.py S8TheMachineCannotBeReached.test_a_damaged_one_is_not_written_again"),
    "S8 what was not checked is not read either": (
        "src/volume/mount.cpp", "  if (reads && volume.tags.contains(tag::needs_check)) {", "  if (reads && false) {",
        "disks/volumes_test.py Unreachable"),
    "S9 the dead man thaws": (
        "src/node/scripts/freeze.sh", "  until fsfreeze --unfreeze /proc/self/fd/4; do", "  until true; do",
        r"node\.on_frozen"),
    "S9 consistent only when it stood still to the end": (
        "src/volume/standstill.cpp", "    if (!thawed->held) {", "    if (false) {",
        "disks/snapshots_test.py Snapshots.test_one_that_was_thawed_too_early_says_so"),
    "S9 the freeze around a snapshot": (
        "src/node/scripts/freeze.sh", "exec fsfreeze --freeze /proc/self/fd/4' 2>", "exec true' 2>", r"node\.on_frozen"),
    "S9 a freeze that comes late is thawed": (
        "src/node/scripts/thaw.sh", "  elif is_under_way; then", "  elif false; then",
        r"node\.on_frozen_machine\.a_(thaw|freeze)_that"),
    "S9 no freeze stands without its guard": (
        "src/node/scripts/freeze.sh", '[ ! -e "$state/fired" ] || die', '[ ! -e "$state/fired" ] || : ',
        r"node\.on_frozen_machine\.a_thaw_that"),
    "S9 the freeze of another is left to it": (
        "src/node/scripts/freeze.sh", '[ $status = 0 ] || [ $status -gt 128 ] || freezing=no', ":",
        r"node\.on_frozen_machine\.one_that_another"),
    "S9 what is used by other ways than a mount is not consistent": (
        "src/node/scripts/freeze.sh", "  opens_exclusively || {", "  true || {",
        r"node\.on_frozen_machine\.what_is_held"),
    "S10 a second copy of an XFS is let in only when it was restored": (
        "src/node/scripts/mount.sh", "in xfs:yes:* | xfs:*:yes)", "in xfs:*)", r"node\.on_block_machine.a_copy_of_an_xfs"),
    "S10 a restored XFS is mounted beside its source": (
        "src/node/scripts/mount.sh", "in xfs:yes:* | xfs:*:yes)", "in none)", r"node\.on_block_machine.a_copy_of_an_xfs",
        "disks/volumes_test.py Copying.test_a_restored_xfs_is_mounted_beside_its_source"),
    "S10 nothing is mounted over a mount point in use": (
        "src/node/scripts/mount.sh", '[ -z "$here" ] || die mount_point_in_use', ": || die mount_point_in_use",
        r"node\.on_block_machine.a_mount_point_in_use"),
    "S10 nothing is mounted over files": (
        "src/node/scripts/mount.sh", '[ -z "$(ls -A -- "$path")" ] || die', ": || die",
        r"node\.on_block_machine.a_mount_point_in_use"),
    "S11 only what was created empty is formatted": (
        "src/node/scripts/format.sh", '[ "$CREATED_EMPTY" = yes ] ||', ": ||", r"node\.on_block_machine.a_volume"),
    "S11 only what runctl created empty": (
        "src/volume/mount.cpp", "  if (!volume.tags.contains(tag::created_empty)) {", "  if (false) {",
        "disks/rules_test.py S11Formatting"),
    "S11 no copy is formatted": (
        "src/volume/mount.cpp", "  if (is_copy(volume)) {", "  if (false) {", "disks/rules_test.py S11Formatting"),
    "S11 nothing that does not read as zeros": (
        "src/node/scripts/format.sh", '  reads_zero "$1" "$2" && return 0', "  return 0", r"node\.on_block_machine.data"),
    "the serial of what was opened": (
        "src/node/scripts/device.sh", 'if [ "$serial" = "vol${VOLUME_ID#vol-}" ]; then', 'if [ -n "$serial" ]; then',
        r"node\.on_block_machine.(a_device|the_volume|two)"),
    "S13 the lock of the checkpoint directory": (
        "src/node/scripts/run_wrapper.sh", "  if flock -w 1 9; then", "  if flock -w 1 -s 9; then", r"node\.runs",
        "disks/rules_test.py S13OneCheckpointDirectory.test_of_two_runs_at_once_one_is_refused_and_told_who_has_it"),
    "S13 a process that has closed the lock keeps the next run out": (
        "src/node/scripts/run_wrapper.sh", 'if [ -n "$checkpoints" ] && is_left $$', "if false", r"node\.left_behind"),
    "S13 also one whose run is gone with its wrapper": (
        "src/node/scripts/run_wrapper.sh", '[ -z "$left" ] || put refused "left', '[ -n "$run" ] || put refused "left',
        r"node\.left_behind"),
    "S13 a fence that a crash has emptied is not the first": (
        "src/node/scripts/run_wrapper.sh", "    fence=\n", "    fence=0\n", r"node\.runs"),
    "S13 each run gets a fencing number of its own": (
        "src/node/scripts/run_wrapper.sh", "  fence=$((fence + 1))", "  fence=$((fence + 0))", r"node\.runs",
        "disks/rules_test.py S13OneCheckpointDirectory.test_the_fencing_number_goes_with_the_volume"),
    "runs: a number that is used again is not the run's": (
        "src/node/scripts/background.sh", ' && [ "${20}" = "$alive_wanted" ]', "", r"node\.(stopping|runs)"),
    "runs: who stopped it is written down before the signal": (
        "src/node/scripts/stop_run.sh", '    write_stop "$(date +%s)" "$SIGNAL" 0 "$BY"\n', "", r"node\.stopping"),
    "runs: the signal reaches what the program started": (
        "src/node/scripts/stop_run.sh", '      if (field[4] == ENVIRON["session"] || pid in is_marked) print pid',
        '      if (pid in is_marked && 0) print pid', r"node\.stopping"),
    "runs: what went into another session is found": (
        "src/node/scripts/stop_run.sh", '|| pid in is_marked) print pid', ') print pid', r"node\.stopping"),
    "runs: the status has its room on a full disk": (
        "src/node/scripts/start_run.sh", "printf '%4095s\\n' '' >\"$new/status\" && ", "", r"node\.outcomes"),
    "S14 no volume is deleted with its machine": (
        "src/fleet/terminate.cpp", "    if (device.delete_on_termination) {", "    if (false) {", r"fleet\.PlanTerminate",
        "disks/rules_test.py S14SwitchingAMachineOff.test_a_volume_that_would_go_with_its_machine_is_not_let_go"),
    "S14 unmounted before the machine is given back": (
        "src/fleet/terminate.cpp", "  if (plan.unmount_first) RUNCTL_TRY(quiesce_all(", "  if (false) RUNCTL_TRY(quiesce_all(",
        "disks/rules_test.py S14SwitchingAMachineOff"),
    "S14 a spot machine that EC2 does not stop keeps its volumes mounted": (
        "src/fleet/stop.cpp", "  if (facts.spot && (", "  if (false && (", r"fleet\.PlanStop"),
    "S14 unmounted before the machine is stopped": (
        "src/fleet/stop.cpp", "  if (plan.unmount_first) RUNCTL_TRY(quiesce_all(", "  if (false) RUNCTL_TRY(quiesce_all(",
        "disks/rules_test.py S14SwitchingAMachineOff"),
    "S14 a machine that cannot be reached is not given back": (
        "src/fleet/terminate.cpp", "  if (plan.unmount_first && !facts.agent_online)", "  if (false)",
        r"fleet\.PlanTerminate"),
    "S14 a machine that cannot be reached is not stopped": (
        "src/fleet/stop.cpp", "  if (plan.unmount_first && !facts.agent_online)", "  if (false)", r"fleet\.PlanStop"),
    "S15 an attached volume is not deleted": (
        "src/volume/plan_delete.cpp", "  if (!volume.attachments.empty()) {", "  if (false) {", r"volume\.PlanDelete"),
    "S15 a protected volume is not deleted": (
        "src/volume/plan_delete.cpp", "if (volume.tags.contains(tag::is_protected)) {", "if (false) {",
        r"volume\.PlanDelete", "disks/rules_test.py S15Deleting"),
    "S15 a sealed volume is not deleted": (
        "src/volume/plan_delete.cpp", "if (mode_of(volume) == VolumeMode::sealed) {", "if (false) {",
        r"volume\.PlanDelete", "disks/rules_test.py S15Deleting"),
    "S15 an only copy is deleted by its name alone": (
        "src/cli/ebs/delete.cpp", "  if (plan.is_only_copy) {\n    return ask_for_name(",
        "  if (plan.is_only_copy && false) {\n    return ask_for_name(", r"cli\.volumes", "disks/rules_test.py S15Deleting"),
    "S15 only a completed snapshot is a copy": (
        "src/volume/plan_delete.cpp", "return snapshot.state == SnapshotState::completed;",
        "return snapshot.state != SnapshotState::error;", r"volume\.PlanDelete"),
    "filling: what arrives is compared with its checksum": (
        "src/node/scripts/fetch_worker.sh", '    if [ "$wanted" = "${sum%% *}" ]; then', "    if true; then", r"node\.fetching"),
    "filling: no link on the volume is gone through": (
        "src/node/scripts/fetch.sh", '  elif [ -L "$directory" ]; then', "  elif false; then", r"node\.fetching"),
    "filling: nothing has its name before it is whole": (
        "src/node/scripts/fetch_worker.sh", "if (have[part] + 0 == $3 &&", "if (good &&", r"node\.fetching"),
    "filling: a temporary machine is given back": (
        "src/fleet/prewarm.cpp", "  return terminate_rented(change, what.machine);",
        "  return what.rented ? Result<void>{} : terminate_rented(change, what.machine);",
        "disks/prewarm_test.py PreWarm.test_a_temporary_machine_fills_it_and_is_gone"),
    "filling: only what is complete is sealed": (
        "src/fleet/prewarm.cpp", "if (!plan.seals || work.filling != Filling::complete)", "if (!plan.seals)",
        "disks/prewarm_test.py PreWarm.test_what_fails_is_listed_and_nothing_is_sealed"),
    "S16 journal before the request": (
        "src/journal/recorder.cpp", "  auto written = write();\n  if (written) return {};",
        "  if (operation_.steps.size() == 1) return {};\n  auto written = write();\n  if (written) return {};",
        r"journal\.", r"cli\.operations"),
    "S2 reading after an attach whose outcome is not known": (
        "src/volume/attach.cpp", "if (!must_be_read(sent.error()))", "if (must_be_read(sent.error()))", r"fault\."),
    "S2 an attach is sent once": (
        "src/aws/ec2/volume.hpp", '"AttachVolume", Idempotent::no}', '"AttachVolume", Idempotent::yes}', r"aws\.", r"fault\."),
    "object storage: a body is what its digest says": (
        "src/emulator/s3/incoming.cpp", "  if (!sha256_hex_.empty() && digests.sha256_hex() != sha256_hex_) {",
        "  if (false) {", "conformance/s3_test.py Wire.test_bodies_are_held_against_what_is_said_of_them"),
    "object storage: a body is what its check says": (
        "src/emulator/s3/incoming.cpp", "  if (claimed_->value == digests.checksum(claimed_->algorithm)) return {};",
        "  return {};", "conformance/s3_test.py Wire.test_bodies_are_held_against_what_is_said_of_them"),
    "object storage: a condition holds at the end as well": (
        "src/emulator/s3/write_object.cpp", "    return check_write(conditions_, existing);\n  };", "    return {};\n  };",
        "conformance/s3_test.py Wire.test_a_condition_is_judged_again_when_the_body_is_there"),
    "object storage: a reader keeps its files": (
        "src/emulator/s3/blobs.cpp", "      if (pins_.contains(segment.blob)) {", "      if (false) {",
        r"emulator\.S3StoreTest"),
    "object storage: what a crash left is swept": (
        "src/emulator/s3/blobs.cpp", "    fs::remove(at->path(), error);", "    (void)error;", r"emulator\.S3StoreTest",
        "conformance/s3_test.py Lasting.test_a_kill_loses_nothing_and_leaves_nothing"),
    "signature checking": (
        "src/aws/sigv4_verify.cpp", "if (!equal_in_constant_time(expected, presented.signature)) {",
        "if (expected.empty()) {", r"aws\.|emulator\."),
    "checkpoints: contents are compared with their checksums": (
        "src/checkpoint/zip_content.cpp", "if (crc.value() != member.crc)", "if (false)", r"checkpoint\.(Zip|Survey)"),
    "checkpoints: a folder that was half saved": (
        "src/checkpoint/survey.cpp", "  if (why.empty()) return;", "  return;", r"checkpoint\.Survey"),
    "checkpoints: what goes on is read whole first": (
        "src/checkpoint/newest.cpp", "inspect(place, one, Depth::contents)", "inspect(place, one, Depth::structure)",
        r"checkpoint\.Survey"),
    "resume: a checkpoint is verified before it is resumed from": (
        "src/node/scripts/newest_checkpoint.py", "            inspect(root, own_name, one, True)\n",
        "            inspect(root, own_name, one, False)\n", "cli/resume_test.py OnDirectories", "cli/resume_test.py SameVerdict"),
    "resume: contents are compared with their checksums on the machine": (
        "src/node/scripts/newest_checkpoint.py", "    if crc != member.crc:", "    if False:", "cli/resume_test.py SameVerdict"),
    "resume: here too": (
        "src/checkpoint/newest.cpp", "inspect(place, one, Depth::contents)", "inspect(place, one, Depth::structure)",
        "cli/resume_test.py Here"),
    "resume: where none verifies nothing is started": (
        "src/training/resume_point.cpp", "if (!chosen && point.choice.bad_count > 0)", "if (false)",
        "cli/resume_test.py Here", "cli/resume_test.py OnDirectories"),
    "resume: no choice while a run writes": (
        "src/node/scripts/choose_checkpoint.sh", 'flock -w 1 9 || die_busy', "flock -w 1 9 || : die_busy",
        r"node\.checkpoint_choices"),
    "resume: a choice is void once another run had the directory": (
        "src/node/scripts/run_wrapper.sh", 'if [ -n "$expected" ] && [', "if false && [", r"node\.checkpoint_choices"),
    "checkpoints: a tensor that is cut off": (
        "src/checkpoint/safetensors.cpp", "if (at > size)", "if (false)", r"checkpoint\.Safetensors", r"checkpoint\.of/WholeFiles"),
    "checkpoints: an HDF5 file that is cut off": (
        "src/checkpoint/hdf5.cpp", "if (superblock.end_of_file > source.size())", "if (false)", r"checkpoint\.of/WholeFiles"),
    "checkpoints: a damaged one is not counted as kept": (
        "src/checkpoint/retention.cpp", "other.series != one.series || !is_good(other)", "other.series != one.series",
        r"checkpoint\.Retention"),
    "checkpoints: the newest stays by number and by time": (
        "src/checkpoint/retention.cpp", "return std::min(higher, later);", "return higher;", r"checkpoint\.Retention"),
    "checkpoints: nothing goes that other names lead to": (
        "src/checkpoint/retention.cpp", "if (one.is_linked)", "if (false)", r"checkpoint\.Retention", r"cli\.checkpoint"),
    "checkpoints: what changed after the question stays": (
        "src/cli/checkpoint/cleanup.cpp", "if (found == now.end() || found->second != file) return false;",
        "if (found == now.end()) return false;", r"cli\.checkpoint"),
    "code: secrets are not sent": (
        "src/training/code_walk.cpp", "if ((place.secret || is_secret(name)) &&", "if (name.empty() &&",
        r"training\.code_tree", r"cli\.code"),
    "code: no link is followed out of the project": (
        "src/training/code_walk.cpp", 'if (inside.empty() || *inside.begin() == "..") {', 'if (inside == "never") {',
        r"training\.code_tree", r"cli\.code"),
    "code: no run starts from a tree that was cut off in the middle": (
        "src/node/scripts/place_code.sh", "  rm -f -- manifest || die", "  : || die", r"node\.placing_code"),
    "code: an archive upon another state is not applied": (
        "src/node/scripts/place_code.sh", '{ [ -z "$BASE" ] || [ "$have" = "$BASE" ]; }', ":", r"node\.placing_code"),
    "code: what arrived is what was sent": (
        "src/node/scripts/place_code.sh", '[ "$(sha256sum <archive | cut -c 1-64)" = "$ARCHIVE_SHA256" ] ||', ": ||",
        r"node\.placing_code"),
    "code: what an archive leads to is what was meant": (
        "src/node/scripts/place_code.sh", '[ "$(sha256sum <new/manifest | cut -c 1-64)" = "$STATE" ] ||', ": ||",
        r"node\.placing_code"),
    "code: a run's files are its own": (
        "src/node/scripts/place_code.sh", "cp -a --reflink=auto -- tree", "cp -a -l -- tree", r"node\.placing_code"),
    "code: a file that changed just before it was looked at is read again": (
        "src/training/stat_cache.cpp", "std::max(stamp.modified_ns, stamp.changed_ns) >= settled_before",
        "stamp.size > 1000000000000U", r"training\.stat_cache"),
    "files: what another transfer of the same content has taken away is not written to": (
        "src/node/scripts/put_file.sh", '[ "$(inode_of "$part")" != "$(inode_of /proc/self/fd/9)" ] || break', "break",
        r"node\.put_file_on_machine"),
    "packages: only what was installed to its end is used": (
        "src/node/scripts/prepare_packages.sh", 'if [ -e "$environment/.complete" ]; then', 'if [ -d "$environment" ]; then',
        "cli/packages_test.py OnThisMachine.test_one_that_was_killed_half_way_is_made_again"),
    "packages: without them nothing is started": (
        "src/node/scripts/prepare_packages.sh", '  packages_say "$*"\n  exit 125', '  packages_say "$*"',
        "cli/packages_test.py OnThisMachine.test_an_installation_that_fails_ends_the_run_with_its_output"),
    "workflow: a machine that comes to no run is given back": (
        "src/cli/workflow/operation.cpp", "    if (end == fleet::MachineEnd::keep) return keep(what, by_hand);",
        "    if (end != fleet::MachineEnd::stop) return keep(what, by_hand);",
        "cli/workflow_test.py OnDisks.test_what_comes_to_no_run_is_given_back"),
    "workflow: so is the volume that was made for it": (
        "src/cli/workflow/operation.cpp", "    if (is_used || end == fleet::MachineEnd::keep || !all_) return keep(what, by_hand);",
        "    if (is_used || end != fleet::MachineEnd::stop) return keep(what, by_hand);",
        "cli/workflow_test.py OnDisks.test_what_comes_to_no_run_is_given_back"),
    "workflow: no volume is its own that it did not make": (
        "src/fleet/provision.cpp", "    if (std::ranges::find(tokens, by) != tokens.end()) made", "    if (!by.empty()) made",
        "cli/workflow_test.py OnDisks.test_a_volume_whose_name_moves_on_is_still_the_one"),
    "workflow: Ctrl-C does not keep anything from being given back": (
        "src/cli/workflow/operation.cpp",
        "  const volume::Session own = fleet::patient(change.session);\n  const Change last{.session = own,",
        "  const Change last{.session = change.session,",
        "cli/workflow_test.py OnDisks.test_interrupted_before_there_is_a_run_it_leaves_nothing"),
    "workflow: a volume of which no answer came is not forgotten": (
        "src/cli/workflow/operation.cpp", "  if (!back.all() || !made || may_make_more(operation)) {", "  (void)may_make_more;\n  if (!back.all() || !made) {",
        "cli/workflow_test.py OnDisks.test_a_volume_of_which_no_answer_came_is_not_forgotten"),
    "workflow: one machine for one job": (
        "src/cli/workflow/operation.cpp", "  if (!rented_before.empty()) return rented_before.back();", "  (void)rented_before;",
        "cli/workflow_test.py OnDisks.test_killed_anywhere_it_is_finished_by_resume"),
    "workflow: a machine in another's place that came to no run is given back": (
        "src/cli/workflow/operation.cpp", "  RUNCTL_TRY(give_back_unused(change, run));", "  (void)give_back_unused;",
        "cli/workflow_test.py OnDisks.test_killed_before_the_next_machine_has_its_run_none_is_left"),
    "workflow: a run that goes on keeps its machine": (
        "src/cli/workflow/operation.cpp", "  if (!status || (*status && goes_on(**status)))", "  (void)goes_on;\n  if (!status)",
        "cli/workflow_test.py OnDisks.test_a_run_that_is_left_goes_on_and_is_come_back_to"),
    "workflow: how the run ended is known when its machine is gone": (
        "src/cli/workflow/operation.cpp", "  auto written = write_end(change, end);", "  Result<void> written{};",
        "cli/workflow_test.py OnDisks.test_killed_anywhere_it_is_finished_by_resume"),
    "workflow: the machine is given back at the end": (
        "src/cli/workflow/ending.cpp", "MachineEnd::terminate || !can_stop)\n    return workflow.spec.end;",
        "MachineEnd::terminate || !can_stop)\n    return MachineEnd::keep;",
        "cli/workflow_test.py OnDisks.test_the_whole_job"),
    "workflow: a machine with the only copy is kept": (
        "src/cli/workflow/ending.cpp", "  return !end.results_are_whole && !workflow.train.checkpoint_volume;",
        "  return !end.results_are_whole && workflow.train.checkpoint_volume;",
        "cli/workflow_test.py OnDisks.test_a_machine_with_the_only_copy_is_kept"),
    "workflow: a machine that cannot be given back leaves it open": (
        "src/cli/workflow/ending.cpp", "      ended.error().effect = Effect::unknown;", "      ",
        "cli/workflow_test.py OnDisks.test_a_machine_that_cannot_be_given_back_is_not_forgotten"),
    "workflow: one snapshot": (
        "src/cli/workflow/ending.cpp", "  if (before) return *std::move(before);", "  (void)before;",
        "cli/workflow_test.py OnDisks.test_a_machine_that_cannot_be_given_back_is_not_forgotten"),
    "workflow: the snapshot at the end is none of before": (
        "src/cli/workflow/ending.cpp", "  const auto end = std::ranges::find(steps, std::string{end_step}, &journal::Step::action);",
        "  const auto end = steps.begin();",
        "cli/workflow_test.py OnDisks.test_the_snapshot_at_the_end_is_none_of_an_interruption"),
    "workflow: the log outlives the machine": (
        "src/cli/workflow/ending.cpp", "  const bool log_is_safe = keep_log(workflow, last, end, rest);",
        "  (void)keep_log;\n  const bool log_is_safe = true;",
        "cli/workflow_test.py OnDisks.test_the_whole_job"),
    "workflow: nothing is kept where the volume was": (
        "src/node/scripts/keep_run.sh", '[ -d "$checkpoints" ] || die no_checkpoints', ": || die no_checkpoints",
        r"node\.runs\.what_it_left_is_not_kept"),
    "workflow: nothing is rented for a volume that another machine holds": (
        "src/cli/workflow/train.cpp", "  RUNCTL_TRY_LET(spec.launch.zone, fleet::zone_for(training::volumes_of(train), spec.launch.zone));",
        "  (void)spec;",
        "cli/workflow_test.py OnDisks.test_what_stands_against_it_is_said_before_anything_is_rented"),
    "workflow: an operation that was ended in a state stays in it": (
        "src/journal/recorder.cpp", "  if (operation_.state != State::open) return {};\n", "", r"journal\.RecorderTest",
        "cli/workflow_test.py OnDisks.test_interrupted_before_there_is_a_run_it_leaves_nothing"),
    "S14 results on the machine's own disk are not lost with it": (
        "src/fleet/terminate.cpp", "only_copy != facts.runs.end() && results", "false && results", r"fleet\.PlanTerminate"),
    "S14 nor while the machine cannot be asked about them": (
        "src/fleet/terminate.cpp", "if (!facts.runs_are_known && !facts", "if (facts.runs_are_known && !facts",
        r"fleet\.PlanTerminate"),
    "interruption: the volumes are unmounted": (
        "src/node/scripts/watch_run.sh", "  for volume in $VOLUMES; do", "  for volume in; do", r"node\.watching_a_spot_machine\.a_notice"),
    "interruption: an end that the hook brings about is none of the run's own": (
        "src/node/scripts/watch_run.sh", "  stop_run note no 0\n", "", r"node\.watching_a_spot_machine\.a_program_that_the_hook"),
    "interruption: what a user had stopped is not gone on with": (
        "src/cli/instance/train_interruption.cpp", "run->stop && run->stop->by != node::interruption_notice", "false",
        "disks/interruption_test.py Interruption.test_a_run_that_was_stopped_before_is_not_gone_on_with"),
    "interruption: what does not end in time is killed": (
        "src/node/scripts/watch_run.sh", '|| stop_run no yes 20', "|| true", r"node\.watching_a_spot_machine\.a_program_that"),
    "interruption: a volume in use is not given up before the time is over": (
        "src/node/scripts/watch_run.sh", """*'"code":"busy"'* | """, "", r"node\.watching_a_spot_machine\.a_volume_that_is_free_late"),
    "interruption: what is still uploaded is waited for": (
        "src/node/scripts/watch_run.sh", "\n  wait_for_upload\n", "\n",
        "disks/interruption_test.py Interruption.test_the_last_checkpoint_is_in_s3_too_before_its_volume_is_unmounted"),
    "interruption: only spot machines are watched": (
        "src/node/scripts/watch_run.sh", '[ "$body" = spot ] || break', ":", r"node\.watching_a_spot_machine\.a_machine"),
    "interruption: hibernation ends nothing": (
        "src/node/scripts/watch_run.sh", '[ "$action" = hibernate ]', "false", r"node\.watching_a_spot_machine\.hibernation"),
    "interruption: the watcher is no process of the run": (
        "src/node/scripts/run_wrapper.sh", "  setsid /bin/sh watch.sh", "  /bin/sh watch.sh", r"node\.watching_a_spot_machine\.a_notice"),
    "interruption: the watcher does not hold the checkpoint directory": (
        "src/node/scripts/run_wrapper.sh", "watch.sh 8>&- 9>&-", "watch.sh", r"node\.watching_a_spot_machine\.a_notice"),
    "interruption: the wrapper does not hold it either": (
        "src/node/scripts/run_wrapper.sh", "\nfi\nexec 9>&-\n", "\nfi\n",
        r"node\.watching_a_spot_machine\.a_notice"),
    "interruption: the wrapper waits for the watcher": (
        "src/node/scripts/run_wrapper.sh", '  [ -n "$noticed" ] || kill "$watcher"', '  kill "$watcher"',
        r"node\.watching_a_spot_machine\.a_notice"),
    "interruption: only what EC2 takes back is replaced": (
        "src/fleet/replace.cpp", 'return instance.reason_code.starts_with("Server.SpotInstance");', "return !instance.id.str().empty();",
        "disks/interruption_test.py Interruption.test_a_machine_that_loses_its_power_is_not_replaced"),
    "interruption: --no-fallback rents nothing on demand": (
        "src/fleet/replace.cpp", "if (market == Market::on_demand && !spec.on_demand_allowed) continue;", "",
        "disks/interruption_test.py Interruption.test_without_any_machine_the_volumes_are_safe_and_nothing_is_rented"),
    "interruption: the next machine goes on and does not begin": (
        "src/cli/instance/train_interruption.cpp", "  spec.resume = training::Resume::yes;\n", "",
        "disks/interruption_test.py Interruption.test_a_run_goes_on_on_another_machine_to_the_same_model"),
    "interruption: the volumes are taken off before another machine has them": (
        "src/cli/instance/train_interruption.cpp", "RUNCTL_TRY(take_off_all(attended));",
        "if (!plan.is_spot) RUNCTL_TRY(take_off_all(attended));",
        "disks/interruption_test.py Interruption.test_a_machine_that_is_taken_without_time_is_replaced_too",
        "disks/interruption_test.py Interruption.test_a_run_goes_on_on_another_machine_to_the_same_model"),
    "results: S3 lets a form do nothing but what its policy says": (
        "src/aws/s3/post_policy.cpp", "if (!holds) return refused", "if (!holds && bucket.empty()) return refused",
        r"aws\.PostPolicy"),
    "results: what is sent is compared with its SHA-256": (
        "src/node/scripts/upload.sh", 'quoted("x-amz-checksum-sha256=" $4)', 'quoted("x-ignored=" $4)', r"node\.uploading"),
    "results: a file that is written to is not sent yet": (
        "src/node/scripts/upload.sh", 'if (final != "yes" && seen[path] != stat &&', "if (0 &&",
        r"node\.uploading.it_is_sent"),
    "results: what nothing was said of was not sent": (
        "src/node/scripts/upload.sh", 'if [ "$1" = yes ]; then check_all_said; fi', ":",
        r"node\.uploading.what_a_killed"),
    "results: what goes with its directory was not sent": (
        "src/node/scripts/upload.sh", '[ "$(device_of "$root")" = "$1" ] ||', ":", r"node\.uploading.what_goes"),
    "results: what has not changed is not sent again": (
        "src/node/scripts/upload.sh", "if (is_none(path) || known[path] == stat) next", "if (is_none(path)) next",
        r"node\.uploading"),
    "results: what uploads does not hold the checkpoint directory": (
        "src/node/scripts/run_wrapper.sh", "\nfi\nexec 9>&-\n", "\nfi\n", r"node\.uploading.a_stopped"),
    "results: what uploads is no process of the run": (
        "src/node/scripts/run_wrapper.sh", "  setsid --wait /bin/sh", "  /bin/sh", r"node\.uploading.a_stopped"),
    "results: the last upload is made also when what uploads was killed": (
        "src/node/scripts/run_wrapper.sh", "\nfinish_upload\n# What", "\n# What", r"node\.uploading.one_that_is_killed"),
    "results: who waits for a run waits for its results": (
        "src/training/follow.cpp", "(!progress->run.upload || progress->run.upload->is_over())", "true",
        r"training\.run_following"),
    "data of S3: no run without all of them": (
        "src/cli/instance/train_data.cpp", "  if (!report_.failed.empty()) return", "  if (false) return",
        "cli/data_test.py OnDirectories.test_a_run_whose_data_are_not_whole_is_not_started"),
    "S3: what --delete takes is asked about first": (
        "src/cli/s3/sync.cpp", "  if (context.globals.yes) return std::nullopt;", "  if (true) return std::nullopt;",
        "cli/s3_test.py Sync.test_delete_asks_first_and_deletes_last"),
    "S3: --delete for an empty source is no consent": (
        "src/cli/s3/sync.cpp", "    if (jobs.in_source() == 0) return empty_source(task, surplus);\n", "",
        "cli/s3_test.py Sync.test_delete_from_an_empty_source_is_refused"),
    "S3: links and empty directories are no files of a source": (
        "src/transfer/sync_plan.hpp", "{ return !source.name.empty() && source.blocked.empty(); }", "{ return !source.name.empty(); }",
        "cli/s3_test.py Sync.test_delete_from_a_source_that_has_only_what_is_no_file_is_refused"),
    "S3: nothing is deleted when not all has arrived": (
        "src/cli/s3/sync.cpp", "    if (summary.failed > 0 || report.failed() > 0) {", "    if (false) {",
        "cli/s3_test.py Sync.test_nothing_is_deleted_when_something_failed"),
    "S3: what was written after the question about --delete stays": (
        "src/cli/s3/sync.cpp", "if (!surplus_.contains(step->target)) {", "if (false) {",
        "cli/s3_test.py Asked.test_a_sync_spares_what_was_written_after_the_question",
        "cli/s3_test.py Sync.test_a_source_that_goes_away_takes_nothing_with_it"),
    "S3: links and special files are not deleted": (
        "src/transfer/sync_plan.cpp", "if (!item.blocked.empty() || is_protected(item.name)) return std::nullopt;",
        "if (is_protected(item.name)) return std::nullopt;",
        "cli/s3_test.py Sync.test_delete_here_takes_files_and_nothing_else"),
    "S3: what is behind something unread is not deleted": (
        "src/transfer/sync_plan.cpp", "if (!item.blocked.empty() || is_protected(item.name)) return std::nullopt;",
        "if (!item.blocked.empty()) return std::nullopt;", r"transfer\.SyncPlan"),
    "S3: a list without order deletes nothing": (
        "src/transfer/sync_plan.cpp", "  if (side.begun && side.item->name <= side.last) {", "  if (false) {",
        r"transfer\.SyncPlan"),
    "S3: a sync puts no object in a link's place": (
        "src/transfer/sync_plan.cpp", "  if (!step.target.blocked.empty()) {", "  if (false) {", r"transfer\.SyncPlan",
        "cli/s3_test.py Sync.test_an_object_where_a_link_is_does_not_follow_it"),
    "S3: another size is another content": (
        "src/transfer/sync_plan.cpp", """  if (source.size != target.size) return {.action = SyncAction::replace, .why = "size"};\n""", "",
        r"transfer\.CompareItems"),
    "S3: a file that is newer than its object has changed": (
        "src/transfer/sync_plan.cpp", "      if (source_time > target_time) return {.action = SyncAction::replace,",
        "      if (source_time > target_time && rules.by_checksum) return {.action = SyncAction::replace,",
        r"transfer\.CompareItems"),
    "S3: the same second decides nothing": (
        "src/transfer/sync_plan.cpp", """      return {.action = SyncAction::compare, .why = "same second"};""", "      return {};",
        r"transfer\.CompareItems"),
    "S3: a file with another time than its object is compared": (
        "src/transfer/sync_plan.cpp", "if (target.modified == source.modified || target.modified == source_time) return {};",
        "if (target.modified >= source_time) return {};", r"transfer\.CompareItems",
        "cli/s3_test.py Sync.test_what_came_down_is_known_again_and_what_was_changed_comes_anew"),
    "S3: the removal of an object is asked about": (
        "src/cli/s3/remove.cpp", """  RUNCTL_TRY(ask_consent(context, fmt::format("Remove {}?", what)));\n""", "",
        "cli/s3_test.py OneObject.test_remove_asks_and_is_idempotent"),
    "S3: the removal of a folder is asked about": (
        "src/cli/s3/remove.cpp", "  if (any) RUNCTL_TRY(consent(", "  if (any && false) RUNCTL_TRY(consent(",
        "cli/s3_test.py Trees.test_remove_of_a_folder_shows_asks_and_spares"),
    "S3: a whole bucket goes only by its name": (
        "src/cli/s3/remove.cpp", "  if (is_whole_bucket(uri)) {",
        "  if (is_whole_bucket(uri) && false) {",
        "cli/s3_test.py Trees.test_remove_of_a_folder_shows_asks_and_spares"),
    "S3: what was written after the question about a folder stays": (
        "src/cli/s3/remove.cpp", "if (planned && !planned->consented.contains(named.object)) {", "if (false) {",
        "cli/s3_test.py Asked.test_a_removal_spares_what_was_written_after_the_question"),
    "S3: a download's note is believed only of bytes that are there": (
        "src/transfer/partial_file.cpp", "    if (there) {", "    if (there || true) {", r"transfer\.ResumeTest"),
    "S3: an upload whose note is torn is told": (
        "src/transfer/upload_record.cpp", "if (!record.found_ && had_one)", "if (!record.found_ && had_one && false)",
        r"transfer\.ResumeTest"),
    "S3: what cat has written is what S3 has": (
        "src/cli/s3/cat.cpp", "again_.value() != crc_.value()) return", "again_.value() != crc_.value() && false) return",
        "cli/s3_test.py OneObject.test_cat_never_says_of_damaged_bytes_that_they_are_the_object"),
    "S3: a copy that is stored in another way keeps its metadata": (
        "src/transfer/s3_store.cpp", "  if (request.replaces_headers) {", "  if (true) {",
        "cli/s3_test.py OneObject.test_a_copy_that_is_stored_in_another_way_says_of_itself_what_its_source_says"),
    "S3: a clean-up of checkpoints is asked about": (
        "src/cli/s3/cleanup.cpp", "  RUNCTL_TRY(ask_consent(", "  (void)(ask_consent(",
        "cli/s3_test.py Cleanup.test_the_last_n_stay_and_the_rest_goes_after_consent"),
    "S3: a clean-up takes what was shown and nothing else": (
        "src/cli/s3/cleanup.cpp", "                    if (!gone.consented.contains(named.object)) return std::nullopt;\n", "",
        "cli/s3_test.py Cleanup.test_the_last_n_stay_and_the_rest_goes_after_consent"),
    "S3: a checkpoint in doubt is not counted as kept": (
        "src/transfer/cleanup_plan.cpp", "    if (!other.doubt.empty()) continue;\n", "", r"transfer\.PlanCleanup"),
    "S3: the newest checkpoints stay by number and by time": (
        "src/transfer/cleanup_plan.cpp", "return higher >= keep_last && later >= keep_last;", "return higher >= keep_last;",
        r"transfer\.PlanCleanup"),
    "S3: what is called best goes with no number": (
        "src/transfer/cleanup_plan.cpp", "  if (is_set_apart(path)) return std::nullopt;\n", "", r"transfer\.ReadCheckpointName"),
    "S3: an upload that may be under way is not aborted": (
        "src/cli/s3/abandoned.cpp", "if (begun > before || !is_in(wanted, upload.key)) continue;",
        "if ((begun > before && false) || !is_in(wanted, upload.key)) continue;",
        "cli/s3_test.py Cleanup.test_uploads_that_nobody_finished_are_aborted"),
    "S3: an upload to another folder is not aborted": (
        "src/cli/s3/abandoned.cpp", "if (begun > before || !is_in(wanted, upload.key)) continue;",
        "if (begun > before || (!is_in(wanted, upload.key) && false)) continue;",
        "cli/s3_test.py Cleanup.test_uploads_that_nobody_finished_are_aborted"),
    "S3: an upload that the patterns leave out is not aborted": (
        "src/cli/s3/abandoned.cpp", "         wanted.filter.takes_file(std::string_view{key}.substr(folder.size()));",
        "         (wanted.filter.takes_file(std::string_view{key}.substr(folder.size())) || true);",
        "cli/s3_test.py Cleanup.test_uploads_that_nobody_finished_are_aborted"),
    "S3: aborting uploads is asked about": (
        "src/cli/s3/abandoned.cpp", "  RUNCTL_TRY(\n      ask_consent(", "  (void)(\n      ask_consent(",
        "cli/s3_test.py Cleanup.test_uploads_that_nobody_finished_are_aborted"),
    "S3: no name leads out of the directory": (
        "src/transfer/object_name.cpp", """    if (component == "." || component == "..") return NameFault::dot_component;\n""", "",
        r"transfer\.FaultOfName", "cli/s3_test.py Trees.test_hostile_keys_are_never_written_outside_and_each_is_reported"),
    "S3: no link leads out of the directory": (
        "src/io/directory.cpp", "directory_flags | O_NOFOLLOW)};", "directory_flags)};", r"transfer\.EngineTest",
        "cli/s3_test.py Trees.test_a_link_in_the_target_leads_nothing_out"),
    "S3: nothing is read over a link that replaces a directory": (
        "src/io/random_access_file.cpp", "component.c_str(), flags | O_NOFOLLOW)};", "component.c_str(), flags)};",
        r"io\.RandomAccessFile", r"transfer\.EngineTest"),
    "S3: an existing object stays where that was asked": (
        "src/cli/s3/options.cpp", """  return {.absent = arguments.has("--if-none-match")};""",
        """  return {.absent = arguments.has("--if-none-match") && false};""",
        "cli/s3_test.py OneObject.test_what_is_there_is_kept_when_asked"),
    "keys of customers: sent by https only": (
        "src/aws/s3/client.cpp", "if (!carries_customer_key(request) || keeps_bodies_private(request)) return {};",
        "if (!carries_customer_key(request) || !request.key.empty()) return {};", r"aws\.CustomerKey"),
    "keys of customers: of 32 bytes": (
        "src/aws/s3/customer_key.cpp", "  if (bytes.size() != length) {", "  if (bytes.empty()) {", r"aws\.CustomerKey"),
    "keys of customers: an upload goes on with its own": (
        "src/transfer/upload_record.cpp", "  if (!key_print.empty()) add(key_print);", """  if (key_print == "-") add(key_print);""",
        r"transfer\.EngineTest", "cli/s3_keys_test.py Interrupted.test_an_upload_goes_on_with_the_same_key_alone"),
    "keys of customers: their ETags are compared with nothing": (
        "src/transfer/content.cpp", "  if (facts.etag_is_opaque || digits.size() != 32", "  if (digits.size() != 32",
        r"transfer\.CompareContent"),
    "keys of customers: another key opens nothing": (
        "src/emulator/s3/customer_key.cpp", "  if (is_key_of(*brought, stored)) return {};", "  if (brought) return {};",
        r"emulator\.S3CustomerKey"),
    "keys of customers: a part has its upload's": (
        "src/emulator/s3/customer_key.cpp", "  if (!brought || is_key_of(*brought, stored)) return {};",
        "  if (!brought || brought) return {};", r"emulator\.S3CustomerKey"),
}


def run(*words, **options):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, **options)


def copy_tree():
    files = run("git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").stdout
    for name in filter(None, files.split("\0")):
        source, target = ROOT / name, COPY / name
        if not source.is_file():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != source.read_bytes():
            shutil.copy(source, target)


def targets_of(tests):
    """What has to be built for them; the whole takes minutes."""
    modules = re.findall(r"\b(aws|emulator|fleet|journal|node|transfer|volume|fault)\\\.", tests)
    targets = {f"{module}_tests" for module in modules}
    if ".py" in tests or re.search(r"cli|disks|fault|conformance", tests):
        targets.add("runctl")
    return sorted(targets)


def build(*targets):
    if not (BUILD / "build.ninja").exists():
        run("cmake", "--preset", "dev", cwd=COPY)
    built = run("cmake", "--build", "--preset", "dev", *(["--target", *targets] if targets else []), cwd=COPY)
    if built.returncode != 0:
        sys.exit(built.stdout[-3000:])


def failing(asked):
    """Which of the tests fail."""
    if ".py" in asked:
        file, *which = asked.split()
        outcome = run("/usr/bin/python3", COPY / "tests" / file, *which, cwd=COPY,
                      env={**os.environ, "RUNCTL": str(BUILD / "src/main/runctl"), "PYTHONDONTWRITEBYTECODE": "1"})
        if "skipped" in outcome.stderr:
            sys.exit(f"{asked} was skipped:\n{outcome.stderr[-2000:]}")
        failed = re.findall(r"^(?:FAIL|ERROR): (\w+) ", outcome.stderr, re.M)
        said = outcome.stderr
    else:
        outcome = run("ctest", "--preset", "dev", "-R", asked, cwd=COPY)
        failed = re.findall(r"^\s*\d+ - (\S+).*\((?!Skipped)\w+\)$", outcome.stdout, re.M)
        failed += re.findall(r"^(?:FAIL|ERROR): (\w+) ", outcome.stdout, re.M)
        said = outcome.stdout + outcome.stderr
        if "No tests were found" in said:
            sys.exit(f"there is no test {asked}")
    if outcome.returncode != 0 and not failed:
        sys.exit(said[-2000:])
    return sorted(set(failed))


def check_rows():
    for name, (file, text, *_) in GUARDS.items():
        if (count := (ROOT / file).read_text().count(text)) != 1:
            sys.exit(f"{name}: {file} has {count} times: {text}")


def main(words):
    keep, ask_all = "--keep" in words, "--all" in words
    chosen = [word for word in words if not word.startswith("--")] or list(GUARDS)
    check_rows()
    copy_tree()
    build()
    unnoticed = []
    for name in chosen:
        file, text, instead, *tests = GUARDS[name]
        whole = (ROOT / file).read_text()
        try:
            (COPY / file).write_text(whole.replace(text, instead))
            failed = []
            for asked in tests:
                if ask_all or not failed:
                    build(*targets_of(asked))
                    failed += failing(asked)
        finally:
            (COPY / file).write_text(whole)
        print(f"{name}: {'NOBODY NOTICES' if not failed else f'{len(failed)} fail'}", flush=True)
        for test in failed[:6]:
            print(f"    {test}")
        if not failed:
            unnoticed.append(name)
    build()
    asked = dict.fromkeys(test for name in chosen for test in GUARDS[name][3:])
    left = [test for each in asked for test in failing(each)]
    print("with all guards in place: " + (", ".join(left) if left else "all pass"))
    if not keep:
        shutil.rmtree(COPY)
    return 1 if unnoticed or left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
