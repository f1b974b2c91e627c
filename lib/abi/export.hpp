// The two macros every extern "C" file needs: what makes a function visible, and how it gets a version node.
#pragma once

/// Marks a function of the C ABI. Everything else is hidden; the version script has the last word.
#define RF_EXPORT __attribute__((visibility("default")))

/// Publishes `internal`, a function defined in the same file, as `versioned`: "name@NODE" for an old version
/// that existing binaries ask for, "name@@NODE" for the one new links get. The assembler directive is what
/// both gcc and clang understand; it does not survive LTO, so files that use it are compiled without.
#define RF_SYMVER(internal, versioned) __asm__(".symver " #internal ", " versioned)
