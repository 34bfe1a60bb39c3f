/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Where the lines of vxm shell come from: a terminal, with history and completion where libedit is there, or a file. */

#include "util.h"

typedef struct ShellPrompt ShellPrompt;

/* words: what may follow an @, up to NULL; they have to outlive the prompt. history: a file, or NULL. Returns NULL when out of memory. */
ShellPrompt *shell_prompt_new(const char *const *words, const char *history);
ShellPrompt *shell_prompt_free(ShellPrompt *p);
static inline void shell_prompt_freep(ShellPrompt **p) {
        shell_prompt_free(*p);
}

bool shell_prompt_is_terminal(const ShellPrompt *p);

/* The next line, without its end, to be freed; an empty one where Ctrl-C has dropped it. Returns 1; 0 at the end; -EMSGSIZE; -errno. */
int shell_prompt_read(ShellPrompt *p, char **ret);

/* What completes a word that begins with “@”: as much as is the same for all words that begin so, and a blank if there is but one. Returns
 * NULL where nothing does, or when out of memory; to be freed. */
char *shell_prompt_complete(const char *const *words, const char *begun, size_t size);
