// The filesystem of the contract tests: a flat directory of files f0, f1, ... and directories d0, d1, ...
// that do nothing special until a test's hook takes a call. Public API only, so that the same source runs on
// any implementation of it.
#pragma once

#include "gate.hpp"

#include <array>
#include <atomic>
#include <fuse_lowlevel.h>
#include <string>
#include <thread>
#include <vector>

namespace rf::contract {

constexpr fuse_ino_t kFirstFile = 1000;
constexpr fuse_ino_t kFirstDirectory = 200000;
constexpr long kMaxFiles = 100000;
constexpr off_t kFileBytes = off_t{1} << 30;

/// What the test process and the server process share.
struct Shared {
    // The test's own.
    std::array<std::atomic<long>, 64> n{};
    std::array<Gate, 64> gate{};

    // Kept by the filesystem.
    std::atomic<int> inside{0};      // handlers in progress
    std::atomic<int> inside_most{0}; // at one time
    std::atomic<int> nr_handler_threads{0};
    std::array<std::atomic<int>, 512> handler_threads{};
    std::atomic<long> lookups{0};
    std::atomic<long> forgotten{0};
    std::atomic<int> inits{0};
    std::atomic<int> destroys{0};

    // Kept by the server process.
    std::atomic<int> server_pid{0};
    std::atomic<int> connection{-1}; // in /sys/fs/fuse/connections
    std::atomic<int> loop_tid{0};
    std::atomic<int> loop_result{-1000};
    std::atomic<long> ring_requests{-1};
    std::array<char, 16> transport{}; // before `looped`
    Gate mounted;
    Gate looped;
};

enum class Op {
    kLookup,
    kGetattr,
    kOpen,
    kRead,
    kWrite,
    kOpendir,
    kReaddir,
    kSetlk,
    kPoll,
    kUnlink,
    kRetrieved
};

struct Server;

/// One call of the filesystem, as a hook sees it.
struct Call {
    Op op;
    fuse_req_t req;
    fuse_ino_t ino;
    Server& server;
    Shared& shared;
    off_t at = 0; // read, write: the offset, by which clients say what they want
    std::size_t bytes = 0;
    const char* data = nullptr; // write, retrieved
    fuse_file_info* fi = nullptr;
    struct flock* lock = nullptr;
    bool sleeps = false; // setlk: may wait
    fuse_pollhandle* handle = nullptr;
    void* cookie = nullptr;
};

/// True if the hook answered, or sees to it that somebody will.
using Hook = bool (*)(Call&);

/// What a test asks for.
struct Setup {
    Hook hook = nullptr;
    bool single = false; // fuse_session_loop
    unsigned max_threads = 10;
    int max_idle_threads = -1; // -1: the library's default
    unsigned max_background = 0;
    bool cached = false;        // files keep pages, names and attributes stay valid
    bool count_threads = false; // the server gets a pid namespace, whose last pid counts its threads
    void (*before_loop)(Server&) = nullptr;
    void (*after_loop)(Server&) = nullptr;
};

struct Server {
    const Setup& setup;
    Shared& shared;
    std::string dir;
    fuse_session* session = nullptr;
    std::vector<std::thread> background; // the test's own; told to end by the test, joined after the loop
};

[[nodiscard]] const fuse_lowlevel_ops& filesystem_ops();

/// Whatever the filesystem would have answered had no hook been there.
void answer_normally(const Call& call);

/// Answers a read with `bytes` bytes.
void reply_bytes(fuse_req_t req, std::size_t bytes);

} // namespace rf::contract
