// Answers for C callers: each encodes its body and goes through Request::finish(). Any thread, once per
// request.
#include "abi/export.hpp"
#include "abi/handles.hpp"

#include "family/layout.hpp"
#include "proto/encode.hpp"

#include <array>
#include <cstring>

namespace {

namespace kern = rf::kern;

std::uint32_t minor_of(fuse_req_t req)
{
    return req->session->peer().minor;
}

rf::EntryArgs entry_args(const fuse_entry_param& e)
{
    return {e.ino, e.generation, e.entry_timeout, e.attr_timeout, &e.attr};
}

kern::fuse_open_out encode_open(const fuse_file_info& fi)
{
    kern::fuse_open_out out{};
    out.fh = fi.fh;
    const auto set = [&](bool on, std::uint32_t flag) { out.open_flags |= on ? flag : 0; };
    set(fi.direct_io, kern::FOPEN_DIRECT_IO);
    set(fi.keep_cache, kern::FOPEN_KEEP_CACHE);
    using rf::family::FileBit;
    set(rf::family::has(fi, FileBit::kNonseekable), kern::FOPEN_NONSEEKABLE);
    set(rf::family::has(fi, FileBit::kCacheReaddir), kern::FOPEN_CACHE_DIR);
    set(rf::family::has(fi, FileBit::kNoflush), kern::FOPEN_NOFLUSH);
    set(rf::family::has(fi, FileBit::kParallelDirectWrites), kern::FOPEN_PARALLEL_DIRECT_WRITES);
    if (const std::int32_t id = rf::family::backing_id(fi); id > 0) {
        out.backing_id = id;
        out.open_flags |= kern::FOPEN_PASSTHROUGH;
    }
    return out;
}

} // namespace

extern "C" {

RF_EXPORT int fuse_reply_err(fuse_req_t req, int err)
{
    return req->finish(-err);
}

RF_EXPORT void fuse_reply_none(fuse_req_t req)
{
    req->finish_unanswered();
}

RF_EXPORT int fuse_reply_entry(fuse_req_t req, const fuse_entry_param* e)
{
    // Kernels before 7.12 take "no inode" for an error instead of a name known not to exist.
    if (e->ino == 0 && minor_of(req) < 12)
        return req->finish(-ENOENT);
    req->session->note_entry(e->ino, e->attr.st_mode);
    kern::fuse_entry_out out;
    rf::encode_entry(entry_args(*e), out);
    return req->finish(&out, rf::entry_out_bytes(minor_of(req)));
}

RF_EXPORT int fuse_reply_create(fuse_req_t req, const fuse_entry_param* e, const fuse_file_info* fi)
{
    req->session->note_entry(e->ino, e->attr.st_mode);
    kern::fuse_entry_out entry;
    rf::encode_entry(entry_args(*e), entry);
    kern::fuse_open_out open = encode_open(*fi);
    const std::array<iovec, 2> body{iovec{&entry, rf::entry_out_bytes(minor_of(req))},
                                    iovec{&open, sizeof(open)}};
    return req->finish(0, body);
}

RF_EXPORT int fuse_reply_attr(fuse_req_t req, const struct stat* attr, double attr_timeout)
{
    kern::fuse_attr_out out;
    rf::encode_attr_out(*attr, attr_timeout, out);
    return req->finish(&out, rf::attr_out_bytes(minor_of(req)));
}

RF_EXPORT int fuse_reply_statx(fuse_req_t req, int flags, struct statx* statx, double attr_timeout)
{
    kern::fuse_statx_out out;
    rf::encode_statx(*statx, attr_timeout, static_cast<std::uint32_t>(flags), out);
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_readlink(fuse_req_t req, const char* link)
{
    return req->finish(link, std::strlen(link));
}

RF_EXPORT int fuse_reply_open(fuse_req_t req, const fuse_file_info* fi)
{
    const kern::fuse_open_out out = encode_open(*fi);
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_write(fuse_req_t req, size_t count)
{
    if (req->in.header.opcode == kern::OP_COPY_FILE_RANGE_64) {
        const kern::fuse_copy_file_range_out out{count};
        return req->finish(&out, sizeof(out));
    }
    kern::fuse_write_out out{};
    out.size = static_cast<std::uint32_t>(count);
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_buf(fuse_req_t req, const char* buf, size_t size)
{
    return req->finish(buf, size);
}

RF_EXPORT int fuse_reply_iov(fuse_req_t req, const iovec* iov, int count)
{
    return count < 0 ? req->finish(-EINVAL) : req->finish(0, {iov, static_cast<std::size_t>(count)});
}

RF_EXPORT int fuse_reply_statfs(fuse_req_t req, const struct statvfs* stbuf)
{
    kern::fuse_statfs_out out;
    rf::encode_statfs(*stbuf, out);
    return req->finish(&out, rf::statfs_out_bytes(minor_of(req)));
}

RF_EXPORT int fuse_reply_xattr(fuse_req_t req, size_t count)
{
    kern::fuse_getxattr_out out{};
    out.size = static_cast<std::uint32_t>(count);
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_lock(fuse_req_t req, const struct flock* lock)
{
    kern::fuse_lk_out out{};
    rf::encode_lock(*lock, out.lk);
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_bmap(fuse_req_t req, uint64_t idx)
{
    const kern::fuse_bmap_out out{idx};
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_poll(fuse_req_t req, unsigned revents)
{
    kern::fuse_poll_out out{};
    out.revents = revents;
    return req->finish(&out, sizeof(out));
}

RF_EXPORT int fuse_reply_lseek(fuse_req_t req, off_t off)
{
    const kern::fuse_lseek_out out{static_cast<std::uint64_t>(off)};
    return req->finish(&out, sizeof(out));
}

RF_EXPORT size_t fuse_add_direntry(fuse_req_t, char* buf, size_t bufsize, const char* name,
                                   const struct stat* stbuf, off_t off)
{
    if (!buf)
        return rf::dirent_bytes(std::strlen(name));
    return rf::add_dirent({reinterpret_cast<std::byte*>(buf), bufsize}, name, stbuf->st_ino, stbuf->st_mode,
                          static_cast<std::uint64_t>(off));
}

RF_EXPORT size_t fuse_add_direntry_plus(fuse_req_t, char* buf, size_t bufsize, const char* name,
                                        const fuse_entry_param* e, off_t off)
{
    if (!buf)
        return rf::dirent_plus_bytes(std::strlen(name));
    kern::fuse_entry_out entry;
    rf::encode_entry(entry_args(*e), entry);
    return rf::add_dirent_plus({reinterpret_cast<std::byte*>(buf), bufsize}, name, e->attr.st_ino,
                               e->attr.st_mode, static_cast<std::uint64_t>(off), entry);
}

} // extern "C"
