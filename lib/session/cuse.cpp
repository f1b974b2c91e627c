// Character devices: the operations without inodes behind those of a filesystem, and the INIT of /dev/cuse.
// Everything else, from the loop to the answers, is a filesystem's.
#include "session/cuse.hpp"

#include "base/log.hpp"
#include "family/layout.hpp"
#include "session/session.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace rf {
namespace {

// Kernel: a device keeps the default of 32 pages a request, cuse_process_init_reply(), fs/fuse/cuse.c (v6.18)
// raises nothing. More would never be asked for.
constexpr std::uint32_t kMostBytes = 32 * kern::kPageBytes;

const cuse_lowlevel_ops& device_ops(fuse_req_t req) noexcept
{
    return req->session->cuse()->ops();
}

/// Calls one operation of the device with the arguments of a filesystem's, but for the inode.
template <auto kMember, class... Arguments>
void without_inode(fuse_req_t req, fuse_ino_t, Arguments... arguments)
{
    (device_ops(req).*kMember)(req, arguments...);
}

/// `target` becomes the one above if the device has kMember.
template <auto kMember, class... Arguments>
void adopt(const cuse_lowlevel_ops& ops, void (*&target)(fuse_req_t, fuse_ino_t, Arguments...)) noexcept
{
    if (ops.*kMember)
        target = without_inode<kMember, Arguments...>;
}

} // namespace

int CuseDevice::make(const cuse_info& info, const cuse_lowlevel_ops& ops, std::size_t op_size,
                     CuseDevice& out)
{
    if (info.dev_info_argc > 0 && !info.dev_info_argv) {
        log::error("cuse: device refused: dev_info_argv is missing (EINVAL)");
        return -EINVAL;
    }
    CuseDevice device;
    for (unsigned i = 0; i < info.dev_info_argc; ++i) {
        const char* word = info.dev_info_argv[i];
        if (!word) {
            log::error("cuse: device refused: dev_info_argv[%u] is missing (EINVAL)", i);
            return -EINVAL;
        }
        device.properties_.insert(device.properties_.end(), word, word + std::strlen(word) + 1);
    }
    if (device.properties_.size() > kern::kCuseInitInfoMax) {
        log::error("cuse: device refused: its properties are too long bytes=%zu most=%zu (E2BIG)",
                   device.properties_.size(), kern::kCuseInitInfoMax);
        return -E2BIG;
    }
    std::memcpy(&device.ops_, &ops, std::min(op_size, sizeof(device.ops_)));
    device.major_ = info.dev_major;
    device.minor_ = info.dev_minor;
    device.flags_ = info.flags;
    out = std::move(device);
    return 0;
}

fuse_lowlevel_ops CuseDevice::as_filesystem() const noexcept
{
    fuse_lowlevel_ops out{};
    out.init = ops_.init;
    out.destroy = ops_.destroy;
    adopt<&cuse_lowlevel_ops::open>(ops_, out.open);
    adopt<&cuse_lowlevel_ops::read>(ops_, out.read);
    adopt<&cuse_lowlevel_ops::write>(ops_, out.write);
    adopt<&cuse_lowlevel_ops::flush>(ops_, out.flush);
    adopt<&cuse_lowlevel_ops::release>(ops_, out.release);
    adopt<&cuse_lowlevel_ops::fsync>(ops_, out.fsync);
    adopt<&cuse_lowlevel_ops::ioctl>(ops_, out.ioctl);
    adopt<&cuse_lowlevel_ops::poll>(ops_, out.poll);
    return out;
}

const char* CuseDevice::name() const noexcept
{
    constexpr std::string_view kKey = "DEVNAME=";
    const char* const end = properties_.data() + properties_.size();
    for (const char* word = properties_.data(); word < end; word += std::strlen(word) + 1) {
        if (std::strncmp(word, kKey.data(), kKey.size()) == 0)
            return word + kKey.size();
    }
    return "?";
}

/// CUSE_INIT. The answer makes the device; the kernel says nothing to it but ENODEV at the next read if it
/// could not.
void Session::handle_cuse_init(Request& request, const kern::cuse_init_in& in)
{
    if (in.major < kern::kMajor) {
        log::error("cuse: protocol %u.%u is older than ours (EPROTO), the session ends", in.major, in.minor);
        return fail_init(request, -EPROTO);
    }
    const std::uint32_t most =
        static_cast<std::uint32_t>(std::min<std::size_t>(kMostBytes, buffer_bytes_ - kern::kPageBytes));
    fuse_conn_info conn{};
    conn.proto_major = kern::kMajor;
    conn.proto_minor = in.major > kern::kMajor ? kern::kMinor : std::min(in.minor, kern::kMinor);
    conn.max_read = most;
    conn.max_write = most;
    const fuse_conn_info offered = conn;
    if (ops_.init)
        ops_.init(userdata_, &conn);
    family::take_conn(conn, offered);

    peer_.minor = conn.proto_minor;
    kern::cuse_init_out out{};
    out.major = kern::kMajor;
    out.minor = kern::kMinor;
    out.flags = cuse_->flags();
    out.max_read = std::min(conn.max_read, most);
    out.max_write = std::min(conn.max_write, most);
    out.dev_major = cuse_->major();
    out.dev_minor = cuse_->minor();
    record_reason("a character device");
    recorder_.change([&out, this](stat::Facts& facts) {
        stat::set_text(facts.transport, engine_.transport_name());
        facts.protocol_minor = peer_.minor;
        facts.max_write = out.max_write;
    });
    recorder_.set_state(stat::State::kServing);
    // Other threads may get requests the moment the kernel has the answer.
    got_init_.store(true, std::memory_order_release);

    const std::array<iovec, 2> body{
        iovec{&out, sizeof(out)},
        iovec{const_cast<char*>(cuse_->properties().data()), cuse_->properties().size()}};
    if (const int rc = request.finish(0, body); rc < 0) {
        log::error("cuse: device not made: name=%s (%s), the session ends", cuse_->name(),
                   log::errno_name(rc));
        stop(StopCause::kFailed, rc);
        return;
    }
    announce(transport_name(), transport_reason().c_str());
    if (cuse_->ops().init_done)
        cuse_->ops().init_done(userdata_);
}

// A filesystem ends by unmounting, and nobody is to blame; a device ends with its session. The kernel ends it
// when it did not like what it was told, or when somebody writes to its `abort` in sysfs.
int Session::report_lost_device() const
{
    log::error("cuse: the kernel ended the device: name=%s major=%u minor=%u (ENODEV), is the name or the "
               "number taken?",
               cuse_->name(), cuse_->major(), cuse_->minor());
    return -ENODEV;
}

} // namespace rf
