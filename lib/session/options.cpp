#include "session/options.hpp"

#include "base/log.hpp"
#include "session/ring_options.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace rf {
namespace {

constexpr unsigned kMaxRingDepth = 65535;

// What fuse_opt_parse() fills: plain C types at known offsets.
struct Words {
    int debug = 0;
    int allow_root = 0;
    int io_uring = 0;
    unsigned depth = 0;
    int nonblocking = 0;
    char* transport = nullptr;
    char* pin = nullptr;
    char* payload_memory = nullptr;
    char* workers = nullptr;
};

constexpr std::array kTable{
    fuse_opt{"debug", offsetof(Words, debug), 1},
    fuse_opt{"-d", offsetof(Words, debug), 1},
    fuse_opt{"--debug", offsetof(Words, debug), 1},
    fuse_opt{"allow_root", offsetof(Words, allow_root), 1},
    fuse_opt{"io_uring", offsetof(Words, io_uring), 1},
    fuse_opt{"io_uring_q_depth=%u", offsetof(Words, depth), -1},
    fuse_opt{"transport=%s", offsetof(Words, transport), 0},
    fuse_opt{"nonblocking_handlers", offsetof(Words, nonblocking), 1},
    fuse_opt{"pin=%s", offsetof(Words, pin), 0},
    fuse_opt{"payload_memory=%s", offsetof(Words, payload_memory), 0},
    fuse_opt{"workers=%s", offsetof(Words, workers), 0},
    fuse_opt FUSE_OPT_END,
};

bool is_true(const char* text)
{
    const std::string_view word(text ? text : "");
    return !word.empty() && word != "0";
}

int apply_environment(SessionOptions& out)
{
    if (is_true(::secure_getenv("FUSE_URING_ENABLE")))
        out.io_uring = true;
    if (const char* text = ::secure_getenv("FUSE_URING_QUEUE_DEPTH")) {
        const std::string_view word(text);
        unsigned depth = 0;
        const auto parsed = std::from_chars(word.data(), word.data() + word.size(), depth);
        if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || depth == 0 ||
            depth > kMaxRingDepth) {
            log::error("ring depth refused: FUSE_URING_QUEUE_DEPTH=%s, 1 to %u is possible", text,
                       kMaxRingDepth);
            return -EINVAL;
        }
        out.ring.depth = depth;
    }
    return 0;
}

} // namespace

int parse_session_options(fuse_args* args, SessionOptions& out)
{
    if (const int rc = apply_environment(out); rc < 0)
        return rc;

    Words words;
    words.depth = out.ring.depth;
    const int parsed = ::fuse_opt_parse(args, &words, kTable.data(), nullptr);
    int rc = parsed < 0 ? -EINVAL : 0;
    if (rc == 0 && words.transport && !parse_choice(words.transport, out.transport)) {
        log::error("transport unknown: -o transport=%s, known are auto, fuse_uring, dev, dev_uring",
                   words.transport);
        rc = -EINVAL;
    }
    if (rc == 0)
        rc = parse_ring_options({words.pin, words.payload_memory, words.nonblocking != 0, words.workers},
                                out.ring);
    std::free(words.transport);
    std::free(words.pin);
    std::free(words.payload_memory);
    std::free(words.workers);
    if (rc == 0 && (words.depth == 0 || words.depth > kMaxRingDepth)) {
        log::error("ring depth refused: -o io_uring_q_depth=%u, 1 to %u is possible", words.depth,
                   kMaxRingDepth);
        rc = -EINVAL;
    }
    if (rc < 0)
        return rc;
    out.debug = words.debug;
    out.allow_root = words.allow_root;
    out.io_uring |= words.io_uring != 0;
    out.ring.depth = words.depth;

    const int chosen = choice_from_environment(out.transport);
    if (chosen < 0)
        return chosen;
    return 0;
}

} // namespace rf
