// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/loops.h"
#include <functional>
#include <map>
#include <regex>
#include <vector>

namespace ks::ptx {

namespace {

// Places are the beginning, labels and what is behind a branch; an edge leads to where control may go next.
struct Flow {
    std::map<std::string, size_t> labels;
    std::vector<std::vector<std::string>> jumps{1}; // of a place, to labels
    std::vector<bool> goes_on{true};                // to the next place

    size_t next_place() {
        jumps.emplace_back();
        goes_on.push_back(true);
        return jumps.size() - 1;
    }
};

Flow flow_of(const std::string &body) {
    static const std::regex step(
        "(?:^|\n)\\s*(?:([$\\w]+):|(@!?[%\\w]+\\s+)?(?:bra(?:\\.uni)?\\s+([$\\w]+)|ret|exit)\\s*;)");
    Flow flow;
    for (std::sregex_iterator at(body.begin(), body.end(), step), end; at != end; ++at) {
        const std::smatch &found = *at;
        if (found[1].matched) {
            flow.labels[found[1]] = flow.next_place();
            continue;
        }
        if (found[3].matched) flow.jumps.back().push_back(found[3]);
        flow.goes_on.back() = found[2].matched;
        flow.next_place();
    }
    return flow;
}

} // namespace

bool has_loop(const std::string &body) {
    const Flow flow = flow_of(body);
    enum { fresh, on_the_way, done };
    std::vector<int> state(flow.jumps.size(), fresh);
    std::function<bool(size_t)> comes_back = [&](size_t place) {
        if (place == state.size() || state[place] == done) return false;
        if (state[place] == on_the_way) return true;
        state[place] = on_the_way;
        bool back = flow.goes_on[place] && comes_back(place + 1);
        for (const std::string &label : flow.jumps[place])
            if (auto to = flow.labels.find(label); to != flow.labels.end())
                back = back || comes_back(to->second);
        state[place] = done;
        return back;
    };
    return comes_back(0);
}

} // namespace ks::ptx
