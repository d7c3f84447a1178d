// SPDX-License-Identifier: Apache-2.0
#include "autotune/workers.h"
#include "autotune/candidate.h"
#include "autotune/kernel_of.h"
#include "autotune/timing.h"
#include "runtime/base/error.h"
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <unistd.h>

namespace ks::tune {

namespace {

// Answers every line of standard input. What a request prints goes to standard error: the channel is ours.
int serve(const std::function<json(const json &)> &answer) {
    int channel = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    for (std::string line; std::getline(std::cin, line);) {
        json reply;
        try {
            reply = answer(json::parse(line));
            reply["ok"] = true;
        } catch (const std::exception &e) {
            reply = {{"ok", false}, {"error", e.what()}};
        }
        std::string text = reply.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
        if (write(channel, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return 1;
    }
    return 0;
}

json build(const json &request) {
    pack::PackKernel kernel = kernel_of(candidate_from_json(request.at("candidate")));
    std::string out = request.at("out"), object = out + ".o", part = out + ".part";
    pack::build_object(kernel, object);
    std::string command = "ld -shared -o '" + part + "' '" + object + "' && rm '" + object + "'";
    if (std::system(command.c_str()) != 0) throw Error(out, "ld failed");
    std::filesystem::rename(part, out);
    return {};
}

json measure(Problems &problems, const json &request) {
    Dims shape = request.at("shape");
    if (request.at("cmd") == "check") {
        Artefact artefact(candidate_from_json(request.at("candidate")), request.at("artefact"));
        return {{"max_error", check(artefact, problems, shape)}};
    }
    std::vector<std::unique_ptr<Artefact>> artefacts;
    for (const json &c : request.at("candidates"))
        artefacts.push_back(
            std::make_unique<Artefact>(candidate_from_json(c.at("candidate")), c.at("artefact")));
    return {{"seconds", time(artefacts, problems, shape, request.at("rounds"))}};
}

} // namespace

int build_worker() { return serve(build); }

int measure_worker() {
    Problems problems;
    return serve([&](const json &request) { return measure(problems, request); });
}

} // namespace ks::tune
