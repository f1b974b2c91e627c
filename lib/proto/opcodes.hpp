// The one table of opcodes: what each is called, how big its fixed part is, whether it is answered, how it is
// decoded. A sparse table, so that opcodes far from the others (CUSE_INIT) cost nothing.
#pragma once

#include "proto/arg_reader.hpp"
#include "proto/incoming.hpp"
#include "proto/operations.hpp"

#include <cstdint>
#include <string_view>

namespace rf {
inline namespace proto {

/// What INIT agreed on, as far as it changes how requests look. All zero is right until INIT was answered.
struct Peer {
    uint32_t minor = 0;
    bool setxattr_ext = false;
};

struct OpRow {
    uint32_t opcode = 0;
    std::string_view name;    ///< points to a literal: name.data() ends in NUL
    uint16_t fixed_bytes = 0; ///< what the ring puts in op_in, in the newest minor
    bool answered = true;     ///< false: nobody waits for a reply (a ring entry still needs its commit)
    /// Reads the body and calls the visitor, or returns false without calling it.
    bool (*decode)(ArgReader&, const Peer&, Operations&) = nullptr;
};

/// Row of an opcode; nullptr if we do not know it (also SETUPMAPPING and REMOVEMAPPING). Constant time.
[[nodiscard]] const OpRow* find_op(uint32_t opcode) noexcept;

/// Name for messages: "READ", or "?" for an opcode without a row. Ends in NUL.
[[nodiscard]] const char* op_name(uint32_t opcode) noexcept;

/// Bytes of op_in that are valid on the ring for this peer. At most row.fixed_bytes.
[[nodiscard]] size_t fixed_bytes_for(const OpRow& row, const Peer& peer) noexcept;

/// Decodes one message and makes its one call on `ops`. 0, or -EINVAL if the message is malformed: then
/// nothing was called. Bytes behind what the opcode needs are ignored. Not noexcept: `ops` may run the
/// filesystem.
[[nodiscard]] int decode(const OpRow& row, const Incoming& message, const Peer& peer, Operations& ops);

} // namespace proto
} // namespace rf
