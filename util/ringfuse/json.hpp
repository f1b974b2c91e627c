// Writes JSON, one value after the other; knows where commas belong and which characters need an escape.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rf::command {

/// Inside an object every value takes its key, inside an array none (leave it empty).
class Json {
public:
    Json& begin_object(std::string_view key = {});
    Json& end_object();
    Json& begin_array(std::string_view key = {});
    Json& end_array();
    Json& text(std::string_view key, std::string_view value);
    Json& number(std::string_view key, std::uint64_t value);
    Json& number_signed(std::string_view key, std::int64_t value);
    Json& real(std::string_view key, double value);
    Json& boolean(std::string_view key, bool value);
    Json& null(std::string_view key);

    /// What was written so far.
    [[nodiscard]] const std::string& str() const noexcept { return out_; }

private:
    void open(std::string_view key);
    void append_quoted(std::string_view text);

    std::string out_;
    bool comma_ = false; // something stands before the next value, in the same object or array
};

} // namespace rf::command
