#include "aws/sigv4_chunks.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace runctl::aws {
namespace {

std::string hash(std::string_view bytes) { return hex(std::string_view{sha256(bytes)}); }

// Source: the example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html.
TEST(ChunkSignatures, AreThoseOfTheExample) {
  const SignedHead head{
      .identity = {.access_key_id = "AKIAIOSFODNN7EXAMPLE",
                   .scope = {.region = "us-east-1", .service = "s3"}},
      .payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
      .date = "20130524T000000Z",
      .signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"};
  ChunkSignatures signatures{Secret{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, head};
  EXPECT_EQ(signatures.next(hash(std::string(65'536, 'a'))),
            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  EXPECT_EQ(signatures.next(hash(std::string(1'024, 'a'))),
            "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
  EXPECT_EQ(signatures.next(hash("")),
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

}  // namespace
}  // namespace runctl::aws
