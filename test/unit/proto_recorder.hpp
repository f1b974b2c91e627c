// A visitor that writes down each call as text, and the builder of messages in both shapes, for the tests of
// the decoders.
#pragma once

#include "proto/opcodes.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace rf::test {

using Bytes = std::vector<std::byte>;

inline void append_hex(std::string& text, const void* bytes, size_t count)
{
    static const char kDigits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; ++i) {
        const auto value = std::to_integer<unsigned>(static_cast<const std::byte*>(bytes)[i]);
        text += kDigits[value >> 4];
        text += kDigits[value & 15];
    }
}

inline void show(std::string& text, const char* name)
{
    text += std::string(" '") + name + "'";
}
inline void show(std::string& text, std::span<const std::byte> data)
{
    text += " [";
    append_hex(text, data.data(), data.size());
    text += "]";
}
template <class T>
requires std::is_class_v<T>
void show(std::string& text, const T& in)
{
    text += " {";
    append_hex(text, &in, sizeof(in));
    text += "}";
}
template <class T>
requires std::is_integral_v<T>
void show(std::string& text, T value)
{
    text += " " + std::to_string(value);
}

/// The text of one call: the name and every argument, structures as hex.
template <class... Args>
std::string call(const char* method, const Args&... args)
{
    std::string text = method;
    (show(text, args), ...);
    return text;
}

/// Remembers every call, and where the borrowed arguments lay.
class Recorder final : public Operations {
public:
    std::vector<std::string> calls;
    std::vector<std::span<const std::byte>> borrowed;

    void init(const kern::fuse_init_in& in, size_t wire_bytes) override { add("init", in, wire_bytes); }
    void destroy() override { add("destroy"); }
    void interrupt(const kern::fuse_interrupt_in& in) override { add("interrupt", in); }
    void notify_reply(const kern::fuse_notify_retrieve_in& in, Bytes data) override
    {
        add("notify_reply", in, data);
    }
    void cuse_init(const kern::cuse_init_in& in) override { add("cuse_init", in); }
    void lookup(const char* name) override { add("lookup", name); }
    void forget(const kern::fuse_forget_in& in) override { add("forget", in); }
    void batch_forget(Bytes records, uint32_t count) override { add("batch_forget", records, count); }
    void getattr(const kern::fuse_getattr_in& in) override { add("getattr", in); }
    void setattr(const kern::fuse_setattr_in& in) override { add("setattr", in); }
    void statx(const kern::fuse_statx_in& in) override { add("statx", in); }
    void access(const kern::fuse_access_in& in) override { add("access", in); }
    void readlink() override { add("readlink"); }
    void statfs() override { add("statfs"); }
    void syncfs() override { add("syncfs"); }
    void bmap(const kern::fuse_bmap_in& in) override { add("bmap", in); }
    void symlink(const char* name, const char* target) override { add("symlink", name, target); }
    void mknod(const kern::fuse_mknod_in& in, const char* name) override { add("mknod", in, name); }
    void mkdir(const kern::fuse_mkdir_in& in, const char* name) override { add("mkdir", in, name); }
    void unlink(const char* name) override { add("unlink", name); }
    void rmdir(const char* name) override { add("rmdir", name); }
    void rename(uint64_t newdir, uint32_t flags, const char* oldname, const char* newname) override
    {
        add("rename", newdir, flags, oldname, newname);
    }
    void link(const kern::fuse_link_in& in, const char* newname) override { add("link", in, newname); }
    void create(const kern::fuse_create_in& in, const char* name) override { add("create", in, name); }
    void tmpfile(const kern::fuse_create_in& in, const char* name) override { add("tmpfile", in, name); }
    void open(const kern::fuse_open_in& in) override { add("open", in); }
    void read(const kern::fuse_read_in& in) override { add("read", in); }
    void write(const kern::fuse_write_in& in, Bytes data) override { add("write", in, data); }
    void flush(const kern::fuse_flush_in& in) override { add("flush", in); }
    void release(const kern::fuse_release_in& in) override { add("release", in); }
    void fsync(const kern::fuse_fsync_in& in) override { add("fsync", in); }
    void getlk(const kern::fuse_lk_in& in) override { add("getlk", in); }
    void setlk(const kern::fuse_lk_in& in, bool sleep) override { add("setlk", in, sleep); }
    void ioctl(const kern::fuse_ioctl_in& in, Bytes data) override { add("ioctl", in, data); }
    void poll(const kern::fuse_poll_in& in) override { add("poll", in); }
    void fallocate(const kern::fuse_fallocate_in& in) override { add("fallocate", in); }
    void lseek(const kern::fuse_lseek_in& in) override { add("lseek", in); }
    void copy_file_range(const kern::fuse_copy_file_range_in& in, bool wide) override
    {
        add("copy_file_range", in, wide);
    }
    void opendir(const kern::fuse_open_in& in) override { add("opendir", in); }
    void readdir(const kern::fuse_read_in& in) override { add("readdir", in); }
    void readdirplus(const kern::fuse_read_in& in) override { add("readdirplus", in); }
    void releasedir(const kern::fuse_release_in& in) override { add("releasedir", in); }
    void fsyncdir(const kern::fuse_fsync_in& in) override { add("fsyncdir", in); }
    void setxattr(const kern::fuse_setxattr_in& in, const char* name, Bytes value) override
    {
        add("setxattr", in, name, value);
    }
    void getxattr(const kern::fuse_getxattr_in& in, const char* name) override { add("getxattr", in, name); }
    void listxattr(const kern::fuse_getxattr_in& in) override { add("listxattr", in); }
    void removexattr(const char* name) override { add("removexattr", name); }

private:
    template <class... Args>
    void add(const char* method, const Args&... args)
    {
        calls.push_back(call(method, args...));
        (note(args), ...);
    }
    template <class T>
    void note(const T&)
    {}
    void note(const char* const& name)
    {
        borrowed.push_back(std::as_bytes(std::span(name, std::strlen(name) + 1)));
    }
    void note(const Bytes& data)
    {
        if (!data.empty())
            borrowed.push_back(data);
    }
};

/// Bytes in a heap block of exactly their size, so that a sanitizer sees the first step outside.
class ExactBuffer {
public:
    explicit ExactBuffer(const Bytes& bytes) : data_(new std::byte[bytes.size()]), size_(bytes.size())
    {
        if (size_)
            std::memcpy(data_.get(), bytes.data(), size_);
    }
    [[nodiscard]] std::span<const std::byte> span() const { return {data_.get(), size_}; }
    [[nodiscard]] bool contains(std::span<const std::byte> part) const
    {
        return part.data() >= data_.get() && part.data() + part.size() <= data_.get() + size_;
    }

private:
    std::unique_ptr<std::byte[]> data_;
    size_t size_;
};

inline void append(Bytes& to, std::span<const std::byte> bytes)
{
    to.insert(to.end(), bytes.begin(), bytes.end());
}
inline Bytes bytes_of(std::string_view text)
{
    Bytes out;
    append(out, std::as_bytes(std::span(text)));
    return out;
}
template <class T>
Bytes bytes_of_struct(const T& in, size_t count = sizeof(T))
{
    Bytes out;
    append(out, std::as_bytes(std::span(&in, 1)).first(count));
    return out;
}

/// One request, before it takes a shape.
struct Message {
    uint32_t opcode = 0;
    Bytes fixed;
    Bytes payload;
    Bytes ext; ///< a multiple of 8

    [[nodiscard]] kern::fuse_in_header header() const
    {
        kern::fuse_in_header head{};
        head.len = static_cast<uint32_t>(sizeof(head) + fixed.size() + payload.size() + ext.size());
        head.opcode = opcode;
        head.unique = 1234;
        head.total_extlen = static_cast<uint16_t>(ext.size() / 8);
        return head;
    }
    [[nodiscard]] Bytes device() const
    {
        Bytes out = bytes_of_struct(header());
        append(out, fixed);
        append(out, payload);
        append(out, ext);
        return out;
    }
    [[nodiscard]] Bytes ring_payload() const
    {
        Bytes out = payload;
        append(out, ext);
        return out;
    }
};

/// Result of decoding: the return code (of parsing, if that failed) and what the visitor saw.
struct Outcome {
    int rc = 0;
    std::vector<std::string> calls;
    bool inside = true; ///< every borrowed argument lay in the message
};

inline Outcome run(const Incoming& incoming, const Peer& peer, std::span<const ExactBuffer* const> buffers)
{
    const OpRow* row = find_op(incoming.header.opcode);
    if (!row)
        return {.rc = -ENOSYS, .calls = {}};
    Recorder recorder;
    Outcome outcome{.rc = decode(*row, incoming, peer, recorder), .calls = recorder.calls};
    for (std::span<const std::byte> part : recorder.borrowed) {
        bool found = false;
        for (const ExactBuffer* buffer : buffers)
            found = found || buffer->contains(part);
        outcome.inside = outcome.inside && found;
    }
    return outcome;
}

inline Outcome run_device(const Bytes& message, const Peer& peer)
{
    const ExactBuffer buffer(message);
    Incoming incoming;
    if (const int rc = parse_device_message(buffer.span(), incoming); rc < 0)
        return {.rc = rc, .calls = {}};
    const ExactBuffer* const buffers[] = {&buffer};
    return run(incoming, peer, buffers);
}

/// The op_in area behind `fixed` is filled with `stale`.
inline Outcome run_ring(const kern::fuse_in_header& header, const Bytes& fixed, const Bytes& payload,
                        const Peer& peer, std::byte stale)
{
    Bytes in_out = bytes_of_struct(header);
    in_out.resize(kern::kRingAreaBytes, stale);
    Bytes op_in = fixed;
    op_in.resize(kern::kRingAreaBytes, stale);
    const ExactBuffer header_buffer(in_out);
    const ExactBuffer op_buffer(op_in);
    const ExactBuffer payload_buffer(payload);
    Incoming incoming;
    const int rc =
        parse_ring_message(header_buffer.span().first<kern::kRingAreaBytes>(),
                           op_buffer.span().first<kern::kRingAreaBytes>(), payload_buffer.span(), incoming);
    if (rc < 0)
        return {.rc = rc, .calls = {}};
    const ExactBuffer* const buffers[] = {&payload_buffer};
    return run(incoming, peer, buffers);
}

} // namespace rf::test
