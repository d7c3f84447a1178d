// SPDX-License-Identifier: Apache-2.0
// What to tune: one task per op and set of widths, from a shape on the command line or from a model's
// configuration.
#pragma once
#include "autotune/tune.h"

namespace ks::tune {

// `shape` names widths, dynamic dimensions and choices ("K=256,P=32,weight=bf16"); what it leaves out takes
// the op's first legal choice, and dynamic dimensions a ladder of their own. Throws ks::Error.
Task task_of(const std::string &op, const std::map<std::string, std::string> &shape, const std::string &isa);

// To a list with one task for each op, instruction set and Spec: what the list has of them is timed at the
// shapes of both.
void add_task(std::vector<Task> &tasks, Task task);

// Every op and shape that a forward pass of the model in this folder spends its time in. `dtype` "" is the
// checkpoint's own.
std::vector<Task> model_tasks(const std::string &folder, const std::string &dtype, const std::string &isa);

std::string
compiler_version(const std::string &isa); // of what this program builds for it: Halide, and ptxas for "cuda"

} // namespace ks::tune
