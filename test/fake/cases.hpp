// One well-formed request per answered opcode and variant: what the kernel sends, what the filesystem must
// see of it, how it answers, and which bytes the kernel must get. For a session of the newest minor with
// every flag.
#pragma once

#include "fake_kernel.hpp"
#include "recording_fs.hpp"

namespace rf::fake {

struct Case {
    const char* title;
    std::uint32_t opcode;
    Bytes body;
    std::string call; // as RecordingFs writes it down
    Answer answer;
    Bytes reply = {};
    // What a filesystem without the operation answers.
    int missing_error = -ENOSYS;
    Bytes missing_reply = {};
};

[[nodiscard]] std::vector<Case> name_cases();
[[nodiscard]] std::vector<Case> file_cases();
[[nodiscard]] std::vector<Case> directory_cases();
[[nodiscard]] std::vector<Case> all_cases();

// One value of each kind the filesystem answers with, and its bytes on the wire.

[[nodiscard]] struct stat sample_attr();
[[nodiscard]] kern::fuse_attr sample_wire_attr();
[[nodiscard]] fuse_entry_param sample_entry();
[[nodiscard]] kern::fuse_entry_out sample_wire_entry();
[[nodiscard]] struct statvfs sample_statfs();
[[nodiscard]] kern::fuse_statfs_out sample_wire_statfs();
/// Every flag that an open may answer with.
[[nodiscard]] fuse_file_info sample_open();
[[nodiscard]] kern::fuse_open_out sample_wire_open();

void answer_entry(fuse_req_t req);
void answer_attr(fuse_req_t req);
void answer_create(fuse_req_t req);
void answer_statfs(fuse_req_t req);
void answer_buffer(fuse_req_t req); // "content"

} // namespace rf::fake
