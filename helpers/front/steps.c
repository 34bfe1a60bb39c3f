/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of steps, and how it is drawn. */

#include <sys/ioctl.h>

#include "steps.h"

enum {
        LINES_MIN = 24, /* of a terminal that all steps fit onto */
        LINE_SIZE = 512,
};

/* What ActiveState is called here, the colour of it, and whether it lasts. */
static const struct State {
        const char *active, *word, *colour;
        bool passes; /* another one follows by itself */
} states[] = {
        { "activating", "starting", "33", true },
        { "active", "up", "32", false },
        { "reloading", "up", "32", false },
        { "deactivating", "stopping", "33", true },
        { "inactive", "down", "2", false },
        { "failed", "failed", "31", false },
};

static const struct State *find_state(const char *active) {
        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                if (streq(states[i].active, active))
                        return &states[i];
        return NULL;
}

/* Of a terminal. */
static bool is_tall(int fd) {
        struct winsize size = {};

        return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row >= LINES_MIN;
}

void steps_begin(Steps *s, FILE *f, const char *guest, uint64_t begin) {
        const char *term = getenv("TERM");
        bool terminal = isatty(fileno(f)) && term && !streq(term, "dumb");

        *s = (Steps){ .f = f, .guest = guest, .begin = begin, .live = terminal && is_tall(fileno(f)),
                .colour = terminal && isempty(getenv("NO_COLOR")) };
}

void steps_done(Steps *s) {
        free(s->items);
        *s = (Steps){};
}

static Step *find_step(Steps *s, const char *unit) {
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->items[i].unit, unit))
                        return &s->items[i];
        return NULL;
}

static int add_step(Steps *s, const char *unit, Step **ret) {
        char guest[GUEST_NAME_MAX + 1];
        const GuestUnitKind *kind;
        size_t rank;

        *ret = NULL;
        kind = guest_unit_parse(unit, guest, &rank);
        if (!kind || !streq(guest, s->guest))
                return 0;
        *ret = ARRAY_GROW(s->items, s->n);
        if (!*ret)
                return -ENOMEM;
        s->n++;
        (void) snprintf((*ret)->unit, sizeof (*ret)->unit, "%s", unit);
        (*ret)->about = kind->about;
        return 0;
}

/* Behind those that have changed before it. */
static Step *move_to_front(Steps *s, Step *step) {
        Step moved = *step;
        size_t place = 0;

        while (s->items[place].changed)
                place++;
        memmove(&s->items[place + 1], &s->items[place], (size_t) (step - &s->items[place]) * sizeof *step);
        s->items[place] = moved;
        s->items[place].changed = true;
        return &s->items[place];
}

/* ---- drawing ---- */

/* At most 79 columns, so that no terminal of 80 breaks the line. */
static void draw_step(Steps *s, const Step *step) {
        const struct State *state = find_state(step->active);
        char name[GUEST_UNIT_SIZE], line[LINE_SIZE];

        guest_unit_short(step->unit, name);
        (void) snprintf(line, sizeof line, "%-30s %s", name, step->about);
        fprintf(s->f, "%8.2f s  ", (double) step->when / 1e6);
        if (s->colour && state)
                fprintf(s->f, "\033[%sm%-8s\033[0m", state->colour, state->word);
        else
                fprintf(s->f, "%-8s", state ? state->word : step->active);
        fprintf(s->f, "  %.57s\n", line);
}

static void redraw(Steps *s) {
        if (s->n_drawn > 0)
                fprintf(s->f, "\033[%zuA", s->n_drawn);
        s->n_drawn = 0;
        for (size_t i = 0; i < s->n && s->items[i].changed; i++) {
                fputs("\033[K", s->f);
                draw_step(s, &s->items[i]);
                s->n_drawn++;
        }
}

/* ---- noting ---- */

int steps_expect(Steps *s, const char *unit, const char *active) {
        Step *step = NULL;
        int r = add_step(s, unit, &step);

        if (step)
                (void) snprintf(step->active, sizeof step->active, "%s", active);
        return r;
}

int steps_note(Steps *s, const char *unit, const char *active, uint64_t now) {
        const struct State *state = find_state(active);
        Step *step = find_step(s, unit);
        int r = step ? 0 : steps_expect(s, unit, "inactive"); /* which it was before systemd loaded it for this */

        step = step ? step : find_step(s, unit);
        if (!step || streq(step->active, active) || !state)
                return r;
        (void) snprintf(step->active, sizeof step->active, "%s", active);
        step->when = now - s->begin;
        if (!step->changed)
                step = move_to_front(s, step);
        if (s->live)
                redraw(s);
        else if (!state->passes)
                draw_step(s, step);
        fflush(s->f);
        return 0;
}

const char *steps_failed(const Steps *s, size_t *index) {
        while (*index < s->n) {
                const Step *step = &s->items[(*index)++];

                if (step->changed && streq(step->active, "failed"))
                        return step->unit;
        }
        return NULL;
}
