/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What a fuzz target is: libFuzzer's one function (clang), or replay.c's (gcc). */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
