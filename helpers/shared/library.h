/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Libraries that few runs need are loaded by those: linked in, one would be loaded at each start, with all that it needs
 * itself, which takes longer than most of what our helpers do. */

/* A function, and where the pointer to it goes. */
typedef struct LibraryFunction {
        const char *name;
        void **pointer;
} LibraryFunction;

#define LIBRARY_FUNCTION(pointer, function) { #function, (void **) &(pointer) }

/* Loads a library by its name (“libkmod.so.2”), once, and finds its functions, a list that ends with a row of zeros; those that have
 * been found all are not looked for again. Returns 0; -ENOPKG: this machine has no such library. */
int library_load(const char *name, const LibraryFunction functions[]);
