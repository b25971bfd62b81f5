// What is found of a checkpoint: what it is, whether it is whole, and what it says of itself.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace runctl::checkpoint {

enum class Format : std::uint8_t {
  torch,         // torch.save's archive (zip)
  torchscript,   // torch.jit.save's
  torch_legacy,  // torch.save before 1.6: pickles with a magic number, raw storages behind them
  pickle,
  safetensors,
  hdf5,   // Keras's .h5 among it
  keras,  // Keras 3's archive
  npy,
  npz,
  zip,
  tensorflow,  // index and data files
  folder,      // files that belong together, such as Hugging Face's checkpoint-500/
  other,
};

// How far a checkpoint can be trusted.
enum class Verdict : std::uint8_t {
  sound,     // all that it holds agrees with the checksums that its format has
  complete,  // everything is where it says, to the last byte; of its contents nothing can be said
  unknown,   // nothing can be said
  damaged,
};

// Whether contents are read and compared with their checksums, or structure alone is looked at.
enum class Depth : std::uint8_t { structure, contents };

// Metrics by the names that the training gave them. At most `most_metrics`, with names of at most
// 64 bytes: what is beyond was not meant as a metric.
struct Facts {
  std::optional<double> epoch = {};  // a fraction of one is usual in Hugging Face's states
  std::optional<std::uint64_t> step = {};
  std::map<std::string, double, std::less<>> metrics = {};
  bool operator==(const Facts&) const = default;
};
inline constexpr std::size_t most_metrics = 64;

struct Finding {
  Format format = Format::other;
  Verdict verdict = Verdict::unknown;
  std::string why = {};  // of a verdict that is not sound: what is wrong, and where
  Facts facts = {};
  std::uint64_t items = 0;  // tensors, arrays, members: what the format counts
};

[[nodiscard]] std::string_view name_of(Format format);    // "torch", stable
[[nodiscard]] std::string_view name_of(Verdict verdict);  // "sound", stable
[[nodiscard]] std::string_view in_words(Format format);   // "PyTorch (zip)"

// Notes a number that has a name: "epoch", "global_step" and their kin become what they are, else
// it is a metric. What cannot be one (not finite, a negative epoch, a name of control characters)
// is passed over, as is what is known already.
void note(Facts& facts, std::string_view name, double value);
// Adds what `facts` has not.
void fill_in(Facts& facts, const Facts& more);

// What a JSON document says: numbers of the outer object and of its objects `metrics`, `logs`,
// `state` and `trainer_state`; of Hugging Face's `log_history` each metric's last value. Looks at
// 100,000 entries of a history.
[[nodiscard]] Facts facts_of(const boost::json::value& document);

}  // namespace runctl::checkpoint
