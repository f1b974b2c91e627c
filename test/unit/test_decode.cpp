// Decoding of well-formed requests: every opcode, every peer, both shapes, one and the same call.
#include "check/runner.hpp"
#include "proto_cases.hpp"

#include <algorithm>
#include <cerrno>
#include <set>

using namespace rf;
using namespace rf::test;

namespace {

constexpr std::byte kStale{0xee};
constexpr std::byte kStaleZero{0};

void expect_call(const Case& want, const char* shape, const Outcome& got)
{
    ck_assert_msg(got.rc == 0, "%s (%s): rc %d", want.title, shape, got.rc);
    ck_assert_msg(got.calls.size() == 1, "%s (%s): %zu calls", want.title, shape, got.calls.size());
    ck_assert_msg(got.calls[0] == want.expected, "%s (%s):\n got %s\nwant %s", want.title, shape,
                  got.calls[0].c_str(), want.expected.c_str());
    ck_assert_msg(got.inside, "%s (%s): an argument points outside the message", want.title, shape);
}

void expect_both_shapes(const Case& want)
{
    const Message& message = want.message;
    expect_call(want, "device", run_device(message.device(), want.peer));
    if (!want.on_ring)
        return;
    for (std::byte stale : {kStale, kStaleZero})
        expect_call(want, "ring",
                    run_ring(message.header(), message.fixed, message.ring_payload(), want.peer, stale));
}

} // namespace

START_TEST(both_shapes_make_the_same_call)
{
    for (const Case& each : all_cases())
        expect_both_shapes(each);
}
END_TEST

START_TEST(extensions_are_no_part_of_the_arguments)
{
    for (Case each : all_cases()) {
        if (!each.on_ring || (each.message.payload.empty() && !each.message.fixed.empty()))
            continue; // only requests with a payload carry extensions
        for (size_t units : {1, 2, 9}) {
            each.message.ext.assign(units * 8, std::byte{'x'});
            expect_both_shapes(each);
        }
    }
}
END_TEST

START_TEST(extensions_are_found_at_the_end)
{
    Message message{kern::OP_SYMLINK, {}, bytes_of("a\0b\0"sv), bytes_of("12345678"sv)};
    const Bytes device = message.device();
    Incoming incoming;
    ck_assert_int_eq(parse_device_message(device, incoming), 0);
    ck_assert_uint_eq(extensions(incoming).size(), 8);
    ck_assert_mem_eq(extensions(incoming).data(), "12345678", 8);

    Bytes in_out = bytes_of_struct(message.header());
    in_out.resize(kern::kRingAreaBytes);
    const Bytes op_in(kern::kRingAreaBytes);
    const Bytes payload = message.ring_payload();
    ck_assert_int_eq(parse_ring_message(std::span(in_out).first<kern::kRingAreaBytes>(),
                                        std::span(op_in).first<kern::kRingAreaBytes>(), payload, incoming),
                     0);
    ck_assert_uint_eq(extensions(incoming).size(), 8);
    ck_assert_mem_eq(extensions(incoming).data(), "12345678", 8);
}
END_TEST

START_TEST(a_message_without_extensions_has_none)
{
    const Bytes device = Message{kern::OP_LOOKUP, {}, bytes_of("a name\0\0"sv), {}}.device();
    Incoming incoming;
    ck_assert_int_eq(parse_device_message(device, incoming), 0);
    ck_assert(extensions(incoming).empty());
}
END_TEST

START_TEST(bytes_behind_the_arguments_are_ignored)
{
    for (Case each : all_cases()) {
        if (!each.on_ring || each.peer.minor < 9)
            continue; // below 7.9 the length of the body chooses the structure
        append(each.message.payload, bytes_of("more\0and more"sv));
        expect_both_shapes(each);
    }
}
END_TEST

START_TEST(init_reports_how_much_was_sent)
{
    const auto in = patterned<kern::fuse_init_in>();
    for (size_t wire : {8, 16, 20, 64}) {
        const Message message{kern::OP_INIT, bytes_of_struct(in, wire), {}, {}};
        const Case want{"init", message, {}, call("init", patterned_head<kern::fuse_init_in>(wire), wire)};
        expect_call(want, "device", run_device(message.device(), {}));
    }
    Message longer{kern::OP_INIT, bytes_of_struct(in), bytes_of("a later kernel"sv), {}};
    expect_call({"long init", longer, {}, call("init", in, sizeof(in))}, "device",
                run_device(longer.device(), {}));
}
END_TEST

START_TEST(an_empty_ring_payload_is_still_a_ring_message)
{
    // Else the stale op_in area would be taken for the name.
    const Message message{kern::OP_LOOKUP, {}, {}, {}};
    const Bytes in_out = [&message] {
        Bytes bytes = bytes_of_struct(message.header());
        bytes.resize(kern::kRingAreaBytes);
        return bytes;
    }();
    const Bytes op_in(kern::kRingAreaBytes);
    Incoming incoming;
    ck_assert_int_eq(parse_ring_message(std::span(in_out).first<kern::kRingAreaBytes>(),
                                        std::span(op_in).first<kern::kRingAreaBytes>(), {}, incoming),
                     0);
    ck_assert_ptr_nonnull(incoming.rest.data());
    Recorder recorder;
    ck_assert_int_eq(decode(*find_op(kern::OP_LOOKUP), incoming, kModern, recorder), -EINVAL);
    ck_assert(recorder.calls.empty());
}
END_TEST

START_TEST(every_opcode_but_dax_has_a_row_and_a_case)
{
    std::set<uint32_t> tested = {kern::OP_INIT};
    for (const Case& each : all_cases())
        tested.insert(each.message.opcode);
    std::set<uint32_t> known;
    for (uint32_t opcode = 0; opcode < 5000; ++opcode) {
        const OpRow* row = find_op(opcode);
        if (!row)
            continue;
        known.insert(opcode);
        ck_assert_uint_eq(row->opcode, opcode);
        ck_assert_str_eq(op_name(opcode), row->name.data());
    }
    ck_assert(known == tested);
    std::set<uint32_t> expected = {kern::OP_CUSE_INIT};
    for (uint32_t opcode = 1; opcode <= 53; ++opcode)
        expected.insert(opcode);
    for (uint32_t absent : {7, 19, 48, 49})
        expected.erase(absent);
    ck_assert(known == expected);
}
END_TEST

START_TEST(unknown_opcodes_have_no_row)
{
    for (uint32_t opcode :
         {0u, 7u, 19u, 48u, 49u, 54u, 63u, 64u, 2016u, 4095u, 4097u, 1048576u, UINT32_MAX}) {
        ck_assert_ptr_null(find_op(opcode));
        ck_assert_str_eq(op_name(opcode), "?");
    }
}
END_TEST

START_TEST(only_four_opcodes_take_no_answer)
{
    const std::set<uint32_t> silent = {kern::OP_FORGET, kern::OP_BATCH_FORGET, kern::OP_INTERRUPT,
                                       kern::OP_NOTIFY_REPLY};
    for (uint32_t opcode = 0; opcode < 5000; ++opcode)
        if (const OpRow* row = find_op(opcode))
            ck_assert_msg(row->answered == !silent.contains(opcode), "%s", row->name.data());
}
END_TEST

START_TEST(fixed_bytes_are_what_the_ring_puts_in_op_in)
{
    for (const Case& each : all_cases()) {
        if (!each.on_ring)
            continue;
        const OpRow* row = find_op(each.message.opcode);
        ck_assert_msg(fixed_bytes_for(*row, each.peer) == each.message.fixed.size(), "%s: %zu", each.title,
                      fixed_bytes_for(*row, each.peer));
        ck_assert(fixed_bytes_for(*row, each.peer) <= row->fixed_bytes);
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        both_shapes_make_the_same_call,
        extensions_are_no_part_of_the_arguments,
        extensions_are_found_at_the_end,
        a_message_without_extensions_has_none,
        bytes_behind_the_arguments_are_ignored,
        init_reports_how_much_was_sent,
        an_empty_ring_payload_is_still_a_ring_message,
        every_opcode_but_dax_has_a_row_and_a_case,
        unknown_opcodes_have_no_row,
        only_four_opcodes_take_no_answer,
        fixed_bytes_are_what_the_ring_puts_in_op_in,
    };
    return rf::test::run_tests("decode", tests);
}
