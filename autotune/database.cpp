// SPDX-License-Identifier: Apache-2.0
#include "autotune/database.h"
#include "runtime/base/error.h"
#include <sqlite3.h>

namespace ks::tune {

Database::Database(const std::string &path, bool writable) : path_(path) {
    int flags = writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(path.c_str(), &handle_, flags, nullptr) == SQLITE_OK) {
        sqlite3_busy_timeout(handle_, 10000);
        return;
    }
    std::string cause = handle_ ? sqlite3_errmsg(handle_) : "out of memory";
    sqlite3_close(handle_);
    throw Error(path, cause);
}

Database::~Database() { sqlite3_close(handle_); }

void Database::run(const std::string &sql) const {
    if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

void Database::fail() const { throw Error(path_, sqlite3_errmsg(handle_)); }
int64_t Database::last_row() const { return sqlite3_last_insert_rowid(handle_); }

Statement::Statement(const Database &database, const char *sql) : database_(database) {
    if (sqlite3_prepare_v2(database.handle(), sql, -1, &statement_, nullptr) != SQLITE_OK) database.fail();
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement &Statement::operator<<(const std::string &value) {
    int size = static_cast<int>(value.size());
    if (sqlite3_bind_text(statement_, ++bound_, value.data(), size, SQLITE_TRANSIENT)) database_.fail();
    return *this;
}

Statement &Statement::operator<<(int64_t value) {
    if (sqlite3_bind_int64(statement_, ++bound_, value)) database_.fail();
    return *this;
}

Statement &Statement::operator<<(double value) {
    if (sqlite3_bind_double(statement_, ++bound_, value)) database_.fail();
    return *this;
}

bool Statement::step() {
    int result = sqlite3_step(statement_);
    if (result != SQLITE_ROW && result != SQLITE_DONE) database_.fail();
    return result == SQLITE_ROW;
}

void Statement::run() {
    while (step()) {
    }
    sqlite3_reset(statement_);
    bound_ = 0;
}

std::string Statement::text(int column) const {
    auto *t = reinterpret_cast<const char *>(sqlite3_column_text(statement_, column));
    return t ? std::string(t, static_cast<size_t>(sqlite3_column_bytes(statement_, column))) : "";
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

Transaction::~Transaction() {
    if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
    database_.run("COMMIT");
    open_ = false;
}

} // namespace ks::tune
