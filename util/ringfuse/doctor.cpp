#include "doctor.hpp"

#include "text.hpp"

#include <algorithm>
#include <cstdio>

namespace rf::command {
namespace {

const char* word_for(Verdict verdict)
{
    switch (verdict) {
    case Verdict::kGood:
        return "ok";
    case Verdict::kNote:
        return "note";
    case Verdict::kWarning:
        return "warning";
    case Verdict::kBroken:
        return "broken";
    }
    return "?";
}

void print(const std::vector<Finding>& findings)
{
    for (const Finding& finding : findings) {
        std::printf("%-8s %-20s %s", word_for(finding.verdict), finding.id, finding.text.c_str());
        std::printf(finding.fix.empty() ? "\n" : "; fix: %s\n", finding.fix.c_str());
    }
}

void print_json(const std::vector<Finding>& findings, bool healthy)
{
    Json json;
    json.begin_object().boolean("healthy", healthy).begin_array("checks");
    for (const Finding& finding : findings) {
        json.begin_object()
            .text("id", finding.id)
            .text("verdict", word_for(finding.verdict))
            .text("text", finding.text);
        if (finding.fix.empty())
            json.null("fix");
        else
            json.text("fix", finding.fix);
        json.end_object();
    }
    std::printf("%s\n", json.end_array().end_object().str().c_str());
}

} // namespace

int run_doctor(bool json)
{
    std::vector<Finding> findings;
    check_kernel(findings);
    check_limits(findings);
    check_install(findings);
    check_mounts(findings);
    const bool healthy = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
        return finding.verdict == Verdict::kBroken;
    });
    if (json)
        print_json(findings, healthy);
    else
        print(findings);
    return healthy ? 0 : 1;
}

} // namespace rf::command
