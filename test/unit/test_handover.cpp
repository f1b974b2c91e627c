// What one session writes down for another: it comes back as it was, and nothing else is believed.
#include "session/handover.hpp"

#include "check/runner.hpp"
#include "proto/kernel.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

using namespace rf;

namespace {

using Bytes = std::vector<std::byte>;

Handover sample()
{
    Handover in;
    in.flags = 0x123456789abcdef0;
    in.minor = kern::kMinor;
    in.max_write = 1U << 20;
    in.max_readahead = 131072;
    in.max_background = 65535;
    in.congestion_threshold = 49151;
    in.retrieve_limit = 1044480;
    in.next_retrieve = std::uint64_t{1} << 33;
    in.connection = 57;
    in.max_read = 4096;
    in.default_permissions = true;
    in.in_utab = true;
    in.has_id = true;
    in.id_minor = 57;
    in.mountpoint = "/mnt/a b\nc";
    return in;
}

Bytes encoded(const Handover& in)
{
    Bytes out(kMostHandoverBytes);
    const int bytes = encode_handover(in, out);
    ck_assert_int_gt(bytes, 0);
    out.resize(static_cast<std::size_t>(bytes));
    return out;
}

} // namespace

START_TEST(a_handover_comes_back_as_it_was)
{
    const Handover in = sample();
    Handover out;
    ck_assert_int_eq(decode_handover(encoded(in), out), 0);
    ck_assert(out.flags == in.flags && out.minor == in.minor && out.max_write == in.max_write);
    ck_assert(out.max_readahead == in.max_readahead && out.max_background == in.max_background);
    ck_assert(out.congestion_threshold == in.congestion_threshold && out.retrieve_limit == in.retrieve_limit);
    ck_assert(out.next_retrieve == in.next_retrieve && out.connection == in.connection);
    ck_assert(out.max_read == in.max_read && out.default_permissions && !out.by_fusermount && out.in_utab);
    ck_assert(!out.external && out.has_id && out.id_major == in.id_major && out.id_minor == in.id_minor);
    ck_assert_str_eq(out.mountpoint.c_str(), in.mountpoint.c_str());
}
END_TEST

START_TEST(every_damaged_bit_is_seen)
{
    const Bytes good = encoded(sample());
    Handover out;
    out.max_write = 77;
    for (std::size_t i = 0; i < good.size() * 8; i++) {
        Bytes bad = good;
        bad[i / 8] ^= std::byte{1} << (i % 8);
        ck_assert_msg(decode_handover(bad, out) < 0, "bit %zu", i);
    }
    ck_assert_uint_eq(out.max_write, 77);
}
END_TEST

START_TEST(every_other_length_is_refused)
{
    Bytes bytes = encoded(sample());
    Handover out;
    bytes.push_back(std::byte{0});
    ck_assert_int_eq(decode_handover(bytes, out), -EINVAL);
    bytes.pop_back();
    ck_assert_int_eq(decode_handover(bytes, out), 0);
    while (!bytes.empty()) {
        bytes.pop_back();
        ck_assert_int_eq(decode_handover(bytes, out), -EINVAL);
    }
}
END_TEST

START_TEST(a_newer_protocol_is_refused)
{
    Handover in = sample();
    in.minor = kern::kMinor + 1;
    Handover out;
    ck_assert_int_eq(decode_handover(encoded(in), out), -EPROTO);
}
END_TEST

START_TEST(what_does_not_fit_is_not_written)
{
    const Handover in = sample();
    const std::size_t need = encoded(in).size();
    Bytes out(need, std::byte{0x5a});
    ck_assert_int_eq(encode_handover(in, std::span(out).first(need - 1)), -ENOBUFS);
    ck_assert(out == Bytes(need, std::byte{0x5a}));
    Handover longest = in;
    longest.mountpoint.assign(kMostHandoverBytes, 'x');
    Bytes large(2 * kMostHandoverBytes);
    ck_assert_int_eq(encode_handover(longest, large), -ENAMETOOLONG);
}
END_TEST

START_TEST(only_a_fuse_device_has_a_connection)
{
    ck_assert_int_eq(connection_number(STDERR_FILENO), -1);
    ck_assert_int_eq(connection_number(-1), -1);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        a_handover_comes_back_as_it_was,  every_damaged_bit_is_seen,
        every_other_length_is_refused,    a_newer_protocol_is_refused,
        what_does_not_fit_is_not_written, only_a_fuse_device_has_a_connection,
    };
    return rf::test::run_tests("handover", tests);
}
