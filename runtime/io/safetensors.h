// SPDX-License-Identifier: Apache-2.0
// Reader of one .safetensors file: 8 bytes of header size, a JSON header, then one buffer that the tensors
// tile.
#pragma once
#include "runtime/io/mapped_file.h"
#include "runtime/io/tensor.h"
#include <string>
#include <vector>

namespace ks::io {

// The tensors of the file in the order of their data, borrowing from `file`, which must outlive them (moving
// it is fine). Throws ks::Error(file path, cause) unless every rule of the format holds: header size at most
// 32 MiB and inside the file, header a JSON object beginning with '{', no key twice, known dtypes,
// non-negative shapes whose bytes equal their offsets' distance, and offsets that tile the buffer with no
// hole, overlap or rest.
std::vector<Tensor> read_safetensors(const MappedFile &file);

} // namespace ks::io
