// What a benchmark client does over and over. One step() is one operation as the table counts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace rf::bench {

/// One client's work. prepare() and step() run on the client's own thread.
class Workload {
public:
    virtual ~Workload() = default;

    /// Opens and allocates all that step() needs. 0 or -errno; explains itself on stderr when it fails.
    [[nodiscard]] virtual int prepare() = 0;

    /// One operation. 0 or -errno; does not allocate.
    [[nodiscard]] virtual int step() noexcept = 0;

    /// Payload moved by one operation; 0 for metadata.
    [[nodiscard]] virtual std::uint64_t bytes_per_op() const noexcept { return 0; }
};

/// Which client of how many this is, and where it works.
struct Place {
    const char* dir; // outlives the workload
    unsigned client; // 0 ... ; chooses the file f<client mod 64>
};

/// The workload called `name` for one client; nullptr if there is none of that name.
/// "victim" is not one of these: its clients are an fstat and a sleeper (see client.cpp).
[[nodiscard]] std::unique_ptr<Workload> make_workload(std::string_view name, const Place& place);

/// fstat on the file "sleepy", whose handler takes its time.
[[nodiscard]] std::unique_ptr<Workload> make_sleeper(const Place& place);

/// Prints the names make_workload() takes, and what one operation of each is.
void print_workloads();

} // namespace rf::bench
