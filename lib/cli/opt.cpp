// The table-driven parser. It walks the argument vector once and builds a second vector of what is kept:
//
//   argv[0], "-o", <all kept members of -o lists, escaped again>, <the other kept arguments in order>
//
// A template is  "-x", "--foo", "foo"  (exact),  "-x "/"-x %s"  (value joined or in the next argument),
// "foo="/"foo=%fmt"  (value after '='). Every matching entry of the table is applied, in table order.
#include "cli/opt.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <utility>

namespace rf::cli {
namespace {

// FUSE_OPT_KEY() writes -1U into an unsigned long, so this is 32 bits wide on every machine.
constexpr unsigned long kOffsetIsKey = UINT_MAX;

int out_of_memory() noexcept
{
    log::error("fuse: parsing options failed (%s), giving up", log::errno_name(ENOMEM));
    return -ENOMEM;
}

struct Match {
    const fuse_opt* entry = nullptr;
    std::size_t separator = 0; // index of '=' or ' ' in the template; 0: the template has no value part
};

bool matches(const char* templ, const char* arg, std::size_t& separator) noexcept
{
    const char* sep = std::strchr(templ, '=');
    if (!sep)
        sep = std::strchr(templ, ' ');
    if (sep && (sep[1] == '\0' || sep[1] == '%')) {
        const auto index = static_cast<std::size_t>(sep - templ);
        // The '=' has to be there; the ' ' stands for "joined, or in the next argument".
        const std::size_t compared = *sep == '=' ? index + 1 : index;
        if (std::strncmp(arg, templ, compared) == 0) {
            separator = index;
            return true;
        }
    }
    separator = 0;
    return std::strcmp(templ, arg) == 0;
}

// The first match from `from` on; an empty Match if there is none.
Match find(const fuse_opt* from, const char* arg) noexcept
{
    Match found;
    for (const fuse_opt* entry = from; entry && entry->templ; entry++) {
        if (matches(entry->templ, arg, found.separator)) {
            found.entry = entry;
            break;
        }
    }
    return found;
}

// Stores `value` by a scanf format. %s replaces a malloc'ed string and frees the old one.
int store_value(void* target, const char* format, const char* value, const char* arg) noexcept
{
    if (format[1] == 's') {
        char* copy = strdup(value);
        if (!copy)
            return out_of_memory();
        std::free(std::exchange(*static_cast<char**>(target), copy));
        return 0;
    }
    if (std::sscanf(value, format, target) != 1) {
        log::error("fuse: value of option not understood: %s (%s), giving up", arg, log::errno_name(EINVAL));
        return -EINVAL;
    }
    return 0;
}

constexpr bool is_octal(char c, char highest) noexcept
{
    return c >= '0' && c <= highest;
}

// Takes one character of an -o list off `in`: "\NNN" (octal up to \377), "\x" = x, anything else itself.
char take_escaped(const char*& in) noexcept
{
    if (*in != '\\' || in[1] == '\0')
        return *in++;
    in++;
    if (is_octal(in[0], '3') && is_octal(in[1], '7') && is_octal(in[2], '7')) {
        const int code = (in[0] - '0') * 64 + (in[1] - '0') * 8 + (in[2] - '0');
        in += 3;
        return static_cast<char>(code);
    }
    return *in++;
}

// Where an argument was found decides how it is kept.
enum class Origin { kArgument, kList };

class Parser {
public:
    Parser(const fuse_args& in, void* data, const fuse_opt* table, fuse_opt_proc_t process) noexcept
        : in_(in), data_(data), table_(table), process_(process)
    {}
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;
    ~Parser() { std::free(kept_list_); }

    int run();
    [[nodiscard]] fuse_args take() noexcept { return kept_.release(); }

private:
    int argument(const char* arg);
    int list(const char* text);
    int option(const char* arg, Origin origin);
    int apply(const Match& match, const char* arg, Origin origin);
    int apply_with_next(const Match& match, const char* arg, Origin origin);
    int decide(const char* arg, int key, Origin origin);
    int keep(const char* arg, Origin origin) noexcept;
    int next(const char* arg, const char*& value) noexcept;
    int finish() noexcept;

    const fuse_args& in_;
    void* data_;
    const fuse_opt* table_;
    fuse_opt_proc_t process_;
    int index_ = 0;
    OwnedArgs kept_;
    char* kept_list_ = nullptr;
    int argc_after_dashes_ = 0; // kept_.argc right after "--"; 0: not seen yet
};

int Parser::run()
{
    if (int rc = keep(in_.argv[0], Origin::kArgument); rc < 0)
        return rc;
    for (index_ = 1; index_ < in_.argc; index_++) {
        if (int rc = argument(in_.argv[index_]); rc < 0)
            return rc;
    }
    return finish();
}

int Parser::finish() noexcept
{
    fuse_args& kept = kept_.get();
    if (kept_list_) {
        if (insert_arg(kept, 1, "-o") < 0 || insert_arg(kept, 2, kept_list_) < 0)
            return out_of_memory();
    }
    // A "--" that ended up last separates nothing; the next parser need not see it.
    if (argc_after_dashes_ && argc_after_dashes_ == kept.argc &&
        std::strcmp(kept.argv[kept.argc - 1], "--") == 0) {
        std::free(std::exchange(kept.argv[kept.argc - 1], nullptr));
        kept.argc--;
    }
    return 0;
}

int Parser::argument(const char* arg)
{
    if (argc_after_dashes_ || arg[0] != '-')
        return decide(arg, FUSE_OPT_KEY_NONOPT, Origin::kArgument);
    if (arg[1] == 'o') {
        if (arg[2])
            return list(arg + 2);
        const char* text = nullptr;
        const int rc = next(arg, text);
        return rc < 0 ? rc : list(text);
    }
    if (std::strcmp(arg, "--") == 0) {
        const int rc = keep(arg, Origin::kArgument);
        argc_after_dashes_ = kept_.get().argc;
        return rc;
    }
    return option(arg, Origin::kArgument);
}

// Splits "a,b\,c" at the bare commas and treats each member as an option.
int Parser::list(const char* text)
{
    CString member(strdup(text)); // a member is never longer than the whole list
    if (!member)
        return out_of_memory();
    for (const char* in = text;; in++) {
        char* out = member.get();
        while (*in && *in != ',')
            *out++ = take_escaped(in);
        *out = '\0';
        if (int rc = option(member.get(), Origin::kList); rc < 0)
            return rc;
        if (!*in)
            return 0;
    }
}

int Parser::option(const char* arg, Origin origin)
{
    Match match = find(table_, arg);
    if (!match.entry)
        return decide(arg, FUSE_OPT_KEY_OPT, origin);
    for (; match.entry; match = find(match.entry + 1, arg)) {
        const std::size_t sep = match.separator;
        const bool value_is_next = sep && match.entry->templ[sep] == ' ' && arg[sep] == '\0';
        const int rc = value_is_next ? apply_with_next(match, arg, origin) : apply(match, arg, origin);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int Parser::apply(const Match& match, const char* arg, Origin origin)
{
    const fuse_opt& entry = *match.entry;
    if (entry.offset == kOffsetIsKey)
        return decide(arg, entry.value, origin);
    void* target = static_cast<char*>(data_) + entry.offset;
    const std::size_t sep = match.separator;
    if (sep && entry.templ[sep + 1]) {
        const char* value = arg + sep + (entry.templ[sep] == '=' ? 1 : 0);
        return store_value(target, entry.templ + sep + 1, value, arg);
    }
    std::memcpy(target, &entry.value, sizeof(entry.value));
    return 0;
}

// "-x" "value" is treated, and kept, as "-xvalue".
int Parser::apply_with_next(const Match& match, const char* arg, Origin origin)
{
    const char* value = nullptr;
    if (int rc = next(arg, value); rc < 0)
        return rc;
    const std::size_t value_bytes = std::strlen(value) + 1;
    CString joined(static_cast<char*>(std::malloc(match.separator + value_bytes)));
    if (!joined)
        return out_of_memory();
    std::memcpy(joined.get(), arg, match.separator);
    std::memcpy(joined.get() + match.separator, value, value_bytes);
    return apply(match, joined.get(), origin);
}

// Asks the application, unless the key decides by itself. -1 from the application is an error it has
// reported.
int Parser::decide(const char* arg, int key, Origin origin)
{
    if (key == FUSE_OPT_KEY_DISCARD)
        return 0;
    if (key != FUSE_OPT_KEY_KEEP && process_) {
        const int answer = process_(data_, arg, key, &kept_.get());
        if (answer == -1)
            return -ECANCELED;
        if (answer == 0)
            return 0;
    }
    return keep(arg, origin);
}

int Parser::keep(const char* arg, Origin origin) noexcept
{
    const int rc =
        origin == Origin::kList ? add_opt(&kept_list_, arg, Escape::kYes) : add_arg(kept_.get(), arg);
    return rc < 0 ? out_of_memory() : 0;
}

int Parser::next(const char* arg, const char*& value) noexcept
{
    if (index_ + 1 >= in_.argc) {
        log::error("fuse: option needs a value but is the last argument: %s (%s), giving up", arg,
                   log::errno_name(EINVAL));
        return -EINVAL;
    }
    value = in_.argv[++index_];
    return 0;
}

} // namespace

bool match_opt(const fuse_opt* table, const char* opt) noexcept
{
    return find(table, opt).entry != nullptr;
}

int parse_opts(fuse_args& args, void* data, const fuse_opt* table, fuse_opt_proc_t process)
{
    if (!args.argv || args.argc <= 0)
        return 0;
    Parser parser(args, data, table, process);
    if (const int rc = parser.run(); rc < 0)
        return rc;
    free_args(args);
    args = parser.take();
    return 0;
}

} // namespace rf::cli
