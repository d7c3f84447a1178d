// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/object.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/image.h"
#include <cstring>
#include <memory>

namespace ks::cuda {

namespace {

constexpr int shared_of_every_kernel = 48 * 1024; // a kernel may take so much without asking

std::string capability(const OpenDevice &d) {
    return std::to_string(d.major) + "." + std::to_string(d.minor);
}

} // namespace

Object &Object::at(void **state, const char *images) {
    auto *slot = reinterpret_cast<std::atomic<void *> *>(state); // a static of the kernel object
    static_assert(sizeof(std::atomic<void *>) == sizeof(void *));
    void *known = slot->load(std::memory_order_acquire);
    if (known) return *static_cast<Object *>(known);
    auto *made = new Object(images);
    if (slot->compare_exchange_strong(known, made, std::memory_order_acq_rel)) return *made;
    delete made;
    return *static_cast<Object *>(known);
}

Object::Loaded &Object::loaded(const OpenDevice &device) {
    auto &slot = on_[static_cast<size_t>(device.ordinal)];
    if (Loaded *known = slot.load(std::memory_order_acquire)) return *known;
    std::lock_guard<std::mutex> lock(loading_);
    if (Loaded *known = slot.load(std::memory_order_acquire)) return *known;
    const ChosenImage image = choose_image(images_, device.major, device.minor);
    if (!image.bytes)
        throw Error(device.name,
                    "no code for compute capability " + capability(device) + " is in the kernel");
    auto made = std::make_unique<Loaded>(); // before the module, which nobody would unload
    check(driver().load_module(&made->module, image.bytes), device.name.c_str());
    made->waits = image.waits;
    slot.store(made.get(), std::memory_order_release);
    return *made.release();
}

Object::Kernel &Object::kernel(const OpenDevice &device, const char *name) {
    Loaded &on_device = loaded(device);
    auto find = [&]() -> Kernel * {
        Kernel *k = on_device.kernels.load(std::memory_order_acquire);
        while (k && k->name != name && std::strcmp(k->name, name)) k = k->next;
        return k;
    };
    if (Kernel *known = find()) return *known;
    std::lock_guard<std::mutex> lock(loading_);
    if (Kernel *known = find()) return *known;
    Function function = nullptr;
    check(driver().get_function(&function, on_device.module, name), name);
    auto *made = new Kernel{name, function, {shared_of_every_kernel}, on_device.kernels.load()};
    on_device.kernels.store(made, std::memory_order_release);
    return *made;
}

void Object::allow_shared(const OpenDevice &device, Kernel &kernel, int bytes) {
    std::lock_guard<std::mutex> lock(loading_);
    if (bytes <= kernel.shared_allowed.load()) return;
    if (bytes > device.most_shared)
        throw Error(device.name, std::string(kernel.name) + " needs " + std::to_string(bytes) +
                                     " bytes of shared memory, a block has " +
                                     std::to_string(device.most_shared));
    check(driver().set_function_attribute(kernel.function, dynamic_shared_bytes, bytes), kernel.name);
    check(driver().set_function_attribute(kernel.function, shared_carveout_percent, 100), kernel.name);
    kernel.shared_allowed.store(bytes, std::memory_order_release);
}

Object::Ready Object::ready(const OpenDevice &device, const char *name, int shared_bytes) {
    Kernel &k = kernel(device, name);
    if (shared_bytes > k.shared_allowed.load(std::memory_order_acquire))
        allow_shared(device, k, shared_bytes);
    return {k.function, loaded(device).waits};
}

} // namespace ks::cuda
