// What --help and --version print. Everything goes to stdout, as programs that pipe their help expect.
#pragma once

namespace rf::cli {

/// Options of parse_cmdline().
void print_cmdline_help();

/// Options of a session and of its mount.
void print_lowlevel_help();

/// The newest protocol we speak, then what the installed fusermount3 says about itself (its absence is no
/// error: root needs none).
void print_lowlevel_version(unsigned proto_major, unsigned proto_minor);

} // namespace rf::cli
