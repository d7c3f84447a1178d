// SPDX-License-Identifier: Apache-2.0
#include "runtime/model/packed.h"
#include "runtime/base/error.h"
#include "runtime/kernels/choose.h"
#include <algorithm>
#include <cmath>

namespace ks::model {

namespace {

constexpr double log2_e = 1.4426950408889634;

template <typename T, typename Convert>
void fill(PackedMatrix &m, const std::vector<float> &w, T *to, Convert convert) {
    int64_t row = m.parts * m.lanes,
            paired = m.pairs ? m.K / 2 * 2 : 0; // k below it lie side by side in twos
    for (int64_t p = 0; p < m.panels; p++)
        for (int64_t part = 0; part < m.parts; part++)
            for (int64_t lane = 0; lane < m.lanes && p * m.lanes + lane < m.N; lane++) {
                const float *from = w.data() + (part * m.N + p * m.lanes + lane) * m.K;
                T *column = to + p * m.K * row + part * m.lanes + lane;
                for (int64_t k = 0; k < paired; k++)
                    column[k / 2 * 2 * row + part * m.lanes + lane + k % 2] = convert(from[k]);
                for (int64_t k = paired; k < m.K; k++) column[k * row] = convert(from[k]);
            }
}

AlignedBytes copy(const float *values, size_t count, size_t padded) {
    AlignedBytes bytes(std::max(count, padded) * sizeof(float));
    std::memcpy(bytes.data(), values, count * sizeof(float));
    return bytes;
}

} // namespace

PackedMatrix pack_matrix(const ks_library &library, const std::string &op,
                         std::map<std::string, std::string> choices, const io::Tensor &tensor, DType dtype,
                         int parts) {
    if (tensor.shape.size() != 2 || tensor.shape[0] % parts)
        throw Error(tensor.name, "has the shape " + io::shape_text(tensor.shape) + ", expected a matrix");
    PackedMatrix m;
    m.K = tensor.shape[1];
    m.N = tensor.shape[0] / parts;
    m.parts = parts;
    choices["weight"] = name_of(dtype);
    bool can_pair = dtype == DType::bf16 && has_kernel(library, op, {{"io", "bf16"}, {"weight", "bf16"}});
    choices.emplace("io", can_pair ? "bf16" : "f32");
    m.pairs = choices["io"] == "bf16";
    PanelChoice panel = choose_panel(library, op, choices, m.K, m.N);
    m.lanes = panel.lanes;
    m.panel_choice = panel.choice;
    m.tuned = panel.tuned;
    m.weight_choice = choice_index(op, "weight", name_of(dtype));
    m.panels = (m.N + m.lanes - 1) / m.lanes;
    m.data = AlignedBytes(static_cast<size_t>(m.padded() * m.K * parts) * size_of(dtype));
    std::vector<float> w = io::to_f32(tensor);
    auto *wide = reinterpret_cast<float *>(m.data.data());
    auto *half = reinterpret_cast<uint16_t *>(m.data.data());
    if (dtype == DType::f32)
        fill(m, w, wide, [](float f) { return f; });
    else if (dtype == DType::bf16)
        fill(m, w, half, bf16_of);
    else
        fill(m, w, half, f16_of);
    return m;
}

AlignedBytes pack_floats(const io::Tensor &tensor, int64_t padded) {
    std::vector<float> values = io::to_f32(tensor);
    return copy(values.data(), values.size(), static_cast<size_t>(padded));
}

AlignedBytes pack_floats(const std::vector<float> &values) { return copy(values.data(), values.size(), 0); }

std::vector<float> transposed(const std::vector<float> &m, int64_t rows, int64_t cols) {
    std::vector<float> t(m.size());
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c++)
            t[static_cast<size_t>(c * rows + r)] = m[static_cast<size_t>(r * cols + c)];
    return t;
}

AlignedBytes pack_decay(const std::vector<float> &a_log, int64_t D, int64_t N) {
    std::vector<float> t = transposed(a_log, D, N);
    for (float &v : t) v = static_cast<float>(-std::exp(static_cast<double>(v)) * log2_e);
    return pack_floats(t);
}

AlignedBytes pack_decay_of(const std::vector<float> &A, int64_t D, int64_t N) {
    std::vector<float> t = transposed(A, D, N);
    for (float &v : t) v = static_cast<float>(v * log2_e);
    return pack_floats(t);
}

} // namespace ks::model
