// The path-based API against the fake kernel: which operations with which paths a request becomes, and that
// every lookup is balanced. Longer than other tests: the recording filesystem and the requests to it are made
// once and serve every claim.
#include "check/runner.hpp"
#include "fake_kernel.hpp"
#include "highlevel/fuse.hpp"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <memory>
#include <mutex>

using namespace rf;
using namespace rf::fake;
using namespace std::string_view_literals;

namespace {

// ---- A filesystem that writes down what it is asked. Directories are the names that begin with 'd'; names
// that begin with 'n', and hidden ones, do not exist.

struct Asked {
    std::mutex mutex;
    std::condition_variable changed;
    std::string log;
    bool lock_taken = false;
    int entries = 0;      // of each directory
    bool offsets = false; // readdir goes on from an offset
};
Asked* g_asked = nullptr;

void note(const std::string& line)
{
    const std::lock_guard lock(g_asked->mutex);
    g_asked->log += line + "\n";
}
std::string shown(const char* path)
{
    return path ? path : "-";
}
char last_name(const char* path)
{
    return path[std::string_view(path).rfind('/') + 1];
}

int on_getattr(const char* path, struct stat* st, fuse_file_info*)
{
    if (path && (last_name(path) == 'n' || last_name(path) == '.'))
        return -ENOENT;
    st->st_mode = path && (path[1] == '\0' || last_name(path) == 'd') ? S_IFDIR | 0755 : S_IFREG | 0644;
    st->st_nlink = 1;
    return 0;
}
int on_unlink(const char* path)
{
    note("unlink " + shown(path));
    return 0;
}
int on_rename(const char* from, const char* to, unsigned)
{
    note("rename " + shown(from) + " " + shown(to));
    return 0;
}
int on_rmdir(const char* path)
{
    note("rmdir " + shown(path));
    return -ENOTEMPTY;
}
int on_open(const char* path, fuse_file_info* fi)
{
    note("open " + shown(path));
    fi->fh = 77;
    return 0;
}
int on_create(const char* path, mode_t, fuse_file_info*)
{
    note("create " + shown(path));
    return 0;
}
int on_release(const char* path, fuse_file_info*)
{
    note("release " + shown(path));
    return 0;
}
int on_chmod(const char* path, mode_t mode, fuse_file_info*)
{
    std::array<char, 32> octal;
    snprintf(octal.data(), octal.size(), " %o", mode);
    note("chmod " + shown(path) + octal.data());
    return 0;
}
int on_chown(const char* path, uid_t uid, gid_t gid, fuse_file_info*)
{
    note("chown " + shown(path) + " " + std::to_string(static_cast<int>(uid)) + " " +
         std::to_string(static_cast<int>(gid)));
    return 0;
}
int on_truncate(const char* path, off_t size, fuse_file_info*)
{
    note("truncate " + shown(path) + " " + std::to_string(size));
    return 0;
}
int on_utimens(const char* path, const timespec times[2], fuse_file_info*)
{
    note("utimens " + shown(path) + (times[0].tv_nsec == UTIME_OMIT ? " omit " : " set ") +
         std::to_string(times[1].tv_sec));
    return 0;
}
int on_readdir(const char* path, void* buf, fuse_fill_dir_t fill, off_t off, fuse_file_info*,
               fuse_readdir_flags)
{
    note("readdir " + shown(path) + " " + std::to_string(off));
    struct stat st {};
    st.st_mode = S_IFREG | 0644;
    for (int i = g_asked->offsets ? static_cast<int>(off) : 0; i < g_asked->entries; ++i)
        if (fill(buf, ("f" + std::to_string(i)).c_str(), &st, g_asked->offsets ? i + 1 : 0,
                 FUSE_FILL_DIR_PLUS) != 0)
            break;
    return 0;
}
int on_lock(const char* path, fuse_file_info*, int command, struct flock* lock)
{
    std::unique_lock guard(g_asked->mutex);
    g_asked->log += "lock " + shown(path) + " " + std::to_string(command) + "\n";
    if (lock->l_type == F_UNLCK)
        g_asked->lock_taken = false;
    else if (command == F_SETLKW)
        g_asked->changed.wait(guard, [] { return !g_asked->lock_taken; });
    if (lock->l_type != F_UNLCK && command != F_GETLK)
        g_asked->lock_taken = true;
    g_asked->changed.notify_all();
    return 0;
}

fuse_operations operations()
{
    fuse_operations op{};
    op.getattr = on_getattr;
    op.unlink = on_unlink;
    op.rename = on_rename;
    op.rmdir = on_rmdir;
    op.open = on_open;
    op.create = on_create;
    op.release = on_release;
    op.chmod = on_chmod;
    op.chown = on_chown;
    op.truncate = on_truncate;
    op.utimens = on_utimens;
    op.readdir = on_readdir;
    op.lock = on_lock;
    return op;
}

// ---- The filesystem mounted by the fake kernel.

class Mounted {
public:
    explicit Mounted(Loop loop = Loop::kSingle) : loop_(loop)
    {
        g_asked = &asked;
        ck_assert_int_eq(core_->nodes.open(), 0);
        core_->config.options.entry_timeout = 1;
        const fuse_operations op = operations();
        core_->fs = hl::fs_new(&op, sizeof(op), nullptr);
        ck_assert_ptr_nonnull(core_->fs);
    }
    ~Mounted()
    {
        kernel_.reset();
        hl::fs_discard(core_->fs);
    }
    void connect()
    {
        kernel_ = std::make_unique<FakeKernel>(hl::kPathOperations, Setup{.userdata = core_.get()});
        kernel_->connect(loop_);
    }
    FakeKernel& kernel() { return *kernel_; }
    hl::NodeTable& nodes() { return core_->nodes; }
    fuse_config& options() { return core_->config.options; }

    std::string take_asked()
    {
        const std::lock_guard lock(asked.mutex);
        return std::exchange(asked.log, {});
    }
    std::uint64_t look_up(std::uint64_t directory, std::string_view name)
    {
        const Reply reply = kernel().ask(kern::OP_LOOKUP, text(name) + text("\0"sv), {.nodeid = directory});
        ck_assert_int_eq(reply.header.error, 0);
        return front<kern::fuse_entry_out>(reply.body).nodeid;
    }
    void forget(std::uint64_t number, std::uint64_t count)
    {
        kernel().send_with_unique(0, kern::OP_FORGET, bytes_of(kern::fuse_forget_in{count}),
                                  {.nodeid = number});
    }
    int status_of(std::uint32_t opcode, const Bytes& body, std::uint64_t number)
    {
        return kernel().ask(opcode, body, {.nodeid = number}).header.error;
    }
    void open(std::uint64_t number)
    {
        ck_assert_int_eq(status_of(kern::OP_OPEN, bytes_of(kern::fuse_open_in{}), number), 0);
    }
    Reply list(std::uint64_t number, std::uint64_t handle, std::uint64_t offset, std::uint32_t bytes,
               bool plus)
    {
        kern::fuse_read_in in{};
        in.fh = handle;
        in.offset = offset;
        in.size = bytes;
        return kernel().ask(plus ? kern::OP_READDIRPLUS : kern::OP_READDIR, bytes_of(in), {.nodeid = number});
    }
    std::uint64_t open_directory(std::uint64_t number)
    {
        const Reply reply =
            kernel().ask(kern::OP_OPENDIR, bytes_of(kern::fuse_open_in{}), {.nodeid = number});
        ck_assert_int_eq(reply.header.error, 0);
        return front<kern::fuse_open_out>(reply.body).fh;
    }
    void close_directory(std::uint64_t number, std::uint64_t handle)
    {
        kern::fuse_release_in in{};
        in.fh = handle;
        ck_assert_int_eq(status_of(kern::OP_RELEASEDIR, bytes_of(in), number), 0);
    }

    Asked asked;

private:
    const Loop loop_;
    std::unique_ptr<::fuse> core_ = std::make_unique<::fuse>();
    std::unique_ptr<FakeKernel> kernel_;
};

/// What the filesystem was asked since the last look.
void expect_asked(Mounted& fs, const std::string& expected)
{
    const std::string asked = fs.take_asked();
    ck_assert_str_eq(asked.c_str(), expected.c_str());
}

kern::fuse_lk_in lock_of(std::uint64_t owner, std::uint32_t type)
{
    kern::fuse_lk_in in{};
    in.owner = owner;
    in.lk = {0, 9, type, 1};
    return in;
}

} // namespace

START_TEST(every_lookup_is_balanced_by_its_forget)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t directory = fs.look_up(1, "d");
    const std::uint64_t file = fs.look_up(directory, "f");
    ck_assert_uint_eq(fs.look_up(directory, "f"), file);
    fs.forget(directory, 1);
    fs.forget(file, 1);
    fs.kernel().expect_silence();
    ck_assert_uint_eq(fs.nodes().live_nodes(), 3);
    fs.forget(file, 1);
    fs.kernel().expect_silence();
    ck_assert_uint_eq(fs.nodes().live_nodes(), 1);
}
END_TEST

START_TEST(a_missing_name_makes_no_node_and_may_be_remembered_as_missing)
{
    Mounted fs;
    fs.connect();
    const Bytes name = text("none\0"sv);
    ck_assert_int_eq(fs.status_of(kern::OP_LOOKUP, name, 1), -ENOENT);
    fs.options().negative_timeout = 3;
    const Reply reply = fs.kernel().ask(kern::OP_LOOKUP, name, {.nodeid = 1});
    ck_assert_int_eq(reply.header.error, 0);
    const auto entry = front<kern::fuse_entry_out>(reply.body);
    ck_assert_uint_eq(entry.nodeid, 0);
    ck_assert_uint_eq(entry.entry_valid, 3);
    ck_assert_uint_eq(fs.nodes().live_nodes(), 1);
}
END_TEST

START_TEST(an_open_file_that_is_unlinked_is_hidden_and_removed_with_its_last_close)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t file = fs.look_up(1, "f");
    fs.open(file);
    fs.open(file);
    (void)fs.take_asked();
    ck_assert_int_eq(fs.status_of(kern::OP_UNLINK, text("f\0"sv), 1), 0);
    std::array<char, 64> hidden;
    snprintf(hidden.data(), hidden.size(), "/.fuse_hidden%08x00000001", static_cast<unsigned>(file));
    const std::string hidden_path = hidden.data();
    expect_asked(fs, "rename /f " + hidden_path + "\n");
    ck_assert_int_eq(fs.status_of(kern::OP_RELEASE, bytes_of(kern::fuse_release_in{}), file), 0);
    expect_asked(fs, "release " + hidden_path + "\n");
    ck_assert_int_eq(fs.status_of(kern::OP_RELEASE, bytes_of(kern::fuse_release_in{}), file), 0);
    expect_asked(fs, "release " + hidden_path + "\nunlink " + hidden_path + "\n");
    // The name is free for another file.
    ck_assert_uint_ne(fs.look_up(1, "f"), file);
}
END_TEST

START_TEST(with_hard_remove_an_open_file_is_unlinked_and_has_no_path_any_more)
{
    Mounted fs;
    fs.options().hard_remove = 1;
    fs.connect();
    const std::uint64_t file = fs.look_up(1, "f");
    fs.open(file);
    (void)fs.take_asked();
    ck_assert_int_eq(fs.status_of(kern::OP_UNLINK, text("f\0"sv), 1), 0);
    ck_assert_int_eq(fs.status_of(kern::OP_RELEASE, bytes_of(kern::fuse_release_in{}), file), 0);
    expect_asked(fs, "unlink /f\nrelease -\n");
}
END_TEST

START_TEST(a_file_that_is_replaced_while_open_is_hidden_and_the_source_takes_its_name)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t source = fs.look_up(1, "f");
    const std::uint64_t target = fs.look_up(1, "g");
    fs.open(target);
    (void)fs.take_asked();
    kern::fuse_rename2_in in{};
    in.newdir = 1;
    ck_assert_int_eq(fs.status_of(kern::OP_RENAME2, bytes_of(in) + text("f\0g\0"sv), 1), 0);
    const std::string asked = fs.take_asked();
    ck_assert(asked.starts_with("rename /g /.fuse_hidden"));
    ck_assert(asked.ends_with("\nrename /f /g\n"));
    ck_assert_uint_eq(fs.look_up(1, "g"), source);
}
END_TEST

START_TEST(rmdir_is_tried_again_while_a_hidden_file_may_be_on_its_way_out)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t directory = fs.look_up(1, "d");
    const std::uint64_t file = fs.look_up(directory, "f");
    ck_assert_int_eq(fs.status_of(kern::OP_RMDIR, text("d\0"sv), 1), -ENOTEMPTY);
    expect_asked(fs, "rmdir /d\n");
    fs.open(file);
    ck_assert_int_eq(fs.status_of(kern::OP_UNLINK, text("f\0"sv), directory), 0);
    (void)fs.take_asked();
    ck_assert_int_eq(fs.status_of(kern::OP_RMDIR, text("d\0"sv), 1), -ENOTEMPTY);
    ck_assert(fs.take_asked().starts_with("rmdir /d\nrmdir /d\n"));
    ck_assert_int_eq(fs.status_of(kern::OP_RELEASE, bytes_of(kern::fuse_release_in{}), file), 0);
    (void)fs.take_asked();
    ck_assert_int_eq(fs.status_of(kern::OP_RMDIR, text("d\0"sv), 1), -ENOTEMPTY);
    expect_asked(fs, "rmdir /d\n");
}
END_TEST

START_TEST(a_path_follows_a_renamed_directory)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t directory = fs.look_up(1, "d");
    const std::uint64_t file = fs.look_up(directory, "f");
    kern::fuse_rename2_in in{};
    in.newdir = 1;
    ck_assert_int_eq(fs.status_of(kern::OP_RENAME2, bytes_of(in) + text("d\0d2\0"sv), 1), 0);
    (void)fs.take_asked();
    fs.open(file);
    expect_asked(fs, "open /d2/f\n");
}
END_TEST

START_TEST(setattr_becomes_one_call_for_each_kind_of_change)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t file = fs.look_up(1, "f");
    kern::fuse_setattr_in in{};
    in.valid = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_GID | FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_MTIME;
    in.mode = S_IFREG | 0600;
    in.gid = 9;
    in.size = 10;
    in.mtime = 11;
    ck_assert_int_eq(fs.status_of(kern::OP_SETATTR, bytes_of(in), file), 0);
    expect_asked(fs, "chmod /f 100600\nchown /f -1 9\ntruncate /f 10\nutimens /f omit 11\n");
}
END_TEST

START_TEST(mknod_of_a_regular_file_uses_create)
{
    Mounted fs;
    fs.connect();
    kern::fuse_mknod_in in{};
    in.mode = S_IFREG | 0644;
    ck_assert_int_eq(fs.status_of(kern::OP_MKNOD, bytes_of(in) + text("f\0"sv), 1), 0);
    expect_asked(fs, "create /f\nrelease /f\n");
}
END_TEST

START_TEST(readdirplus_counts_a_lookup_for_what_fits_and_for_nothing_else)
{
    for (const bool offsets : {false, true}) {
        Mounted fs;
        fs.asked.entries = 10;
        fs.asked.offsets = offsets;
        fs.connect();
        const std::uint64_t handle = fs.open_directory(1);
        constexpr std::size_t kOne = (sizeof(kern::fuse_direntplus) + 2 + 7) / 8 * 8;
        const Reply reply = fs.list(1, handle, 0, 3 * kOne + 20, /* plus= */ true);
        ck_assert_uint_eq(reply.body.size(), 3 * kOne);
        ck_assert_uint_eq(fs.nodes().live_nodes(), 1 + 3);
        for (int i = 0; i < 3; ++i) {
            const Bytes entry(reply.body.begin() + static_cast<std::ptrdiff_t>(i * kOne), reply.body.end());
            fs.forget(front<kern::fuse_direntplus>(entry).entry_out.nodeid, 1);
        }
        fs.kernel().expect_silence();
        ck_assert_uint_eq(fs.nodes().live_nodes(), 1);
        fs.close_directory(1, handle);
    }
}
END_TEST

START_TEST(a_listing_can_go_back_after_its_end)
{
    for (const bool offsets : {false, true}) {
        Mounted fs;
        fs.asked.entries = 4;
        fs.asked.offsets = offsets;
        fs.connect();
        const std::uint64_t handle = fs.open_directory(1);
        const std::size_t all = fs.list(1, handle, 0, 4096, /* plus= */ false).body.size();
        ck_assert_uint_eq(all, 4 * 32);
        ck_assert_uint_eq(fs.list(1, handle, 4, 4096, false).body.size(), 0);
        ck_assert_uint_eq(fs.list(1, handle, 2, 4096, false).body.size(), 2 * 32);
        // From the start it is read anew.
        fs.asked.entries = 5;
        ck_assert_uint_eq(fs.list(1, handle, 0, 4096, false).body.size(), 5 * 32);
        fs.close_directory(1, handle);
    }
}
END_TEST

START_TEST(a_lock_we_granted_is_known_without_asking)
{
    Mounted fs;
    fs.connect();
    const std::uint64_t file = fs.look_up(1, "f");
    ck_assert_int_eq(fs.status_of(kern::OP_SETLK, bytes_of(lock_of(5, F_WRLCK)), file), 0);
    (void)fs.take_asked();
    const Reply reply = fs.kernel().ask(kern::OP_GETLK, bytes_of(lock_of(6, F_RDLCK)), {.nodeid = file});
    ck_assert_uint_eq(front<kern::fuse_lk_out>(reply.body).lk.type, F_WRLCK);
    expect_asked(fs, "");
    // Its own owner sees none, and a closed descriptor gives it up.
    (void)fs.kernel().ask(kern::OP_GETLK, bytes_of(lock_of(5, F_RDLCK)), {.nodeid = file});
    ck_assert(!fs.take_asked().empty());
    kern::fuse_flush_in flush{};
    flush.lock_owner = 5;
    ck_assert_int_eq(fs.status_of(kern::OP_FLUSH, bytes_of(flush), file), 0);
    (void)fs.take_asked();
    (void)fs.kernel().ask(kern::OP_GETLK, bytes_of(lock_of(6, F_RDLCK)), {.nodeid = file});
    ck_assert(!fs.take_asked().empty());
}
END_TEST

START_TEST(an_unlock_gets_past_an_unlink_that_waits_for_the_locks_waiter)
{
    Mounted fs(Loop::kThreads);
    fs.connect();
    FakeKernel& kernel = fs.kernel();
    const std::uint64_t file = fs.look_up(1, "f");
    ck_assert_int_eq(fs.status_of(kern::OP_SETLK, bytes_of(lock_of(5, F_WRLCK)), file), 0);
    (void)fs.take_asked();
    // The waiter holds the path for reading until it has the lock; unlink wants it for writing.
    const std::uint64_t waiter =
        kernel.send(kern::OP_SETLKW, bytes_of(lock_of(6, F_WRLCK)), {.nodeid = file});
    while (fs.take_asked().empty())
        ::usleep(1000);
    const std::uint64_t unlink = kernel.send(kern::OP_UNLINK, text("f\0"sv), {.nodeid = 1});
    while (!fs.nodes().find(file)->word.wanted())
        ::usleep(1000);
    const std::uint64_t unlock = kernel.send(kern::OP_SETLK, bytes_of(lock_of(5, F_UNLCK)), {.nodeid = file});
    std::uint64_t answered = 0;
    for (int i = 0; i < 3; ++i) {
        const Reply reply = kernel.receive();
        ck_assert_int_eq(reply.header.error, 0);
        answered += reply.header.unique;
    }
    ck_assert_uint_eq(answered, waiter + unlink + unlock);
}
END_TEST

int main()
{
    keep_log();
    const Tests tests = {
        every_lookup_is_balanced_by_its_forget,
        a_missing_name_makes_no_node_and_may_be_remembered_as_missing,
        an_open_file_that_is_unlinked_is_hidden_and_removed_with_its_last_close,
        with_hard_remove_an_open_file_is_unlinked_and_has_no_path_any_more,
        a_file_that_is_replaced_while_open_is_hidden_and_the_source_takes_its_name,
        rmdir_is_tried_again_while_a_hidden_file_may_be_on_its_way_out,
        a_path_follows_a_renamed_directory,
        setattr_becomes_one_call_for_each_kind_of_change,
        mknod_of_a_regular_file_uses_create,
        readdirplus_counts_a_lookup_for_what_fits_and_for_nothing_else,
        a_listing_can_go_back_after_its_end,
        a_lock_we_granted_is_known_without_asking,
        an_unlock_gets_past_an_unlink_that_waits_for_the_locks_waiter,
    };
    return run_tests("paths", tests);
}
