#include "filesystem.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/stat.h>
#include <vector>

namespace rf::contract {
namespace {

Server& server_of(fuse_req_t req)
{
    return *static_cast<Server*>(fuse_req_userdata(req));
}

double validity(const Server& server)
{
    return server.setup.cached ? 3600.0 : 0.0;
}

struct stat attributes(fuse_ino_t ino)
{
    struct stat st {};
    st.st_ino = ino;
    const bool directory = ino == FUSE_ROOT_ID || ino >= kFirstDirectory;
    st.st_mode = directory ? S_IFDIR | 0755 : S_IFREG | 0666;
    st.st_nlink = directory ? 2 : 1;
    st.st_size = directory ? 0 : kFileBytes;
    return st;
}

fuse_ino_t named(const char* name)
{
    char* end = nullptr;
    const long number = (name[0] == 'f' || name[0] == 'd') && name[1] ? strtol(name + 1, &end, 10) : -1;
    if (number < 0 || number >= kMaxFiles || *end)
        return 0;
    return (name[0] == 'f' ? kFirstFile : kFirstDirectory) + static_cast<fuse_ino_t>(number);
}

void note_thread(Shared& shared)
{
    thread_local bool noted = false;
    if (noted)
        return;
    noted = true;
    const int slot = shared.nr_handler_threads.fetch_add(1);
    if (static_cast<std::size_t>(slot) < shared.handler_threads.size())
        shared.handler_threads[static_cast<std::size_t>(slot)] = gettid();
}

/// Counts the handlers that are in progress at one time.
class Inside {
public:
    explicit Inside(Shared& shared) : shared_(shared)
    {
        note_thread(shared);
        const int now = shared.inside.fetch_add(1) + 1;
        int most = shared.inside_most.load();
        while (now > most && !shared.inside_most.compare_exchange_weak(most, now))
            continue;
    }
    ~Inside() { shared_.inside.fetch_sub(1); }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

private:
    Shared& shared_;
};

void run(Call call)
{
    const Inside inside(call.shared);
    if (!call.server.setup.hook || !call.server.setup.hook(call))
        answer_normally(call);
}

Call make_call(Op op, fuse_req_t req, fuse_ino_t ino)
{
    Server& server = server_of(req);
    return Call{.op = op, .req = req, .ino = ino, .server = server, .shared = server.shared};
}

void on_init(void* userdata, fuse_conn_info* conn)
{
    Server& server = *static_cast<Server*>(userdata);
    server.shared.inits.fetch_add(1);
    if (server.setup.max_background)
        conn->max_background = conn->congestion_threshold = server.setup.max_background;
    if (conn->capable & FUSE_CAP_ASYNC_DIO)
        conn->want |= FUSE_CAP_ASYNC_DIO;
    if (conn->capable & FUSE_CAP_POSIX_LOCKS)
        conn->want |= FUSE_CAP_POSIX_LOCKS;
    if (conn->capable & FUSE_CAP_PARALLEL_DIROPS)
        conn->want |= FUSE_CAP_PARALLEL_DIROPS;
}

void on_destroy(void* userdata)
{
    static_cast<Server*>(userdata)->shared.destroys.fetch_add(1);
}

void on_lookup(fuse_req_t req, fuse_ino_t, const char* name)
{
    const fuse_ino_t ino = named(name);
    if (ino == 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    run(make_call(Op::kLookup, req, ino));
}

void forget(Server& server, std::uint64_t count)
{
    server.shared.forgotten.fetch_add(static_cast<long>(count));
}

void on_forget(fuse_req_t req, fuse_ino_t, std::uint64_t count)
{
    const Inside inside(server_of(req).shared);
    forget(server_of(req), count);
    fuse_reply_none(req);
}

void on_forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data* forgets)
{
    const Inside inside(server_of(req).shared);
    for (std::size_t i = 0; i < count; i++)
        forget(server_of(req), forgets[i].nlookup);
    fuse_reply_none(req);
}

void on_getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info*)
{
    run(make_call(Op::kGetattr, req, ino));
}

void on_open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Call call = make_call(Op::kOpen, req, ino);
    fi->direct_io = !call.server.setup.cached;
    fi->keep_cache = call.server.setup.cached;
    call.fi = fi;
    run(call);
}

void on_opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* fi)
{
    Call call = make_call(Op::kOpendir, req, ino);
    call.fi = fi;
    run(call);
}

void on_read(fuse_req_t req, fuse_ino_t ino, std::size_t bytes, off_t at, fuse_file_info*)
{
    Call call = make_call(Op::kRead, req, ino);
    call.at = at;
    call.bytes = bytes;
    run(call);
}

void on_write(fuse_req_t req, fuse_ino_t ino, const char* data, std::size_t bytes, off_t at, fuse_file_info*)
{
    Call call = make_call(Op::kWrite, req, ino);
    call.at = at;
    call.bytes = bytes;
    call.data = data;
    run(call);
}

void on_readdir(fuse_req_t req, fuse_ino_t ino, std::size_t, off_t at, fuse_file_info*)
{
    Call call = make_call(Op::kReaddir, req, ino);
    call.at = at;
    run(call);
}

void on_setlk(fuse_req_t req, fuse_ino_t ino, fuse_file_info*, struct flock* lock, int sleeps)
{
    Call call = make_call(Op::kSetlk, req, ino);
    call.lock = lock;
    call.sleeps = sleeps != 0;
    run(call);
}

void on_poll(fuse_req_t req, fuse_ino_t ino, fuse_file_info*, fuse_pollhandle* handle)
{
    Call call = make_call(Op::kPoll, req, ino);
    call.handle = handle;
    run(call);
}

void on_unlink(fuse_req_t req, fuse_ino_t, const char* name)
{
    run(make_call(Op::kUnlink, req, named(name)));
}

void on_retrieve_reply(fuse_req_t req, void* cookie, fuse_ino_t ino, off_t at, fuse_bufvec* data)
{
    Call call = make_call(Op::kRetrieved, req, ino);
    call.cookie = cookie;
    call.at = at;
    call.bytes = fuse_buf_size(data);
    run(call);
}

void reply_directory(fuse_req_t req, off_t at)
{
    std::array<char, 512> buffer;
    std::size_t used = 0;
    if (at == 0) {
        const struct stat st = attributes(FUSE_ROOT_ID);
        used += fuse_add_direntry(req, buffer.data(), buffer.size(), ".", &st, 1);
        used += fuse_add_direntry(req, buffer.data() + used, buffer.size() - used, "..", &st, 2);
    }
    fuse_reply_buf(req, buffer.data(), used);
}

} // namespace

void reply_bytes(fuse_req_t req, std::size_t bytes)
{
    const std::vector<char> data(bytes, 'x');
    fuse_reply_buf(req, data.data(), data.size());
}

void answer_normally(const Call& call)
{
    const struct stat st = attributes(call.ino);
    switch (call.op) {
    case Op::kLookup: {
        fuse_entry_param entry{};
        entry.ino = call.ino;
        entry.attr = st;
        entry.attr_timeout = entry.entry_timeout = validity(call.server);
        call.shared.lookups.fetch_add(1);
        if (fuse_reply_entry(call.req, &entry) == -ENOENT)
            call.shared.lookups.fetch_sub(1);
        break;
    }
    case Op::kGetattr:
        fuse_reply_attr(call.req, &st, validity(call.server));
        break;
    case Op::kOpen:
    case Op::kOpendir:
        fuse_reply_open(call.req, call.fi);
        break;
    case Op::kRead:
        reply_bytes(call.req, call.bytes);
        break;
    case Op::kWrite:
        fuse_reply_write(call.req, call.bytes);
        break;
    case Op::kReaddir:
        reply_directory(call.req, call.at);
        break;
    case Op::kPoll:
        if (call.handle)
            fuse_pollhandle_destroy(call.handle);
        fuse_reply_poll(call.req, POLLIN | POLLOUT);
        break;
    case Op::kSetlk:
    case Op::kUnlink:
        fuse_reply_err(call.req, 0);
        break;
    case Op::kRetrieved:
        fuse_reply_none(call.req);
        break;
    }
}

const fuse_lowlevel_ops& filesystem_ops()
{
    static const fuse_lowlevel_ops ops = [] {
        fuse_lowlevel_ops o{};
        o.init = on_init;
        o.destroy = on_destroy;
        o.lookup = on_lookup;
        o.forget = on_forget;
        o.forget_multi = on_forget_multi;
        o.getattr = on_getattr;
        o.open = on_open;
        o.opendir = on_opendir;
        o.read = on_read;
        o.write = on_write;
        o.readdir = on_readdir;
        o.setlk = on_setlk;
        o.poll = on_poll;
        o.unlink = on_unlink;
        o.retrieve_reply = on_retrieve_reply;
        return o;
    }();
    return ops;
}

} // namespace rf::contract
