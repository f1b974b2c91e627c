#include "cell.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <span>

namespace rf::teardown {
namespace {

/// The place of `name`'s part up to the next slash, which is cut off; -1 if it is none of `names`.
int take(std::string_view& name, std::span<const std::string_view> names)
{
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    name = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
    const auto found = std::find(names.begin(), names.end(), part);
    return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

std::string without_seed(const Cell& cell)
{
    std::string name(kTransportNames[cell.uring ? 2 : cell.ring]);
    name.append("/").append(kLoopNames[cell.single]);
    name.append("/").append(kStateNames[static_cast<unsigned>(cell.state)]);
    name.append("/").append(kEndNames[static_cast<unsigned>(cell.end)]);
    return name;
}

} // namespace

int Cell::signal_number() const noexcept
{
    switch (end) {
    case End::kTerm:
        return SIGTERM;
    case End::kInt:
        return SIGINT;
    case End::kHup:
        return SIGHUP;
    default:
        return 0;
    }
}

std::string Cell::name() const
{
    return without_seed(*this) + "/" + std::to_string(seed);
}

bool parse_cell(std::string_view name, Cell& out)
{
    const int transport = take(name, kTransportNames);
    const int single = take(name, kLoopNames);
    const int state = take(name, kStateNames);
    const int end = take(name, kEndNames);
    if (transport < 0 || single < 0 || state < 0 || end < 0)
        return false;
    out.ring = transport == 1;
    out.uring = transport == 2;
    out.single = single == 1;
    out.state = static_cast<State>(state);
    out.end = static_cast<End>(end);
    const auto [stop, error] = std::from_chars(name.data(), name.data() + name.size(), out.seed);
    return error == std::errc() && stop == name.data() + name.size();
}

void list_cells()
{
    for (std::size_t transport = 0; transport < kTransportNames.size(); transport++) {
        for (const bool single : {false, true}) {
            for (unsigned state = 0; state < kStateNames.size(); state++) {
                for (unsigned end = 0; end < kEndNames.size(); end++) {
                    const Cell cell{.state = static_cast<State>(state),
                                    .end = static_cast<End>(end),
                                    .ring = transport == 1,
                                    .uring = transport == 2,
                                    .single = single};
                    puts(without_seed(cell).c_str());
                }
            }
        }
    }
}

} // namespace rf::teardown
