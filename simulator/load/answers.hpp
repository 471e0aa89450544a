// What the answers of the public REST API have in common.
#pragma once
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/ports/http.hpp"

namespace rushproof::simulator {

inline constexpr std::string_view position_field = "rushproof-position";

// A problem answer as an Error with the kind and code that its body names.
Error problem_error(const HttpResponse& response);

// What `read` makes of a success.  One that cannot be understood is of unknown outcome.
template <class Answer>
Result<Answer> understand(const Result<HttpResponse>& response,
                          Result<Answer> (*read)(const HttpResponse&)) {
    if (!response) { return failure(response.error()); }
    if (response->status < 200 || response->status > 299) {
        return failure(problem_error(*response));
    }
    Result<Answer> answer = read(*response);
    if (answer) { return answer; }
    return failure(ErrorKind::unknown_outcome, "unreadable-answer", answer.error().message());
}

// A member of an answer's object; empty, or 0, when it is not there, null or something else.
std::string text_in(const boost::json::object& object, std::string_view member);
std::int64_t integer_in(const boost::json::object& object, std::string_view member);

// SKUs and identifiers are texts of other people: everything that is not plain is escaped.
std::string path_segment(std::string_view text);

}  // namespace rushproof::simulator
