// Security labels among the extensions of a request.
#include "proto/secctx.hpp"

#include "check/runner.hpp"
#include "proto/kernel.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

using namespace rf;
using namespace std::string_view_literals;

namespace {

using Bytes = std::vector<std::byte>;

void append(Bytes& out, const void* bytes, std::size_t count)
{
    const auto* at = static_cast<const std::byte*>(bytes);
    out.insert(out.end(), at, at + count);
}

void pad(Bytes& out)
{
    out.resize((out.size() + 7) / 8 * 8);
}

Bytes label(std::string_view name, std::string_view value)
{
    Bytes out;
    const kern::fuse_secctx head{static_cast<std::uint32_t>(value.size()), 0};
    append(out, &head, sizeof(head));
    append(out, name.data(), name.size());
    out.push_back({});
    append(out, value.data(), value.size());
    pad(out);
    return out;
}

Bytes record(const std::vector<Bytes>& labels, std::uint32_t count)
{
    Bytes body;
    for (const Bytes& one : labels)
        append(body, one.data(), one.size());
    const kern::fuse_secctx_header head{static_cast<std::uint32_t>(sizeof(head) + body.size()), count};
    Bytes out;
    append(out, &head, sizeof(head));
    append(out, body.data(), body.size());
    return out;
}

Bytes groups()
{
    const std::uint32_t words[] = {20, kern::kExtGroups, 2, 100, 200};
    Bytes out;
    append(out, words, sizeof(words));
    pad(out);
    return out;
}

std::string value_of(const SecurityLabel& label)
{
    return {reinterpret_cast<const char*>(label.value.data()), label.value.size()};
}

} // namespace

START_TEST(no_extensions_have_no_labels)
{
    std::size_t position = 0;
    SecurityLabel out;
    ck_assert_int_eq(count_labels({}), 0);
    ck_assert_int_eq(next_label({}, position, out), 0);
    ck_assert_uint_eq(position, 0);
}
END_TEST

START_TEST(labels_come_in_their_order)
{
    const Bytes bytes =
        record({label("security.selinux", "user_u:object_r"), label("x", ""), label("yy", "123")}, 3);
    ck_assert_int_eq(count_labels(bytes), 3);
    std::size_t position = 0;
    SecurityLabel out;
    const struct {
        const char* name;
        const char* value;
    } rows[] = {{"security.selinux", "user_u:object_r"}, {"x", ""}, {"yy", "123"}};
    for (const auto& row : rows) {
        ck_assert_int_eq(next_label(bytes, position, out), 1);
        ck_assert_str_eq(out.name, row.name);
        const std::string value = value_of(out);
        ck_assert_str_eq(value.c_str(), row.value);
    }
    ck_assert_int_eq(next_label(bytes, position, out), 0);
    ck_assert_int_eq(next_label(bytes, position, out), 0);
    position = 0;
    ck_assert_int_eq(next_label(bytes, position, out), 1);
    ck_assert_str_eq(out.name, "security.selinux");
}
END_TEST

START_TEST(groups_in_front_of_the_labels_are_passed_over)
{
    Bytes bytes = groups();
    ck_assert_int_eq(count_labels(bytes), 0);
    const Bytes labels = record({label("a", "b")}, 1);
    append(bytes, labels.data(), labels.size());
    ck_assert_int_eq(count_labels(bytes), 1);
    std::size_t position = 0;
    SecurityLabel out;
    ck_assert_int_eq(next_label(bytes, position, out), 1);
    ck_assert_str_eq(out.name, "a");
}
END_TEST

START_TEST(headers_that_lie_are_einval)
{
    std::size_t position = 0;
    SecurityLabel out;
    const Bytes good = record({label("a", "b")}, 1);
    for (const std::uint32_t size : {0u, 7u, static_cast<std::uint32_t>(good.size() + 1), 0xffffffffu}) {
        Bytes bad = good;
        std::memcpy(bad.data(), &size, sizeof(size));
        ck_assert_int_eq(count_labels(bad), -EINVAL);
        ck_assert_int_eq(next_label(bad, position, out), -EINVAL);
    }
    ck_assert_int_eq(count_labels(std::span(good).first(7)), -EINVAL);
    ck_assert_uint_eq(position, 0);
}
END_TEST

START_TEST(a_label_longer_than_the_record_is_einval)
{
    std::size_t position = 0;
    SecurityLabel out;
    Bytes bad = record({label("a", "b")}, 1);
    const std::uint32_t huge = 0xffffffff;
    std::memcpy(bad.data() + sizeof(kern::fuse_secctx_header), &huge, sizeof(huge));
    ck_assert_int_eq(next_label(bad, position, out), -EINVAL);
}
END_TEST

START_TEST(a_name_without_an_end_is_einval)
{
    std::size_t position = 0;
    SecurityLabel out;
    const Bytes endless(16, std::byte{'a'});
    ck_assert_int_eq(next_label(record({endless}, 1), position, out), -EINVAL);
    ck_assert_int_eq(next_label(record({}, 1), position, out), -EINVAL);
}
END_TEST

START_TEST(a_count_beyond_the_labels_is_einval_behind_the_last)
{
    std::size_t position = 0;
    SecurityLabel out;
    const Bytes bytes = record({label("a", "b")}, 2);
    ck_assert_int_eq(next_label(bytes, position, out), 1);
    ck_assert_int_eq(next_label(bytes, position, out), -EINVAL);
    ck_assert_uint_eq(position, 1);
}
END_TEST

START_TEST(every_truncation_is_survived)
{
    const Bytes bytes = record({label("security.a", "value"), label("b", "c")}, 2);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
        // A copy of its own, so that a read behind the end is one behind the allocation.
        const Bytes part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length));
        std::size_t position = 0;
        SecurityLabel out;
        ck_assert_int_eq(next_label(part, position, out), length == 0 ? 0 : -EINVAL);
    }
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        no_extensions_have_no_labels,
        labels_come_in_their_order,
        groups_in_front_of_the_labels_are_passed_over,
        headers_that_lie_are_einval,
        a_label_longer_than_the_record_is_einval,
        a_name_without_an_end_is_einval,
        a_count_beyond_the_labels_is_einval_behind_the_last,
        every_truncation_is_survived,
    };
    return rf::test::run_tests("secctx", tests);
}
