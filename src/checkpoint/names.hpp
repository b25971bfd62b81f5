// What the names of checkpoints say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/finding.hpp"

namespace runctl::checkpoint {

// Of a file's or folder's own name (no path): "epoch_12.pt", "checkpoint-500",
// "epoch=3-step=1000-val_loss=0.23.ckpt". A number behind epoch or ep is one, behind step, iter or
// iteration a step; behind checkpoint, ckpt, chkpt or round a step where nothing else is. Any other
// word with '=' and a number is a metric, without '=' if it has one of the usual words (loss, acc,
// f1, …) in it and the number has a point.
[[nodiscard]] Facts facts_of_name(std::string_view name);

// Whether a writer has yet to give the file its name, or died before it: ".writing-x" as
// examples/digits has it, "tmp-checkpoint-500", "x.tmp", "x.part", ".x.tmp.123".
[[nodiscard]] bool is_unfinished_name(std::string_view name);

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Of a file: by its extension it holds weights or a training's state.
[[nodiscard]] bool is_data_name(std::string_view name);
// By its extension it is text for people or programs, whatever its name has in it.
[[nodiscard]] bool is_text_name(std::string_view name);

// "best.pt", "last.ckpt", "model_final.h5", "latest": named for what it is, not for when.
[[nodiscard]] bool is_named_for_its_place(std::string_view name);
// "last.ckpt", "latest.pt": written anew each time, so that none is newer.
[[nodiscard]] bool is_named_for_being_last(std::string_view name);

// The extension in lower case with its dot, "" without one; of "x.pth.tar" it is ".tar".
[[nodiscard]] std::string extension_of(std::string_view name);

// Of TensorFlow's "model.ckpt-5.index" and "model.ckpt-5.data-00000-of-00002": "model.ckpt-5".
struct TensorflowName {
  std::string checkpoint = {};
  std::optional<std::uint64_t> shard = {};  // of a data file
  std::uint64_t shards = 0;
};
[[nodiscard]] std::optional<TensorflowName> read_tensorflow_name(std::string_view name);

}  // namespace runctl::checkpoint
