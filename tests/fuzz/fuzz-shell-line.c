/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever somebody types, or has in a file, is a line of vxm shell or is refused. */

#include "copy.h"
#include "fuzz.h"
#include "shell-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(freep) char *text = malloc(size + 1);
        const char *error, *p = text;
        CopyEnd end;
        ShellLine line;

        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = '\0';
        if (shell_line_parse(text, &line, &error) >= 0)
                shell_line_done(&line);
        if (copy_end_parse(text, &end) >= 0)
                copy_end_done(&end);
        for (char *word; shell_word(&p, &word) > 0; free(word))
                if (*word == '\0' && strspn(p, "|<>") > 0)
                        p += strspn(p, "|<>"); /* a word ends before an operator */
        return 0;
}
