// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/memory.h"
#include "runtime/base/error.h"

namespace ks::cuda {

DeviceMemory::DeviceMemory(const OpenDevice &device, size_t bytes) : device_(&device), bytes_(bytes) {
    ContextScope scope(device);
    check(driver_tools().allocate(&address_, bytes ? bytes : 1),
          (device.name + ": " + std::to_string(bytes) + " bytes").c_str());
}

DeviceMemory::~DeviceMemory() {
    if (!address_) return;
    try {
        ContextScope scope(*device_);
        driver_tools().free(address_);
    } catch (const Error &) { // the context is gone, and the memory with it
    }
}

void DeviceMemory::copy_from(const void *host, size_t bytes, size_t offset) {
    ContextScope scope(*device_);
    check(driver_tools().copy_to_device(address_ + offset, host, bytes), device_->name.c_str());
    check(driver_tools().synchronize(), device_->name.c_str());
}

void DeviceMemory::copy_to(void *host, size_t bytes, size_t offset) const {
    ContextScope scope(*device_);
    check(driver_tools().copy_to_host(host, address_ + offset, bytes), device_->name.c_str());
}

void DeviceMemory::fill(unsigned char value) {
    ContextScope scope(*device_);
    check(driver_tools().fill_bytes(address_, value, bytes_), device_->name.c_str());
    check(driver_tools().synchronize(), device_->name.c_str());
}

void synchronize(const OpenDevice &device) {
    ContextScope scope(device);
    check(driver_tools().synchronize(), device.name.c_str());
}

} // namespace ks::cuda
