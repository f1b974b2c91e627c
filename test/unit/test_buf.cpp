// Buffer copies: random lists of memory, files, pipes and sockets against a model that only knows bytes, and
// the rules for short transfers, errors and odd sizes one by one. Longer than other tests: the model and the
// makers of descriptors serve both halves, and nothing else needs them.
#include "base/fd.hpp"
#include "buf/copy.hpp"
#include "check/runner.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <vector>

using rf::UniqueFd;

namespace {

constexpr auto kNoFlags = static_cast<fuse_buf_copy_flags>(0);

fuse_buf_copy_flags copy_flags(int bits)
{
    return static_cast<fuse_buf_copy_flags>(bits);
}

enum Kind { kMemory, kFile, kFileSeek, kPipe, kSocket, kKinds };

// One buffer with what is behind it. Owns its descriptors; `near` is what the list uses, `far` the other end.
struct Piece {
    Kind kind = kMemory;
    std::string memory;
    UniqueFd near;
    UniqueFd far;
    fuse_buf buf{};
};

UniqueFd memory_file(const std::string& content)
{
    UniqueFd fd(memfd_create("test_buf", MFD_CLOEXEC));
    ck_assert(fd);
    ck_assert_int_eq(pwrite(fd.get(), content.data(), content.size(), 0),
                     static_cast<ssize_t>(content.size()));
    return fd;
}

std::string content_of(int fd)
{
    std::string all;
    std::array<char, 4096> chunk;
    for (ssize_t n = 0; (n = pread(fd, chunk.data(), chunk.size(), static_cast<off_t>(all.size()))) > 0;)
        all.append(chunk.data(), static_cast<std::size_t>(n));
    return all;
}

std::string drained(int fd)
{
    std::string all;
    std::array<char, 4096> chunk;
    for (ssize_t n = 0; (n = read(fd, chunk.data(), chunk.size())) > 0;)
        all.append(chunk.data(), static_cast<std::size_t>(n));
    return all;
}

void make_stream(Piece& piece, bool near_reads)
{
    std::array<int, 2> ends{};
    if (piece.kind == kSocket) {
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    } else {
        ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
        // A spliced piece takes a slot however small it is; the list must never fill the pipe.
        ck_assert_int_ge(fcntl(ends[0], F_SETPIPE_SZ, 1 << 20), 1 << 20);
    }
    piece.near = UniqueFd(ends[near_reads ? 0 : 1]);
    piece.far = UniqueFd(ends[near_reads ? 1 : 0]);
}

void set_flags(fuse_buf& buf, int bits)
{
    buf.flags = static_cast<fuse_buf_flags>(bits);
}

constexpr std::size_t kLead = 3; // bytes in front of the range in files and memory

Piece source_piece(Kind kind, const std::string& content, std::size_t size, bool retry)
{
    Piece piece;
    piece.kind = kind;
    piece.buf.size = size;
    piece.buf.fd = -1;
    if (kind == kMemory) {
        piece.memory = content;
        return piece; // buf.mem is set when the piece has its final place
    }
    if (kind == kFile || kind == kFileSeek) {
        piece.near = memory_file(std::string(kLead, '!') + content);
        piece.buf.pos = kLead;
        ck_assert_int_eq(lseek(piece.near.get(), kind == kFile ? kLead : 0, SEEK_SET),
                         kind == kFile ? kLead : 0);
    } else {
        make_stream(piece, true);
        ck_assert_int_eq(write(piece.far.get(), content.data(), content.size()),
                         static_cast<ssize_t>(content.size()));
        piece.far.reset();
    }
    piece.buf.fd = piece.near.get();
    set_flags(piece.buf,
              FUSE_BUF_IS_FD | (kind == kFileSeek ? FUSE_BUF_FD_SEEK : 0) | (retry ? FUSE_BUF_FD_RETRY : 0));
    return piece;
}

Piece target_piece(Kind kind, std::size_t size, bool retry)
{
    Piece piece =
        kind == kPipe || kind == kSocket ? Piece() : source_piece(kind, std::string(size, '.'), size, retry);
    if (kind != kPipe && kind != kSocket)
        return piece;
    piece.kind = kind;
    piece.buf.size = size;
    make_stream(piece, false);
    piece.buf.fd = piece.near.get();
    set_flags(piece.buf, FUSE_BUF_IS_FD | (retry ? FUSE_BUF_FD_RETRY : 0));
    return piece;
}

// What has arrived in a target; streams are closed for it. Files and memory are `size` bytes, dots where
// untouched.
std::string arrived(Piece& piece)
{
    switch (piece.kind) {
    case kMemory:
        return piece.memory;
    case kFile:
    case kFileSeek:
        return content_of(piece.near.get()).substr(kLead);
    default:
        piece.near.reset();
        return drained(piece.far.get());
    }
}

// A list over pieces, in one allocation as the ABI wants it.
class List {
public:
    explicit List(std::vector<Piece>& pieces)
        : bytes_(new char[sizeof(fuse_bufvec) + pieces.size() * sizeof(fuse_buf)]()),
          vec_(new (bytes_.get()) fuse_bufvec{})
    {
        vec_->count = pieces.size();
        for (std::size_t i = 0; i < pieces.size(); i++) {
            if (pieces[i].kind == kMemory)
                pieces[i].buf.mem = pieces[i].memory.data();
            vec_->buf[i] = pieces[i].buf;
        }
    }
    fuse_bufvec& operator*() { return *vec_; }
    fuse_bufvec* operator->() { return vec_; }
    std::size_t position() const
    {
        std::size_t bytes = vec_->off;
        for (std::size_t i = 0; i < vec_->idx; i++)
            bytes += vec_->buf[i].size;
        return bytes;
    }

private:
    std::unique_ptr<char[]> bytes_;
    fuse_bufvec* vec_;
};

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t limit)
{
    return random() % limit;
}

std::string random_bytes(Random& random, std::size_t size)
{
    std::string bytes(size, 0);
    for (char& byte : bytes)
        byte = static_cast<char>('A' + random() % 26);
    return bytes;
}

std::size_t random_size(Random& random)
{
    return below(random, 4) == 0 ? below(random, 3) : below(random, below(random, 5) == 0 ? 20000 : 600);
}

// One random pair of lists, copied with repeated calls until nothing moves.
void check_random_lists(unsigned seed)
{
    Random random(seed);
    std::vector<Piece> sources;
    std::vector<Piece> targets;
    std::string stream; // the model: all the bytes that can be had, up to the first piece that ends early
    bool ended = false;
    for (std::size_t i = 1 + below(random, 5); i > 0; i--) {
        const Kind kind = static_cast<Kind>(below(random, kKinds));
        const std::string content = random_bytes(random, random_size(random));
        const std::size_t missing = kind != kMemory && below(random, 8) == 0 ? 1 + below(random, 50) : 0;
        sources.push_back(source_piece(kind, content, content.size() + missing, below(random, 2)));
        stream += ended ? "" : content;
        ended = ended || missing > 0;
    }
    std::size_t room = 0;
    for (std::size_t i = 1 + below(random, 5); i > 0; i--) {
        const std::size_t size = random_size(random);
        targets.push_back(target_piece(static_cast<Kind>(below(random, kKinds)), size, below(random, 2)));
        room += size;
    }
    const int flags = std::array<int, 5>{0, FUSE_BUF_NO_SPLICE, FUSE_BUF_FORCE_SPLICE, FUSE_BUF_SPLICE_MOVE,
                                         FUSE_BUF_SPLICE_NONBLOCK}[below(random, 5)];

    List src(sources);
    List dst(targets);
    const std::size_t want = std::min(stream.size(), room);
    std::size_t done = 0;
    for (;;) {
        const ssize_t n = rf::buf::copy(*dst, *src, copy_flags(flags));
        ck_assert_msg(n >= 0, "seed %u: error %zd after %zu of %zu", seed, n, done, want);
        done += static_cast<std::size_t>(n);
        ck_assert_msg(src.position() == done && dst.position() == done,
                      "seed %u: positions %zu %zu after %zu", seed, src.position(), dst.position(), done);
        if (n == 0)
            break;
    }
    ck_assert_msg(done == want, "seed %u: %zu bytes of %zu", seed, done, want);

    std::size_t at = 0;
    for (Piece& target : targets) {
        const std::size_t size = target.buf.size;
        std::string expected = at < want ? stream.substr(at, std::min(size, want - at)) : "";
        if (target.kind != kPipe && target.kind != kSocket)
            expected.resize(size, '.');
        ck_assert_msg(arrived(target) == expected, "seed %u: wrong bytes in the target at %zu, kind %d", seed,
                      at, target.kind);
        at += size;
    }
}

START_TEST(random_lists_arrive_byte_for_byte)
{
    for (unsigned i = 0; i < 400; i++)
        check_random_lists(static_cast<unsigned>(_i) * 400 + i);
}
END_TEST

// Every pair of kinds with every flag, at a size that needs several bounces and pipe fills.
START_TEST(every_pair_of_kinds_moves_a_large_buffer)
{
    Random random(7);
    const Kind from = static_cast<Kind>(_i / kKinds);
    const Kind to = static_cast<Kind>(_i % kKinds);
    for (const int flags : {0, int{FUSE_BUF_NO_SPLICE}, int{FUSE_BUF_FORCE_SPLICE}}) {
        const std::string content = random_bytes(random, 70001);
        std::vector<Piece> sources;
        std::vector<Piece> targets;
        sources.push_back(source_piece(from, content, content.size(), true));
        targets.push_back(target_piece(to, content.size(), true));
        List src(sources);
        List dst(targets);
        ck_assert_int_eq(rf::buf::copy(*dst, *src, copy_flags(flags)), static_cast<ssize_t>(content.size()));
        ck_assert(arrived(targets[0]) == content);
    }
}
END_TEST

fuse_bufvec one_memory(void* mem, std::size_t size)
{
    fuse_bufvec vec = FUSE_BUFVEC_INIT(size);
    vec.buf[0].mem = mem;
    return vec;
}

fuse_bufvec one_fd(int fd, std::size_t size, int bits, off_t pos = 0)
{
    fuse_bufvec vec = FUSE_BUFVEC_INIT(size);
    vec.buf[0].fd = fd;
    vec.buf[0].pos = pos;
    set_flags(vec.buf[0], FUSE_BUF_IS_FD | bits);
    return vec;
}

START_TEST(overlapping_memory_is_moved_as_if_through_a_copy)
{
    char text[] = "0123456789";
    fuse_bufvec src = one_memory(text, 8);
    fuse_bufvec dst = one_memory(text + 2, 8);
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 8);
    ck_assert_str_eq(text, "0101234567");
    src = one_memory(text + 2, 8);
    dst = one_memory(text, 8);
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 8);
    ck_assert_str_eq(text, "0123456767");
}
END_TEST

START_TEST(a_list_copied_onto_itself_is_its_size)
{
    char text[4] = "abc";
    fuse_bufvec vec = one_memory(text, 4);
    ck_assert_int_eq(rf::buf::copy(vec, vec, kNoFlags), 4);
    ck_assert_str_eq(text, "abc");
}
END_TEST

START_TEST(sizes_add_up_and_saturate)
{
    std::vector<Piece> pieces(3);
    pieces[0].buf.size = 5;
    pieces[2].buf.size = 7;
    List list(pieces);
    ck_assert_uint_eq(rf::buf::size(*list), 12);
    list->buf[1].size = SIZE_MAX - 12;
    ck_assert_uint_eq(rf::buf::size(*list), SIZE_MAX);
    list->buf[1].size = SIZE_MAX;
    ck_assert_uint_eq(rf::buf::size(*list), SIZE_MAX);
    list->count = 0;
    ck_assert_uint_eq(rf::buf::size(*list), 0);
}
END_TEST

START_TEST(a_buffer_of_unlimited_size_stops_at_the_end_of_the_other)
{
    std::string text(100, '.');
    const UniqueFd file = memory_file("content");
    fuse_bufvec src = one_fd(file.get(), SIZE_MAX, FUSE_BUF_FD_RETRY);
    fuse_bufvec dst = one_memory(text.data(), text.size());
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 7);
    ck_assert(text.starts_with("content."));
    ck_assert_uint_eq(src.off, 7);
    src = one_memory(text.data(), 7);
    dst = one_fd(file.get(), SIZE_MAX, 0);
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 7);
    ck_assert(content_of(file.get()) == "contentcontent");
}
END_TEST

START_TEST(positions_outside_a_buffer_or_a_file_are_refused)
{
    char text[8] = "abcdefg";
    char out[8] = "";
    fuse_bufvec src = one_memory(text, 4);
    fuse_bufvec dst = one_memory(out, 8);
    src.off = 5;
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), -EINVAL);
    src.off = SIZE_MAX;
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), -EINVAL);
    src.off = 4; // used up, not wrong
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 0);
    src.idx = SIZE_MAX;
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 0);

    const UniqueFd file = memory_file("x");
    src = one_fd(file.get(), 8, FUSE_BUF_FD_SEEK, INT64_MAX - 3);
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), -EOVERFLOW);
    src = one_memory(nullptr, 8);
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), -EFAULT);
}
END_TEST

START_TEST(an_error_is_reported_only_if_nothing_was_copied)
{
    char out[8] = "";
    std::vector<Piece> sources;
    sources.push_back(source_piece(kMemory, "abc", 3, false));
    sources.push_back(source_piece(kFile, "def", 3, false));
    sources[1].buf.fd = -1;
    List src(sources);
    fuse_bufvec dst = one_memory(out, 8);
    ck_assert_int_eq(rf::buf::copy(dst, *src, kNoFlags), 3);
    ck_assert_int_eq(rf::buf::copy(dst, *src, kNoFlags), -EBADF);
    ck_assert_uint_eq(src.position(), 3);
    ck_assert_uint_eq(dst.off, 3);
    ck_assert_str_eq(out, "abc");
}
END_TEST

START_TEST(a_short_read_ends_the_copy_unless_retry_is_set)
{
    for (const bool retry : {false, true}) {
        std::array<int, 2> ends{};
        ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
        const UniqueFd reader(ends[0]);
        UniqueFd writer(ends[1]);
        ck_assert_int_eq(write(writer.get(), "abc", 3), 3);
        std::thread late([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            ck_assert_int_eq(write(writer.get(), "def", 3), 3);
            writer.reset();
        });
        char out[10] = "";
        fuse_bufvec src = one_fd(reader.get(), 9, retry ? FUSE_BUF_FD_RETRY : 0);
        fuse_bufvec dst = one_memory(out, 9);
        const ssize_t n = rf::buf::copy(dst, src, kNoFlags);
        late.join();
        ck_assert_int_eq(n, retry ? 6 : 3);
        ck_assert_str_eq(out, retry ? "abcdef" : "abc");
    }
}
END_TEST

START_TEST(a_short_read_ends_a_copy_between_descriptors)
{
    for (const int flags : {0, int{FUSE_BUF_NO_SPLICE}}) {
        std::array<int, 2> ends{};
        ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
        const UniqueFd reader(ends[0]);
        const UniqueFd writer(ends[1]); // stays open: one more read would wait for ever
        ck_assert_int_eq(write(writer.get(), "abc", 3), 3);
        const UniqueFd file = memory_file("");
        fuse_bufvec src = one_fd(reader.get(), 9, 0);
        fuse_bufvec dst = one_fd(file.get(), 9, 0);
        ck_assert_int_eq(rf::buf::copy(dst, src, copy_flags(flags)), 3);
    }
}
END_TEST

// A signal cuts a write to a full pipe short. The bytes behind it have left the socket for good.
START_TEST(bytes_taken_from_a_stream_are_written_after_a_short_write)
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ck_assert_int_eq(sigaction(SIGUSR1, &action, nullptr), 0);
    const pthread_t self = pthread_self();
    const std::string content(12000, 'x');
    std::vector<Piece> sources;
    sources.push_back(source_piece(kSocket, content, content.size(), false));
    List src(sources);
    std::array<int, 2> ends{};
    ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[0], F_SETPIPE_SZ, 4096), 4096);
    const UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    std::string got;
    std::thread late([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        pthread_kill(self, SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        got = drained(reader.get());
    });
    fuse_bufvec dst = one_fd(writer.get(), content.size(), 0);
    const ssize_t n = rf::buf::copy(dst, *src, FUSE_BUF_NO_SPLICE);
    writer.reset();
    late.join();
    ck_assert_int_eq(n, static_cast<ssize_t>(content.size()));
    ck_assert(got == content);
}
END_TEST

START_TEST(an_empty_nonblocking_source_is_eagain)
{
    char out[8] = "";
    for (const int type : {0, 1}) {
        std::array<int, 2> ends{};
        ck_assert_int_eq(type ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data())
                              : pipe2(ends.data(), O_NONBLOCK),
                         0);
        const UniqueFd reader(ends[0]);
        const UniqueFd writer(ends[1]);
        fuse_bufvec src = one_fd(reader.get(), 8, FUSE_BUF_FD_RETRY);
        fuse_bufvec dst = one_memory(out, 8);
        ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), -EAGAIN);
        ck_assert_int_eq(write(writer.get(), "ab", 2), 2);
        ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 2);
        ck_assert_str_eq(out, "ab");
        const UniqueFd file = memory_file("");
        fuse_bufvec to_file = one_fd(file.get(), 8, 0);
        for (const int flags : {0, int{FUSE_BUF_NO_SPLICE}, int{FUSE_BUF_FORCE_SPLICE}})
            ck_assert_int_eq(rf::buf::copy(to_file, src, copy_flags(flags)), -EAGAIN);
    }
    // Blocking descriptors, but a splice that shall not wait.
    std::array<int, 2> ends{};
    ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd file = memory_file("");
    fuse_bufvec src = one_fd(ends[0], 8, 0);
    fuse_bufvec dst = one_fd(file.get(), 8, 0);
    ck_assert_int_eq(rf::buf::copy(dst, src, FUSE_BUF_SPLICE_NONBLOCK), -EAGAIN);
}
END_TEST

START_TEST(signals_do_not_end_a_copy)
{
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ck_assert_int_eq(sigaction(SIGUSR1, &action, nullptr), 0); // no SA_RESTART
    const pthread_t self = pthread_self();
    for (const int flags : {int{FUSE_BUF_NO_SPLICE}, 0}) {
        std::array<int, 2> ends{};
        ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
        const UniqueFd reader(ends[0]);
        const UniqueFd writer(ends[1]);
        std::thread late([&] {
            for (int i = 0; i < 5; i++) {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                pthread_kill(self, SIGUSR1);
            }
            ck_assert_int_eq(write(writer.get(), "abc", 3), 3);
        });
        const UniqueFd file = memory_file("");
        fuse_bufvec src = one_fd(reader.get(), 3, 0);
        fuse_bufvec dst = one_fd(file.get(), 3, 0);
        const ssize_t n = rf::buf::copy(dst, src, copy_flags(flags));
        late.join();
        ck_assert_int_eq(n, 3);
    }
}
END_TEST

// A file opened for appending cannot be spliced to.
START_TEST(force_splice_refuses_what_the_default_copies)
{
    const UniqueFd file = memory_file("");
    ck_assert_int_eq(fcntl(file.get(), F_SETFL, O_APPEND), 0);
    std::array<int, 2> ends{};
    ck_assert_int_eq(pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd reader(ends[0]);
    const UniqueFd writer(ends[1]);
    ck_assert_int_eq(write(writer.get(), "abc", 3), 3);
    fuse_bufvec src = one_fd(reader.get(), 3, 0);
    fuse_bufvec dst = one_fd(file.get(), 3, 0);
    ck_assert_int_eq(rf::buf::copy(dst, src, FUSE_BUF_FORCE_SPLICE), -EINVAL);
    ck_assert_int_eq(rf::buf::copy(dst, src, kNoFlags), 3);
    ck_assert(content_of(file.get()) == "abc");
    ck_assert_int_eq(write(writer.get(), "def", 3), 3);
    src.off = dst.off = src.idx = dst.idx = 0;
    ck_assert_int_eq(rf::buf::copy(dst, src, copy_flags(FUSE_BUF_FORCE_SPLICE | FUSE_BUF_NO_SPLICE)), 3);
    ck_assert(content_of(file.get()) == "abcdef");

    const UniqueFd origin = memory_file("xyz");
    src = one_fd(origin.get(), 3, FUSE_BUF_FD_SEEK);
    dst = one_fd(file.get(), 3, 0);
    ck_assert_int_eq(rf::buf::copy(dst, src, FUSE_BUF_FORCE_SPLICE), -EINVAL);
}
END_TEST

START_TEST(force_splice_does_not_lose_what_it_took_from_a_stream)
{
    const UniqueFd file = memory_file("");
    ck_assert_int_eq(fcntl(file.get(), F_SETFL, O_APPEND), 0);
    std::vector<Piece> sources;
    sources.push_back(source_piece(kSocket, "abcdef", 6, false));
    List src(sources);
    fuse_bufvec dst = one_fd(file.get(), 6, 0);
    ck_assert_int_eq(rf::buf::copy(dst, *src, FUSE_BUF_FORCE_SPLICE), 6);
    ck_assert(content_of(file.get()) == "abcdef");
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        {random_lists_arrive_byte_for_byte, 0, 10},
        {every_pair_of_kinds_moves_a_large_buffer, 0, kKinds * kKinds},
        overlapping_memory_is_moved_as_if_through_a_copy,
        a_list_copied_onto_itself_is_its_size,
        sizes_add_up_and_saturate,
        a_buffer_of_unlimited_size_stops_at_the_end_of_the_other,
        positions_outside_a_buffer_or_a_file_are_refused,
        an_error_is_reported_only_if_nothing_was_copied,
        a_short_read_ends_the_copy_unless_retry_is_set,
        a_short_read_ends_a_copy_between_descriptors,
        bytes_taken_from_a_stream_are_written_after_a_short_write,
        an_empty_nonblocking_source_is_eagain,
        signals_do_not_end_a_copy,
        force_splice_refuses_what_the_default_copies,
        force_splice_does_not_lose_what_it_took_from_a_stream,
    };
    return rf::test::run_tests("buf", tests);
}
