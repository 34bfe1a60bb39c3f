/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs a fuzz target once over each file of its corpus, so that what fuzzing has found stays found with any compiler.
 * Usage: replay-TARGET CORPUS-DIRECTORY. Each input lies in memory of just its size, for the sanitizers. */

#include <fcntl.h>

#include "fuzz.h"
#include "root.h"

static int replay(int corpus, const char *name) {
        _cleanup_(closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        uint8_t *data;
        size_t size;
        int r;

        fd = root_openat(corpus, name, O_RDONLY);
        if (fd < 0)
                return fd;
        r = read_full(fd, 64 * 1024 * 1024, &text, &size);
        if (r < 0)
                return r;
        data = malloc(size);
        if (!data && size > 0)
                return -ENOMEM;
        if (size > 0)
                memcpy(data, text, size);

        printf("%s: %zu bytes\n", name, size);
        fflush(stdout);
        (void) LLVMFuzzerTestOneInput(data, size);
        free(data);
        return 0;
}

int main(int argc, char *argv[]) {
        _cleanup_(closep) int corpus = -EBADF;
        char **names = NULL;
        size_t n = 0;
        int r;

        corpus = root_open(argc == 2 ? argv[1] : "");
        r = corpus < 0 ? corpus : root_list(corpus, ".", &names, &n);
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = replay(corpus, names[i]);
        strings_free(names, n);
        if (r >= 0 && n == 0)
                r = -ENOENT; /* an empty corpus tests nothing */
        if (r < 0)
                fprintf(stderr, "%s: %s\n", argc == 2 ? argv[1] : "usage: replay-TARGET CORPUS-DIRECTORY", strerror(-r));
        return r < 0;
}
