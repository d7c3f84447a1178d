// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/body.h"
#include "tests/emulator/decode.h"
#include <algorithm>
#include <cctype>

namespace ks::emulator {

namespace {

// The body of one kernel, statement by statement.
class Body {
  public:
    Body(Kernel &kernel, const Names &symbols) : kernel_(kernel), symbols_(symbols) {
        sink_ = kernel_.registers++;
    }

    // From behind the opening brace; `line`: of that place.
    void read(const std::string &text, size_t at, int line) {
        std::string statement;
        for (size_t open = 1; open; at++) {
            if (at == text.size()) throw Fault(kernel_.name + " has no end");
            char c = text[at];
            bool fresh = trimmed(statement).empty();
            if (fresh) line_ = line;
            line += c == '\n';
            if (c == '{' && fresh)
                enter(), open++;
            else if (c == '}' && fresh)
                scope_ = scopes_[scope_].around, open--;
            else if (c == ';')
                take(trimmed(statement)), statement.clear();
            else if (c == ':' && statement.find('.') == std::string::npos)
                scopes_[scope_].labels[trimmed(statement)] = static_cast<int>(kernel_.code.size()),
                statement.clear();
            else
                statement += c;
        }
        for (const Jump &j : jumps_) {
            scope_ = j.scope;
            kernel_.code[j.instruction].target = find(&Scope::labels, j.label, "label");
        }
    }

  private:
    // Names are known in their scope and those in it.
    struct Scope {
        size_t around = 0;
        Names registers, labels;
    };
    struct Jump {
        size_t instruction, scope;
        std::string label;
    };

    void enter() {
        scopes_.push_back({scope_, {}, {}});
        scope_ = scopes_.size() - 1;
    }

    void take(const std::string &s) {
        if (s.empty()) return;
        try {
            if (s[0] == '.')
                declare(s);
            else
                instruction(s);
        } catch (const std::exception &e) {
            throw Fault("line " + std::to_string(line_) + ", " + s + ": " + e.what());
        }
    }

    void declare(const std::string &s) {
        size_t type = s.find('.', 1), names = s.find_first_of(" \t", type);
        if (s.rfind(".pragma", 0) == 0) return;
        if (s.rfind(".shared", 0) == 0) return declare_shared(s);
        if (s.rfind(".reg", 0) != 0 || names == std::string::npos) throw Fault("is not known here");
        for (const auto &name : split(s.substr(names))) {
            size_t many = name.find('<');
            if (many == std::string::npos)
                scopes_[scope_].registers[name] = kernel_.registers++;
            else
                for (int i = 0; i < std::stoi(name.substr(many + 1)); i++)
                    scopes_[scope_].registers[name.substr(0, many) + std::to_string(i)] = kernel_.registers++;
        }
    }

    // .shared .align 16 .b8 name[64]
    void declare_shared(const std::string &s) {
        size_t align = s.find(".align "), type = s.find(".b8 "), open = s.find('[');
        if (align == std::string::npos || type == std::string::npos || open == std::string::npos)
            throw Fault("is not known here");
        if (symbols_.count(dynamic_shared)) throw Fault("stands beside shared memory of the launch");
        size_t to = std::stoull(s.substr(align + 7)), bytes = std::stoull(s.substr(open + 1));
        size_t offset = (kernel_.shared_bytes + to - 1) / to * to;
        symbols_[trimmed(s.substr(type + 4, open - type - 4))] = static_cast<int>(offset);
        kernel_.shared_bytes = offset + bytes;
    }

    void instruction(const std::string &s) {
        Instruction i;
        i.text = s, i.line = line_;
        std::string rest = s;
        if (s[0] == '@') {
            size_t end = s.find_first_of(" \t");
            i.guard_negated = s[1] == '!';
            i.guard = find(s.substr(i.guard_negated ? 2 : 1, end - (i.guard_negated ? 2 : 1)));
            rest = trimmed(s.substr(end));
        }
        size_t end = std::min(rest.find_first_of(" \t\n"), rest.size());
        i.name = rest.substr(0, end);
        std::vector<std::string> operands = split(rest.substr(end));
        if (i.name == "bra" || i.name == "bra.uni")
            jumps_.push_back({kernel_.code.size(), scope_, operands.at(0)});
        else
            for (const auto &o : operands) i.operands.push_back(operand(o));
        decode(i);
        kernel_.asynchronous = kernel_.asynchronous || i.asynchronous;
        kernel_.code.push_back(std::move(i));
    }

    int find(Names Scope::*kind, const std::string &name, const char *what) const {
        for (size_t i = scope_;; i = scopes_[i].around) {
            const Names &names = scopes_[i].*kind;
            if (auto found = names.find(name); found != names.end()) return found->second;
            if (!i) throw Fault(std::string("no ") + what + " " + name);
        }
    }
    int find(const std::string &name) const { return find(&Scope::registers, name, "register"); }

    static bool is_special(const std::string &s, Operand &o) {
        static const Names names = {{"%tid", tid}, {"%ntid", ntid}, {"%ctaid", ctaid}, {"%nctaid", nctaid}};
        if (s == "%laneid") return o.index = laneid, true;
        if (s == "%cluster_ctarank") return o.index = cluster_ctarank, true;
        size_t dot = s.find('.');
        auto found = names.find(s.substr(0, dot));
        if (dot == std::string::npos || found == names.end()) return false;
        return o.index = found->second + (s.at(dot + 1) - 'x'), true;
    }

    Operand operand(const std::string &s) {
        Operand o;
        if (s[0] == '{') {
            o.kind = Operand::list;
            for (const auto &e : split(s.substr(1, s.size() - 2))) o.elements.push_back(operand(e));
        } else if (s[0] == '[') {
            o = address(trimmed(s.substr(1, s.size() - 2)));
        } else if (s[0] == '%' && is_special(s, o)) {
            o.kind = Operand::special;
        } else if (std::isdigit(static_cast<unsigned char>(s[0])) || s[0] == '-') {
            o.kind = Operand::number;
            bool real = s[0] == '0' && s.size() > 9 && (s[1] == 'f' || s[1] == 'd'); // bits
            o.value = real          ? std::stoull(s.substr(2), nullptr, 16)
                      : s[0] == '-' ? static_cast<uint64_t>(std::stoll(s))
                                    : std::stoull(s, nullptr, 0);
        } else if (auto symbol = symbols_.find(s); symbol != symbols_.end()) {
            o.kind = Operand::number; // the address of a variable
            o.value = static_cast<uint64_t>(symbol->second);
        } else {
            o.kind = Operand::reg;
            o.index = s == "_" ? sink_ : find(s);
        }
        return o;
    }

    // name+bytes, or name, {coordinates}
    Operand address(const std::string &all) {
        Operand o;
        o.kind = Operand::memory;
        const std::vector<std::string> parts = split(all);
        if (parts.size() == 2) o.elements = operand(parts[1]).elements;
        const std::string &s = parts.at(0);
        size_t plus = s.find('+');
        std::string base = trimmed(s.substr(0, plus));
        if (plus != std::string::npos) o.value = static_cast<uint64_t>(std::stoll(s.substr(plus + 1)));
        if (auto symbol = symbols_.find(base); symbol != symbols_.end())
            o.value += static_cast<uint64_t>(symbol->second);
        else
            o.index = find(base);
        return o;
    }

    Kernel &kernel_;
    Names symbols_; // parameters and shared variables, by offset
    std::vector<Scope> scopes_ = std::vector<Scope>(1);
    size_t scope_ = 0;
    std::vector<Jump> jumps_;
    int line_ = 0, sink_ = 0; // sink: what _ is written to
};

} // namespace

std::string trimmed(const std::string &s) {
    size_t from = s.find_first_not_of(" \t\r\n");
    return from == std::string::npos ? "" : s.substr(from, s.find_last_not_of(" \t\r\n") + 1 - from);
}

std::vector<std::string> split(const std::string &s) {
    std::vector<std::string> parts;
    std::string part;
    int depth = 0;
    for (char c : s) {
        depth += (c == '{' || c == '[') - (c == '}' || c == ']');
        if (c == ',' && !depth)
            parts.push_back(trimmed(part)), part.clear();
        else
            part += c;
    }
    if (!trimmed(part).empty()) parts.push_back(trimmed(part));
    return parts;
}

void read_body(Kernel &kernel, const Names &symbols, const std::string &text, size_t at, int line) {
    Body(kernel, symbols).read(text, at, line);
}

} // namespace ks::emulator
