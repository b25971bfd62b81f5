#include "checkpoint/zip.hpp"

#include <gmock/gmock.h>

#include "checkpoint/fixtures.hpp"

namespace runctl::checkpoint {
namespace {

using testing::HasSubstr;

std::string read_error(std::string_view bytes) {
  MemorySource source{bytes};
  const auto members = read_zip(source);
  return members ? "" : members.error().message;
}

// Every bit of every member's content, in files that others have written. A bit of a deflated one
// may be padding, or tell the same in another way: then the content is what it was.
TEST(Zip, finds_each_flipped_bit_of_a_content) {
  for (const std::string name : {"torch.pt", "digits.npz", "compressed.npz", "torchscript.pt"}) {
    std::string bytes = fixture(name);
    MemorySource source{bytes};
    const auto members = read_zip(source);
    ASSERT_TRUE(members);
    for (const ZipMember& member : *members) {
      std::size_t harmless = 0;
      const auto content = read_content(source, member, 100'000);
      for (std::uint64_t bit = member.data * 8; bit < (member.data + member.packed) * 8; ++bit) {
        char& byte = bytes[bit / 8];
        const char before = byte;
        byte = static_cast<char>(before ^ (1 << (bit % 8)));
        const bool is_damaged = look_at(bytes, name).verdict == Verdict::damaged;
        if (!is_damaged) {
          MemorySource changed{bytes};
          ASSERT_EQ(read_content(changed, member, 100'000).value(), content.value())
              << name << " bit " << bit;
          ++harmless;
        }
        byte = before;
      }
      ASSERT_TRUE(member.method == 8 || harmless == 0) << name;
    }
  }
}

TEST(Zip, names_the_member_and_the_place_of_a_wrong_checksum) {
  std::string bytes = zip_of({{"a", "first"}, {"b", "second"}});
  const auto at = bytes.find("second");
  bytes[at] = 'S';
  const Finding finding = look_at(bytes, "x.zip");
  EXPECT_EQ(finding.verdict, Verdict::damaged);
  EXPECT_THAT(finding.why, HasSubstr("member b"));
  EXPECT_THAT(finding.why, HasSubstr(std::to_string(at)));
}

TEST(Zip, holds_headers_against_the_directory) {
  const std::string good = zip_of({{"aa", "first"}, {"bb", "second"}});
  EXPECT_EQ(read_error(good), "");
  std::string renamed = good;
  renamed[30] = 'x';
  EXPECT_THAT(read_error(renamed), HasSubstr("another name"));
  std::string other_crc = good;
  other_crc[14] = static_cast<char>(other_crc[14] ^ 1);
  EXPECT_THAT(read_error(other_crc), HasSubstr("another checksum"));
  std::string no_header = good;
  no_header[0] = 'Q';
  EXPECT_THAT(read_error(no_header), HasSubstr("has no header"));
}

TEST(Zip, refuses_members_that_overlap) {
  std::string bytes = zip_of({{"aa", std::string(100, 'a')}, {"bb", std::string(100, 'b')}});
  // Both of the sizes of the first, in its header and in the directory, as if it reached into the
  // second.
  const std::string size = number(100, 4) + number(100, 4);
  const std::string more = number(150, 4) + number(150, 4);
  bytes.replace(bytes.find(size), 8, more);
  bytes.replace(bytes.find(size, bytes.find("PK\x01\x02")), 8, more);
  EXPECT_THAT(read_error(bytes), HasSubstr("reaches into what follows"));
}

TEST(Zip, counts_its_members) {
  std::string bytes = zip_of({{"a", "x"}, {"b", "y"}});
  const auto end = bytes.rfind("PK\x05\x06");
  bytes[end + 10] = 3;
  EXPECT_THAT(read_error(bytes), HasSubstr("has 2 members, and says 3"));
}

TEST(Zip, asks_for_no_memory_because_a_header_says_so) {
  std::string bytes = zip_of({{"a", "x"}});
  const auto end = bytes.rfind("PK\x05\x06");
  bytes.replace(end + 12, 8, number(0xffff'fff0, 4) + number(0, 4));
  EXPECT_THAT(read_error(bytes), HasSubstr("does not end at byte"));
}

// What deflate cannot have made is not unpacked: a file of some bytes is no reason to work for
// hours.
TEST(Zip, unpacks_no_more_than_was_said) {
  std::string bytes = fixture("compressed.npz");
  MemorySource source{bytes};
  const auto members = read_zip(source);
  ASSERT_TRUE(members);
  ZipMember member = members->front();
  ASSERT_EQ(member.method, 8);
  ASSERT_TRUE(check_content(source, member));
  member.size -= 1;
  const auto less = check_content(source, member);
  ASSERT_FALSE(less);
  EXPECT_THAT(less.error().message, HasSubstr("unpacks to more"));
  member.size += 2;
  EXPECT_FALSE(check_content(source, member));
}

TEST(Zip, reads_zip64) {
  // Offsets, sizes and counts all in the wide records, as a checkpoint over 4 GiB has them.
  const std::string content = "content";
  const std::uint64_t crc_of_it = crc(CrcKind::crc32, std::as_bytes(std::span{content}));
  const std::string wide =
      number(1, 2) + number(16, 2) + number(content.size(), 8) + number(content.size(), 8);
  const std::string narrow = number(0xffff'ffff, 4);
  std::string bytes = "PK\x03\x04" + number(45, 2) + number(0, 8) + number(crc_of_it, 4) + narrow +
                      narrow + number(1, 2) + number(wide.size(), 2) + "a" + wide + content;
  const std::string wider = number(1, 2) + number(24, 2) + number(content.size(), 8) +
                            number(content.size(), 8) + number(0, 8);
  const std::string entry = "PK\x01\x02" + number(45, 2) + number(45, 2) + number(0, 8) +
                            number(crc_of_it, 4) + narrow + narrow + number(1, 2) +
                            number(wider.size(), 2) + number(0, 10) + narrow + "a" + wider;
  const std::size_t at = bytes.size();
  bytes += entry;
  const std::size_t record = bytes.size();
  bytes += "PK\x06\x06" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 8) +
           number(1, 8) + number(1, 8) + number(entry.size(), 8) + number(at, 8);
  bytes += "PK\x06\x07" + number(0, 4) + number(record, 8) + number(1, 4);
  bytes += "PK\x05\x06" + number(0, 4) + number(0xffff, 2) + number(0xffff, 2) + narrow + narrow +
           number(0, 2);
  EXPECT_EQ(read_error(bytes), "");
  EXPECT_EQ(look_at(bytes, "x.zip").verdict, Verdict::sound);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(is_trusted(look_at(std::string_view{bytes}.substr(0, size), "x.zip"))) << size;
  }
  std::string wrong = bytes;
  wrong[record + 40] = static_cast<char>(wrong[record + 40] ^ 1);
  EXPECT_NE(read_error(wrong), "");
}

TEST(Npz, holds_the_header_of_an_array_against_its_size) {
  const std::string array = fixture("weights.npy");
  EXPECT_EQ(look_at(zip_of({{"w.npy", array}}), "x.npz").verdict, Verdict::sound);
  // A writer that was cut off, and an archive that was made of what it left.
  const Finding cut = look_at(zip_of({{"w.npy", array.substr(0, array.size() - 4)}}), "x.npz");
  EXPECT_EQ(cut.verdict, Verdict::damaged);
  EXPECT_THAT(cut.why, HasSubstr("w.npy has 44 bytes where its shape takes 48"));
}

TEST(Torch, misses_a_tensor_that_its_pickle_names) {
  // ('storage', torch.FloatStorage, '0', 'cpu', 3) as a persistent id.
  const std::string pickle = std::string{"\x80\x02(X\x07", 5} + std::string(3, '\0') +
                             "storagectorch\nFloatStorage\nX" + number(1, 4) + "0X" + number(3, 4) +
                             "cpuK\x03tQ.";
  const std::string whole = zip_of({{"m/data.pkl", pickle}, {"m/data/0", std::string(12, 'x')}});
  EXPECT_EQ(look_at(whole, "x.pt").verdict, Verdict::sound) << look_at(whole, "x.pt").why;
  const std::string without = zip_of({{"m/data.pkl", pickle}, {"m/version", "3\n"}});
  EXPECT_THAT(look_at(without, "x.pt").why, HasSubstr("data/0 is missing"));
  const std::string shorter = zip_of({{"m/data.pkl", pickle}, {"m/data/0", std::string(8, 'x')}});
  EXPECT_EQ(look_at(shorter, "x.pt").verdict, Verdict::damaged);
}

}  // namespace
}  // namespace runctl::checkpoint
