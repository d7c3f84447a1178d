// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/row_index.h"
#include <algorithm>
#include <map>
#include <vector>

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// A sum of products of atoms, which are all expressions but sums and products, each with a constant factor.
class Polynomial {
  public:
    using Product = std::vector<size_t>; // numbers of atoms, sorted
    using Terms = std::map<Product, int64_t>;

    Terms of(const Expr &e) {
        if (auto value = as_const_int(e)) return {{{}, *value}};
        if (const Add *sum = e.as<Add>()) return plus(of(sum->a), of(sum->b), 1);
        if (const Sub *difference = e.as<Sub>()) return plus(of(difference->a), of(difference->b), -1);
        if (const Mul *product = e.as<Mul>()) return times(of(product->a), of(product->b));
        return {{{number(e)}, 1}};
    }

    Expr expr(const Terms &terms) const {
        Expr sum = 0;
        for (const auto &[product, factor] : terms) {
            Expr term = static_cast<int>(factor);
            for (size_t atom : product) term = atoms_[atom] * term;
            sum = sum + term;
        }
        return simplify(sum);
    }

  private:
    std::vector<Expr> atoms_;

    size_t number(const Expr &e) {
        for (size_t i = 0; i < atoms_.size(); i++)
            if (equal(atoms_[i], e)) return i;
        atoms_.push_back(e);
        return atoms_.size() - 1;
    }
    static void add(Terms &terms, const Product &product, int64_t factor) {
        int64_t &sum = terms[product];
        sum += factor;
        if (!sum) terms.erase(product);
    }
    static Terms plus(Terms a, const Terms &b, int64_t sign) {
        for (const auto &[product, factor] : b) add(a, product, sign * factor);
        return a;
    }
    static Terms times(const Terms &a, const Terms &b) {
        Terms all;
        for (const auto &[of_a, factor_a] : a)
            for (const auto &[of_b, factor_b] : b) {
                Product product = of_a;
                product.insert(product.end(), of_b.begin(), of_b.end());
                std::sort(product.begin(), product.end());
                add(all, product, factor_a * factor_b);
            }
        return all;
    }
};

} // namespace

std::optional<RowIndex> row_index(const Expr &index, const Expr &stride) {
    Polynomial polynomial;
    Polynomial::Terms of_stride = polynomial.of(simplify(stride)), rows, columns;
    if (of_stride.size() != 1) return {};
    const auto &[atoms, unit] = *of_stride.begin();
    if (atoms.size() != 1) return {};
    for (const auto &[product, factor] : polynomial.of(simplify(index))) {
        auto times = std::count(product.begin(), product.end(), atoms[0]);
        if (times > 1 || (times && factor % unit)) return {};
        Polynomial::Product rest = product;
        if (times) rest.erase(std::find(rest.begin(), rest.end(), atoms[0]));
        (times ? rows : columns)[rest] = times ? factor / unit : factor;
    }
    return RowIndex{polynomial.expr(rows), polynomial.expr(columns)};
}

} // namespace ks::tile
