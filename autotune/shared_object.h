// SPDX-License-Identifier: Apache-2.0
// The file of a candidate in this process.
#pragma once
#include <string>

namespace ks::tune {

class SharedObject {
  public:
    enum class Code { goes, stays }; // when the object is destroyed: unloaded, or not
    explicit SharedObject(const std::string &path, Code code = Code::goes); // throws ks::Error
    ~SharedObject();
    SharedObject(const SharedObject &) = delete;
    SharedObject &operator=(const SharedObject &) = delete;

    void call(void **arguments) const { call_(arguments); } // arguments: runtime/kernels/buffer_abi.h

  private:
    void *library_;
    int (*call_)(void **);
};

} // namespace ks::tune
