// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/program.h"
#include "tests/emulator/decode.h"
#include <algorithm>
#include <cctype>

namespace ks::emulator {

namespace {

using Names = std::map<std::string, int>;

std::string trimmed(const std::string &s) {
    size_t from = s.find_first_not_of(" \t\r\n");
    return from == std::string::npos ? "" : s.substr(from, s.find_last_not_of(" \t\r\n") + 1 - from);
}

// Parts between commas that are in no bracket.
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

// Comments become blanks, so that lines keep their numbers.
std::string without_comments(std::string s) {
    for (size_t at = 0; (at = s.find("//", at)) != std::string::npos;)
        while (at < s.size() && s[at] != '\n') s[at++] = ' ';
    return s;
}

size_t bytes_of_type(const std::string &declaration) {
    for (const auto &[type, bytes] : std::map<std::string, size_t>{{"64", 8}, {"32", 4}, {"16", 2}, {"8", 1}})
        for (const char *kind : {".u", ".b", ".s", ".f"})
            if (declaration.find(kind + type + " ") != std::string::npos) return bytes;
    throw Fault("no type that is known in " + declaration);
}

// The body of one kernel, statement by statement.
class Body {
  public:
    Body(Kernel &kernel, const Names &parameters) : kernel_(kernel), symbols_(parameters), scopes_(1) {
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
                scopes_.emplace_back(), open++;
            else if (c == '}' && fresh)
                scopes_.pop_back(), open--;
            else if (c == ';')
                take(trimmed(statement)), statement.clear();
            else if (c == ':' && statement.find('.') == std::string::npos)
                labels_[trimmed(statement)] = static_cast<int>(kernel_.code.size()), statement.clear();
            else
                statement += c;
        }
        for (const auto &[i, label] : jumps_) {
            if (!labels_.count(label)) throw Fault("no label " + label);
            kernel_.code[i].target = labels_[label];
        }
    }

  private:
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
                scopes_.back()[name] = kernel_.registers++;
            else
                for (int i = 0; i < std::stoi(name.substr(many + 1)); i++)
                    scopes_.back()[name.substr(0, many) + std::to_string(i)] = kernel_.registers++;
        }
    }

    // .shared .align 16 .b8 name[64]
    void declare_shared(const std::string &s) {
        size_t align = s.find(".align "), type = s.find(".b8 "), open = s.find('[');
        if (align == std::string::npos || type == std::string::npos || open == std::string::npos)
            throw Fault("is not known here");
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
            jumps_[kernel_.code.size()] = operands.at(0);
        else
            for (const auto &o : operands) i.operands.push_back(operand(o));
        decode(i);
        kernel_.code.push_back(std::move(i));
    }

    int find(const std::string &name) const {
        for (size_t i = scopes_.size(); i-- > 0;)
            if (auto found = scopes_[i].find(name); found != scopes_[i].end()) return found->second;
        throw Fault("no register " + name);
    }

    static bool is_special(const std::string &s, Operand &o) {
        static const Names names = {{"%tid", tid}, {"%ntid", ntid}, {"%ctaid", ctaid}, {"%nctaid", nctaid}};
        if (s == "%laneid") return o.index = laneid, true;
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

    Operand address(const std::string &s) const {
        Operand o;
        o.kind = Operand::memory;
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
    Names symbols_, labels_; // symbols: parameters and shared variables, by offset
    std::vector<Names> scopes_;
    std::map<size_t, std::string> jumps_;
    int line_ = 0, sink_ = 0; // sink: what _ is written to
};

Names read_parameters(Kernel &kernel, const std::string &text) {
    Names offsets;
    for (const auto &declaration : split(text)) {
        size_t bytes = bytes_of_type(declaration), &end = kernel.parameter_bytes;
        end = (end + bytes - 1) / bytes * bytes;
        offsets[declaration.substr(declaration.find_last_of(" \t") + 1)] = static_cast<int>(end);
        kernel.parameters.push_back({end, bytes});
        end += bytes;
    }
    return offsets;
}

} // namespace

std::map<std::string, Kernel> parse(const std::string &ptx) {
    std::map<std::string, Kernel> kernels;
    const std::string text = without_comments(ptx);
    for (size_t at = 0; (at = text.find(".entry ", at)) != std::string::npos; at++) {
        size_t open = text.find('(', at), close = text.find(')', open), body = text.find('{', close);
        if (body == std::string::npos) throw Fault("a kernel without a body");
        Kernel kernel;
        kernel.name = trimmed(text.substr(at + 7, open - at - 7));
        Names parameters = read_parameters(kernel, text.substr(open + 1, close - open - 1));
        auto end = text.begin() + static_cast<std::ptrdiff_t>(body);
        Body(kernel, parameters)
            .read(text, body + 1, 1 + static_cast<int>(std::count(text.begin(), end, '\n')));
        kernels[kernel.name] = std::move(kernel);
    }
    return kernels;
}

} // namespace ks::emulator
