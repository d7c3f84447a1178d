// SPDX-License-Identifier: Apache-2.0
#include "autotune/device.h"
#include "autotune/kernel_of.h"
#include "autotune/workers.h"
#include "runtime/base/error.h"
#include <cstdlib>
#include <filesystem>

namespace ks::tune {

int build_worker() {
    return serve([](const json &request) -> json {
        pack::PackKernel kernel = kernel_of(candidate_from_json(request.at("candidate")));
        std::string out = request.at("out"), object = out + ".o", part = out + ".part";
        pack::build_object(kernel, object, artefact_symbol);
        std::string command = "ld -shared -o '" + part + "' '" + object + "' && rm '" + object + "'";
        if (std::system(command.c_str()) != 0) throw Error(out, "ld failed");
        std::filesystem::rename(part, out);
        return json::object();
    });
}

} // namespace ks::tune
