// Options that several commands of S3 have.
#pragma once

#include <array>

#include "cli/command.hpp"

namespace runctl::cli {

inline constexpr std::array<OptionSpec, 3> connection_options{{
    {.name = "--no-sign-request", .help = "send no credentials, as public buckets allow"},
    {.name = "--request-payer", .value = "requester", .help = "pay for requests and data yourself"},
    {.name = "--addressing-style",
     .value = "auto|path|virtual",
     .help = "how a bucket becomes part of an address"},
}};

inline constexpr std::array<OptionSpec, 3> filter_options{{
    {.name = "--include",
     .value = "PATTERN",
     .help = "take only what matches one, in gitignore's syntax",
     .times = OptionSpec::Times::many},
    {.name = "--exclude",
     .value = "PATTERN",
     .help = "leave out what matches, in gitignore's syntax",
     .times = OptionSpec::Times::many},
    {.name = "--exclude-from",
     .value = "FILE",
     .help = "leave out what a file such as .gitignore says",
     .times = OptionSpec::Times::many},
}};

inline constexpr std::array<OptionSpec, 1> recursive_option{{
    {.name = "--recursive", .help = "everything in the folder", .letter = 'r'},
}};

inline constexpr std::array<OptionSpec, 1> version_option{{
    {.name = "--version-id", .value = "ID", .help = "this version of the object"},
}};

inline constexpr std::array<OptionSpec, 1> links_option{{
    {.name = "--follow-symlinks", .help = "take what symbolic links lead to"},
}};

// How fast, how many at once.
inline constexpr std::array<OptionSpec, 3> speed_options{{
    {.name = "--concurrency", .value = "N", .help = "requests at once; else as many as help"},
    {.name = "--part-size",
     .value = "SIZE",
     .help = "of large objects' parts: 16MiB; else measured"},
    {.name = "--bandwidth-limit", .value = "RATE", .help = "bytes a second at most: 20MiB"},
}};

inline constexpr std::array<OptionSpec, 1> durability_option{{
    {.name = "--no-fsync",
     .help = "do not wait for the disk before a large file has its name; faster"},
}};

inline constexpr std::array<OptionSpec, 2> upload_options{{
    {.name = "--on-interrupt",
     .value = "keep|abort",
     .help = "what becomes of a half uploaded object: keep it to go on"},
    {.name = "--checksum-algorithm",
     .value = "KIND",
     .help = "what S3 checks objects by: CRC64NVME, CRC32C or CRC32"},
}};

inline constexpr std::array<OptionSpec, 1> condition_option{{
    {.name = "--if-none-match",
     .help = "write no object that is there already",
     .alias = "--no-overwrite"},
}};

// What new objects have.
inline constexpr std::array<OptionSpec, 8> object_options{{
    {.name = "--storage-class", .value = "CLASS", .help = "STANDARD_IA, INTELLIGENT_TIERING, …"},
    {.name = "--sse", .value = "KIND", .help = "encryption at rest: AES256, aws:kms, aws:kms:dsse"},
    {.name = "--sse-kms-key-id", .value = "KEY", .help = "the key for --sse aws:kms"},
    {.name = "--acl", .value = "ACL", .help = "bucket-owner-full-control, …"},
    {.name = "--content-type", .value = "TYPE", .help = "text/html, …"},
    {.name = "--content-encoding", .value = "ENCODING", .help = "gzip, …"},
    {.name = "--cache-control", .value = "TEXT", .help = "max-age=3600, …"},
    {.name = "--metadata",
     .value = "K=V",
     .help = "what else the object says of itself",
     .times = OptionSpec::Times::many},
}};

// Keys of the user's own, named as in AWS's tools.
inline constexpr std::array<OptionSpec, 2> customer_key_options{{
    {.name = "--sse-c",
     .value = "[AES256]",
     .help = "the object has a key of yours; may be left out"},
    {.name = "--sse-c-key", .value = "KEY", .help = "that key: fileb://FILE, env://NAME"},
}};

inline constexpr std::array<OptionSpec, 2> copy_source_key_options{{
    {.name = "--sse-c-copy-source",
     .value = "[AES256]",
     .help = "what is copied has a key of yours; may be left out"},
    {.name = "--sse-c-copy-source-key",
     .value = "KEY",
     .help = "that key: fileb://FILE, env://NAME"},
}};

}  // namespace runctl::cli
