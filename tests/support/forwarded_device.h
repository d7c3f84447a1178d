// SPDX-License-Identifier: Apache-2.0
// Another device under its own name, for tests that change one thing about it.
#pragma once
#include "autotune/device.h"

namespace ks::test {

struct ForwardedDevice : tune::Device {
    explicit ForwardedDevice(Device &device) : to(device) {}
    std::string name() override { return to.name(); }
    bool runs(const std::string &isa) override { return to.runs(isa); }
    std::unique_ptr<tune::Memory> memory(size_t bytes, bool guarded) override {
        return to.memory(bytes, guarded);
    }
    std::unique_ptr<tune::Artefact> load(const std::string &path) override { return to.load(path); }
    void wait() override { to.wait(); }
    double seconds(const std::function<void()> &calls) override { return to.seconds(calls); }
    size_t cache_bytes() override { return to.cache_bytes(); }
    bool packed() override { return to.packed(); }
    double ghz() override { return to.ghz(); }

    Device &to;
};

} // namespace ks::test
