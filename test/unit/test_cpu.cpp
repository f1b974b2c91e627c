// Lists of CPUs as the kernel writes them.
#include "base/cpu.hpp"
#include "check/runner.hpp"

#include <algorithm>
#include <cerrno>

using namespace rf;

START_TEST(lists_are_counted)
{
    const struct {
        const char* list;
        unsigned count;
    } rows[] = {{"0", 1},           {"0\n", 1}, {"0-3", 4}, {"0-3\n", 4},     {"0-3,8", 5},    {"0,2,4", 3},
                {"0-1,4-5,9\n", 5}, {"7", 1},   {"5-5", 1}, {"0-4095", 4096}, {"0-3\nrest", 4}};
    for (const auto& row : rows)
        ck_assert_msg(count_cpu_list(row.list) == row.count, "%s", row.list);
}
END_TEST

START_TEST(malformed_lists_count_as_nothing)
{
    for (const char* list :
         {"", "\n", "x", "-3", "3-", "3-1", "0-3;8", "0,x", "0- 3", "99999999999999999999", ",1"})
        ck_assert_msg(count_cpu_list(list) == 0, "%s", list);
}
END_TEST

START_TEST(a_list_need_not_end_in_nul)
{
    const char digits[] = {'0', '-', '1', '9'};
    ck_assert_uint_eq(count_cpu_list({digits, 3}), 2);
    ck_assert_uint_eq(count_cpu_list({digits, 4}), 20);
}
END_TEST

START_TEST(members_of_a_list_are_found)
{
    std::vector<bool> set;
    ck_assert(parse_cpu_list("1-2,5\n", set));
    ck_assert(set == (std::vector<bool>{false, true, true, false, false, true}));
    ck_assert(parse_cpu_list("\n", set));
    ck_assert(set.empty());
    for (const char* list : {"x", "3-1", "0;8", "0-4294967295"})
        ck_assert_msg(!parse_cpu_list(list, set), "%s", list);
    ck_assert_int_eq(read_cpu_list("/sys/devices/system/cpu/possible", set), 0);
    ck_assert_int_eq(static_cast<int>(std::count(set.begin(), set.end(), true)), possible_cpus());
    ck_assert_int_eq(read_cpu_list("/nowhere", set), -ENOENT);
}
END_TEST

START_TEST(this_machine_has_cpus)
{
    ck_assert_int_ge(possible_cpus(), 1);
}
END_TEST

START_TEST(a_thread_can_be_bound_and_let_go)
{
    cpu_set_t before;
    ck_assert_int_eq(get_affinity(before), 0);
    unsigned cpu = 0;
    while (!CPU_ISSET(cpu, &before))
        ++cpu;
    ck_assert_int_eq(pin_to_cpu(cpu), 0);
    cpu_set_t bound;
    ck_assert_int_eq(get_affinity(bound), 0);
    ck_assert_int_eq(CPU_COUNT(&bound), 1);
    ck_assert(CPU_ISSET(cpu, &bound));
    ck_assert_int_eq(set_affinity(before), 0);
    ck_assert_int_eq(get_affinity(bound), 0);
    ck_assert(CPU_EQUAL(&bound, &before));
}
END_TEST

START_TEST(cpus_that_do_not_exist_are_refused)
{
    ck_assert_int_eq(pin_to_cpu(CPU_SETSIZE), -EINVAL);
    ck_assert_int_eq(pin_to_cpu(CPU_SETSIZE - 1), -EINVAL);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        lists_are_counted,
        malformed_lists_count_as_nothing,
        a_list_need_not_end_in_nul,
        members_of_a_list_are_found,
        this_machine_has_cpus,
        a_thread_can_be_bound_and_let_go,
        cpus_that_do_not_exist_are_refused,
    };
    return rf::test::run_tests("cpu", tests);
}
