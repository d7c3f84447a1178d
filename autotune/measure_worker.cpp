// SPDX-License-Identifier: Apache-2.0
#include "autotune/timing.h"
#include "autotune/workers.h"
#include <cstdio>
#include <iostream>
#include <string>
#include <unistd.h>

namespace ks::tune {

// What a request prints goes to standard error: the channel is ours.
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

int measure_worker(const std::function<const Contract &(const std::string &op)> &contract_of) {
    Problems problems;
    auto subject_of = [&](const Candidate &c) { return Subject{contract_of(c.op), c.spec, c.isa}; };
    auto time_all = [&](const json &request) -> json {
        Subject subject = subject_of(candidate_from_json(request.at("candidates").at(0).at("candidate")));
        Dims shape = request.at("shape");
        Device &device = device_for(subject.isa);
        std::vector<std::unique_ptr<Artefact>> artefacts;
        for (const json &c : request.at("candidates")) artefacts.push_back(device.load(c.at("artefact")));
        Caches caches =
            request.contains("caches") ? caches_named(request.at("caches")) : deciding(subject.spec, shape);
        json seconds = time(artefacts, subject, problems, shape, caches, request.at("rounds"));
        return {{"seconds", seconds}, {"ghz", device.ghz()}};
    };
    return serve([&](const json &request) -> json {
        if (request.at("cmd") == "time") return time_all(request);
        Subject subject = subject_of(candidate_from_json(request.at("candidate")));
        Dims shape = request.at("shape");
        if (request.at("cmd") == "prepare") {
            if (request.contains("caches"))
                prepare_timing(subject, problems, shape, caches_named(request.at("caches")));
            else if (request.contains("reference"))
                prepare(subject, problems, shape,
                        *device_for(subject.isa).load(request.at("reference").get<std::string>()));
            else
                prepare(subject, problems, shape);
            return json::object();
        }
        auto artefact = device_for(subject.isa).load(request.at("artefact"));
        return {{"max_error", check(*artefact, subject, problems, shape)}};
    });
}

} // namespace ks::tune
