#include "highlevel/interrupt.hpp"

#include "base/fd.hpp"

#include <ctime>

namespace rf::hl {
namespace {

void ignore(int) {}

} // namespace

int InterruptSignal::install(int number)
{
    struct sigaction old {};
    if (const int rc = from_libc(::sigaction(number, nullptr, &old)); rc < 0)
        return rc;
    if ((old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL)
        return 0;
    struct sigaction ours {};
    ours.sa_handler = ignore; // no SA_RESTART: ending system calls is the point
    sigemptyset(&ours.sa_mask);
    const int rc = from_libc(::sigaction(number, &ours, nullptr));
    if (rc == 0)
        number_ = number;
    return rc;
}

void InterruptSignal::restore()
{
    if (number_ == 0)
        return;
    struct sigaction now {};
    if (::sigaction(number_, nullptr, &now) == 0 && !(now.sa_flags & SA_SIGINFO) &&
        now.sa_handler == ignore) {
        struct sigaction plain {};
        plain.sa_handler = SIG_DFL;
        ::sigaction(number_, &plain, nullptr);
    }
    number_ = 0;
}

Interruptible::Interruptible(fuse_req_t request, int signal_number)
    : request_(request), signal_number_(signal_number)
{
    fuse_req_interrupt_func(request, interrupt, this);
}

void Interruptible::interrupt(fuse_req_t, void* self)
{
    Interruptible& call = *static_cast<Interruptible*>(self);
    // Came before the call: it sees that with fuse_interrupted(), there is no system call to end yet.
    if (!::pthread_equal(call.thread_, ::pthread_self()))
        call.signal_until_ended();
}

void Interruptible::signal_until_ended()
{
    ::pthread_mutex_lock(&mutex_);
    while (!ended_) {
        ::pthread_kill(thread_, signal_number_);
        // A signal just before the thread enters its system call is lost, so there is another one.
        timespec at{};
        ::clock_gettime(CLOCK_REALTIME, &at);
        at.tv_sec += 1;
        (void)::pthread_cond_timedwait(&changed_, &mutex_, &at);
    }
    ::pthread_mutex_unlock(&mutex_);
}

void Interruptible::end()
{
    if (!request_)
        return;
    ::pthread_mutex_lock(&mutex_);
    ended_ = true;
    ::pthread_cond_broadcast(&changed_);
    ::pthread_mutex_unlock(&mutex_);
    // Waits for interrupt() if it runs.
    fuse_req_interrupt_func(request_, nullptr, nullptr);
    request_ = nullptr;
    ::pthread_cond_destroy(&changed_);
    ::pthread_mutex_destroy(&mutex_);
}

} // namespace rf::hl
