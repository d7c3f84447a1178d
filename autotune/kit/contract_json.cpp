// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/contract_json.h"

namespace ks::tune {

namespace {

constexpr const char *roles[] = {"input", "optional", "output", "in_place"}; // in the order of Role

Role role_named(const std::string &name) {
    for (int i = 0; i < 4; i++)
        if (name == roles[i]) return static_cast<Role>(i);
    throw Error("role " + name, "is none of an operand");
}

json to_json(const Operand &o) {
    return {{"name", o.name},
            {"role", roles[static_cast<int>(o.role)]},
            {"type", o.type},
            {"shape", o.shape},
            {"flag", o.flag},
            {"strided", o.strided},
            {"help", o.help},
            {"stand_in", o.stand_in},
            {"per_sequence", o.per_sequence}};
}

Operand operand_from_json(const json &object) {
    Fields f(object, "operand");
    Operand o{f.get<std::string>("name"), role_named(f.get<std::string>("role")),
              f.get<std::string>("type"), f.get<std::vector<std::string>>("shape"),
              f.get<bool>("strided"),     f.get<std::string>("help"),
              f.get<int>("flag"),         f.get<std::string>("stand_in"),
              f.get<bool>("per_sequence")};
    f.done();
    return o;
}

Dimension dimension_from_json(const json &object) {
    Fields f(object, "dimension");
    Dimension d{f.get<std::string>("name"), f.get<int64_t>("low"), f.get<int64_t>("high"),
                f.get<bool>("width"), f.get<std::string>("help")};
    f.done();
    return d;
}

Scalar scalar_from_json(const json &object) {
    Fields f(object, "scalar");
    Scalar s{f.get<std::string>("name"), f.get<std::string>("type"), f.get<std::string>("help")};
    f.done();
    return s;
}

} // namespace

json contract_to_json(const Contract &c) {
    json dims = json::array(), operands = json::array(), scalars = json::array();
    for (const Dimension &d : c.dims)
        dims.push_back(
            {{"name", d.name}, {"low", d.low}, {"high", d.high}, {"width", d.width}, {"help", d.help}});
    for (const Operand &o : c.operands) operands.push_back(to_json(o));
    for (const Scalar &s : c.scalars)
        scalars.push_back({{"name", s.name}, {"type", s.type}, {"help", s.help}});
    return {{"name", c.name},
            {"version", c.version},
            {"summary", c.summary},
            {"dims", dims},
            {"operands", operands},
            {"scalars", scalars},
            {"slice", c.slice},
            {"granule", c.granule},
            {"ragged", c.ragged},
            {"choices", c.choices},
            {"tolerance", c.tolerance},
            {"non_finite", c.non_finite},
            {"dense_when_fixed", c.dense_when_fixed}};
}

Contract contract_from_json(const json &object) {
    Fields f(object, "contract");
    Contract c;
    c.name = f.get<std::string>("name");
    c.version = f.get<int>("version");
    c.summary = f.get<std::string>("summary");
    for (const json &d : f.get<std::vector<json>>("dims")) c.dims.push_back(dimension_from_json(d));
    for (const json &o : f.get<std::vector<json>>("operands")) c.operands.push_back(operand_from_json(o));
    for (const json &s : f.get<std::vector<json>>("scalars")) c.scalars.push_back(scalar_from_json(s));
    c.slice = f.get<std::string>("slice");
    c.granule = f.get<int>("granule");
    c.ragged = f.get<std::string>("ragged");
    c.choices = f.get<std::map<std::string, std::vector<std::string>>>("choices");
    c.tolerance = f.get<std::map<std::string, double>>("tolerance");
    c.non_finite = f.get<std::string>("non_finite");
    c.dense_when_fixed = f.get<bool>("dense_when_fixed");
    f.done();
    if (c.granule < 1) throw Error("\"granule\" of contract is not positive");
    return c;
}

} // namespace ks::tune
