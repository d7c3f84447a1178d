// SPDX-License-Identifier: Apache-2.0
#include "autotune/shared_object.h"
#include "autotune/device.h"
#include "runtime/base/error.h"
#include <dlfcn.h>

namespace ks::tune {

SharedObject::SharedObject(const std::string &path, Code code)
    : library_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | (code == Code::stays ? RTLD_NODELETE : 0))) {
    if (!library_) throw Error(path, dlerror());
    std::string symbol = std::string(artefact_symbol) + "_argv";
    call_ = reinterpret_cast<int (*)(void **)>(dlsym(library_, symbol.c_str()));
    if (call_) return;
    dlclose(library_);
    throw Error(path, "has no " + symbol);
}

SharedObject::~SharedObject() { dlclose(library_); }

} // namespace ks::tune
