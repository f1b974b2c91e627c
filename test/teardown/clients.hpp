// Client processes: what they do with the mount, and how they end. Processes, because one that waits for a
// mount that hangs takes its whole process with it.
#pragma once

#include "cell.hpp"
#include "server.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace rf::teardown {

constexpr int kClients = 8;
/// First of the names that busy clients look up and unlink, by their number; their own open file is
/// f<number>.
constexpr int kTemporary = 100;
constexpr int kNames = 120;

class Clients {
public:
    Clients(const Cell& cell, Shared& shared, const std::string& dir)
        : cell_(cell), shared_(shared), dir_(dir)
    {}

    /// Those of the cell's state; each opens kClientReady when its file is open and waits for kClientGo.
    void start_all();
    /// One that holds f0 open and does nothing.
    void start_holder();
    /// One stat of f0.
    void start_stat();
    /// One that orders the end with a read.
    void start_orderer();

    void kill_all();
    /// Takes those that have ended; whether all have. Says what was wrong with those that ended badly.
    [[nodiscard]] bool all_ended();
    [[nodiscard]] bool ended_well() const noexcept { return well_; }
    [[nodiscard]] const std::vector<pid_t>& running() const noexcept { return pids_; }

private:
    template <class Job>
    void start(Job job);
    [[nodiscard]] int judge(long result) const;
    [[nodiscard]] long work(int number);
    [[nodiscard]] long read_once(int number, off_t at);
    [[nodiscard]] std::string file(int number) const { return dir_ + "/f" + std::to_string(number); }

    const Cell& cell_;
    Shared& shared_;
    const std::string dir_;
    std::vector<pid_t> pids_;
    bool killed_ = false;
    bool well_ = true;
};

/// Stats and unlinks files `first` to `last`; 0 or -errno. In a process of its own.
[[nodiscard]] long look_up_and_unlink(const std::string& dir, int first, int last);

} // namespace rf::teardown
