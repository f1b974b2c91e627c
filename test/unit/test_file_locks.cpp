// Record locks noted at a file: ranges of one owner replace each other, those of others stand in the way.
#include "check/runner.hpp"
#include "highlevel/file_locks.hpp"

#include <cstdio>

using rf::hl::FileLocks;

namespace {

struct flock range(short type, off_t start, off_t bytes)
{
    struct flock lock {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = bytes;
    return lock;
}

/// Whether `owner` could lock so.
bool stands_against(const FileLocks& locks, short type, off_t start, off_t bytes, std::uint64_t owner)
{
    struct flock wanted = range(type, start, bytes);
    return locks.conflict(wanted, owner);
}

} // namespace

START_TEST(a_lock_stands_against_others_but_not_against_its_owner)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 10, 10), 1), 0);
    ck_assert(stands_against(locks, F_RDLCK, 19, 1, 2));
    ck_assert(!stands_against(locks, F_RDLCK, 20, 1, 2));
    ck_assert(!stands_against(locks, F_RDLCK, 0, 10, 2));
    ck_assert(!stands_against(locks, F_WRLCK, 0, 0, 1));
}
END_TEST

START_TEST(readers_stand_against_writers_only)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_RDLCK, 0, 10), 1), 0);
    ck_assert(!stands_against(locks, F_RDLCK, 0, 10, 2));
    ck_assert(stands_against(locks, F_WRLCK, 0, 10, 2));
}
END_TEST

START_TEST(length_zero_reaches_to_the_end_of_every_file)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 100, 0), 1), 0);
    struct flock wanted = range(F_WRLCK, INT64_MAX - 1, 1);
    ck_assert(locks.conflict(wanted, 2));
    ck_assert_int_eq(wanted.l_start, 100);
    ck_assert_int_eq(wanted.l_len, 0);
}
END_TEST

START_TEST(unlocking_the_middle_leaves_both_ends)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 0, 30), 1), 0);
    ck_assert_int_eq(locks.granted(range(F_UNLCK, 10, 10), 1), 0);
    ck_assert(stands_against(locks, F_WRLCK, 9, 1, 2));
    ck_assert(!stands_against(locks, F_WRLCK, 10, 10, 2));
    ck_assert(stands_against(locks, F_WRLCK, 20, 1, 2));
}
END_TEST

START_TEST(a_new_type_replaces_the_old_one_where_they_overlap)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 0, 30), 1), 0);
    ck_assert_int_eq(locks.granted(range(F_RDLCK, 10, 0), 1), 0);
    ck_assert(stands_against(locks, F_RDLCK, 9, 1, 2));
    ck_assert(!stands_against(locks, F_RDLCK, 10, 100, 2));
}
END_TEST

START_TEST(locks_of_one_kind_that_touch_are_one)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 10, 5), 1), 0);
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 0, 5), 1), 0);
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 5, 5), 1), 0);
    struct flock wanted = range(F_RDLCK, 7, 1);
    ck_assert(locks.conflict(wanted, 2));
    ck_assert_int_eq(wanted.l_start, 0);
    ck_assert_int_eq(wanted.l_len, 15);
}
END_TEST

START_TEST(unlocking_everything_takes_only_the_owners_own)
{
    FileLocks locks;
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 0, 10), 1), 0);
    ck_assert_int_eq(locks.granted(range(F_WRLCK, 20, 10), 2), 0);
    ck_assert_int_eq(locks.granted(range(F_UNLCK, 0, 0), 1), 0);
    ck_assert(!stands_against(locks, F_WRLCK, 0, 10, 3));
    ck_assert(stands_against(locks, F_WRLCK, 20, 10, 3));
    ck_assert_int_eq(locks.granted(range(F_UNLCK, 0, 0), 2), 0);
    ck_assert(locks.empty());
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        a_lock_stands_against_others_but_not_against_its_owner, readers_stand_against_writers_only,
        length_zero_reaches_to_the_end_of_every_file,           unlocking_the_middle_leaves_both_ends,
        a_new_type_replaces_the_old_one_where_they_overlap,     locks_of_one_kind_that_touch_are_one,
        unlocking_everything_takes_only_the_owners_own,
    };
    return rf::test::run_tests("file_locks", tests);
}
