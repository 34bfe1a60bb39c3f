/* SPDX-License-Identifier: BSD-3-Clause */
/* Draws progress. */

#include <inttypes.h>

#include "progress.h"

enum {
        BAR = 30,
        NAME = 36,          /* columns; with the bar and the figures it is less than 80 */
        QUARTER = 25,       /* percent from one line to the next where there is no terminal */
        REDRAW = 200 * 1000, /* µs; often enough for eyes */
};

void progress_begin(Progress *p, const char *what, FILE *stream) {
        *p = (Progress){ .what = what, .stream = stream, .terminal = isatty(fileno(stream)), .shown = -1 };
}

static void draw_bar(const Progress *p, int percent) {
        int filled = percent * BAR / 100;

        fprintf(p->stream, "\r%-*.*s [", NAME, NAME, p->what);
        for (int i = 0; i < BAR; i++)
                fputc(i < filled ? '#' : ' ', p->stream);
        fprintf(p->stream, "] %3d%%", percent);
        fflush(p->stream);
}

static void draw(Progress *p, uint64_t done, uint64_t total) {
        int percent = total > 0 ? (int) (done / (total / 100 + 1)) : 0;

        percent = done >= total && total > 0 ? 100 : percent > 99 ? 99 : percent;
        if (p->terminal && total > 0) {
                draw_bar(p, percent);
        } else if (p->terminal) {
                fprintf(p->stream, "\r%-*.*s %" PRIu64 " MiB", NAME, NAME, p->what, done >> 20);
                fflush(p->stream);
        } else if (total > 0 && percent / QUARTER > p->shown / QUARTER) {
                fprintf(p->stream, "%s: %d%%\n", p->what, percent);
        }
        p->shown = percent;
}

void progress_show(Progress *p, uint64_t done, uint64_t total) {
        uint64_t now = now_usec();

        if (done == 0 || (p->terminal && p->shown >= 0 && done < total && now - p->since < REDRAW))
                return;
        p->shown = p->shown < 0 ? 0 : p->shown;
        p->since = now;
        draw(p, done, total);
}

void progress_end(Progress *p) {
        if (p->terminal && p->shown >= 0)
                fputc('\n', p->stream);
        p->shown = -1;
}
