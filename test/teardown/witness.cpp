#include "witness.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rf::teardown {
namespace {

constexpr char kControl[] = "/sys/fs/fuse/connections";

std::string read_file(const std::string& path)
{
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string task_path(pid_t pid, pid_t task)
{
    return "/proc/" + std::to_string(pid) + "/task/" + std::to_string(task);
}

std::vector<std::string> names_in(const std::string& path)
{
    std::vector<std::string> names;
    if (DIR* dir = opendir(path.c_str())) {
        while (const dirent* entry = readdir(dir)) {
            if (entry->d_name[0] != '.')
                names.emplace_back(entry->d_name);
        }
        closedir(dir);
    }
    return names;
}

/// Field 3 of the mountinfo line for `dir`, "major:minor"; empty if it is not mounted.
std::string device_on(const std::string& dir)
{
    std::ifstream file("/proc/self/mountinfo");
    std::string line, found;
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string id, parent, device, root, point;
        fields >> id >> parent >> device >> root >> point;
        if (point == dir)
            found = device;
    }
    return found;
}

long inode_of(long number)
{
    struct stat st {};
    const std::string path = kControl + ("/" + std::to_string(number));
    return stat(path.c_str(), &st) == 0 ? static_cast<long>(st.st_ino) : -1;
}

} // namespace

bool Connection::alive() const
{
    return inode >= 0 && inode_of(number) == inode;
}

bool Connection::abort() const
{
    if (!alive())
        return false;
    std::ofstream file(kControl + ("/" + std::to_string(number)) + "/abort");
    file << "1" << std::flush;
    return file.good();
}

Connection connection_on(const std::string& dir)
{
    Connection found;
    const std::string device = device_on(dir);
    if (device.empty())
        return found;
    found.number = atol(device.c_str() + device.find(':') + 1);
    found.inode = inode_of(found.number);
    return found;
}

bool is_mounted(const std::string& dir)
{
    return !device_on(dir).empty();
}

bool need_control_filesystem()
{
    struct stat inside {
    }, outside{};
    if (stat(kControl, &inside) == 0 && stat("/sys/fs/fuse", &outside) == 0 &&
        inside.st_dev != outside.st_dev)
        return true;
    return ::mount("fusectl", kControl, "fusectl", 0, nullptr) == 0;
}

std::vector<pid_t> tasks_of(pid_t pid)
{
    std::vector<pid_t> tasks;
    for (const std::string& name : names_in("/proc/" + std::to_string(pid) + "/task"))
        tasks.push_back(atoi(name.c_str()));
    return tasks;
}

std::vector<std::string> open_descriptors()
{
    std::vector<std::string> all;
    const std::string base = "/proc/self/fd";
    for (const std::string& name : names_in(base)) {
        std::array<char, 256> target{};
        // The one that listed them is closed by now.
        if (readlink((base + "/" + name).c_str(), target.data(), target.size() - 1) > 0)
            all.push_back(name + " " + target.data());
    }
    std::sort(all.begin(), all.end());
    return all;
}

bool waits_for_mount(pid_t task)
{
    return read_file(task_path(getpid(), task) + "/stack").find("request_wait_answer") != std::string::npos;
}

void show_process(const char* who, pid_t pid)
{
    fprintf(stderr, "%s %d\n", who, pid);
    bool stuck = false;
    for (const pid_t task : tasks_of(pid)) {
        const std::string base = task_path(pid, task);
        const std::string stack = read_file(base + "/stack");
        std::string status = read_file(base + "/status");
        const std::size_t state = status.find("State:");
        status = state == std::string::npos ? "" : status.substr(state, status.find('\n', state) - state);
        fprintf(stderr, "  task %d %s  %s\n%s", task, read_file(base + "/comm").c_str(), status.c_str(),
                stack.c_str());
        stuck |= stack.find("request_wait_answer") != std::string::npos;
    }
    // A debugger would wait for tasks that wait for an answer.
    if (stuck || access("/usr/bin/gdb", X_OK) != 0)
        return;
    const std::string command = "timeout -s KILL 15 gdb -p " + std::to_string(pid) +
                                " -batch -ex 'thread apply all bt 14' 2>/dev/null | grep '^[#T]' >&2";
    if (system(command.c_str()) != 0)
        fprintf(stderr, "  no user stacks\n");
}

} // namespace rf::teardown
