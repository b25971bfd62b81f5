// Forms as clients send them, in whatever pieces they come, and those that are none.
#include "emulator/s3/post_form.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "emulator/s3/memory_body.hpp"

namespace runctl::emulator::s3 {
namespace {

using aws::s3::FormField;
using ::testing::ElementsAre;

std::string field(const std::string& name, const std::string& value) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

std::string file(const std::string& content, const std::string& name = "x.bin") {
  return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + name +
         "\"\r\nContent-Type: application/octet-stream\r\n\r\n" + content + "\r\n";
}

struct Read {
  std::string code = {};  // of the error
  PostFields form = {};
  std::string content = {};
};

Read read(const std::string& text, std::size_t at_once = SIZE_MAX, std::size_t into = 7) {
  MemoryBody wire{text, at_once};
  PostForm form{wire, "b"};
  Read out;
  const auto failed = [&](const Error& error) {
    out.code = error.remote ? error.remote->code : error.message;
    return out;
  };
  auto fields = form.read_fields();
  if (!fields) return failed(fields.error());
  out.form = *fields;
  std::vector<std::byte> buffer(into);
  while (true) {
    const auto got = form.read(buffer);
    if (!got) return failed(got.error());
    if (*got == 0) return out;
    out.content.append(reinterpret_cast<const char*>(buffer.data()), *got);
  }
}

TEST(PostForm, IsReadInWhateverPiecesItComes) {
  const std::vector<std::string> contents{"",
                                          "one",
                                          "\r\n",
                                          "\r\n--",
                                          "\r\n--\r\n--",
                                          "a\r\n--c",
                                          std::string("\0\r\r\n-\r\n--B\0", 12),
                                          std::string(100, '\r')};
  for (const auto& content : contents) {
    const std::string text = field("key", "a/\xc3\xbc \"x\"") + field("empty", "") + file(content) +
                             field("after", "is dropped") + "--b--\r\n";
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{3}, std::size_t{50}, SIZE_MAX}) {
      const auto got = read(text, at_once);
      EXPECT_EQ(got.code, "");
      EXPECT_EQ(got.content, content) << at_once;
      EXPECT_THAT(got.form.fields,
                  ElementsAre(FormField{.name = "key", .value = "a/\xc3\xbc \"x\""},
                              FormField{.name = "empty", .value = ""}));
      EXPECT_EQ(got.form.file_name, "x.bin");
    }
  }
}

TEST(PostForm, ALongFileComesWhole) {
  std::string content;
  for (int i = 0; i < 300'000; ++i) content += "\r\n-";
  EXPECT_EQ(read(field("key", "k") + file(content) + "--b--\r\n", SIZE_MAX, 65'536).content,
            content);
}

TEST(PostForm, NamesMayHaveQuotesAndBlanks) {
  const std::string odd =
      "--b\r\ncontent-disposition:form-data ;name=KEY\r\n\r\nv\r\n"
      "--b\r\nContent-Disposition: form-data; filename=\"a \\\"b\\\" ; name=c\"; "
      "name=\"file\"\r\n\r\nx\r\n--b--";
  const auto got = read(odd);
  EXPECT_EQ(got.code, "");
  EXPECT_EQ(got.form.file_name, "a \"b\" ; name=c");
  EXPECT_THAT(got.form.fields, ElementsAre(FormField{.name = "key", .value = "v"}));
}

TEST(PostForm, WhatIsNoneIsRefused) {
  const std::string whole = field("key", "k") + file("content") + "--b--\r\n";
  EXPECT_EQ(read("").code, "MalformedPOSTRequest");
  EXPECT_EQ(read("x" + whole).code, "MalformedPOSTRequest");
  EXPECT_EQ(read("--c" + whole).code, "MalformedPOSTRequest");
  // Cut off anywhere before the delimiter behind the file.
  const auto end = whole.rfind("--b--") + 3;
  for (std::size_t length = 0; length < end; ++length) {
    EXPECT_EQ(read(whole.substr(0, length)).code, "MalformedPOSTRequest") << length;
  }
  EXPECT_EQ(read(field("key", "k") + "--b--\r\n").code, "InvalidArgument");
  EXPECT_EQ(read(field("key", std::string(20'481, 'k')) + file("x") + "--b--").code,
            "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(read("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--").code, "MalformedPOSTRequest");
}

TEST(PostForm, TheBoundaryStandsInTheType) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=xyz"), "xyz");
  EXPECT_EQ(form_boundary("Multipart/Form-Data;charset=utf-8; boundary=\"x y\""), "x y");
  EXPECT_EQ(form_boundary("multipart/form-data"), std::nullopt);
  EXPECT_EQ(form_boundary("application/x-www-form-urlencoded"), std::nullopt);
}

}  // namespace
}  // namespace runctl::emulator::s3
