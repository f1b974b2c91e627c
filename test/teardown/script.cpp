#include "script.hpp"

#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>

#ifndef TEARDOWN_REFERENCE
#include <ringfuse/ringfuse.h>
#endif

namespace rf::teardown {
namespace {

using contract::Call;
using contract::Op;

constexpr long kForever = 120000;

/// A true fault, and one no sanitizer takes for a mistake of the code.
void fault()
{
    void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile char*>(page) = 1;
}

} // namespace

void Script::start(fuse_session* session)
{
    session_ = session;
    if (cell_.end == End::kExitThread) {
        threads_.emplace_back([this] {
            if (shared_.gate[kThreadExits].pass(kForever))
                fuse_session_exit(session_);
        });
    }
    if (cell_.state == State::kRacing) {
        for (int i = 0; i < 2; i++)
            threads_.emplace_back([this] { answer_later(); });
    }
    if (cell_.state == State::kAsync)
        threads_.emplace_back([this] { answer_kept(); });
}

void Script::end_threads()
{
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    more_.notify_all();
    // Those that still wait for an order find that it is too late.
    shared_.gate[kThreadExits].open();
    shared_.gate[kAnswerKept].open();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
}

void Script::answer_half()
{
    for (std::size_t i = 0; i < kept_.size(); i += 2)
        answer(kept_[i]);
}

/// Tells the test how many requests came over the ring, until there is one.
void Script::note_ring() const
{
#ifndef TEARDOWN_REFERENCE
    ringfuse_stats stats{};
    if (shared_.ring_requests <= 0 && ringfuse_session_stats(session_, &stats, sizeof(stats)) == 0)
        shared_.ring_requests = static_cast<long>(stats.ring_requests);
#endif
}

bool Script::on_call(Call& call)
{
    if (cell_.ring)
        note_ring();
    if (call.op == Op::kRead && call.at == kEndHere) {
        end_at(call);
        return true;
    }
    if (call.op == Op::kRead && call.at == kBlockHere) {
        block();
        return false;
    }
    if (call.op == Op::kRead && call.at == kKeepThis) {
        keep(call);
        return true;
    }
    if (cell_.state == State::kRegister && cell_.in_handler() && !ordered_.exchange(true)) {
        end_at(call);
        return true;
    }
    if (cell_.state != State::kRacing || call.op == Op::kRetrieved)
        return false;
    {
        const std::lock_guard lock(mutex_);
        push(queue_, call);
    }
    more_.notify_one();
    return true;
}

void Script::on_init()
{
    if (cell_.state == State::kFirst && cell_.in_handler())
        end_the_session();
    shared_.gate[kInitDone].open();
}

void Script::end_the_session()
{
    if (cell_.end == End::kSegv)
        fault();
    else
        fuse_session_exit(session_);
}

void Script::end_at(const Call& call)
{
    const bool answer_first = (cell_.seed & 1) != 0;
    if (answer_first)
        contract::answer_normally(call);
    end_the_session();
    if (!answer_first)
        contract::answer_normally(call);
}

void Script::block()
{
    shared_.n[kBlocked]++;
    while (shared_.n[kReleased] == 0) {
        if (shared_.n[kEndNow].exchange(0) != 0)
            end_the_session();
        (void)shared_.gate[kRelease].pass(5);
    }
}

void Script::push(std::deque<Later>& to, const Call& call)
{
    to.push_back({call, call.fi ? *call.fi : fuse_file_info{}});
}

void Script::answer(Later& later)
{
    later.call.fi = &later.fi;
    contract::answer_normally(later.call);
}

void Script::keep(Call& call)
{
    const std::lock_guard lock(mutex_);
    push(kept_, call);
    shared_.n[kKept]++;
}

void Script::answer_kept()
{
    (void)shared_.gate[kAnswerKept].pass(kForever);
    const std::lock_guard lock(mutex_);
    if (ended_)
        return;
    for (Later& later : kept_)
        answer(later);
    kept_.clear();
}

void Script::answer_later()
{
    std::unique_lock lock(mutex_);
    for (;;) {
        more_.wait(lock, [this] { return ended_ || !queue_.empty(); });
        if (queue_.empty())
            return;
        Later later = queue_.front();
        queue_.pop_front();
        lock.unlock();
        answer(later);
        lock.lock();
    }
}

} // namespace rf::teardown
