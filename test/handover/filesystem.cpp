#include "filesystem.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace rf::handover {

std::atomic<long> g_late_answers{0};

namespace {

struct Late {
    fuse_req_t req;
    fuse_ino_t ino;
    std::size_t bytes;
    off_t at;
};

// Every so-many-th read is answered late.
constexpr unsigned kLateEvery = 8;

std::mutex g_late_mutex;
std::condition_variable g_late_change;
std::deque<Late> g_late;
bool g_late_end = false;
std::unique_ptr<std::thread> g_late_thread;
std::atomic<unsigned> g_reads{0};

void answer_read(const Late& read)
{
    std::vector<char> data(read.bytes);
    fill(read.ino, read.at, data.data(), data.size());
    fuse_reply_buf(read.req, data.data(), data.size());
}

void answer_late()
{
    std::unique_lock lock(g_late_mutex);
    for (;;) {
        g_late_change.wait(lock, [] { return g_late_end || !g_late.empty(); });
        if (g_late.empty())
            return;
        const Late read = g_late.front();
        g_late.pop_front();
        lock.unlock();
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        answer_read(read);
        g_late_answers++;
        lock.lock();
    }
}

bool is_file(fuse_ino_t ino)
{
    return ino >= kFirstFile && ino < kFirstFile + kFiles;
}

struct stat attributes(fuse_ino_t ino)
{
    struct stat st {};
    st.st_ino = ino;
    st.st_mode = is_file(ino) ? S_IFREG | 0666 : S_IFDIR | 0755;
    st.st_nlink = 1;
    st.st_size = is_file(ino) ? kFileBytes : 0;
    return st;
}

void on_lookup(fuse_req_t req, fuse_ino_t parent, const char* name)
{
    for (unsigned i = 0; parent == FUSE_ROOT_ID && i < kFiles; i++) {
        if (name_of(i) == name) {
            fuse_entry_param entry{};
            entry.ino = kFirstFile + i;
            entry.attr = attributes(entry.ino);
            fuse_reply_entry(req, &entry);
            return;
        }
    }
    fuse_reply_err(req, ENOENT);
}

void on_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*)
{
    const struct stat st = attributes(ino);
    fuse_reply_attr(req, &st, 0);
}

void on_open(fuse_req_t req, fuse_ino_t, fuse_file_info* fi)
{
    fi->direct_io = 1; // every read and write is a request
    fuse_reply_open(req, fi);
}

void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, fuse_file_info*)
{
    const off_t left = at < kFileBytes ? kFileBytes - at : 0;
    const Late read{req, ino, std::min(size, static_cast<size_t>(left)), at};
    if (g_reads++ % kLateEvery != 0) {
        answer_read(read);
        return;
    }
    const std::lock_guard lock(g_late_mutex);
    g_late.push_back(read);
    g_late_change.notify_one();
}

void on_write(fuse_req_t req, fuse_ino_t ino, const char* data, size_t size, off_t at, fuse_file_info*)
{
    if (matches(ino, at, data, size))
        fuse_reply_write(req, size);
    else
        fuse_reply_err(req, EIO);
}

void on_readdir(fuse_req_t req, fuse_ino_t, size_t size, off_t at, fuse_file_info*)
{
    std::vector<char> list(size);
    size_t used = 0;
    for (unsigned i = static_cast<unsigned>(at); i < kFiles; i++) {
        const struct stat st = attributes(kFirstFile + i);
        const size_t need =
            fuse_add_direntry(req, list.data() + used, size - used, name_of(i).c_str(), &st, i + 1);
        if (need > size - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, list.data(), used);
}

} // namespace

void fill(fuse_ino_t ino, off_t at, char* to, std::size_t bytes)
{
    for (std::size_t done = 0; done < bytes; done += sizeof(std::uint64_t)) {
        const std::uint64_t word = word_of(ino, at + static_cast<off_t>(done));
        std::memcpy(to + done, &word, std::min(bytes - done, sizeof(word)));
    }
}

bool matches(fuse_ino_t ino, off_t at, const char* from, std::size_t bytes)
{
    for (std::size_t done = 0; done < bytes; done += sizeof(std::uint64_t)) {
        const std::uint64_t word = word_of(ino, at + static_cast<off_t>(done));
        if (std::memcmp(from + done, &word, std::min(bytes - done, sizeof(word))) != 0)
            return false;
    }
    return true;
}

std::string name_of(unsigned index)
{
    return "f" + std::to_string(index);
}

const fuse_lowlevel_ops& stateless_ops()
{
    static const fuse_lowlevel_ops ops = [] {
        fuse_lowlevel_ops table{};
        table.lookup = on_lookup;
        table.getattr = on_getattr;
        table.open = on_open;
        table.read = on_read;
        table.write = on_write;
        table.readdir = on_readdir;
        return table;
    }();
    return ops;
}

void start_late_answers()
{
    g_late_thread = std::make_unique<std::thread>(answer_late);
}

void stop_late_answers()
{
    {
        const std::lock_guard lock(g_late_mutex);
        g_late_end = true;
        g_late_change.notify_one();
    }
    g_late_thread->join();
    g_late_thread.reset();
}

} // namespace rf::handover
