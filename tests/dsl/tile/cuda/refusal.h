// SPDX-License-Identifier: Apache-2.0
// What a wrong use is told.
#pragma once
#include "runtime/base/error.h"
#include <functional>
#include <string>

namespace ks::tile {

inline std::string refusal(const std::function<void()> &use) {
    try {
        use();
    } catch (const Error &e) {
        return e.what();
    }
    return "no error";
}

} // namespace ks::tile
