// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/ir_facts.h"

namespace ks::lower {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// Calls `found` with every node of one type.
template <typename Node, typename Found>
class Every : public IRVisitor {
  public:
    explicit Every(Found found) : found_(std::move(found)) {}

  private:
    using IRVisitor::visit;
    Found found_;
    void visit(const Node *op) override {
        found_(op);
        IRVisitor::visit(op);
    }
};

template <typename Node, typename Code, typename Found>
void for_every(const Code &code, const Found &found) {
    Every<Node, Found> every(found);
    code.accept(&every);
}

template <typename Node, typename Code>
std::set<std::string> names_of(const Code &code) {
    std::set<std::string> names;
    for_every<Node>(code, [&](const Node *op) { names.insert(op->name); });
    return names;
}

} // namespace

Expr first_lane(const Expr &index) {
    const Ramp *ramp = index.as<Ramp>();
    return ramp && is_const_one(ramp->stride) ? ramp->base : index;
}

std::set<std::string> allocations_in(const Stmt &code) { return names_of<Allocate>(code); }
std::set<std::string> loops_in(const Stmt &code) { return names_of<For>(code); }
std::set<std::string> stored_in(const Stmt &code) { return names_of<Store>(code); }
std::set<std::string> variables_in(const Expr &e) { return names_of<Variable>(e); }

std::vector<const Load *> loads_in(const Expr &e) {
    std::vector<const Load *> loads;
    for_every<Load>(e, [&](const Load *op) { loads.push_back(op); });
    return loads;
}

std::vector<Expr> stores_to(const std::string &buffer, const Stmt &code) {
    std::vector<Expr> indices;
    for_every<Store>(code, [&](const Store *op) {
        if (op->name == buffer) indices.push_back(first_lane(op->index));
    });
    return indices;
}

} // namespace ks::lower
