// Decoding of malformed requests: refused, without a call, without a step outside the message.
#include "check/runner.hpp"
#include "proto_cases.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <set>

using namespace rf;
using namespace rf::test;

namespace {

constexpr std::byte kStale{0xee};

void expect_refusal(const char* title, size_t detail, const Outcome& got)
{
    ck_assert_msg(got.rc == -EINVAL, "%s (%zu): rc %d", title, detail, got.rc);
    ck_assert_msg(got.calls.empty(), "%s (%zu): called %s", title, detail, got.calls[0].c_str());
}

void expect_refusal_in_both_shapes(const char* title, const Message& message, const Peer& peer)
{
    expect_refusal(title, 0, run_device(message.device(), peer));
    expect_refusal(title, 1, run_ring(message.header(), message.fixed, message.ring_payload(), peer, kStale));
}

/// The structure with one size set and all else zero.
template <class T>
Bytes with_size(uint32_t T::*field, uint32_t value)
{
    T in{};
    in.*field = value;
    return bytes_of_struct(in);
}

/// A request whose structure states `stated` bytes of data while four are there.
Message stating(uint32_t opcode, uint32_t stated)
{
    using namespace kern;
    switch (opcode) {
    case OP_WRITE:
        return {opcode, with_size(&fuse_write_in::size, stated), bytes_of("data"sv), {}};
    case OP_SETXATTR:
        return {opcode, with_size(&fuse_setxattr_in::size, stated), bytes_of("n\0data"sv), {}};
    case OP_IOCTL:
        return {opcode, with_size(&fuse_ioctl_in::in_size, stated), bytes_of("data"sv), {}};
    default: {
        Message message{OP_NOTIFY_REPLY, {}, with_size(&fuse_notify_retrieve_in::size, stated), {}};
        append(message.payload, bytes_of("data"sv));
        return message;
    }
    }
}

/// Small, fast, the same everywhere.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t next()
    {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    size_t below(size_t limit) { return next() % limit; }

private:
    uint64_t state_;
};

} // namespace

START_TEST(every_truncation_of_a_device_message_is_refused)
{
    for (const Case& each : all_cases()) {
        if (!each.on_ring || each.peer.minor < 9)
            continue; // there a shorter body is another legal structure
        Bytes body = each.message.fixed;
        append(body, each.message.payload);
        for (size_t keep = 0; keep < body.size(); ++keep) {
            const Message cut{
                each.message.opcode, Bytes(body.begin(), body.begin() + ptrdiff_t(keep)), {}, {}};
            expect_refusal(each.title, keep, run_device(cut.device(), each.peer));
        }
    }
}
END_TEST

START_TEST(every_truncation_of_a_ring_payload_is_refused)
{
    for (const Case& each : all_cases()) {
        const Bytes& payload = each.message.payload;
        for (size_t keep = 0; each.on_ring && keep < payload.size(); ++keep) {
            Message cut = each.message;
            cut.payload.resize(keep);
            expect_refusal(each.title, keep,
                           run_ring(cut.header(), cut.fixed, cut.payload, each.peer, kStale));
            // Zeroes in the stale area must not end a name either.
            expect_refusal(each.title, keep,
                           run_ring(cut.header(), cut.fixed, cut.payload, each.peer, std::byte{0}));
        }
    }
}
END_TEST

START_TEST(init_without_a_version_is_refused)
{
    for (size_t bytes = 0; bytes < 8; ++bytes)
        expect_refusal("init", bytes, run_device(Message{kern::OP_INIT, Bytes(bytes), {}, {}}.device(), {}));
}
END_TEST

START_TEST(names_without_an_end_are_refused)
{
    for (uint32_t opcode : {kern::OP_LOOKUP, kern::OP_UNLINK, kern::OP_RMDIR, kern::OP_REMOVEXATTR})
        expect_refusal_in_both_shapes(op_name(opcode), {opcode, {}, bytes_of("name"sv), {}}, kModern);
    expect_refusal_in_both_shapes("symlink target", {kern::OP_SYMLINK, {}, bytes_of("name\0target"sv), {}},
                                  kModern);
}
END_TEST

START_TEST(an_extension_does_not_end_a_name)
{
    expect_refusal_in_both_shapes("lookup", {kern::OP_LOOKUP, {}, bytes_of("name"sv), Bytes(8)}, kModern);
}
END_TEST

START_TEST(an_extension_is_no_data)
{
    Message message = stating(kern::OP_WRITE, 12);
    message.ext = Bytes(8);
    expect_refusal_in_both_shapes("write", message, kModern);
}
END_TEST

START_TEST(stated_sizes_beyond_the_message_are_refused)
{
    for (uint32_t opcode : {kern::OP_WRITE, kern::OP_SETXATTR, kern::OP_IOCTL, kern::OP_NOTIFY_REPLY})
        for (uint32_t stated : {5u, 4096u, 0x7fffffffu, 0x80000000u, UINT32_MAX - 3, UINT32_MAX})
            expect_refusal_in_both_shapes(op_name(opcode), stating(opcode, stated), kModern);
}
END_TEST

START_TEST(stated_sizes_within_the_message_are_not)
{
    for (uint32_t opcode : {kern::OP_WRITE, kern::OP_SETXATTR, kern::OP_IOCTL, kern::OP_NOTIFY_REPLY})
        for (uint32_t stated : {0u, 1u, 4u})
            ck_assert_int_eq(run_device(stating(opcode, stated).device(), kModern).rc, 0);
}
END_TEST

START_TEST(a_forget_count_that_wraps_is_refused)
{
    // 2^28 records are 2^32 bytes, 2^28 + 1 records wrap to the 16 bytes that are there.
    for (uint32_t count : {2u, 1u << 28, (1u << 28) + 1, UINT32_MAX}) {
        const Message message{
            kern::OP_BATCH_FORGET, bytes_of_struct(kern::fuse_batch_forget_in{count, 0}), Bytes(16), {}};
        expect_refusal_in_both_shapes("batch_forget", message, kModern);
    }
}
END_TEST

START_TEST(a_device_message_must_have_the_stated_length)
{
    const Message message{kern::OP_LOOKUP, {}, bytes_of("name\0"sv), {}};
    for (int delta : {-1, 1, 1000}) {
        Bytes bytes = message.device();
        const uint32_t stated = static_cast<uint32_t>(static_cast<int>(bytes.size()) + delta);
        std::memcpy(bytes.data(), &stated, sizeof(stated));
        expect_refusal("length", bytes.size(), run_device(bytes, kModern));
    }
    for (size_t size = 0; size < sizeof(kern::fuse_in_header); ++size)
        expect_refusal("short header", size, run_device(Bytes(size), kModern));
}
END_TEST

START_TEST(a_ring_header_must_cover_its_payload)
{
    const Message message{kern::OP_LOOKUP, {}, bytes_of("name\0"sv), {}};
    kern::fuse_in_header header = message.header();
    header.len -= 1;
    expect_refusal("length", header.len, run_ring(header, {}, message.payload, kModern, kStale));
}
END_TEST

START_TEST(extensions_beyond_the_message_are_refused)
{
    Message message{kern::OP_LOOKUP, {}, bytes_of("name\0"sv), {}};
    kern::fuse_in_header header = message.header();
    for (uint16_t units : {uint16_t{1}, uint16_t{UINT16_MAX}}) {
        header.total_extlen = units;
        Bytes device = bytes_of_struct(header);
        append(device, message.payload);
        expect_refusal("device", units, run_device(device, kModern));
        expect_refusal("ring", units, run_ring(header, {}, message.payload, kModern, kStale));
    }
}
END_TEST

START_TEST(decode_does_not_trust_that_the_message_was_parsed)
{
    Incoming incoming;
    const Bytes name = bytes_of("name\0"sv);
    incoming.fixed = name;
    incoming.header.total_extlen = 1;
    Recorder recorder;
    ck_assert(extensions(incoming).empty());
    ck_assert_int_eq(decode(*find_op(kern::OP_LOOKUP), incoming, kModern, recorder), -EINVAL);
    ck_assert(recorder.calls.empty());
}
END_TEST

namespace {

void mutate(Random& random, Bytes& bytes)
{
    for (size_t flips = random.below(4); flips > 0 && !bytes.empty(); --flips)
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
    if (random.below(4) == 0)
        bytes.resize(random.below(bytes.size() + 9), static_cast<std::byte>(random.next()));
}

// One assertion per failure, not per round: each costs a message to the test's parent.
void check_sane(const Outcome& got)
{
    if ((got.rc == 0) != (got.calls.size() == 1) || got.calls.size() > 1 || got.rc > 0)
        ck_abort_msg("rc %d but %zu calls", got.rc, got.calls.size());
    if (!got.inside)
        ck_abort_msg("an argument of %s points outside the message", got.calls[0].c_str());
}

} // namespace

START_TEST(random_damage_never_leads_outside_the_message)
{
    constexpr uint64_t kSeed = 0x9e3779b97f4a7c15;
    constexpr int kRounds = 50000;
    std::printf("seed=%#llx rounds=%d\n", static_cast<unsigned long long>(kSeed), kRounds);
    Random random(kSeed);
    const std::vector<Case> cases = all_cases();
    int accepted = 0;
    int refused = 0;
    std::set<std::string> reached;
    for (int round = 0; round < kRounds; ++round) {
        const Case& base = cases[random.below(cases.size())];
        const Peer peer =
            random.below(3) ? base.peer : Peer{static_cast<uint32_t>(random.below(48)), random.below(2) == 0};
        Message message = base.message;
        message.ext.resize(random.below(3) * 8);
        Bytes device = message.device();
        mutate(random, device);
        if (random.below(8) && device.size() >= sizeof(uint32_t)) { // mostly keep the length honest
            const auto size = static_cast<uint32_t>(device.size());
            std::memcpy(device.data(), &size, sizeof(size));
        }
        mutate(random, message.fixed);
        message.fixed.resize(std::min(message.fixed.size(), kern::kRingAreaBytes));
        Bytes payload = message.ring_payload();
        mutate(random, payload);
        kern::fuse_in_header header = message.header();
        header.len = static_cast<uint32_t>(sizeof(header) + message.fixed.size() + payload.size());
        header.total_extlen = static_cast<uint16_t>(header.total_extlen ^ (random.below(8) == 0));
        for (const Outcome& got :
             {run_device(device, peer), run_ring(header, message.fixed, payload, peer, kStale)}) {
            check_sane(got);
            ++(got.rc == 0 ? accepted : refused);
            for (const std::string& made : got.calls)
                reached.insert(made.substr(0, made.find(' ')));
        }
    }
    // Else the damage would not be testing the decoders.
    ck_assert_int_gt(accepted, kRounds / 10);
    ck_assert_int_gt(refused, kRounds / 10);
    ck_assert_uint_ge(reached.size(), 45);
}
END_TEST

START_TEST(pure_noise_never_leads_outside_the_message)
{
    constexpr uint64_t kSeed = 0xd1b54a32d192ed03;
    constexpr int kRounds = 50000;
    std::printf("seed=%#llx rounds=%d\n", static_cast<unsigned long long>(kSeed), kRounds);
    Random random(kSeed);
    for (int round = 0; round < kRounds; ++round) {
        Bytes body(random.below(160));
        for (std::byte& each : body)
            each = static_cast<std::byte>(random.below(3) ? random.next() : 0);
        const Peer peer{static_cast<uint32_t>(random.below(48)), random.below(2) == 0};
        const Message message{static_cast<uint32_t>(random.below(56)), body, {}, {}};
        const Outcome device = run_device(message.device(), peer);
        if (device.rc != -ENOSYS)
            check_sane(device);
        const Bytes fixed(body.begin(),
                          body.begin() + ptrdiff_t(std::min(body.size(), kern::kRingAreaBytes)));
        const Outcome ring = run_ring(message.header(), fixed, body, peer, kStale);
        if (ring.rc != -ENOSYS)
            check_sane(ring);
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_truncation_of_a_device_message_is_refused,
        every_truncation_of_a_ring_payload_is_refused,
        init_without_a_version_is_refused,
        names_without_an_end_are_refused,
        an_extension_does_not_end_a_name,
        an_extension_is_no_data,
        stated_sizes_beyond_the_message_are_refused,
        stated_sizes_within_the_message_are_not,
        a_forget_count_that_wraps_is_refused,
        a_device_message_must_have_the_stated_length,
        a_ring_header_must_cover_its_payload,
        extensions_beyond_the_message_are_refused,
        decode_does_not_trust_that_the_message_was_parsed,
        random_damage_never_leads_outside_the_message,
        pure_noise_never_leads_outside_the_message,
    };
    return rf::test::run_tests("decode_hostile", tests);
}
