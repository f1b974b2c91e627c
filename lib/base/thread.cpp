#include "base/thread.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <initializer_list>

namespace rf {
namespace {

// Sets the stack size from the environment; a value that makes no sense is reported and the default kept.
void apply_stack_size(pthread_attr_t& attributes)
{
    const char* text = ::getenv("FUSE_THREAD_STACK");
    if (!text)
        return;
    char* end = nullptr;
    const unsigned long bytes = ::strtoul(text, &end, 0);
    if (end == text || *end != '\0' || ::pthread_attr_setstacksize(&attributes, bytes) != 0)
        log::error("thread stack size refused: FUSE_THREAD_STACK=%s, using the default", text);
}

} // namespace

void* Thread::entry(void* self)
{
    Thread* thread = static_cast<Thread*>(self);
    thread->run_(thread->argument_);
    return nullptr;
}

int Thread::start(const char* name, void (*run)(void*), void* argument) noexcept
{
    run_ = run;
    argument_ = argument;

    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    apply_stack_size(attributes);

    // The new thread inherits the mask of its creator, so set it here for a moment.
    sigset_t blocked, before;
    sigemptyset(&blocked);
    for (const int signo : {SIGTERM, SIGINT, SIGHUP, SIGQUIT})
        sigaddset(&blocked, signo);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
    const int rc = ::pthread_create(&handle_, &attributes, &Thread::entry, this);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    if (rc != 0)
        return -rc;
    started_ = true;
    (void)::pthread_setname_np(handle_, name);
    return 0;
}

void Thread::join() noexcept
{
    if (!started_)
        return;
    ::pthread_join(handle_, nullptr);
    started_ = false;
}

} // namespace rf
