#include "checkpoint/inspect.hpp"

#include <gmock/gmock.h>

#include "checkpoint/fixtures.hpp"

namespace runctl::checkpoint {
namespace {

using testing::HasSubstr;

const std::string tensors = safetensors_of(
    R"({"__metadata__":{"epoch":"4","val_loss":"0.75","format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]}})",
    "0123456789abcdefABCDEF");

struct Whole {
  std::string name;
  Format format;
  Verdict verdict;
};

std::string bytes_of(const std::string& name) {
  return name == "made.safetensors" ? tensors : fixture(name);
}

class WholeFiles : public testing::TestWithParam<Whole> {};

TEST_P(WholeFiles, are_known_for_what_they_are) {
  const Finding finding = look_at(bytes_of(GetParam().name), GetParam().name);
  EXPECT_EQ(name_of(finding.format), name_of(GetParam().format));
  EXPECT_EQ(name_of(finding.verdict), name_of(GetParam().verdict)) << finding.why;
}

TEST_P(WholeFiles, are_known_without_their_names_extension_too) {
  if (GetParam().format == Format::pickle || GetParam().name == "user_block.h5")
    return;  // begin as anything may
  const Finding finding = look_at(bytes_of(GetParam().name), "model.ckpt");
  EXPECT_EQ(name_of(finding.format), name_of(GetParam().format));
}

TEST_P(WholeFiles, are_never_trusted_when_cut_off_anywhere) {
  const std::string bytes = bytes_of(GetParam().name);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    for (const std::string& name : {GetParam().name, std::string{"x.ckpt"}}) {
      for (const Depth depth : {Depth::structure, Depth::contents}) {
        const Finding finding = look_at(std::string_view{bytes}.substr(0, size), name, depth);
        ASSERT_FALSE(is_trusted(finding)) << name << " cut off at byte " << size;
      }
    }
    const Finding finding = look_at(std::string_view{bytes}.substr(0, size), GetParam().name);
    // Where the numbers of an object array end cannot be told, of the whole file neither.
    if (GetParam().verdict != Verdict::unknown) {
      ASSERT_EQ(name_of(finding.verdict), "damaged")
          << " cut off at byte " << size << ": " << finding.why;
    }
  }
}

TEST_P(WholeFiles, are_read_whatever_a_byte_of_them_becomes) {
  std::string bytes = bytes_of(GetParam().name);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    char& byte = bytes[at];
    const char before = byte;
    for (const int bits : {0x01, 0x80, 0xff}) {
      byte = static_cast<char>(before ^ bits);
      const Finding finding = look_at(bytes, GetParam().name);
      EXPECT_TRUE(finding.verdict == Verdict::sound || !finding.why.empty());
    }
    byte = before;
  }
}

INSTANTIATE_TEST_SUITE_P(
    of, WholeFiles,
    testing::Values(Whole{"torch.pt", Format::torch, Verdict::sound},
                    Whole{"torch_state_dict.pt", Format::torch, Verdict::sound},
                    Whole{"torchscript.pt", Format::torchscript, Verdict::sound},
                    Whole{"torch_legacy.pt", Format::torch_legacy, Verdict::complete},
                    Whole{"digits.npz", Format::npz, Verdict::sound},
                    Whole{"compressed.npz", Format::npz, Verdict::sound},
                    Whole{"weights.npy", Format::npy, Verdict::complete},
                    Whole{"objects.npy", Format::npy, Verdict::unknown},
                    Whole{"keras.h5", Format::hdf5, Verdict::complete},
                    Whole{"latest.h5", Format::hdf5, Verdict::complete},
                    Whole{"user_block.h5", Format::hdf5, Verdict::complete},
                    Whole{"made.safetensors", Format::safetensors, Verdict::complete},
                    Whole{"plain.pkl", Format::pickle, Verdict::complete},
                    Whole{"old.pkl", Format::pickle, Verdict::complete}),
    [](const auto& one) {
      std::string name = one.param.name;
      std::ranges::replace(name, '.', '_');
      return name;
    });

TEST(InspectFile, says_what_pytorch_wrote_into_it) {
  for (const std::string name : {"torch.pt", "torch_legacy.pt"}) {
    const Finding finding = look_at(fixture(name), name);
    EXPECT_EQ(finding.facts.epoch, 7);
    EXPECT_EQ(finding.facts.step, 700);
    EXPECT_EQ(finding.facts.metrics, (std::map<std::string, double, std::less<>>{
                                         {"best_acc", 0.875}, {"loss", 0.25}, {"val_loss", 0.5}}));
    EXPECT_EQ(finding.items, 4);  // weight, bias, and a momentum of each
  }
}

TEST(InspectFile, says_what_numpy_wrote_into_it) {
  for (const std::string name : {"digits.npz", "compressed.npz"}) {
    const Finding finding = look_at(fixture(name), name);
    EXPECT_EQ(finding.facts.epoch, 7);
    EXPECT_EQ(finding.facts.step, 700);  // of a state in JSON
    EXPECT_EQ(finding.facts.metrics.at("val_loss"), 0.5);
    EXPECT_EQ(finding.items, 5);
  }
}

TEST(InspectFile, says_what_safetensors_and_pickles_say) {
  const Finding of_tensors = look_at(tensors, "x.safetensors");
  EXPECT_EQ(of_tensors.facts.epoch, 4);
  EXPECT_EQ(of_tensors.facts.metrics.at("val_loss"), 0.75);
  EXPECT_EQ(of_tensors.items, 2);
  for (const std::string name : {"plain.pkl", "old.pkl"}) {
    const Finding of_pickle = look_at(fixture(name), name);
    EXPECT_EQ(of_pickle.facts.epoch, 3);
    EXPECT_EQ(of_pickle.facts.metrics.at("loss"), 0.125);
  }
}

TEST(InspectFile, reads_no_contents_when_structure_is_enough) {
  std::string bytes = fixture("torch.pt");
  const Finding whole = look_at(bytes, "x.pt", Depth::structure);
  EXPECT_EQ(whole.verdict, Verdict::complete);
  EXPECT_EQ(whole.facts.epoch, 7);
}

TEST(InspectFile, takes_an_empty_file_for_damaged) {
  for (const std::string_view name : {"x.pt", "x.safetensors", "x.bin", "epoch_5"}) {
    EXPECT_EQ(look_at("", name).verdict, Verdict::damaged);
  }
}

TEST(InspectFile, takes_zeros_where_a_format_is_promised_for_damage) {
  // What a crash leaves of a file whose size was durable before its bytes were.
  const std::string zeros(4096, '\0');
  for (const std::string_view name :
       {"x.pt", "x.pth", "x.npz", "x.npy", "x.h5", "x.keras", "x.safetensors", "x.pkl"}) {
    EXPECT_EQ(look_at(zeros, name).verdict, Verdict::damaged) << name;
  }
  EXPECT_EQ(look_at(zeros, "x.bin").verdict, Verdict::unknown);
}

TEST(InspectFile, says_nothing_of_what_it_does_not_know) {
  const Finding finding = look_at("GGUF\x03\x01\x01", "model.gguf");
  EXPECT_EQ(finding.format, Format::other);
  EXPECT_EQ(finding.verdict, Verdict::unknown);
}

TEST(InspectFile, does_not_take_another_source_s_error_for_damage) {
  class Broken final : public Source {
   public:
    std::uint64_t size() const override { return 100; }
    Result<std::size_t> read_at(std::uint64_t, std::span<std::byte>) override {
      return fail(Errc::unavailable, "gone");
    }
  } source;
  const auto finding = inspect_file(source, "x.pt", Depth::contents);
  ASSERT_FALSE(finding);
  EXPECT_EQ(finding.error().code, Errc::unavailable);
}

TEST(InspectFile, looks_into_keras_s_archive) {
  const std::string weights = fixture("keras.h5");
  const std::string whole =
      zip_of({{"metadata.json", "{}"}, {"config.json", "{}"}, {"model.weights.h5", weights}});
  EXPECT_EQ(look_at(whole, "x.keras").format, Format::keras);
  EXPECT_EQ(look_at(whole, "x.keras").verdict, Verdict::sound);
  const std::string cut =
      zip_of({{"config.json", "{}"}, {"model.weights.h5", weights.substr(0, weights.size() - 1)}});
  EXPECT_EQ(look_at(cut, "x.keras").verdict, Verdict::damaged);
  EXPECT_THAT(look_at(cut, "x.keras").why, HasSubstr("model.weights.h5"));
}

}  // namespace
}  // namespace runctl::checkpoint
