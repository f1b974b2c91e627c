// -o intr: a signal for the thread whose caller was interrupted, so that its system calls end with EINTR.
#pragma once

#include "base/mutex.hpp"

#include <csignal>
#include <fuse_lowlevel.h>
#include <pthread.h>

namespace rf::hl {

/// The signal's handler, which does nothing: it only must not kill us. One thread, no operation running.
class InterruptSignal {
public:
    InterruptSignal() = default;
    ~InterruptSignal() { restore(); }
    InterruptSignal(const InterruptSignal&) = delete;
    InterruptSignal& operator=(const InterruptSignal&) = delete;

    /// 0 or -errno. A handler of the application's own stays.
    [[nodiscard]] int install(int number);
    void restore();

private:
    int number_ = 0; // 0: not installed
};

/// Lets the thread that runs one request be interrupted, from construction to end(). Owner thread, but
/// interrupt().
class Interruptible {
public:
    Interruptible(fuse_req_t request, int signal_number);
    ~Interruptible() { end(); }
    Interruptible(const Interruptible&) = delete;
    Interruptible& operator=(const Interruptible&) = delete;

    /// Before the answer. Afterwards nobody signals any more.
    void end();

private:
    static void interrupt(fuse_req_t request, void* self);
    void signal_until_ended();

    fuse_req_t request_; // null: ended
    const int signal_number_;
    const pthread_t thread_ = ::pthread_self();
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER; // guards ended_
    pthread_cond_t changed_ = PTHREAD_COND_INITIALIZER;
    bool ended_ = false;
};

} // namespace rf::hl
