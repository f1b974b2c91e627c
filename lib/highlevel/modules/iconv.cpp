// Module iconv: shows the names of the filesystem below in another character set.
#include "highlevel/modules/path_module.hpp"

#include "base/fd.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "highlevel/config.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <iconv.h>
#include <langinfo.h>
#include <locale.h>
#include <new>
#include <string_view>

namespace rf::hl {
namespace {

/// One direction. Any thread: a conversion has state, so they take turns.
class Converter {
public:
    Converter() = default;
    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;
    ~Converter()
    {
        if (is_open())
            ::iconv_close(descriptor_);
    }

    /// 0 or -errno; -EINVAL: no such conversion.
    [[nodiscard]] int open(const char* to, const char* from)
    {
        const MutexLock lock(mutex_);
        descriptor_ = ::iconv_open(to, from);
        return is_open() ? 0 : from_libc(-1);
    }

    /// 0; -EILSEQ: not text of the source set, or not in the target set; -ENOMEM.
    [[nodiscard]] int convert(const char* text, PathText& out);

private:
    [[nodiscard]] bool is_open() const noexcept { return descriptor_ != reinterpret_cast<iconv_t>(-1); }
    // Appends to `out` behind `used` bytes; null `in` ends the text. 0 or -errno.
    [[nodiscard]] int step(char** in, std::size_t* in_left, PathText& out, std::size_t& used)
        RF_REQUIRES(mutex_);

    Mutex mutex_;
    // Constant after open(); what it stands for is guarded by mutex_.
    iconv_t descriptor_ = reinterpret_cast<iconv_t>(-1);
};

int Converter::step(char** in, std::size_t* in_left, PathText& out, std::size_t& used)
{
    for (;;) {
        char* at = out.data() + used;
        std::size_t room = out.capacity() - used - 1; // the NUL
        const ssize_t rc = from_libc(static_cast<ssize_t>(::iconv(descriptor_, in, in_left, &at, &room)));
        used = static_cast<std::size_t>(at - out.data());
        if (rc >= 0)
            return 0;
        if (rc != -E2BIG)
            return -EILSEQ; // half a character at the end (EINVAL) is no better
        if (const int grown = out.reserve(out.capacity() + 1); grown < 0)
            return grown;
    }
}

int Converter::convert(const char* text, PathText& out)
{
    // iconv() takes no const source, but only reads it.
    char* in = const_cast<char*>(text);
    std::size_t in_left = std::strlen(text);
    std::size_t used = 0;
    const MutexLock lock(mutex_);
    ::iconv(descriptor_, nullptr, nullptr, nullptr, nullptr);
    int rc = step(&in, &in_left, out, used);
    if (rc == 0)
        rc = step(nullptr, nullptr, out, used);
    if (rc == 0)
        out.data()[used] = '\0';
    return rc;
}

class Iconv final : public PathModule {
public:
    explicit Iconv(fuse_fs& next) noexcept : PathModule(next) {}

    /// 0 or -errno.
    [[nodiscard]] int open(const char* below, const char* above)
    {
        const int rc = down_.open(below, above);
        return rc < 0 ? rc : up_.open(above, below);
    }

    int path_down(const char* path, PathText& out) override { return down_.convert(path, out); }
    int target_down(const char* target, PathText& out) override { return down_.convert(target, out); }
    bool rewrites_names() const override { return true; }
    int name_up(const char* name, PathText& out) override { return up_.convert(name, out); }

    int target_up(const char*, char* target, std::size_t size) override
    {
        PathText text;
        if (const int rc = up_.convert(target, text); rc < 0)
            return rc;
        if (size == 0)
            return 0;
        // Cut off where it does not fit, as readlink does.
        const std::size_t bytes = ::strnlen(text.get(), size - 1);
        std::memcpy(target, text.get(), bytes);
        target[bytes] = '\0';
        return 0;
    }

private:
    Converter down_;
    Converter up_;
};

/// The character set of the locale that the environment names. The program's own locale is left alone.
class LocaleCharset {
public:
    LocaleCharset() : locale_(::newlocale(LC_CTYPE_MASK, "", nullptr)) {}
    LocaleCharset(const LocaleCharset&) = delete;
    LocaleCharset& operator=(const LocaleCharset&) = delete;
    ~LocaleCharset()
    {
        if (locale_)
            ::freelocale(locale_);
    }
    [[nodiscard]] const char* name() const noexcept
    {
        return locale_ ? ::nl_langinfo_l(CODESET, locale_) : "ANSI_X3.4-1968";
    }

private:
    const locale_t locale_;
};

// What the option parser fills; standard layout, for offsetof.
struct Options {
    char* from_code;
    char* to_code;
};
enum Key : int { kHelp = 1 };

constexpr fuse_opt kTable[] = {
    FUSE_OPT_KEY("-h", kHelp),
    FUSE_OPT_KEY("--help", kHelp),
    {"from_code=%s", offsetof(Options, from_code), 0},
    {"to_code=%s", offsetof(Options, to_code), 0},
    FUSE_OPT_END,
};

int on_argument(void*, const char*, int key, fuse_args*)
{
    if (key != kHelp)
        return 1;
    const LocaleCharset charset;
    std::printf("    -o from_code=CHARSET   character set of the names below (default: UTF-8)\n"
                "    -o to_code=CHARSET     character set to show them in (default: %s)\n",
                charset.name());
    return -1;
}

} // namespace

fuse_fs* make_iconv(fuse_args* args, fuse_fs* fs[])
{
    Options options{};
    const int parsed = fuse_opt_parse(args, &options, kTable, on_argument);
    const UniqueChars from_code(options.from_code);
    const UniqueChars to_code(options.to_code);
    if (parsed < 0)
        return nullptr;
    if (!fs || !fs[0] || fs[1]) {
        log::error("fuse: module iconv needs exactly one filesystem below it (EINVAL), giving up");
        return nullptr;
    }
    std::unique_ptr<Iconv> module(new (std::nothrow) Iconv(*fs[0]));
    if (!module) {
        log::error("fuse: no memory for module iconv (ENOMEM), giving up");
        return nullptr;
    }
    const LocaleCharset charset;
    const char* below = from_code ? from_code.get() : "UTF-8";
    const char* above = to_code ? to_code.get() : charset.name();
    if (const int rc = module->open(below, above); rc < 0) {
        log::error("fuse: no conversion between character sets: from_code=%s to_code=%s (%s), giving up",
                   below, above, log::errno_name(rc));
        return nullptr;
    }
    fuse_fs* made = PathModule::make_fs(module.get());
    if (made)
        (void)module.release(); // the filesystem's
    return made;
}

} // namespace rf::hl
