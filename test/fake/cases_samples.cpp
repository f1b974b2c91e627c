#include "cases.hpp"

namespace rf::fake {

struct stat sample_attr()
{
    struct stat attr {};
    attr.st_ino = 11;
    attr.st_size = 12;
    attr.st_blocks = 13;
    attr.st_atim = {14, 15};
    attr.st_mtim = {16, 17};
    attr.st_ctim = {18, 19};
    attr.st_mode = S_IFREG | 0640;
    attr.st_nlink = 20;
    attr.st_uid = 21;
    attr.st_gid = 22;
    attr.st_rdev = 23;
    attr.st_blksize = 24;
    return attr;
}

kern::fuse_attr sample_wire_attr()
{
    return {.ino = 11,
            .size = 12,
            .blocks = 13,
            .atime = 14,
            .mtime = 16,
            .ctime = 18,
            .atimensec = 15,
            .mtimensec = 17,
            .ctimensec = 19,
            .mode = 0100640,
            .nlink = 20,
            .uid = 21,
            .gid = 22,
            .rdev = 23,
            .blksize = 24,
            .flags = 0};
}

fuse_entry_param sample_entry()
{
    fuse_entry_param entry{};
    entry.ino = 31;
    entry.generation = 32;
    entry.attr = sample_attr();
    entry.attr_timeout = 33.5;
    entry.entry_timeout = 34.25;
    return entry;
}

kern::fuse_entry_out sample_wire_entry()
{
    return {.nodeid = 31,
            .generation = 32,
            .entry_valid = 34,
            .attr_valid = 33,
            .entry_valid_nsec = 250'000'000,
            .attr_valid_nsec = 500'000'000,
            .attr = sample_wire_attr()};
}

struct statvfs sample_statfs()
{
    struct statvfs st {};
    st.f_bsize = 41;
    st.f_frsize = 42;
    st.f_blocks = 43;
    st.f_bfree = 44;
    st.f_bavail = 45;
    st.f_files = 46;
    st.f_ffree = 47;
    st.f_namemax = 48;
    return st;
}

kern::fuse_statfs_out sample_wire_statfs()
{
    kern::fuse_statfs_out out{};
    out.st.blocks = 43;
    out.st.bfree = 44;
    out.st.bavail = 45;
    out.st.files = 46;
    out.st.ffree = 47;
    out.st.bsize = 41;
    out.st.namelen = 48;
    out.st.frsize = 42;
    return out;
}

fuse_file_info sample_open()
{
    fuse_file_info fi{};
    fi.fh = 51;
    fi.direct_io = 1;
    fi.keep_cache = 1;
    fi.nonseekable = 1;
    fi.cache_readdir = 1;
    fi.noflush = 1;
    fi.parallel_direct_writes = 1;
    fi.backing_id = 52;
    return fi;
}

kern::fuse_open_out sample_wire_open()
{
    constexpr std::uint32_t kEveryFlag = 1 | 2 | 4 | 8 | 32 | 64 | 128;
    return {.fh = 51, .open_flags = kEveryFlag, .backing_id = 52};
}

void answer_entry(fuse_req_t req)
{
    const fuse_entry_param entry = sample_entry();
    fuse_reply_entry(req, &entry);
}

void answer_attr(fuse_req_t req)
{
    const struct stat attr = sample_attr();
    fuse_reply_attr(req, &attr, 2.5);
}

void answer_create(fuse_req_t req)
{
    const fuse_entry_param entry = sample_entry();
    const fuse_file_info fi = sample_open();
    fuse_reply_create(req, &entry, &fi);
}

void answer_statfs(fuse_req_t req)
{
    const struct statvfs st = sample_statfs();
    fuse_reply_statfs(req, &st);
}

void answer_buffer(fuse_req_t req)
{
    fuse_reply_buf(req, "content", 7);
}

std::vector<Case> all_cases()
{
    std::vector<Case> all = name_cases();
    for (const std::vector<Case>& more : {file_cases(), directory_cases()})
        all.insert(all.end(), more.begin(), more.end());
    return all;
}

} // namespace rf::fake
