// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/launcher.h"
#include "runtime/base/error.h"
#include <array>
#include <memory>
#include <mutex>

namespace ks::cuda {

thread_local Here here;

namespace {

int attribute(const Driver &d, int which, Device device) {
    int value = 0;
    check(d.device_attribute(&value, which, device), "cuDeviceGetAttribute");
    return value;
}

std::unique_ptr<OpenDevice> open(int ordinal) {
    const Driver &d = driver();
    int count = 0;
    check(d.device_count(&count), "cuDeviceGetCount");
    std::string name = "GPU " + std::to_string(ordinal);
    if (ordinal < 0 || ordinal >= count || ordinal >= most_devices)
        throw Error(name, "is not there: the driver has " + std::to_string(count));
    auto made = std::make_unique<OpenDevice>();
    made->ordinal = ordinal;
    check(d.device_get(&made->device, ordinal), name.c_str());
    char text[256] = "";
    check(d.device_name(text, sizeof text, made->device), name.c_str());
    made->name = text;
    made->major = attribute(d, compute_capability_major, made->device);
    made->minor = attribute(d, compute_capability_minor, made->device);
    made->most_shared = attribute(d, max_shared_bytes_per_block, made->device);
    made->multiprocessors = attribute(d, multiprocessors, made->device);
    made->cache_bytes = attribute(d, cache_bytes, made->device);
    check(d.primary_retain(&made->context, made->device), name.c_str());
    return made;
}

} // namespace

const OpenDevice &device(int ordinal) {
    static std::mutex opening;
    static std::array<std::unique_ptr<OpenDevice>, most_devices> devices;
    std::lock_guard<std::mutex> lock(opening);
    if (ordinal < 0 || ordinal >= most_devices) return *open(ordinal); // throws
    auto &slot = devices[static_cast<size_t>(ordinal)];
    if (!slot) slot = open(ordinal);
    return *slot;
}

ContextScope::ContextScope(const OpenDevice &device) : pushed_(false) {
    const Driver &d = driver();
    Context current = nullptr;
    check(d.current_context(&current), "cuCtxGetCurrent");
    if (current == device.context) return; // the usual case beside the CUDA runtime
    check(d.push_context(device.context), device.name.c_str());
    pushed_ = true;
}

ContextScope::~ContextScope() {
    Context popped;
    if (pushed_) driver().pop_context(&popped);
}

LaunchScope::LaunchScope(const OpenDevice &device, Stream stream) : context_(device), outer_(here) {
    here = {&device, stream, &error_};
}

LaunchScope::~LaunchScope() { here = outer_; }

} // namespace ks::cuda
