#include "transport/device_reader.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"
#include "base/tsan.hpp"
#include "proto/kernel.hpp"

#include <algorithm>
#include <ctime>
#include <fcntl.h>
#include <new>
#include <sys/epoll.h>

namespace rf {
namespace {

std::uint64_t now_ns() noexcept
{
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

int watch(int epoll, int fd, std::uint32_t events) noexcept
{
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return from_libc(::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

} // namespace

DeviceReader::~DeviceReader()
{
    if (slot_)
        sink_.release_slot(*slot_);
    // Requests that were read through a clone and are not answered yet keep it open.
    if (channel_)
        channel_->release();
}

int DeviceReader::open(std::size_t buffer_bytes, bool clone_fd)
{
    fd_ = device_.fd();
    if (clone_fd) {
        const int fd = device_.clone();
        if (fd < 0)
            return fd;
        channel_ = DeviceChannel::own(fd);
        if (!channel_)
            return -ENOMEM;
        fd_ = fd;
        if (!device_.custom())
            (void)::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    if (!channel_)
        channel_ = &device_.main_channel();
    if (const int rc = buffer_.map(buffer_bytes); rc < 0)
        return rc;
    return ring_use_ == RingUse::kWanted ? 0 : open_epoll();
}

int DeviceReader::use_ring(DevUring& transport, LateAnswers* late)
{
    ring_.reset(new (std::nothrow) DeviceRing(late));
    if (!ring_)
        return -ENOMEM;
    ring_transport_ = &transport;
    ring_use_ = RingUse::kWanted;
    return 0;
}

int DeviceReader::open_epoll()
{
    epoll_ = UniqueFd(from_libc(::epoll_create1(EPOLL_CLOEXEC)));
    if (!epoll_)
        return -EMFILE;
    // Exclusive: one request wakes one of the threads that wait, not all of them.
    if (const int rc = watch(epoll_.get(), fd_, EPOLLIN | EPOLLEXCLUSIVE); rc < 0)
        return rc;
    return watch(epoll_.get(), stop_.stop_fd(), EPOLLIN);
}

int DeviceReader::wait()
{
    bind();
    const int rc = wait_for_message();
    binding_.loosen();
    waited_ = true;
    began_ns_ = now_ns();
    return rc;
}

int DeviceReader::wait_for_message()
{
    if (ring_use_ == RingUse::kWanted) {
        const int rc = ring_->open(fd_, stop_.stop_fd());
        ring_use_ = rc < 0 ? RingUse::kNone : RingUse::kOpen;
        if (rc < 0)
            log::error("io_uring for a device reader failed (%s), it reads without", log::errno_name(rc));
    }
    if (ring_use_ == RingUse::kOpen)
        return ring_->wait(buffer_.bytes());
    if (!epoll_) {
        if (const int rc = open_epoll(); rc < 0)
            return rc;
    }
    epoll_event event;
    const int n = from_libc(::epoll_wait(epoll_.get(), &event, 1, -1));
    return n < 0 && n != -EINTR ? n : 0;
}

void DeviceReader::close()
{
    binding_.leave();
    if (ring_use_ != RingUse::kOpen)
        return;
    const bool ours = ring_->disarm();
    if (const ssize_t n = ring_->take(); n > 0) {
        if (const int rc = handle(static_cast<std::size_t>(n)); rc < 0)
            log::error("request answered without its handler (%s)", log::errno_name(rc));
    }
    ring_->close();
    ring_use_ = RingUse::kNone;
    // The kernel may write into it for as long as the process lives.
    if (!ours)
        (void)new (std::nothrow) MappedMemory(std::move(buffer_));
}

/// -1: any.
int DeviceReader::cpu_to_wait_on() const noexcept
{
    if (device_.custom() || place_.pin == ring_policy::Pin::kNone)
        return -1;
    // What takes long and comes several at a time is better spread over the CPUs. Where handlers must run
    // unbound, so are short requests of several clients: threads that are bound and unbound while others
    // queue for the same CPU cost more than staying on one wins.
    const bool one_client = load_.one_client();
    const bool together = load_.is_short() && (one_client || place_.pin == ring_policy::Pin::kAlways);
    return together || (one_client && load_.one_at_a_time()) ? place_.clients.home() : -1;
}

void DeviceReader::bind() noexcept
{
    const int cpu = cpu_to_wait_on();
    if (cpu < 0) {
        if (binding_.cpu() >= 0)
            binding_.leave();
        return;
    }
    // While the thread is not bound its affinity may be changed by the filesystem or from outside; that
    // holds.
    if (!binding_.bound() && get_affinity(home_mask_) < 0)
        return;
    if (cpu >= CPU_SETSIZE || !CPU_ISSET(static_cast<unsigned>(cpu), &home_mask_) ||
        CPU_COUNT(&home_mask_) == 1)
        return;
    if (cpu == binding_.cpu())
        binding_.tighten();
    else
        (void)binding_.settle(static_cast<unsigned>(cpu));
}

void DeviceReader::account(std::uint32_t tid) noexcept
{
    const std::uint64_t now = now_ns();
    const std::uint64_t took = now - began_ns_;
    const bool queued = !waited_;
    began_ns_ = now;
    waited_ = false;
    // The kernel's own (RELEASE, FORGET) come from nobody, and nobody waits for them.
    if (tid == 0 || place_.pin == ring_policy::Pin::kNone)
        return;
    load_.add(took, queued, place_.clients.changes_to(tid));
    if (--until_look_ == 0)
        until_look_ = place_.clients.look(tid, load_.one_client());
}

ssize_t DeviceReader::receive()
{
    if (ring_use_ != RingUse::kNone)
        return ring_->take();
    return device_.read(fd_, buffer_.bytes());
}

int DeviceReader::handle(std::size_t bytes)
{
    tsan::from_kernel();
    Slot* slot = slot_ ? slot_ : sink_.acquire_slot();
    slot_ = nullptr;
    const std::span<const std::byte> message = buffer_.bytes().first(bytes);
    proto::Incoming in;
    if (const int rc = proto::parse_device_message(message, in); rc < 0) {
        // Without a believable header there is nobody to answer.
        log::error("request refused: header does not fit the message bytes=%zu (%s), skipped", bytes,
                   log::errno_name(rc));
        slot_ = slot;
        return 0;
    }
    if (!slot) {
        device_.refuse(in, *channel_, -ENOMEM);
        return -ENOMEM;
    }
    const bool through_ring = ring_use_ == RingUse::kOpen;
    slot->transport = through_ring ? static_cast<Transport*>(ring_transport_) : &device_;
    slot->in = in;
    slot->payload = {};
    channel_->hold();
    slot->channel = channel_;
    slot->entry = nullptr;
    slot->add_references(2);
    if (through_ring)
        ring_->enter_handler(*slot);
    sink_.deliver(*slot);
    if (through_ring)
        ring_->leave_handler();
    if (slot->drop_reference())
        slot_ = slot; // answered: ours again
    account(in.header.pid);
    return 0;
}

NonblockingDevice::NonblockingDevice(const DeviceTransport& device) noexcept
{
    if (device.custom())
        return;
    fd_ = device.fd();
    flags_ = ::fcntl(fd_, F_GETFL);
    if (flags_ >= 0)
        (void)::fcntl(fd_, F_SETFL, flags_ | O_NONBLOCK);
}

NonblockingDevice::~NonblockingDevice()
{
    if (flags_ >= 0)
        (void)::fcntl(fd_, F_SETFL, flags_);
}

} // namespace rf
