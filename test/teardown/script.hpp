// What the server's handlers do beside answering, and the threads of the filesystem's own that answer later.
#pragma once

#include "server.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace rf::teardown {

class Script {
public:
    Script(const Cell& cell, Shared& shared) : cell_(cell), shared_(shared) {}
    ~Script() { end_threads(); }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    /// The threads that the cell needs. Before the loop.
    void start(fuse_session* session);
    /// After the loop: those that race are joined when all they were given is answered.
    void end_threads();
    /// After the loop: answers every other request that is still kept.
    void answer_half();

    /// A handler's call; true if it is (or will be) answered.
    [[nodiscard]] bool on_call(contract::Call& call);
    void on_init();

private:
    struct Later {
        contract::Call call;
        fuse_file_info fi; // the call's own lives as long as its handler
    };

    void end_the_session();
    void note_ring() const;
    void end_at(const contract::Call& call);
    void block();
    void keep(contract::Call& call);
    void answer_kept();
    void answer_later();
    void push(std::deque<Later>& to, const contract::Call& call);
    static void answer(Later& later);

    const Cell& cell_;
    Shared& shared_;
    fuse_session* session_ = nullptr;
    std::atomic<bool> ordered_{false}; // in register, the first call ends the session

    std::mutex mutex_;
    std::condition_variable more_;
    std::deque<Later> queue_; // guarded by mutex_
    std::deque<Later> kept_;  // guarded by mutex_
    bool ended_ = false;      // guarded by mutex_
    std::vector<std::thread> threads_;
};

} // namespace rf::teardown
