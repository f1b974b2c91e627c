#include "session/ring_options.hpp"

#include "base/cpu.hpp"
#include "base/log.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <string_view>

namespace rf {
namespace {

using ring_policy::Pin;

struct PinName {
    std::string_view text;
    Pin pin;
};
constexpr std::array kPins{
    PinName{"auto", Pin::kAuto},
    PinName{"always", Pin::kAlways},
    PinName{"wait", Pin::kWait},
    PinName{"none", Pin::kNone},
};

/// `from`: how the user said it, for the message.
int parse_pin(const char* from, const char* text, Pin& out)
{
    for (const PinName& known : kPins) {
        if (known.text == text) {
            out = known.pin;
            return 0;
        }
    }
    log::error("binding unknown: %s%s, known are auto, always, wait, none", from, text);
    return -EINVAL;
}

int parse_bytes(const char* from, const char* text, std::size_t& out)
{
    const std::string_view word(text);
    std::size_t value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    const std::string_view unit = word.substr(static_cast<std::size_t>(parsed.ptr - word.data()));
    unsigned shift = 0;
    bool good = parsed.ec == std::errc() && value > 0;
    if (unit == "K" || unit == "k")
        shift = 10;
    else if (unit == "M" || unit == "m")
        shift = 20;
    else if (unit == "G" || unit == "g")
        shift = 30;
    else
        good = good && unit.empty();
    if (!good || value > SIZE_MAX >> shift) {
        log::error("payload memory refused: %s%s, wanted is a number of bytes above 0, or one with K, M or G",
                   from, text);
        return -EINVAL;
    }
    out = value << shift;
    return 0;
}

int parse_workers(const char* from, const char* text, unsigned& out)
{
    const int cpus = possible_cpus();
    const unsigned most = ring_policy::kMostWorkersPerQueue * (cpus > 0 ? static_cast<unsigned>(cpus) : 1);
    const std::string_view word(text);
    unsigned value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || value == 0 || value > most) {
        log::error("number of workers refused: %s%s, 1 to %u is possible on this machine", from, text, most);
        return -EINVAL;
    }
    out = value;
    return 0;
}

} // namespace

int parse_ring_options(const RingWords& words, ring_policy::Options& out)
{
    const char* const pin = ::secure_getenv("RINGFUSE_PIN");
    const char* const memory = ::secure_getenv("RINGFUSE_PAYLOAD_MEMORY");
    const char* const nonblocking = ::secure_getenv("RINGFUSE_NONBLOCKING");
    const char* const workers = ::secure_getenv("RINGFUSE_WORKERS");
    int rc = 0;
    if (words.pin)
        rc = parse_pin("-o pin=", words.pin, out.pin);
    if (rc == 0 && pin && *pin)
        rc = parse_pin("RINGFUSE_PIN=", pin, out.pin);
    if (rc == 0 && words.payload_memory)
        rc = parse_bytes("-o payload_memory=", words.payload_memory, out.memory_bytes);
    if (rc == 0 && memory && *memory)
        rc = parse_bytes("RINGFUSE_PAYLOAD_MEMORY=", memory, out.memory_bytes);
    if (rc == 0 && words.workers)
        rc = parse_workers("-o workers=", words.workers, out.workers);
    if (rc == 0 && workers && *workers)
        rc = parse_workers("RINGFUSE_WORKERS=", workers, out.workers);
    out.nonblocking |= words.nonblocking;
    if (nonblocking && *nonblocking)
        out.nonblocking = std::string_view(nonblocking) != "0";
    return rc;
}

} // namespace rf
