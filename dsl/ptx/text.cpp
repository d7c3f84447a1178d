// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/text.h"
#include "dsl/ptx/loops.h"
#include "runtime/base/error.h"
#include <regex>
#include <set>

namespace ks::ptx {

namespace {

const std::regex callee("call(?:\\.uni)?\\s+(?:\\([^)]*\\),\\s*)?([A-Za-z_$][\\w$]*)");
const std::string call_begins = "{ // callseq", call_ends = "} // callseq";

std::string match(const std::string &text, const std::regex &pattern) {
    std::smatch found;
    return std::regex_search(text, found, pattern) ? found[1].str() : "";
}

// One block from "{ // callseq" to "} // callseq".
PseudoCall parse_call(const std::string &block) {
    static const std::regex stored("st\\.param\\.[\\w.]+\\s+\\[param(\\d+)\\],\\s*([^;]+);");
    static const std::regex result("ld\\.param\\.[\\w.]+\\s+(\\{[^}]*\\}|[^,]+),\\s*\\[retval0\\]");
    PseudoCall call{match(block, callee), {}, match(block, result)};
    if (call.name.empty()) throw Error("PTX", "a call without a name: " + block.substr(0, block.find('\n')));
    for (std::sregex_iterator at(block.begin(), block.end(), stored), end; at != end; ++at) {
        if (std::stoul((*at)[1]) != call.arguments.size())
            throw Error("PTX", "the arguments of " + call.name + " are not passed one by one");
        call.arguments.push_back((*at)[2]);
    }
    return call;
}

bool pseudo(const std::string &name) { return name.rfind("ks_", 0) == 0; }

std::string without_declarations(const std::string &ptx) {
    static const std::regex declaration(
        "\\.extern \\.func\\s*(?:\\([^)]*\\)\\s*)?ks_\\w+\\s*\\([^)]*\\)\\s*;\\s*");
    return std::regex_replace(ptx, declaration, "");
}

std::string replace_pseudo_calls(const std::string &ptx, const Expansion &replace) {
    std::string out;
    size_t from = 0;
    for (size_t at; (at = ptx.find(call_begins, from)) != std::string::npos;) {
        size_t last = ptx.find(call_ends, at), end = ptx.find('\n', last);
        if (last == std::string::npos || end == std::string::npos) throw Error("PTX", "a call does not end");
        std::string block = ptx.substr(at, end - at);
        PseudoCall call = parse_call(block);
        out += ptx.substr(from, at - from);
        out += pseudo(call.name) ? replace(call) : block;
        from = end;
    }
    return out + ptx.substr(from);
}

// `directive` with another value; throws when the text has none.
std::string replaced(const std::string &ptx, const char *directive, const std::string &value) {
    std::smatch found;
    if (!std::regex_search(ptx, found, std::regex("(?:^|\\n)\\." + std::string(directive) + " ([^\\n]*)")))
        throw Error("PTX", std::string("has no .") + directive + " directive");
    return std::string(ptx).replace(static_cast<size_t>(found.position(1)),
                                    static_cast<size_t>(found.length(1)), value);
}

} // namespace

std::vector<PseudoCall> pseudo_calls(const std::string &ptx) {
    std::vector<PseudoCall> calls;
    replace_pseudo_calls(ptx, [&](const PseudoCall &call) {
        calls.push_back(call);
        return std::string();
    });
    return calls;
}

std::string expand_pseudo_calls(const std::string &ptx, const std::map<std::string, Expansion> &expansions) {
    return without_declarations(replace_pseudo_calls(ptx, [&](const PseudoCall &call) {
        auto known = expansions.find(call.name);
        if (known == expansions.end())
            throw Error("PTX", "nothing is known about the pseudo-call " + call.name);
        return "{ " + known->second(call) + " }";
    }));
}

std::string retarget(const std::string &ptx, const std::string &version, const std::string &arch) {
    return replaced(replaced(ptx, "version", version), "target", arch);
}

std::string with_launch_bounds(const std::string &ptx, int threads, int blocks, int blocks_of_loops) {
    static const std::regex kernel("(\\.entry [^{;]*?\\))\\s*(?://[^\n]*)?\\s*\\{");
    std::sregex_iterator at(ptx.begin(), ptx.end(), kernel), end;
    if (at == end) throw Error("PTX", "has no kernel without launch bounds");
    std::string out = at->prefix();
    while (at != end) {
        std::string head = (*at)[1];
        auto from = at->suffix().first;
        auto to = ++at == end ? ptx.end() : at->prefix().second;
        std::string body(from, to);
        out += head + "\n.maxntid " + std::to_string(threads) + ", 1, 1\n.minnctapersm " +
               std::to_string(has_loop(body) ? blocks_of_loops : blocks) + "\n{" + body;
    }
    return out;
}

std::string with_prefetch(const std::string &ptx, int bytes) {
    static const std::regex load("ld\\.global\\.nc\\.(v\\d\\.)");
    const std::string size = "L2::" + std::to_string(bytes) + "B.";
    return std::regex_replace(replaced(ptx, "version", "7.4"), load, "ld.global.nc." + size + "$1");
}

std::string with_dependent_launches(const std::string &ptx, bool early_successor) {
    static const std::regex body("(\\.visible \\.entry [^{;]*\\{)"), version("\\.version (\\d+\\.\\d)"),
        arch("\\.target sm_(\\d+)");
    std::string text = ptx;
    if (std::stof(match(text, version)) < 7.8F) text = replaced(text, "version", "7.8");
    if (std::stoi(match(text, arch)) < 90) text = replaced(text, "target", "sm_90");
    return std::regex_replace(text, body,
                              std::string("$1\n") +
                                  (early_successor ? "\tgriddepcontrol.launch_dependents;\n" : "") +
                                  "\tgriddepcontrol.wait;");
}

std::vector<std::string> undefined_calls(const std::string &ptx) {
    std::set<std::string> names;
    for (std::sregex_iterator at(ptx.begin(), ptx.end(), callee), end; at != end; ++at) {
        std::regex body("\\.func[^;{]*\\b" + (*at)[1].str() + "\\b[^;{]*\\{");
        if (!std::regex_search(ptx, body)) names.insert((*at)[1]);
    }
    return {names.begin(), names.end()};
}

} // namespace ks::ptx
