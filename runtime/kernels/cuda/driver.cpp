// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/driver.h"
#include "runtime/base/error.h"
#include <cstdlib>
#include <dlfcn.h>

namespace ks::cuda {

namespace {

template <typename F>
void bind(void *library, const char *name, F *&function) {
    function = reinterpret_cast<F *>(dlsym(library, name));
    if (!function) throw Error("NVIDIA driver", std::string("has no ") + name + ": it is too old");
}

Driver open_driver() {
    const char *named = std::getenv("KS_LIBCUDA"), *path = named ? named : "libcuda.so.1";
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL); // never closed: the driver keeps threads
    if (!library) throw Error("NVIDIA driver", dlerror());
    Driver d{};
    bind(library, "cuInit", d.init);
    bind(library, "cuDriverGetVersion", d.driver_version);
    bind(library, "cuDeviceGetCount", d.device_count);
    bind(library, "cuDeviceGet", d.device_get);
    bind(library, "cuDeviceGetName", d.device_name);
    bind(library, "cuDeviceGetAttribute", d.device_attribute);
    bind(library, "cuDevicePrimaryCtxRetain", d.primary_retain);
    bind(library, "cuDevicePrimaryCtxRelease_v2", d.primary_release);
    bind(library, "cuCtxPushCurrent_v2", d.push_context);
    bind(library, "cuCtxPopCurrent_v2", d.pop_context);
    bind(library, "cuCtxGetCurrent", d.current_context);
    bind(library, "cuModuleLoadData", d.load_module);
    bind(library, "cuModuleUnload", d.unload_module);
    bind(library, "cuModuleGetFunction", d.get_function);
    bind(library, "cuFuncSetAttribute", d.set_function_attribute);
    bind(library, "cuLaunchKernel", d.launch);
    void *encode = dlsym(library, "cuTensorMapEncodeTiled");
    d.encode_tensor_map = reinterpret_cast<decltype(d.encode_tensor_map)>(encode);
    bind(library, "cuGetErrorString", d.error_text);

    bind(library, "cuMemAlloc_v2", d.allocate);
    bind(library, "cuMemFree_v2", d.free);
    bind(library, "cuMemcpyHtoD_v2", d.copy_to_device);
    bind(library, "cuMemcpyDtoH_v2", d.copy_to_host);
    bind(library, "cuMemsetD8_v2", d.fill_bytes);
    bind(library, "cuCtxSynchronize", d.synchronize);
    bind(library, "cuStreamCreate", d.create_stream);
    bind(library, "cuStreamDestroy_v2", d.destroy_stream);
    bind(library, "cuEventCreate", d.create_event);
    bind(library, "cuEventDestroy_v2", d.destroy_event);
    bind(library, "cuEventRecord", d.record_event);
    bind(library, "cuEventSynchronize", d.wait_for_event);
    bind(library, "cuEventElapsedTime", d.elapsed_ms);
    bind(library, "cuStreamBeginCapture_v2", d.begin_capture);
    bind(library, "cuStreamEndCapture", d.end_capture);
    bind(library, "cuGraphInstantiateWithFlags", d.instantiate);
    bind(library, "cuGraphLaunch", d.launch_graph);
    bind(library, "cuGraphDestroy", d.destroy_graph);
    bind(library, "cuGraphExecDestroy", d.destroy_exec);
    if (Result r = d.init(0)) {
        const char *text = nullptr;
        d.error_text(r, &text);
        throw Error("NVIDIA driver", text ? text : "does not start");
    }
    return d;
}

} // namespace

const Driver &driver() {
    static const Driver d = open_driver(); // tried again after a failure
    return d;
}

std::string text_of(Result result) {
    const char *text = nullptr;
    driver().error_text(result, &text);
    return text ? text : "error " + std::to_string(result);
}

void check(Result result, const char *what) {
    if (result) throw Error(what, text_of(result));
}

} // namespace ks::cuda
