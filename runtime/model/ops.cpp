// SPDX-License-Identifier: Apache-2.0
#include "runtime/model/ops.h"
#include "runtime/base/error.h"

namespace ks::model {

void check(ks_status status) {
    if (status != KS_OK) throw Error(ks_last_error());
}

} // namespace ks::model
