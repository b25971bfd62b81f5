// The rows of the command table, each defined beside the code that runs it.
#pragma once

#include "cli/command.hpp"
#include "cli/context.hpp"

namespace runctl::cli {

extern const CommandSpec quickstart;
extern const CommandSpec aws_create;
extern const CommandSpec aws_list;
extern const CommandSpec aws_status;
extern const CommandSpec aws_wait;
extern const CommandSpec aws_start;
extern const CommandSpec aws_stop;
extern const CommandSpec aws_terminate;
extern const CommandSpec aws_train;
extern const CommandSpec aws_monitor;
extern const CommandSpec aws_processes;
extern const CommandSpec ebs_create;
extern const CommandSpec ebs_list;
extern const CommandSpec ebs_show;
extern const CommandSpec ebs_attach;
extern const CommandSpec ebs_detach;
extern const CommandSpec ebs_move;
extern const CommandSpec ebs_mount;
extern const CommandSpec ebs_unmount;
extern const CommandSpec ebs_snapshot;
extern const CommandSpec ebs_snapshots;
extern const CommandSpec ebs_restore;
extern const CommandSpec ebs_clone;
extern const CommandSpec ebs_seal;
extern const CommandSpec ebs_unseal;
extern const CommandSpec ebs_verify;
extern const CommandSpec ebs_warm;
extern const CommandSpec ebs_pre_warm;
extern const CommandSpec ebs_modify;
extern const CommandSpec ebs_protect;
extern const CommandSpec ebs_unprotect;
extern const CommandSpec ebs_delete;
extern const CommandSpec ebs_check;
extern const CommandSpec ebs_advise;
extern const CommandSpec s3_upload;
extern const CommandSpec s3_download;
extern const CommandSpec s3_sync;
extern const CommandSpec s3_list;
extern const CommandSpec s3_copy;
extern const CommandSpec s3_remove;
extern const CommandSpec s3_cleanup;
extern const CommandSpec s3_presign;
extern const CommandSpec s3_cat;
extern const CommandSpec s3_du;
extern const CommandSpec s3_create;
extern const CommandSpec checkpoint_list;
extern const CommandSpec checkpoint_info;
extern const CommandSpec checkpoint_verify;
extern const CommandSpec checkpoint_resume;
extern const CommandSpec checkpoint_cleanup;
extern const CommandSpec local;
extern const CommandSpec workflow_train;
extern const CommandSpec monitor;
extern const CommandSpec runs_list;
extern const CommandSpec runs_show;
extern const CommandSpec runs_stop;
extern const CommandSpec runs_logs;
extern const CommandSpec operations_list;
extern const CommandSpec operations_show;
extern const CommandSpec operations_resume;
extern const CommandSpec operations_abandon;
extern const CommandSpec emulator_run;
extern const CommandSpec emulator_start;
extern const CommandSpec emulator_stop;
extern const CommandSpec emulator_status;
extern const CommandSpec emulator_reset;
extern const CommandSpec emulator_logs;
extern const CommandSpec emulator_fault_add;
extern const CommandSpec emulator_fault_list;
extern const CommandSpec emulator_fault_clear;
extern const CommandSpec init_project;
extern const CommandSpec config_show;
extern const CommandSpec config_validate;
extern const CommandSpec completion;
extern const CommandSpec help;

}  // namespace runctl::cli
