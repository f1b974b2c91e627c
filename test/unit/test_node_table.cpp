// Nodes by number and by name: counts, generations, renames, memory, and all of it from several threads.
#include "check/runner.hpp"
#include "highlevel/node_table.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

using rf::hl::Hold;
using rf::hl::Node;
using rf::hl::NodeTable;

namespace {

/// Opened on the heap: a table is large.
std::unique_ptr<NodeTable> make_table()
{
    auto table = std::make_unique<NodeTable>();
    ck_assert_int_eq(table->open(), 0);
    return table;
}

Node& looked_up(NodeTable& table, Node& directory, std::string_view name)
{
    Node* node = table.count_lookup(directory, name);
    ck_assert_ptr_nonnull(node);
    return *node;
}

/// Holds a name's node for writing, for the length of a test.
Node& claimed(NodeTable& table, Node& directory, std::string_view name)
{
    Node* node = table.pin_child(directory, name);
    ck_assert_ptr_nonnull(node);
    ck_assert(node->word.try_write());
    return *node;
}

void unclaim(NodeTable& table, Node& node)
{
    table.drop(node, Hold::kWriter);
    table.unpin(node);
}

START_TEST(the_root_is_number_one_and_is_never_forgotten)
{
    auto table = make_table();
    ck_assert_uint_eq(table->root().number(), 1);
    table->forget(1, 1000);
    ck_assert_ptr_eq(table->find(1), &table->root());
}
END_TEST

START_TEST(a_name_is_one_node_until_all_its_lookups_are_forgotten)
{
    auto table = make_table();
    Node& first = looked_up(*table, table->root(), "a");
    const std::uint64_t number = first.number();
    ck_assert_ptr_eq(&looked_up(*table, table->root(), "a"), &first);
    table->forget(number, 1);
    ck_assert_ptr_eq(table->find(number), &first);
    table->forget(number, 1);
    ck_assert_ptr_null(table->find(number));
    ck_assert_uint_eq(table->live_nodes(), 1);
}
END_TEST

START_TEST(a_number_is_never_used_again)
{
    auto table = make_table();
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 5000; ++i) {
        Node& node = looked_up(*table, table->root(), "same");
        ck_assert(seen.insert(node.number()).second);
        table->forget(node.number(), 1);
    }
}
END_TEST

START_TEST(numbers_stay_fresh_when_the_pages_of_a_chunk_were_given_back)
{
    auto table = make_table();
    std::set<std::uint64_t> seen;
    for (int round = 0; round < 3; ++round) {
        std::array<std::uint64_t, 40000> numbers;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            numbers[i] = looked_up(*table, table->root(), std::to_string(i)).number();
            ck_assert(seen.insert(numbers[i]).second);
        }
        for (const std::uint64_t number : numbers)
            table->forget(number, 1);
        for (const std::uint64_t number : numbers)
            ck_assert_ptr_null(table->find(number));
    }
    ck_assert_uint_eq(table->live_nodes(), 1);
}
END_TEST

START_TEST(a_directory_lives_as_long_as_a_child)
{
    auto table = make_table();
    Node& directory = looked_up(*table, table->root(), "d");
    Node& child = looked_up(*table, directory, "c");
    const std::uint64_t directory_number = directory.number();
    table->forget(directory_number, 1);
    ck_assert_ptr_nonnull(table->find(directory_number));
    table->forget(child.number(), 1);
    ck_assert_ptr_null(table->find(directory_number));
    ck_assert_uint_eq(table->live_nodes(), 1);
}
END_TEST

START_TEST(a_chain_of_forgotten_directories_ends_with_its_last_child)
{
    auto table = make_table();
    std::vector<std::uint64_t> numbers;
    Node* at = &table->root();
    for (int i = 0; i < 100000; ++i) {
        at = &looked_up(*table, *at, "d");
        numbers.push_back(at->number());
    }
    for (const std::uint64_t number : numbers)
        table->forget(number, 1);
    ck_assert_uint_eq(table->live_nodes(), 1);
}
END_TEST

START_TEST(a_forgotten_node_lives_until_its_last_lock_is_dropped)
{
    auto table = make_table();
    Node& node = looked_up(*table, table->root(), "busy");
    const std::uint64_t number = node.number();
    ck_assert(node.word.try_read());
    table->forget(number, 1);
    ck_assert_ptr_eq(table->find(number), &node);
    table->drop(node, Hold::kReader);
    ck_assert_ptr_null(table->find(number));
}
END_TEST

START_TEST(more_forgets_than_lookups_are_ignored)
{
    auto table = make_table();
    Node& node = looked_up(*table, table->root(), "a");
    Node& child = looked_up(*table, node, "b"); // keeps the node
    table->forget(node.number(), 7);
    table->forget(node.number(), 7);
    ck_assert_ptr_eq(child.parent, &node);
    table->forget(987654321, 1);
    ck_assert_uint_eq(table->live_nodes(), 3);
}
END_TEST

START_TEST(a_removed_name_can_be_made_again_beside_the_old_node)
{
    auto table = make_table();
    Node& old = looked_up(*table, table->root(), "f");
    Node& held = claimed(*table, table->root(), "f");
    ck_assert_ptr_eq(&held, &old);
    table->remove_name(old);
    unclaim(*table, old);
    ck_assert_ptr_null(old.parent);
    Node& fresh = looked_up(*table, table->root(), "f");
    ck_assert_ptr_ne(&fresh, &old);
    table->forget(old.number(), 1);
    table->forget(fresh.number(), 1);
    ck_assert_uint_eq(table->live_nodes(), 1);
}
END_TEST

START_TEST(a_moved_node_is_found_under_its_new_name_only)
{
    auto table = make_table();
    Node& from = looked_up(*table, table->root(), "from");
    Node& to = looked_up(*table, table->root(), "to");
    Node& node = looked_up(*table, from, "a-name-that-is-longer-than-what-fits-into-a-node");
    const std::uint64_t number = node.number();
    Node& held = claimed(*table, from, "a-name-that-is-longer-than-what-fits-into-a-node");
    Node& place = claimed(*table, to, "b");
    table->move(held, place);
    unclaim(*table, held);
    unclaim(*table, place);
    ck_assert_ptr_eq(&looked_up(*table, to, "b"), &node);
    ck_assert_uint_eq(node.number(), number);
    ck_assert_ptr_eq(node.parent, &to);
    ck_assert(node.name() == "b");
    ck_assert_ptr_null(table->pin_known(from, "a-name-that-is-longer-than-what-fits-into-a-node"));
    // The old directory has no child left, the new one has.
    const std::uint64_t from_number = from.number();
    table->forget(from_number, 1);
    ck_assert_ptr_null(table->find(from_number));
    table->forget(to.number(), 1);
    ck_assert_ptr_eq(table->find(to.number()), &to);
}
END_TEST

START_TEST(exchanged_names_keep_their_numbers)
{
    auto table = make_table();
    Node& one = looked_up(*table, table->root(), "one");
    Node& directory = looked_up(*table, table->root(), "d");
    Node& two = looked_up(*table, directory, "two");
    claimed(*table, table->root(), "one");
    claimed(*table, directory, "two");
    table->exchange(one, two);
    unclaim(*table, one);
    unclaim(*table, two);
    ck_assert_ptr_eq(&looked_up(*table, directory, "two"), &one);
    ck_assert_ptr_eq(&looked_up(*table, table->root(), "one"), &two);
}
END_TEST

START_TEST(names_of_every_length_are_kept_exactly)
{
    auto table = make_table();
    for (std::size_t length = 1; length < 300; ++length) {
        const std::string name(length, static_cast<char>('a' + length % 26));
        Node& node = looked_up(*table, table->root(), name);
        ck_assert(node.name() == name);
        ck_assert_ptr_eq(&looked_up(*table, table->root(), name), &node);
    }
}
END_TEST

START_TEST(without_remember_nothing_is_kept_and_with_noforget_everything_is)
{
    auto table = make_table();
    table->set_remember(-1);
    Node& node = looked_up(*table, table->root(), "kept");
    const std::uint64_t number = node.number();
    table->forget(number, 1);
    ck_assert_ptr_eq(table->find(number), &node);
    ck_assert_ptr_eq(&looked_up(*table, table->root(), "kept"), &node);
    table->forget(number, 1);
    ck_assert_ptr_eq(table->find(number), &node);
}
END_TEST

START_TEST(a_remembered_node_ends_when_its_time_is_over_and_not_before)
{
    auto table = make_table();
    table->set_remember(100);
    Node& node = looked_up(*table, table->root(), "kept");
    const std::uint64_t number = node.number();
    table->forget(number, 1);
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto seconds = static_cast<std::uint32_t>(now.tv_sec);
    table->expire(seconds + 90);
    ck_assert_ptr_eq(table->find(number), &node);
    table->expire(seconds + 200);
    ck_assert_ptr_null(table->find(number));
}
END_TEST

START_TEST(a_node_that_came_back_is_not_ended_by_the_time_it_was_forgotten)
{
    auto table = make_table();
    table->set_remember(100);
    Node& node = looked_up(*table, table->root(), "back");
    table->forget(node.number(), 1);
    ck_assert_ptr_eq(&looked_up(*table, table->root(), "back"), &node);
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    table->expire(static_cast<std::uint32_t>(now.tv_sec) + 500);
    ck_assert_ptr_eq(table->find(node.number()), &node);
    // Forgotten again it is remembered again.
    table->forget(node.number(), 1);
    ck_assert_ptr_eq(table->find(node.number()), &node);
}
END_TEST

START_TEST(a_node_without_a_name_is_not_remembered)
{
    auto table = make_table();
    table->set_remember(-1);
    Node& node = claimed(*table, table->root(), "gone");
    Node& same = looked_up(*table, table->root(), "gone");
    ck_assert_ptr_eq(&node, &same);
    const std::uint64_t number = node.number();
    table->remove_name(node);
    unclaim(*table, node);
    table->forget(number, 1);
    ck_assert_ptr_null(table->find(number));
}
END_TEST

START_TEST(many_names_cost_little_more_than_a_hundred_bytes_each)
{
    auto table = make_table();
    constexpr int kNames = 200000;
    std::array<char, 24> name;
    for (int i = 0; i < kNames; ++i) {
        const int bytes = snprintf(name.data(), name.size(), "file-%08d.txt", i);
        looked_up(*table, table->root(), {name.data(), static_cast<std::size_t>(bytes)});
    }
    const double each = static_cast<double>(table->table_bytes()) / kNames + sizeof(Node);
    ck_assert(each < 112);
    // Chunks are not left half empty.
    ck_assert_uint_eq(table->live_nodes(), kNames + 1);
}
END_TEST

/// Looks names up and forgets them, and checks that nobody else's forget takes them away.
void lookup_storm(NodeTable& table, unsigned seed, int rounds)
{
    for (int i = 0; i < rounds; ++i) {
        seed = seed * 1103515245 + 12345;
        const std::string directory_name = "d" + std::to_string((seed >> 16) % 4);
        const std::string file_name = "f" + std::to_string((seed >> 20) % 8);
        Node* directory = table.count_lookup(table.root(), directory_name);
        Node* file = table.count_lookup(*directory, file_name);
        if (file->parent != directory || table.find(file->number()) != file)
            abort();
        table.forget(directory->number(), 1);
        table.forget(file->number(), 1);
    }
}

START_TEST(lookups_and_forgets_of_many_threads_balance)
{
    auto table = make_table();
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 8; ++i)
        threads.emplace_back([&table, i] { lookup_storm(*table, i, 5000); });
    for (std::thread& thread : threads)
        thread.join();
    ck_assert_uint_eq(table->live_nodes(), 1);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        the_root_is_number_one_and_is_never_forgotten,
        a_name_is_one_node_until_all_its_lookups_are_forgotten,
        a_number_is_never_used_again,
        numbers_stay_fresh_when_the_pages_of_a_chunk_were_given_back,
        a_directory_lives_as_long_as_a_child,
        a_chain_of_forgotten_directories_ends_with_its_last_child,
        a_forgotten_node_lives_until_its_last_lock_is_dropped,
        more_forgets_than_lookups_are_ignored,
        a_removed_name_can_be_made_again_beside_the_old_node,
        a_moved_node_is_found_under_its_new_name_only,
        exchanged_names_keep_their_numbers,
        names_of_every_length_are_kept_exactly,
        without_remember_nothing_is_kept_and_with_noforget_everything_is,
        a_remembered_node_ends_when_its_time_is_over_and_not_before,
        a_node_that_came_back_is_not_ended_by_the_time_it_was_forgotten,
        a_node_without_a_name_is_not_remembered,
        many_names_cost_little_more_than_a_hundred_bytes_each,
        lookups_and_forgets_of_many_threads_balance,
    };
    return rf::test::run_tests("node_table", tests);
}
