// SPDX-License-Identifier: Apache-2.0
// The entry of libFuzzer (llvm.org/docs/LibFuzzer.html), which has no header of its own.
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(
    int *argc, char ***argv, int (*run)(const uint8_t *data, size_t size));
