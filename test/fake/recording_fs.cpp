#include "recording_fs.hpp"
#include "check/runner.hpp"

#include <cerrno>
#include <ctime>
#include <utility>

namespace rf::fake {

void answer_ok(fuse_req_t req)
{
    fuse_reply_err(req, 0);
}

void answer_later(fuse_req_t req)
{
    RecordingFs::of(req).hold(req);
}

RecordingFs::RecordingFs()
    : init_([](fuse_conn_info* conn) { fuse_set_feature_flag(conn, FUSE_CAP_SETXATTR_EXT); })
{}

void RecordingFs::set_init(Init init)
{
    init_ = init;
}

void RecordingFs::init(fuse_conn_info* conn)
{
    init_(conn);
    note("init");
}

void RecordingFs::set_answer(Answer answer)
{
    const std::lock_guard lock(mutex_);
    answer_ = answer;
}

void RecordingFs::note(std::string call)
{
    const std::lock_guard lock(mutex_);
    calls_ += call + "\n";
}

void RecordingFs::answer(fuse_req_t req)
{
    Answer answer = nullptr;
    {
        const std::lock_guard lock(mutex_);
        answer = answer_;
    }
    answer(req);
}

void RecordingFs::hold(fuse_req_t req)
{
    const std::lock_guard lock(mutex_);
    held_ = req;
}

std::string RecordingFs::take_calls()
{
    const std::lock_guard lock(mutex_);
    return std::exchange(calls_, {});
}

fuse_req_t RecordingFs::take_held()
{
    constexpr int kTries = 2000;
    for (int i = 0; i < kTries; ++i) {
        {
            const std::lock_guard lock(mutex_);
            if (held_)
                return std::exchange(held_, nullptr);
        }
        const timespec pause{0, 10'000'000};
        ::nanosleep(&pause, nullptr);
    }
    ck_abort_msg("no request arrived");
}

RecordingFs& RecordingFs::of(fuse_req_t req)
{
    return *static_cast<RecordingFs*>(fuse_req_userdata(req));
}

void check_calls(RecordingFs& fs, const std::string& expected)
{
    const std::string calls = fs.take_calls();
    ck_assert_msg(calls == expected, "calls: %s\nexpected: %s", calls.c_str(), expected.c_str());
}

std::string word(const char* value)
{
    return value;
}

std::string word(const std::string& value)
{
    return value;
}

std::string word(unsigned long long value)
{
    return std::to_string(value);
}

std::string word(const fuse_file_info* fi)
{
    if (!fi)
        return "no-file";
    std::string all = call("fh", fi->fh, "flags", fi->flags, "owner", fi->lock_owner);
    all += fi->writepage ? " writepage" : "";
    all += fi->flush ? " flush" : "";
    all += fi->flock_release ? " flock_release" : "";
    return fi->poll_events ? all + call(" events", fi->poll_events) : all;
}

} // namespace rf::fake
