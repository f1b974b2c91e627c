// What can be chosen about the ring. Part of the transport interface: the session fills it in.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rf::ring_policy {

/// When a ring thread is bound to its queue's CPU.
enum class Pin : std::uint8_t {
    kAuto,   // kAlways if nothing in the process can start threads or programs, else kWait
    kAlways, // all the time
    kWait,   // while it waits, not inside handlers: what those start would inherit it
    kNone,   // never
};

/// More workers than that for each queue are taken for a slip of the pen.
constexpr unsigned kMostWorkersPerQueue = 16;

/// What can be chosen about the ring.
struct Options {
    Pin pin = Pin::kAuto;
    unsigned workers = 0;         // threads that run handlers, from the start; 0: as the machine suggests
    bool nonblocking = false;     // the filesystem promises that its handlers never block
    unsigned depth = 8;           // entries a queue starts with, if handlers never block
    std::size_t memory_bytes = 0; // most payload memory in all; 0: as much as it takes
    bool timed = false;           // the kernel ends the connection if a request takes too long
};

} // namespace rf::ring_policy
