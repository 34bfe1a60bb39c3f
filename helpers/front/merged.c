/* SPDX-License-Identifier: BSD-3-Clause */
/* Merges guest files as guest_load() does, but keeps the text and its place. Pure but for the reading. */

#include "exit-status.h"
#include "guest-keys.h"
#include "guest-lines.h"
#include "log.h"
#include "merged.h"
#include "messages.h"
#include "parse.h"

typedef struct Merge {
        MergedGuest *m;
        const char *guest_file; /* with a leading slash */
        bool preset;
} Merge;

static void key_done(MergedKey *k) {
        free(k->section);
        free(k->key);
        free(k->value);
        free(k->file);
}

void merged_guest_done(MergedGuest *m) {
        for (size_t i = 0; i < m->n; i++)
                key_done(&m->items[i]);
        free(m->items);
        *m = (MergedGuest){};
}

const char *merged_origin_name(MergedOrigin origin) {
        static const char *const names[] = { "preset", "guest", "drop-in", "default" };

        return names[origin];
}

/* Adds one, behind those of its section. */
static int add(MergedGuest *m, const char *section, const char *key, const char *value, MergedOrigin origin, const ConfLine *line) {
        MergedKey k = { .origin = origin, .line = line ? line->line : 0 };
        size_t at = m->n;
        int r;

        r = free_and_strdup(&k.section, section);
        r = r < 0 ? r : free_and_strdup(&k.key, key);
        r = r < 0 ? r : free_and_strdup(&k.value, value);
        r = r < 0 ? r : free_and_strdup(&k.file, line ? line->file : NULL);
        if (r < 0 || !ARRAY_GROW(m->items, m->n)) {
                key_done(&k);
                return -ENOMEM;
        }
        for (size_t i = m->n; i > 0; i--)
                if (streq(m->items[i - 1].section, section)) {
                        at = i;
                        break;
                }
        memmove(m->items + at + 1, m->items + at, (m->n - at) * sizeof *m->items);
        m->items[at] = k;
        m->n++;
        return 0;
}

static void drop(MergedGuest *m, const char *section, const char *key) {
        size_t kept = 0;

        for (size_t i = 0; i < m->n; i++)
                if (streq(m->items[i].section, section) && streq_ptr(m->items[i].key, key))
                        key_done(&m->items[i]);
                else
                        m->items[kept++] = m->items[i];
        m->n = kept;
}

static bool has(const MergedGuest *m, const char *section, const char *key) {
        for (size_t i = 0; i < m->n; i++)
                if (streq(m->items[i].section, section) && (!key || streq_ptr(m->items[i].key, key)))
                        return true;
        return false;
}

static MergedOrigin origin_of(const Merge *merge, const ConfLine *line) {
        if (merge->preset)
                return MERGED_PRESET;
        return streq(line->file, merge->guest_file) ? MERGED_GUEST : MERGED_DROP_IN;
}

static int take_line(const ConfLine *line, void *userdata) {
        _cleanup_(freep) char *section = NULL, *full = NULL;
        const GuestKey *k;
        Merge *merge = userdata;
        const char *name;
        int r;

        r = guest_section_split(line->section, &section, &name);
        r = r < 0 ? r : format(&full, "%s%s%s", section, name ? " " : "", name ? name : "");
        if (r < 0)
                return r;
        if (!line->key) /* what has a name is there by its section alone */
                return name && !has(merge->m, full, NULL) ? add(merge->m, full, NULL, NULL, origin_of(merge, line), line) : 0;
        k = guest_key_find(section, line->key);
        if (!k || !guest_key_repeats(k) || isempty(line->value))
                drop(merge->m, full, line->key);
        drop(merge->m, full, NULL); /* it says something now */
        if (isempty(line->value))
                return name && !has(merge->m, full, NULL) ? add(merge->m, full, NULL, NULL, origin_of(merge, line), line) : 0;
        return add(merge->m, full, line->key, line->value, origin_of(merge, line), line);
}

/* Of a section that there can be several of, each that there is; of the others, the one. */
static int add_default(MergedGuest *m, const GuestKey *k, const char *section) {
        return has(m, section, k->key) ? 0 : add(m, section, k->key, k->initial, MERGED_DEFAULT, NULL);
}

static int add_defaults_of(MergedGuest *m, const GuestSection *s, const char *section) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_guest_keys; i++)
                if (guest_keys[i].initial && streq(guest_keys[i].section, s->name))
                        r = add_default(m, &guest_keys[i], section);
        return r;
}

static bool is_of(const char *section, const GuestSection *s) {
        const char *rest = startswith(section, s->name);

        return rest && (*rest == '\0' || *rest == ' ');
}

static int add_defaults(MergedGuest *m) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n_guest_sections; i++) {
                const GuestSection *s = &guest_sections[i];

                if (s->naming == NAME_NONE)
                        r = add_defaults_of(m, s, s->name);
                /* What is added goes to where its section is, so each is met again; there is nothing left to add then. */
                for (size_t j = 0; r >= 0 && s->naming != NAME_NONE && j < m->n; j++)
                        if (is_of(m->items[j].section, s)) {
                                _cleanup_(freep) char *section = strdup(m->items[j].section);

                                r = section ? add_defaults_of(m, s, section) : -ENOMEM;
                        }
        }
        return r;
}

static int read_preset(int root, const GuestFiles *f, Merge *merge) {
        _cleanup_(guest_files_done) GuestFiles preset = {};
        _cleanup_(freep) char *name = NULL;
        int r;

        r = guest_lines_preset(root, f, NULL, &name);
        if (r < 0 || !name)
                return r;
        r = guest_files_find(root, PRESET_FILES, name, &preset);
        if (r < 0 || preset.masked)
                return r == -ENOENT ? 0 : r; /* guest_load() says so */
        merge->preset = true;
        r = guest_lines_read(root, &preset, NULL, take_line, merge);
        merge->preset = false;
        return r;
}

static int refuse(int error, const char *name) {
        if (error == -ENOENT || error >= 0)
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL,
                        error < 0 ? "There is no guest “%s”; `vxm init %s` makes one."
                                  : "Guest “%s” is masked: its file is empty, or a link to /dev/null; `vxm edit %s` fills it.",
                        name, name);
        return log_error_errno(error, "Cannot look for guest %s: %s.", name, strerror(-error));
}

int merged_guest_read(int root, const char *name, bool defaults, MergedGuest *ret) {
        _cleanup_(guest_files_done) GuestFiles f = {};
        _cleanup_(freep) char *guest_file = NULL;
        Merge merge = { .m = ret };
        int r, q;

        if (!guest_name_is_valid(name))
                return log_event_errno(E_CONFIG, MESSAGE_GUEST_UNKNOWN, NULL, "“%s” is no name for a guest.", name);
        r = guest_files_find(root, GUEST_FILES, name, &f);
        if (r < 0 || f.masked)
                return refuse(r, name);
        if (format(&guest_file, "/%s", f.paths[0]) < 0)
                return log_oom();
        merge.guest_file = guest_file;
        r = read_preset(root, &f, &merge);
        q = guest_lines_read(root, &f, NULL, take_line, &merge);
        r = r < 0 ? r : q;
        if (defaults && add_defaults(ret) < 0)
                return log_oom();
        return r;
}
