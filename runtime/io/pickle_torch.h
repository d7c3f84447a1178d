// SPDX-License-Identifier: Apache-2.0
// What the unpickler knows of torch: the allow-list of globals, calls of them and persistent ids.
#pragma once
#include "runtime/io/pickle.h"
#include <string>

namespace ks::io {

// Looks up "module name". Throws ks::Error(source, ...) naming the global when it is not on the list.
PickleValue torch_global(const std::string &source, const std::string &module, const std::string &name);

// The value of global(*args): an empty dict, a tensor, or a parameter's tensor.
PickleValue torch_call(const std::string &source, const PickleGlobal &global, const PickleTuple &args);

// ("storage", type, key, location, elements) -> PickleStorage.
PickleValue torch_storage(const std::string &source, const PickleValue &id);

} // namespace ks::io
