#include <array>

#include "cli/commands.hpp"
#include "cli/run.hpp"

namespace runctl::cli {

// NOLINTNEXTLINE(readability-function-size): a table
std::span<const CommandSpec> command_table() {
  // clang-format off: a row a command
  static const std::array table{
      init_project,
      quickstart,
      aws_create,
      aws_list,
      aws_status,
      aws_wait,
      aws_train,
      aws_monitor,
      aws_processes,
      aws_start,
      aws_stop,
      aws_terminate,
      ebs_create,
      ebs_list,
      ebs_show,
      ebs_attach,
      ebs_detach,
      ebs_move,
      ebs_mount,
      ebs_unmount,
      ebs_snapshot,
      ebs_snapshots,
      ebs_restore,
      ebs_clone,
      ebs_seal,
      ebs_unseal,
      ebs_verify,
      ebs_warm,
      ebs_pre_warm,
      ebs_modify,
      ebs_protect,
      ebs_unprotect,
      ebs_delete,
      ebs_check,
      ebs_advise,
      s3_upload,
      s3_download,
      s3_sync,
      s3_list,
      s3_copy,
      s3_remove,
      s3_cleanup,
      s3_presign,
      s3_cat,
      s3_du,
      s3_create,
      local,
      runs_list,
      runs_show,
      runs_logs,
      runs_stop,
      monitor,
      operations_list,
      operations_show,
      operations_resume,
      operations_abandon,
      emulator_run,
      emulator_start,
      emulator_stop,
      emulator_status,
      emulator_reset,
      emulator_logs,
      emulator_fault_add,
      emulator_fault_list,
      emulator_fault_clear,
      config_show,
      config_validate,
      completion,
      help,
  };
  // clang-format on
  return table;
}

}  // namespace runctl::cli
