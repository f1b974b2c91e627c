// A filesystem for tests: it has every operation, writes down each call with all its arguments, and answers
// as the test said.
#pragma once

#include <fuse_lowlevel.h>
#include <mutex>
#include <string>

namespace rf::fake {

/// Answers a request; runs in the operation, on the session's thread.
using Answer = void (*)(fuse_req_t req);
/// What init() does to the connection.
using Init = void (*)(fuse_conn_info* conn);

void answer_ok(fuse_req_t req);
/// Leaves the request open and remembers it: see RecordingFs::take_held().
void answer_later(fuse_req_t req);

/// The session's userdata. Any thread.
class RecordingFs {
public:
    RecordingFs();
    /// How further requests are answered; answer_ok at first.
    void set_answer(Answer answer);
    /// Before the INIT. At first: SETXATTR_EXT is wanted if offered.
    void set_init(Init init);
    void init(fuse_conn_info* conn);
    void note(std::string call);
    void answer(fuse_req_t req);
    void hold(fuse_req_t req);

    /// What was called since the last time, one line each.
    [[nodiscard]] std::string take_calls();
    /// The request answer_later() kept last; waits for it. Fails the test if none comes.
    [[nodiscard]] fuse_req_t take_held();

    [[nodiscard]] static RecordingFs& of(fuse_req_t req);

private:
    std::mutex mutex_;
    std::string calls_;
    Init init_;
    Answer answer_ = answer_ok;
    fuse_req_t held_ = nullptr;
};

[[nodiscard]] fuse_lowlevel_ops recording_ops();

/// Fails the test unless these calls, one line each, came since the last look.
void check_calls(RecordingFs& fs, const std::string& expected);

/// One line as the operations above write it: words separated by blanks.
[[nodiscard]] std::string word(const char* value);
[[nodiscard]] std::string word(const std::string& value);
[[nodiscard]] std::string word(unsigned long long value);
/// Handle, flags, lock owner, then the bits and poll events that are set.
[[nodiscard]] std::string word(const fuse_file_info* fi);

template <class T>
requires std::is_integral_v<T> std::string word(T value)
{
    return word(static_cast<unsigned long long>(value));
}

template <class... Args>
std::string call(const char* operation, const Args&... args)
{
    std::string line = operation;
    ((line += " " + word(args)), ...);
    return line;
}

} // namespace rf::fake
