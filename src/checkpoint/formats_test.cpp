#include <gmock/gmock.h>

#include "checkpoint/fixtures.hpp"
#include "checkpoint/hdf5.hpp"
#include "checkpoint/npy.hpp"
#include "checkpoint/pickle.hpp"

namespace runctl::checkpoint {
namespace {

using testing::HasSubstr;

std::string why_of(const std::string& header, const std::string& data) {
  const Finding finding = look_at(safetensors_of(header, data), "x.safetensors");
  return std::string{name_of(finding.verdict)} + ": " + finding.why;
}

TEST(Safetensors, must_fill_the_file_without_gap_or_overlap) {
  const auto tensor = [](std::string_view name, int begin, int end) {
    return "\"" + std::string{name} + R"(":{"dtype":"U8","shape":[)" + std::to_string(end - begin) +
           R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  const auto both = [&](const std::string& a, const std::string& b) {
    return "{" + a + "," + b + "}";
  };
  EXPECT_THAT(why_of(both(tensor("a", 0, 4), tensor("b", 4, 8)), "01234567"),
              HasSubstr("complete"));
  EXPECT_THAT(why_of(both(tensor("a", 0, 4), tensor("b", 5, 8)), "01234567"), HasSubstr("damaged"));
  EXPECT_THAT(why_of(both(tensor("a", 0, 4), tensor("b", 3, 8)), "01234567"), HasSubstr("damaged"));
  EXPECT_THAT(why_of(both(tensor("a", 1, 4), tensor("b", 4, 8)), "01234567"), HasSubstr("damaged"));
  EXPECT_THAT(why_of("{" + tensor("a", 0, 4) + "}", "0123x"), HasSubstr("1 bytes follow"));
  EXPECT_THAT(why_of("{" + tensor("a", 0, 4) + "}", "012"), HasSubstr("cut off"));
}

TEST(Safetensors, must_be_as_large_as_type_and_shape_say) {
  EXPECT_THAT(why_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "0123"),
              HasSubstr("4 bytes where its type and shape take 8"));
  EXPECT_THAT(
      why_of(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})",
             "0123"),
      HasSubstr("larger than any file"));
  EXPECT_THAT(why_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "0123"),
              HasSubstr("damaged"));
  EXPECT_THAT(why_of(R"({"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}})", "0123"),
              HasSubstr("complete"));
}

TEST(Safetensors, does_not_take_a_header_s_size_for_a_reason_to_read) {
  const std::string bytes = number(std::uint64_t{1} << 62U, 8) + "{}";
  EXPECT_EQ(look_at(bytes, "x.safetensors").verdict, Verdict::damaged);
}

TEST(Npy, knows_types_and_shapes) {
  const auto header = [](const std::string& dict) {
    return read_npy_header("\x93NUMPY" + number(1, 1) + number(0, 1) + number(dict.size(), 2) +
                           dict);
  };
  EXPECT_EQ(header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }")->bytes, 96);
  EXPECT_EQ(header("{'descr': '|b1', 'fortran_order': False, 'shape': (), }")->bytes, 1);
  EXPECT_EQ(header("{'descr': '<U5', 'fortran_order': False, 'shape': (2,), }")->bytes, 40);
  EXPECT_EQ(header("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2,), }")->bytes, 16);
  EXPECT_EQ(header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }")->bytes,
            std::nullopt);
  EXPECT_EQ(header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2,), }")->bytes,
            std::nullopt);
  EXPECT_FALSE(
      header("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"));
  EXPECT_FALSE(header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"));
  EXPECT_FALSE(header("{'descr': '<q8', 'fortran_order': False, 'shape': (1,), }"));
  EXPECT_FALSE(header("{'shape': (1,), }"));
}

TEST(Hdf5, has_bob_jenkins_s_checksum) {
  // Source: https://burtleburtle.net/bob/c/lookup3.c, driver5().
  EXPECT_EQ(lookup3(""), 0xdeadbeefU);
  EXPECT_EQ(lookup3("Four score and seven years ago"), 0x17770551U);
}

TEST(Hdf5, sees_a_writer_that_did_not_close_it) {
  std::string bytes = fixture("latest.h5");
  ASSERT_GE(bytes[8], 2);
  bytes[11] = 1;
  const std::size_t whole = 12 + 4 * 8;
  bytes.replace(whole, 4, number(lookup3(std::string_view{bytes}.substr(0, whole)), 4));
  EXPECT_THAT(look_at(bytes, "x.h5").why, HasSubstr("has not closed it"));
  bytes[11] = 0;
  EXPECT_THAT(look_at(bytes, "x.h5").why, HasSubstr("checksum"));
}

Result<Pickle> pickle_of(std::string_view bytes) {
  MemorySource source{bytes};
  return read_pickle(source);
}

TEST(Pickle, is_never_run) {
  // cos\nsystem: what a hostile one has; to be called with a command.
  const auto hostile = pickle_of("cos\nsystem\n(S'touch /tmp/runctl-pickle-was-run'\ntR.");
  ASSERT_TRUE(hostile);
  EXPECT_EQ(hostile->top().kind, PickleKind::made);
  // Inside of a dict, beside what is looked for.
  const auto inside = pickle_of("}(S'epoch'\nI5\nS'x'\ncos\nsystem\n(S'true'\ntRu.");
  ASSERT_TRUE(inside);
  EXPECT_EQ(facts_of(*inside).epoch, 5);
}

TEST(Pickle, takes_only_literal_values_of_the_outermost_dict) {
  const auto pickle = pickle_of(
      "}(S'epoch'\nI01\nS'loss'\nF0.5\nS'inner'\n}(S'acc'\nF1.0\nuS'metrics'\n}(S'f1'\nF0.25\nuu.");
  ASSERT_TRUE(pickle);
  const Facts facts = facts_of(*pickle);
  EXPECT_EQ(facts.epoch, std::nullopt);  // True is no epoch
  EXPECT_EQ(facts.metrics,
            (std::map<std::string, double, std::less<>>{{"loss", 0.5}, {"f1", 0.25}}));
}

TEST(Pickle, refuses_what_takes_more_than_there_is) {
  for (const std::string_view bytes :
       {".",  "0.",  "t.",    "R.",     "(R.", "s.",  "}s.", "u.",    "a.",     "h\x01.",
        "b.", "Nb.", "\x85.", "(N0N1.", "NN.", "(N.", "Q.",  "\x93.", "q\x01.", "2."}) {
    const auto pickle = pickle_of(bytes);
    ASSERT_FALSE(pickle) << bytes;
    EXPECT_EQ(pickle.error().code, Errc::corrupt);
  }
}

TEST(Pickle, is_bounded) {
  // Nested deep: a value each, and no recursion.
  std::string deep(1'100'000, ']');
  EXPECT_TRUE(is_beyond(pickle_of(deep).error()));
  // One byte that doubles what it refers to.
  std::string doubling = "N" + std::string(4'100'000, '2');
  EXPECT_TRUE(is_beyond(pickle_of(doubling).error()));
  // As many names for one value.
  std::string names = "N";
  for (std::uint64_t i = 0; i < 1'100'000; ++i) names += 'r' + number(i, 4);
  EXPECT_TRUE(is_beyond(pickle_of(names).error()));
  // A text of four gigabytes that is not there.
  EXPECT_EQ(pickle_of("X\xff\xff\xff\xff").error().code, Errc::corrupt);
}

}  // namespace
}  // namespace runctl::checkpoint
