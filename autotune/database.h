// SPDX-License-Identifier: Apache-2.0
// A thin, exception-safe face of SQLite: statements that are finalised, errors that are ks::Error.
#pragma once
#include <cstdint>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace ks::tune {

class Database;

class Statement {
  public:
    Statement(const Database &database, const char *sql);
    ~Statement();
    Statement(const Statement &) = delete;
    Statement &operator=(const Statement &) = delete;

    Statement &operator<<(const std::string &value); // binds the next parameter
    Statement &operator<<(const char *value) { return *this << std::string(value); }
    Statement &operator<<(int64_t value);
    Statement &operator<<(int value) { return *this << static_cast<int64_t>(value); }
    Statement &operator<<(double value);
    bool step(); // true: a row is there
    void run();  // to the end, then ready to be bound again

    std::string text(int column) const;
    int64_t integer(int column) const;
    double real(int column) const;

  private:
    const Database &database_;
    sqlite3_stmt *statement_ = nullptr;
    int bound_ = 0;
};

class Database {
  public:
    Database(const std::string &path, bool writable); // waits 10 s for a lock, then throws
    ~Database();
    Database(const Database &) = delete;
    Database &operator=(const Database &) = delete;

    void run(const std::string &sql) const;
    [[noreturn]] void fail() const; // throws ks::Error(path, SQLite's message)
    int64_t last_row() const;
    sqlite3 *handle() const { return handle_; }
    const std::string &path() const { return path_; }

  private:
    std::string path_;
    sqlite3 *handle_ = nullptr;
};

// All or nothing: what was done between construction and commit().
class Transaction {
  public:
    explicit Transaction(const Database &database) : database_(database) { database.run("BEGIN IMMEDIATE"); }
    ~Transaction();
    void commit();

  private:
    const Database &database_;
    bool open_ = true;
};

} // namespace ks::tune
