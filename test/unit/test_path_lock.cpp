// Paths that stay true while they are held: what excludes what, no deadlock in any order, and nobody starves.
#include "check/runner.hpp"
#include "highlevel/path_lock.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using rf::hl::Hold;
using rf::hl::LockedPath;
using rf::hl::Node;
using rf::hl::NodeTable;

namespace {

std::unique_ptr<NodeTable> make_table()
{
    auto table = std::make_unique<NodeTable>();
    ck_assert_int_eq(table->open(), 0);
    return table;
}

/// Looks up each name of "a/b/c"; the last node's number.
std::uint64_t make_nodes(NodeTable& table, std::string_view path)
{
    Node* at = &table.root();
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('/'));
        path.remove_prefix(std::min(path.size(), name.size() + 1));
        at = table.count_lookup(*at, name);
        ck_assert_ptr_nonnull(at);
    }
    return at->number();
}

void pause_ms(int ms)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

START_TEST(a_path_is_spelled_from_the_root)
{
    auto table = make_table();
    const std::uint64_t number = make_nodes(*table, "a/bb/ccc");
    LockedPath root(*table), node(*table), name(*table), below_root(*table);
    root.aim_at(1);
    ck_assert_int_eq(root.lock(), 0);
    ck_assert_str_eq(root.c_str(), "/");
    node.aim_at(number);
    ck_assert_int_eq(node.lock(), 0);
    ck_assert_str_eq(node.c_str(), "/a/bb/ccc");
    name.aim_at(number, "d");
    ck_assert_int_eq(name.lock(), 0);
    ck_assert_str_eq(name.c_str(), "/a/bb/ccc/d");
    below_root.aim_at(1, "x");
    ck_assert_int_eq(below_root.lock(), 0);
    ck_assert_str_eq(below_root.c_str(), "/x");
}
END_TEST

START_TEST(a_path_may_be_longer_than_any_buffer_on_the_stack)
{
    auto table = make_table();
    std::string path;
    for (int i = 0; i < 500; ++i)
        path += (i ? "/" : "") + std::string(static_cast<std::size_t>(1 + i % 60), 'n');
    LockedPath locked(*table);
    locked.aim_at(make_nodes(*table, path));
    ck_assert_int_eq(locked.lock(), 0);
    path.insert(0, "/");
    ck_assert_str_eq(locked.c_str(), path.c_str());
}
END_TEST

START_TEST(a_released_path_leaves_no_hold)
{
    auto table = make_table();
    const std::uint64_t number = make_nodes(*table, "a/b");
    Node& node = *table->find(number);
    {
        LockedPath read(*table), change(*table);
        read.aim_at(number);
        ck_assert_int_eq(read.lock(), 0);
        ck_assert_uint_eq(node.word.readers(), 1);
        ck_assert_uint_eq(node.parent->word.readers(), 1);
        change.aim_to_change(number, "new");
        ck_assert_int_eq(change.lock(), 0);
        ck_assert(change.target()->word.written());
        ck_assert_uint_eq(table->live_nodes(), 4);
    }
    ck_assert_uint_eq(node.word.readers(), 0);
    ck_assert_uint_eq(node.parent->word.readers(), 0);
    ck_assert_uint_eq(table->live_nodes(), 3); // the name that was never looked up is gone
}
END_TEST

START_TEST(an_unknown_or_nameless_node_has_no_path)
{
    auto table = make_table();
    LockedPath path(*table);
    path.aim_at(4711);
    ck_assert_int_eq(path.lock(), -ESTALE);
    const std::uint64_t directory = make_nodes(*table, "d");
    const std::uint64_t file = make_nodes(*table, "d/f");
    {
        LockedPath change(*table);
        change.aim_to_change(1, "d");
        ck_assert_int_eq(change.lock(), 0);
        table->remove_name(*change.target());
    }
    path.aim_at(directory);
    ck_assert_int_eq(path.lock(), -ESTALE);
    path.aim_at(file);
    ck_assert_int_eq(path.lock(), -ESTALE);
    ck_assert_uint_eq(table->find(file)->word.readers(), 0);
}
END_TEST

START_TEST(a_directory_is_not_moved_below_itself)
{
    auto table = make_table();
    const std::uint64_t below = make_nodes(*table, "a/b");
    LockedPath from(*table), to(*table);
    from.aim_to_change(1, "a");
    to.aim_to_change(below, "x");
    ck_assert_int_eq(LockedPath::lock_both(from, to), -EINVAL);
}
END_TEST

START_TEST(a_directory_is_not_replaced_by_what_is_in_it)
{
    auto table = make_table();
    const std::uint64_t below = make_nodes(*table, "a/b");
    LockedPath from(*table), to(*table);
    from.aim_to_change(below, "x");
    to.aim_to_change(1, "a");
    ck_assert_int_eq(LockedPath::lock_both(from, to), -ENOTEMPTY);
    ck_assert_uint_eq(table->find(below)->word.readers(), 0);
}
END_TEST

START_TEST(one_name_as_source_and_target_is_held_once)
{
    auto table = make_table();
    make_nodes(*table, "a");
    LockedPath from(*table), to(*table);
    from.aim_to_change(1, "a");
    to.aim_to_change(1, "a");
    ck_assert_int_eq(LockedPath::lock_both(from, to), 0);
    ck_assert_ptr_nonnull(from.target());
    ck_assert_ptr_null(to.target());
}
END_TEST

START_TEST(a_change_waits_for_operations_below_and_they_for_it)
{
    auto table = make_table();
    const std::uint64_t file = make_nodes(*table, "d/f");
    std::atomic<int> step{0};
    LockedPath read(*table);
    read.aim_at(file);
    ck_assert_int_eq(read.lock(), 0);
    std::thread changer([&] {
        LockedPath change(*table);
        change.aim_to_change(1, "d");
        if (change.lock() != 0)
            abort();
        step = 1;
        pause_ms(100);
        step = 2;
    });
    pause_ms(50);
    ck_assert_int_eq(step, 0);
    read.release();
    while (step == 0)
        pause_ms(1);
    ck_assert_int_eq(read.lock(), 0);
    ck_assert_int_eq(step, 2);
    changer.join();
}
END_TEST

START_TEST(a_reader_the_holder_depends_on_gets_past_a_waiting_writer)
{
    auto table = make_table();
    const std::uint64_t file = make_nodes(*table, "f");
    LockedPath holder(*table);
    holder.aim_at(file);
    ck_assert_int_eq(holder.lock(), 0);
    std::atomic<bool> changed{false};
    std::thread changer([&] {
        LockedPath change(*table);
        change.aim_to_change(1, "f");
        if (change.lock() != 0)
            abort();
        changed = true;
    });
    while (!table->find(file)->word.wanted())
        std::this_thread::yield();
    for (int i = 0; i < 5; ++i) {
        LockedPath again(*table); // hangs if the waiting writer keeps readers out for good
        again.aim_at(file);
        ck_assert_int_eq(again.lock(), 0);
    }
    ck_assert(!changed);
    holder.release();
    changer.join();
    ck_assert(changed);
}
END_TEST

START_TEST(a_writer_gets_its_turn_beside_overlapping_readers)
{
    auto table = make_table();
    const std::uint64_t file = make_nodes(*table, "f");
    std::atomic<bool> end{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i)
        readers.emplace_back([&] {
            while (!end) {
                LockedPath path(*table);
                path.aim_at(file);
                if (path.lock() != 0)
                    abort();
                pause_ms(2);
            }
        });
    for (int i = 0; i < 5; ++i) {
        LockedPath change(*table); // hangs if readers always come first
        change.aim_to_change(1, "f");
        ck_assert_int_eq(change.lock(), 0);
    }
    end = true;
    for (std::thread& reader : readers)
        reader.join();
}
END_TEST

// ---- Storm: directories a to d with files, moved about in all directions by some threads while others hold
// paths.

constexpr int kDirectories = 4;
constexpr int kFiles = 3;

struct Storm {
    std::unique_ptr<NodeTable> table = make_table();
    std::uint64_t directories[kDirectories];
    std::atomic<std::uint64_t> moves{0}, reads{0};

    Storm()
    {
        for (int i = 0; i < kDirectories; ++i) {
            directories[i] = make_nodes(*table, std::string(1, static_cast<char>('a' + i)));
            for (int k = 0; k < kFiles; ++k)
                make_nodes(*table, std::string(1, static_cast<char>('a' + i)) + "/" + std::to_string(k));
        }
    }
};

unsigned draw(unsigned& seed, unsigned below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % below;
}

/// The path of a held node as its links say now.
std::string spelled(NodeTable& table, const Node& node)
{
    std::string path;
    for (const Node* at = &node; at != &table.root(); at = at->parent) {
        if (!at->parent)
            abort();
        path.insert(0, "/" + std::string(at->name()));
    }
    return path.empty() ? "/" : path;
}

void read_some(Storm& storm, unsigned seed)
{
    for (int i = 0; i < 3000; ++i) {
        LockedPath path(*storm.table);
        path.aim_at(storm.directories[draw(seed, kDirectories)]);
        const int rc = path.lock();
        if (rc == -ESTALE)
            continue; // replaced
        if (rc != 0 || spelled(*storm.table, path.base()) != path.c_str() || path.base().word.written())
            abort();
        ++storm.reads;
    }
}

/// Whether what was locked still has the name it was found by.
bool is_named(const Node& node, const Node& directory, std::string_view name)
{
    return node.parent == &directory && node.name() == name;
}

/// Renames, as rename(2) does, of directories and files, over what is there or exchanging with it.
void move_some(Storm& storm, unsigned seed)
{
    NodeTable& table = *storm.table;
    for (int i = 0; i < 2000; ++i) {
        LockedPath from(table), to(table);
        const bool files = draw(seed, 2) == 0;
        const std::string name = files ? std::to_string(draw(seed, kFiles))
                                       : std::string(1, static_cast<char>('a' + draw(seed, kDirectories)));
        const std::string target = files ? std::to_string(draw(seed, kFiles))
                                         : std::string(1, static_cast<char>('a' + draw(seed, kDirectories)));
        const auto directory = [&] {
            return draw(seed, 3) == 0 ? 1 : storm.directories[draw(seed, kDirectories)];
        };
        from.aim_to_change(directory(), name.c_str());
        to.aim_to_change(directory(), target.c_str());
        const int rc = LockedPath::lock_both(from, to);
        if (rc == -ESTALE || rc == -EINVAL || rc == -ENOTEMPTY)
            continue;
        if (rc != 0 || !from.target()->word.written() || !is_named(*from.target(), from.base(), name))
            abort();
        if (!to.target())
            continue;
        if (!is_named(*to.target(), to.base(), target))
            abort();
        // Directories are exchanged, so that none is lost.
        if (files && !table.is_known(*to.target()))
            table.move(*from.target(), *to.target());
        else
            table.exchange(*from.target(), *to.target());
        ++storm.moves;
    }
}

/// Names made, looked up and forgotten among the moving directories.
void look_up_some(Storm& storm, unsigned seed)
{
    NodeTable& table = *storm.table;
    for (int i = 0; i < 3000; ++i) {
        LockedPath path(table);
        const std::string name = "x" + std::to_string(draw(seed, 5));
        path.aim_at(storm.directories[draw(seed, kDirectories)], name.c_str());
        if (path.lock() != 0)
            continue;
        Node* node = table.count_lookup(path.base(), name);
        if (!node)
            abort();
        path.release();
        LockedPath own(table);
        own.aim_at(node->number());
        if (own.lock() == 0 && own.text().substr(own.text().rfind('/') + 1) != name)
            abort();
        own.release();
        table.forget(node->number(), 1);
    }
}

START_TEST(moves_in_all_directions_beside_readers_neither_hang_nor_tear_a_path)
{
    Storm storm;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < 3; ++i) {
        threads.emplace_back([&storm, i] { move_some(storm, 3 * i + 1); });
        threads.emplace_back([&storm, i] { read_some(storm, 3 * i + 2); });
        threads.emplace_back([&storm, i] { look_up_some(storm, 3 * i + 3); });
    }
    for (std::thread& thread : threads)
        thread.join();
    ck_assert_uint_gt(storm.moves, 100);
    ck_assert_uint_gt(storm.reads, 1000);
    storm.table->for_each([](Node& node) {
        ck_assert_uint_eq(node.word.readers(), 0);
        ck_assert(!node.word.written());
    });
    ck_assert_uint_eq(storm.table->live_nodes(), 1 + kDirectories + kDirectories * kFiles);
}
END_TEST

} // namespace

int main()
{
    const rf::test::Tests tests = {
        a_path_is_spelled_from_the_root,
        a_path_may_be_longer_than_any_buffer_on_the_stack,
        a_released_path_leaves_no_hold,
        an_unknown_or_nameless_node_has_no_path,
        a_directory_is_not_moved_below_itself,
        a_directory_is_not_replaced_by_what_is_in_it,
        one_name_as_source_and_target_is_held_once,
        a_change_waits_for_operations_below_and_they_for_it,
        a_reader_the_holder_depends_on_gets_past_a_waiting_writer,
        a_writer_gets_its_turn_beside_overlapping_readers,
        moves_in_all_directions_beside_readers_neither_hang_nor_tear_a_path,
    };
    return rf::test::run_tests("path_lock", tests);
}
