// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/driver.h"
#include "runtime/base/error.h"
#include <cstdlib>
#include <dlfcn.h>

namespace ks::cuda {

namespace {

// The CUDA versions that brought the youngest entry point of each table: cuDevicePrimaryCtxRelease_v2 and
// cuGraphInstantiateWithFlags.
constexpr const char *launches_need = "launches need CUDA 11.0", *tools_need = "measuring needs CUDA 11.4";

void *open_library() {
    const char *named = std::getenv("KS_LIBCUDA"), *path = named ? named : "libcuda.so.1";
    void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL); // never closed: the driver keeps threads
    if (!opened) throw Error("NVIDIA driver", dlerror());
    return opened;
}

void *opened_library() {
    static void *const opened = open_library(); // tried again after a failure
    return opened;
}

std::string version_of(void *library) {
    auto *ask = reinterpret_cast<Result (*)(int *)>(dlsym(library, "cuDriverGetVersion"));
    int version = 0; // 11040: 11.4
    if (!ask || ask(&version)) return "an unknown CUDA version";
    return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

template <typename F>
void bind(void *library, const char *name, F *&function, const char *need = launches_need) {
    function = reinterpret_cast<F *>(dlsym(library, name));
    if (!function)
        throw Error("NVIDIA driver",
                    std::string("has no ") + name + ": it is of " + version_of(library) + ", " + need);
}

std::string text_of(const Driver &d, Result result) {
    const char *name = nullptr, *text = nullptr;
    if (d.error_name(result, &name) || !name) return "error " + std::to_string(result);
    return d.error_text(result, &text) || !text ? name : std::string(name) + ": " + text;
}

Driver open_driver() {
    void *library = opened_library();
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
    void *extended = dlsym(library, "cuLaunchKernelEx");
    d.launch_extended = reinterpret_cast<decltype(d.launch_extended)>(extended);
    void *encode = dlsym(library, "cuTensorMapEncodeTiled");
    d.encode_tensor_map = reinterpret_cast<decltype(d.encode_tensor_map)>(encode);
    bind(library, "cuGetErrorString", d.error_text);
    bind(library, "cuGetErrorName", d.error_name);
    if (Result r = d.init(0)) throw Error("NVIDIA driver", text_of(d, r));
    return d;
}

DriverTools open_tools() {
    driver(); // opened, and started
    void *library = opened_library();
    DriverTools t{};
    bind(library, "cuMemAlloc_v2", t.allocate, tools_need);
    bind(library, "cuMemFree_v2", t.free, tools_need);
    bind(library, "cuMemcpyHtoD_v2", t.copy_to_device, tools_need);
    bind(library, "cuMemcpyDtoH_v2", t.copy_to_host, tools_need);
    bind(library, "cuMemsetD8_v2", t.fill_bytes, tools_need);
    bind(library, "cuCtxSynchronize", t.synchronize, tools_need);
    bind(library, "cuStreamCreate", t.create_stream, tools_need);
    bind(library, "cuStreamDestroy_v2", t.destroy_stream, tools_need);
    bind(library, "cuEventCreate", t.create_event, tools_need);
    bind(library, "cuEventDestroy_v2", t.destroy_event, tools_need);
    bind(library, "cuEventRecord", t.record_event, tools_need);
    bind(library, "cuEventSynchronize", t.wait_for_event, tools_need);
    bind(library, "cuEventElapsedTime", t.elapsed_ms, tools_need);
    bind(library, "cuStreamBeginCapture_v2", t.begin_capture, tools_need);
    bind(library, "cuStreamEndCapture", t.end_capture, tools_need);
    bind(library, "cuGraphInstantiateWithFlags", t.instantiate, tools_need);
    bind(library, "cuGraphLaunch", t.launch_graph, tools_need);
    bind(library, "cuGraphDestroy", t.destroy_graph, tools_need);
    bind(library, "cuGraphExecDestroy", t.destroy_exec, tools_need);
    return t;
}

} // namespace

const Driver &driver() {
    static const Driver d = open_driver(); // tried again after a failure
    return d;
}

const DriverTools &driver_tools() {
    static const DriverTools t = open_tools();
    return t;
}

std::string text_of(Result result) { return text_of(driver(), result); }

void check(Result result, const char *what) {
    if (result == out_of_memory) throw OutOfMemory(what, text_of(result));
    if (result) throw Error(what, text_of(result));
}

} // namespace ks::cuda
