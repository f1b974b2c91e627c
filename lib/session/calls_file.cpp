// Calls that work on open files.
#include "session/calls.hpp"

#include "family/layout.hpp"
#include "proto/encode.hpp"
#include "session/notify.hpp"

#include <new>
#include <sys/file.h>

namespace rf {

/// A filesystem without open: success, or for those that asked for it, "never ask again".
void Calls::open_missing(std::uint64_t no_open_capability)
{
    if (session_.wanted() & no_open_capability)
        return missing();
    const fuse_file_info fi{};
    fuse_reply_open(req_, &fi);
}

void Calls::open(const kern::fuse_open_in& in)
{
    if (!ops_.open)
        return open_missing(FUSE_CAP_NO_OPEN_SUPPORT);
    fuse_file_info fi{};
    fi.flags = static_cast<int>(in.flags);
    ops_.open(req_, node_, &fi);
}

void Calls::read(const kern::fuse_read_in& in)
{
    if (!ops_.read)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    fi.lock_owner = in.lock_owner;
    fi.flags = static_cast<int>(in.flags);
    ops_.read(req_, node_, in.size, static_cast<off_t>(in.offset), &fi);
}

void Calls::write(const kern::fuse_write_in& in, Bytes data)
{
    fuse_file_info fi{};
    fi.fh = in.fh;
    fi.writepage = (in.write_flags & kern::WRITE_CACHE) != 0;
    fi.lock_owner = in.lock_owner;
    fi.flags = static_cast<int>(in.flags);
    // The bytes are ours to lend and nobody writes them while the handler runs; the type is libfuse's.
    char* bytes = const_cast<char*>(reinterpret_cast<const char*>(data.data()));
    if (ops_.write_buf) {
        fuse_bufvec vector = FUSE_BUFVEC_INIT(data.size());
        vector.buf[0].mem = bytes;
        return ops_.write_buf(req_, node_, &vector, static_cast<off_t>(in.offset), &fi);
    }
    ops_.write ? ops_.write(req_, node_, bytes, data.size(), static_cast<off_t>(in.offset), &fi) : missing();
}

void Calls::flush(const kern::fuse_flush_in& in)
{
    if (!ops_.flush)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    family::set(fi, family::FileBit::kFlush);
    fi.lock_owner = in.lock_owner;
    ops_.flush(req_, node_, &fi);
}

void Calls::release(const kern::fuse_release_in& in)
{
    if (!ops_.release)
        return done();
    fuse_file_info fi{};
    fi.flags = static_cast<int>(in.flags);
    fi.fh = in.fh;
    fi.lock_owner = in.lock_owner;
    family::set(fi, family::FileBit::kFlush, (in.release_flags & kern::RELEASE_FLUSH) != 0);
    family::set(fi, family::FileBit::kFlockRelease, (in.release_flags & kern::RELEASE_FLOCK_UNLOCK) != 0);
    ops_.release(req_, node_, &fi);
}

void Calls::fsync(const kern::fuse_fsync_in& in)
{
    if (!ops_.fsync)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.fsync(req_, node_, static_cast<int>(in.fsync_flags & kern::FSYNC_FDATASYNC), &fi);
}

void Calls::getlk(const kern::fuse_lk_in& in)
{
    if (!ops_.getlk)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    fi.lock_owner = in.owner;
    struct flock lock {};
    decode_lock(in.lk, lock);
    ops_.getlk(req_, node_, &fi, &lock);
}

void Calls::run_flock(const kern::fuse_lk_in& in, bool sleep)
{
    if (!ops_.flock)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    fi.lock_owner = in.owner;
    int operation = 0;
    switch (in.lk.type) {
    case F_RDLCK:
        operation = LOCK_SH;
        break;
    case F_WRLCK:
        operation = LOCK_EX;
        break;
    case F_UNLCK:
        operation = LOCK_UN;
        break;
    default:
        request_.finish(-EINVAL);
        return;
    }
    ops_.flock(req_, node_, &fi, operation | (sleep ? 0 : LOCK_NB));
}

void Calls::setlk(const kern::fuse_lk_in& in, bool sleep)
{
    if (in.lk_flags & kern::LK_FLOCK)
        return run_flock(in, sleep);
    if (!ops_.setlk)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    fi.lock_owner = in.owner;
    struct flock lock {};
    decode_lock(in.lk, lock);
    ops_.setlk(req_, node_, &fi, &lock, sleep ? 1 : 0);
}

void Calls::ioctl(const kern::fuse_ioctl_in& in, Bytes data)
{
    if ((in.flags & kern::kIoctlDir) && !(session_.wanted() & FUSE_CAP_IOCTL_DIR)) {
        request_.finish(-ENOTTY);
        return;
    }
    if (!ops_.ioctl)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.ioctl(req_, node_, in.cmd, reinterpret_cast<void*>(in.arg), &fi, in.flags,
               in.in_size ? data.data() : nullptr, in.in_size, in.out_size);
}

void Calls::poll(const kern::fuse_poll_in& in)
{
    if (!ops_.poll)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    fi.poll_events = in.events;
    fuse_pollhandle* handle = nullptr;
    if (in.flags & kern::POLL_SCHEDULE_NOTIFY) {
        handle = new (std::nothrow) fuse_pollhandle{in.kh, &session_};
        if (!handle) {
            request_.finish(-ENOMEM);
            return;
        }
    }
    ops_.poll(req_, node_, &fi, handle);
}

void Calls::fallocate(const kern::fuse_fallocate_in& in)
{
    if (!ops_.fallocate)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.fallocate(req_, node_, static_cast<int>(in.mode), static_cast<off_t>(in.offset),
                   static_cast<off_t>(in.length), &fi);
}

void Calls::lseek(const kern::fuse_lseek_in& in)
{
    if (!ops_.lseek)
        return missing();
    fuse_file_info fi{};
    fi.fh = in.fh;
    ops_.lseek(req_, node_, static_cast<off_t>(in.offset), static_cast<int>(in.whence), &fi);
}

void Calls::copy_file_range(const kern::fuse_copy_file_range_in& in, bool)
{
    if (!ops_.copy_file_range)
        return missing();
    fuse_file_info from{};
    fuse_file_info to{};
    from.fh = in.fh_in;
    to.fh = in.fh_out;
    ops_.copy_file_range(req_, node_, static_cast<off_t>(in.off_in), &from, in.nodeid_out,
                         static_cast<off_t>(in.off_out), &to, in.len, static_cast<int>(in.flags));
}

} // namespace rf
