// Names in listings that XML cannot hold: they are percent-encoded when encoding-type=url asks for
// it. The client always asks, and decodes what comes; the emulator encodes.
#pragma once

#include "aws/s3/list.hpp"
#include "aws/s3/multipart.hpp"

namespace runctl::aws::s3 {

// Back to the names themselves, where the answer says that they are encoded; `encoding_type` is
// empty afterwards. '+' is a blank, as S3 and botocore have it.
void decode_names(ListObjectsV2Output& answer);
void decode_names(ListObjectVersionsOutput& answer);
void decode_names(ListMultipartUploadsOutput& answer);

// The reverse, which sets `encoding_type`. Slashes stay.
void encode_names(ListObjectsV2Output& answer);
void encode_names(ListObjectVersionsOutput& answer);
void encode_names(ListMultipartUploadsOutput& answer);

}  // namespace runctl::aws::s3
