// A latency histogram: log-linear, fixed size, no allocation. Each power of two is cut into 64 equal buckets,
// so that a percentile is off by at most 1/64 of its value (1.6 %); the maximum is kept exactly.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace rf::bench {

/// Counts durations in nanoseconds. Owner thread only; merge() after the owner has been joined.
class Histogram {
public:
    void add(std::uint64_t ns) noexcept
    {
        ++counts_[bucket_of(ns)];
        ++total_;
        max_ns_ = ns > max_ns_ ? ns : max_ns_;
    }

    void merge(const Histogram& other) noexcept
    {
        for (std::size_t i = 0; i < kBuckets; ++i)
            counts_[i] += other.counts_[i];
        total_ += other.total_;
        max_ns_ = other.max_ns_ > max_ns_ ? other.max_ns_ : max_ns_;
    }

    [[nodiscard]] std::uint64_t total() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t max_ns() const noexcept { return max_ns_; }

    /// The middle of the bucket that holds the value of rank ceil(share * total); 0 if nothing was counted.
    /// `share` is 0 to 1. Never more than max_ns().
    [[nodiscard]] std::uint64_t percentile_ns(double share) const noexcept
    {
        if (total_ == 0)
            return 0;
        const double exact_rank = share * static_cast<double>(total_);
        std::uint64_t rank = static_cast<std::uint64_t>(exact_rank);
        if (static_cast<double>(rank) < exact_rank || rank == 0)
            ++rank;
        std::uint64_t seen = 0;
        for (std::size_t i = 0; i < kBuckets; ++i) {
            seen += counts_[i];
            if (seen >= rank) {
                const std::uint64_t middle = lowest_of(i) + width_of(i) / 2;
                return middle < max_ns_ ? middle : max_ns_;
            }
        }
        return max_ns_;
    }

    static constexpr unsigned kSubBits = 6;
    static constexpr std::uint64_t kSub = std::uint64_t{1} << kSubBits;
    // Values below kSub have a bucket each; then 64 - kSubBits octaves of kSub buckets.
    static constexpr std::size_t kBuckets = (64 - kSubBits + 1) * kSub;

    static constexpr std::size_t bucket_of(std::uint64_t ns) noexcept
    {
        if (ns < kSub)
            return static_cast<std::size_t>(ns);
        const unsigned octave = static_cast<unsigned>(std::bit_width(ns)) - 1 - kSubBits;
        return static_cast<std::size_t>((octave + 1) * kSub + ((ns >> octave) - kSub));
    }
    static constexpr std::uint64_t lowest_of(std::size_t bucket) noexcept
    {
        if (bucket < kSub)
            return bucket;
        const std::uint64_t octave = bucket / kSub - 1;
        return (kSub + bucket % kSub) << octave;
    }
    static constexpr std::uint64_t width_of(std::size_t bucket) noexcept
    {
        return bucket < kSub ? 1 : std::uint64_t{1} << (bucket / kSub - 1);
    }

private:
    std::array<std::uint64_t, kBuckets> counts_{};
    std::uint64_t total_ = 0;
    std::uint64_t max_ns_ = 0;
};

static_assert(Histogram::bucket_of(~std::uint64_t{0}) == Histogram::kBuckets - 1);

} // namespace rf::bench
