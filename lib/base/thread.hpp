// A thread that runs filesystem code: named, with the stack size the user asked for, and without the signals
// that end a filesystem daemon (those belong to the thread that started the loop).
#pragma once

#include <pthread.h>

namespace rf {

/// Owns one joinable thread. Not movable: the thread's function usually points at its owner.
class Thread {
public:
    Thread() = default;
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;
    ~Thread() { join(); }

    /// Starts `run(argument)`; 0 or -errno. The environment variable FUSE_THREAD_STACK gives the stack in
    /// bytes. SIGTERM, SIGINT, SIGHUP and SIGQUIT are blocked in the new thread. REQUIRES: not started.
    [[nodiscard]] int start(const char* name, void (*run)(void*), void* argument) noexcept;

    /// Waits for the end; nothing happens if it was never started or is joined already.
    void join() noexcept;
    [[nodiscard]] bool started() const noexcept { return started_; }

private:
    static void* entry(void* self);

    void (*run_)(void*) = nullptr;
    void* argument_ = nullptr;
    pthread_t handle_{};
    bool started_ = false;
};

} // namespace rf
