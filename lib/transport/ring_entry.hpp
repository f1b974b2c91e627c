// One ring entry: the header and payload buffers a request is copied into, and the answer copied out of.
//
// The payload is mapped twice, since a handler may go on reading the arguments of a WRITE after it was
// answered, while the kernel already puts the next request there: then the kernel's view gets fresh pages.
#pragma once

#include "base/memory.hpp"
#include "proto/kernel.hpp"
#include "transport/ring_policy.hpp"

#include <array>
#include <atomic>
#include <span>
#include <sys/uio.h>

namespace rf {

class RingQueue;
class RingThread;

/// Life: registered -> AVAILABLE (the kernel's) -> a request is copied in -> held (a worker's, then the
/// answering thread's) -> committed -> AVAILABLE again. Exactly one side owns it at any time; between our
/// threads it changes hands under the queue's mutex, or through RingWorker::deferred_ (release/acquire).
struct RingEntry {
    // Constant after creation.
    RingQueue* queue = nullptr;
    kern::fuse_uring_req_header* header = nullptr;
    std::array<iovec, 2> iov{}; // read by the kernel at REGISTER, also on a late retry
    MappedMemory header_memory;

    // The holder's, or with the kernel the home thread's.
    std::span<std::byte> payload; // our view; answers must fit
    TwinMapping payload_memory;
    std::size_t used_bytes = 0; // most that was in the payload since it was last given back

    // The thread whose ring it waits on, AVAILABLE; nullptr while held. Written by that thread only.
    std::atomic<const RingThread*> home{nullptr};

    // The holder's.
    std::uint64_t commit_id = 0;
    ring_policy::Command command = ring_policy::Command::kRegister;

    // Who still needs the payload before the answer may be committed. 1: only the answer. 2: the answer and
    // the handler, which reads its arguments (WRITE data) in place.
    std::atomic<int> pending{0};

    // An answer given while the handler still reads the payload waits here, or behind the arguments.
    std::span<const std::byte> staged;
    std::array<std::byte, 256> stage;

    RingEntry* next = nullptr; // in one of the queue's lists
};

/// First in, first out, linked through RingEntry::next. Guarded by whoever owns it.
class EntryList {
public:
    [[nodiscard]] bool empty() const noexcept { return head_ == nullptr; }
    void push(RingEntry& entry) noexcept
    {
        entry.next = nullptr;
        (tail_ ? tail_->next : head_) = &entry;
        tail_ = &entry;
    }
    [[nodiscard]] RingEntry* pop() noexcept
    {
        RingEntry* first = head_;
        if (first) {
            head_ = first->next;
            if (!head_)
                tail_ = nullptr;
        }
        return first;
    }

private:
    RingEntry* head_ = nullptr;
    RingEntry* tail_ = nullptr;
};

} // namespace rf
