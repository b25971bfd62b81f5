// How the emulator's S3 takes customers' keys, and what it keeps of them.
#include "emulator/s3/customer_key.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"
#include "emulator/s3/memory_body.hpp"
#include "emulator/s3/object_headers.hpp"
#include "io/scratch_directory.hpp"

namespace runctl::emulator::s3 {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string one(32, '1');
const std::string other(32, '2');

// "400 InvalidRequest: …", or "" for what is taken.
template <class T>
std::string said(const Result<T>& result) {
  if (result) return "";
  const auto& remote = result.error().remote.value();
  return fmt::format("{} {}: {}", remote.http_status, remote.code, result.error().message);
}

class S3CustomerKey : public testing::Test {
 protected:
  static std::vector<HttpHeader> headers(const std::string& key, const std::string& digest,
                                         const std::string& algorithm = "AES256",
                                         const std::string& prefix = "x-amz-") {
    const std::string base = prefix + "server-side-encryption-customer-";
    std::vector<HttpHeader> all;
    if (!algorithm.empty()) all.push_back({.name = base + "algorithm", .value = algorithm});
    if (!key.empty()) all.push_back({.name = base + "key", .value = base64(key)});
    if (!digest.empty()) all.push_back({.name = base + "key-md5", .value = digest});
    return all;
  }
  static std::vector<HttpHeader> with(const std::string& key) {
    return headers(key, base64(md5(key)));
  }

  // One at a time: the next takes the place of what it points to.
  Call call(std::vector<HttpHeader> brought) {
    head.headers = std::move(brought);
    Call made{.store = *store, .random = random, .head = head, .body = body};
    made.rest.headers = head.headers;
    return made;
  }
  StoredHeaders stored(std::vector<HttpHeader> brought) {
    return headers_to_store(call(std::move(brought))).value();
  }

  ScratchDirectory scratch;
  std::unique_ptr<Store> store = Store::open(scratch.path()).value();
  SeededRandom random{1};
  HttpRequest head;
  MemoryBody body{""};
};

TEST_F(S3CustomerKey, IsTakenWholeOrRefusedAsS3Does) {
  const std::string must =
      "Requests specifying Server Side Encryption with Customer provided keys must provide ";
  const std::string digest = base64(md5(one));
  struct Case {
    std::vector<HttpHeader> brought;
    std::string answer;
  };
  for (const Case& each : std::vector<Case>{
           {{}, ""},
           {with(one), ""},
           {headers(one, digest, ""),
            "400 InvalidArgument: " + must + "a valid encryption algorithm."},
           {headers(one, digest, "AES128"),
            "400 InvalidEncryptionAlgorithmError: The Encryption request you specified is not "
            "valid. Supported value: AES256."},
           {headers("", digest), "400 InvalidArgument: " + must + "an appropriate secret key."},
           {headers(one, ""),
            "400 InvalidArgument: " + must + "the client calculated MD5 of the secret key."},
           {headers(one, base64(md5(other))),
            "400 InvalidArgument: The calculated MD5 hash of the key did not match the hash that "
            "was provided."},
           {with(std::string(24, 'x')),
            "400 InvalidArgument: The secret key was invalid for the specified algorithm."}}) {
    EXPECT_EQ(said(headers_to_store(call(each.brought))), each.answer);
  }
  auto both = with(one);
  both.push_back({.name = "x-amz-server-side-encryption", .value = "AES256"});
  EXPECT_THAT(said(headers_to_store(call(both))), HasSubstr("is incompatible with the encryption"));
}

TEST_F(S3CustomerKey, OfItNothingIsKeptThatTellsIt) {
  const StoredHeaders first = stored(with(one));
  const StoredHeaders second = stored(with(one));
  EXPECT_NE(first.at(std::string{customer_mac}), second.at(std::string{customer_mac})) << "salted";
  for (const auto& [name, value] : first) {
    for (const std::string& secret : {one, base64(one), hex(std::string_view{one}),
                                      base64(md5(one)), hex(std::string_view{md5(one)})}) {
      EXPECT_THAT(value, Not(HasSubstr(secret))) << name;
    }
  }
  EXPECT_NE(etag_of(md5("x"), first), hex(std::string_view{md5("x")}));
  // Its MD5 comes back to whoever has it; the HMAC to nobody.
  std::string md5_shown;
  for (const HttpHeader& header : headers_to_show(call(with(one)), first)) {
    EXPECT_NE(header.name, customer_mac);
    if (header.name == customer_md5) md5_shown = header.value;
  }
  EXPECT_EQ(md5_shown, base64(md5(one)));
}

TEST_F(S3CustomerKey, OpensWhatItClosed) {
  const StoredHeaders closed = stored(with(one));
  const StoredHeaders open = stored({});
  EXPECT_EQ(said(check_customer_key(call(with(one)), closed)), "");
  EXPECT_EQ(said(check_customer_key(call({}), open)), "");
  EXPECT_EQ(said(check_customer_key(call({}), closed)),
            "400 InvalidRequest: The object was stored using a form of Server Side Encryption. The "
            "correct parameters must be provided to retrieve the object.");
  EXPECT_EQ(said(check_customer_key(call(with(one)), open)),
            "400 InvalidRequest: The encryption parameters are not applicable to this object.");
  EXPECT_EQ(said(check_customer_key(call(with(other)), closed)),
            "403 AccessDenied: Requests specifying Server Side Encryption with Customer provided "
            "keys must provide the correct secret key.");
  // The key of a copy's source comes in headers of its own.
  const std::string prefix = "x-amz-copy-source-";
  const auto source = headers(one, base64(md5(one)), "AES256", prefix);
  EXPECT_EQ(said(check_customer_key(call(source), closed, prefix)), "");
  EXPECT_THAT(said(check_customer_key(call(with(one)), closed, prefix)), HasSubstr("was stored"));
}

TEST_F(S3CustomerKey, HoldsForAWholeUpload) {
  const StoredHeaders closed = stored(with(one));
  const StoredHeaders open = stored({});
  const std::string missing =
      "400 InvalidRequest: The multipart upload initiate requested encryption. Subsequent part "
      "requests must include the appropriate encryption parameters.";
  EXPECT_EQ(said(check_upload_key(call(with(one)), closed)), "");
  EXPECT_EQ(said(check_upload_key(call({}), open)), "");
  EXPECT_EQ(said(check_upload_key(call({}), closed)), missing);
  EXPECT_EQ(said(check_upload_key(call(with(one)), open)), missing);
  EXPECT_EQ(said(check_upload_key(call(with(other)), closed)),
            "400 InvalidRequest: The provided encryption parameters did not match the ones used "
            "originally.");
}

}  // namespace
}  // namespace runctl::emulator::s3
