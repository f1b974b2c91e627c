#include "json.hpp"

#include "text.hpp"

#include <cmath>

namespace rf::command {
namespace {

/// Bytes of the UTF-8 character at the front of `text`; 0 if there is none.
std::size_t utf8_bytes(std::string_view text) noexcept
{
    const unsigned char lead = static_cast<unsigned char>(text[0]);
    const std::size_t bytes = lead < 0x80                   ? 1
                              : lead >= 0xc2 && lead < 0xe0 ? 2
                              : (lead & 0xf0) == 0xe0       ? 3
                                                            : 0;
    const std::size_t needed = bytes == 0 && lead >= 0xf0 && lead < 0xf5 ? 4 : bytes;
    if (needed == 0 || needed > text.size())
        return 0;
    for (std::size_t i = 1; i < needed; ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            return 0;
    }
    const unsigned char second = needed > 1 ? static_cast<unsigned char>(text[1]) : 0;
    // Longer than necessary, a surrogate, or beyond the last code point.
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
        return 0;
    return needed;
}

} // namespace

void Json::append_quoted(std::string_view text)
{
    out_ += '"';
    while (!text.empty()) {
        const std::size_t bytes = utf8_bytes(text);
        const unsigned char c = static_cast<unsigned char>(text[0]);
        if (bytes == 0)
            out_ += "\\ufffd"; // a name that is no UTF-8
        else if (c == '"' || c == '\\')
            out_.append("\\").append(1, static_cast<char>(c));
        else if (c < 0x20)
            out_ += format("\\u%04x", c);
        else
            out_ += text.substr(0, bytes);
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    out_ += '"';
}

void Json::open(std::string_view key)
{
    if (comma_)
        out_ += ',';
    comma_ = true;
    if (key.empty())
        return;
    append_quoted(key);
    out_ += ':';
}

Json& Json::begin_object(std::string_view key)
{
    open(key);
    out_ += '{';
    comma_ = false;
    return *this;
}

Json& Json::end_object()
{
    out_ += '}';
    comma_ = true;
    return *this;
}

Json& Json::begin_array(std::string_view key)
{
    open(key);
    out_ += '[';
    comma_ = false;
    return *this;
}

Json& Json::end_array()
{
    out_ += ']';
    comma_ = true;
    return *this;
}

Json& Json::text(std::string_view key, std::string_view value)
{
    open(key);
    append_quoted(value);
    return *this;
}

Json& Json::number(std::string_view key, std::uint64_t value)
{
    open(key);
    out_ += std::to_string(value);
    return *this;
}

Json& Json::number_signed(std::string_view key, std::int64_t value)
{
    open(key);
    out_ += std::to_string(value);
    return *this;
}

Json& Json::real(std::string_view key, double value)
{
    open(key);
    out_ += std::isfinite(value) ? format("%.6g", value) : std::string("null");
    return *this;
}

Json& Json::boolean(std::string_view key, bool value)
{
    open(key);
    out_ += value ? "true" : "false";
    return *this;
}

Json& Json::null(std::string_view key)
{
    open(key);
    out_ += "null";
    return *this;
}

} // namespace rf::command
