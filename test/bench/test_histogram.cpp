// The latency histogram: bucket borders, percentiles and merging.
#include "check/runner.hpp"
#include "histogram.hpp"

#include <memory>

using rf::bench::Histogram;

START_TEST(every_value_falls_into_a_bucket_that_holds_it)
{
    for (unsigned bit = 0; bit < 64; ++bit) {
        for (int offset = -2; offset <= 2; ++offset) {
            const std::uint64_t value = (std::uint64_t{1} << bit) + static_cast<std::uint64_t>(offset);
            const std::size_t bucket = Histogram::bucket_of(value);
            ck_assert_uint_lt(bucket, Histogram::kBuckets);
            ck_assert_uint_ge(value, Histogram::lowest_of(bucket));
            ck_assert_uint_lt(value - Histogram::lowest_of(bucket), Histogram::width_of(bucket));
        }
    }
}
END_TEST

START_TEST(buckets_leave_no_gap)
{
    for (std::size_t i = 1; i < Histogram::kBuckets; ++i)
        ck_assert_uint_eq(Histogram::lowest_of(i), Histogram::lowest_of(i - 1) + Histogram::width_of(i - 1));
}
END_TEST

START_TEST(percentiles_are_within_two_percent)
{
    const std::unique_ptr<Histogram> histogram = std::make_unique<Histogram>();
    for (std::uint64_t ns = 1; ns <= 100000; ++ns)
        histogram->add(ns);
    ck_assert_uint_eq(histogram->total(), 100000);
    ck_assert_uint_eq(histogram->max_ns(), 100000);
    for (double share : {0.01, 0.5, 0.9, 0.99}) {
        const double exact = share * 100000;
        const double got = static_cast<double>(histogram->percentile_ns(share));
        ck_assert_double_ge(got, exact * 0.98);
        ck_assert_double_le(got, exact * 1.02);
    }
    ck_assert_uint_le(histogram->percentile_ns(1.0), 100000);
}
END_TEST

START_TEST(percentile_99_sees_one_slow_in_fifty_and_the_median_does_not)
{
    const std::unique_ptr<Histogram> histogram = std::make_unique<Histogram>();
    for (int i = 0; i < 980; ++i)
        histogram->add(10);
    for (int i = 0; i < 20; ++i)
        histogram->add(5'000'000);
    ck_assert_uint_eq(histogram->percentile_ns(0.5), 10);
    ck_assert_uint_ge(histogram->percentile_ns(0.99), 4'900'000);
}
END_TEST

START_TEST(an_empty_histogram_has_percentile_zero)
{
    const std::unique_ptr<Histogram> histogram = std::make_unique<Histogram>();
    ck_assert_uint_eq(histogram->percentile_ns(0.5), 0);
    ck_assert_uint_eq(histogram->max_ns(), 0);
}
END_TEST

START_TEST(merging_adds_counts_and_keeps_the_larger_maximum)
{
    const std::unique_ptr<Histogram> a = std::make_unique<Histogram>();
    const std::unique_ptr<Histogram> b = std::make_unique<Histogram>();
    a->add(1);
    b->add(2);
    b->add(7'777'777);
    a->merge(*b);
    ck_assert_uint_eq(a->total(), 3);
    ck_assert_uint_eq(a->max_ns(), 7'777'777);
    ck_assert_uint_eq(a->percentile_ns(0.5), 2);
}
END_TEST

int main()
{
    const rf::test::Tests tests = {
        every_value_falls_into_a_bucket_that_holds_it,
        buckets_leave_no_gap,
        percentiles_are_within_two_percent,
        percentile_99_sees_one_slow_in_fifty_and_the_median_does_not,
        an_empty_histogram_has_percentile_zero,
        merging_adds_counts_and_keeps_the_larger_maximum,
    };
    return rf::test::run_tests("histogram", tests);
}
