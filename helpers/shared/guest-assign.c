/* SPDX-License-Identifier: BSD-3-Clause */
/* Puts the lines of guest files into the guest model, by the tables of guest-keys.c. */

#include "guest-keys.h"
#include "log.h"
#include "parse.h"
#include "suggest.h"

static const GuestSection *find_section(const char *name) {
        for (size_t i = 0; i < n_guest_sections; i++)
                if (streq(guest_sections[i].name, name))
                        return &guest_sections[i];
        return NULL;
}

int guest_section_split(const char *text, char **ret_section, const char **ret_name) {
        const char *space = strchr(text, ' ');

        *ret_section = space ? strndup(text, (size_t) (space - text)) : strdup(text);
        *ret_name = space ? space + strspn(space, " ") : NULL;
        return *ret_section ? 0 : -ENOMEM;
}

/* Neither missing nor superfluous, nor no name at all. */
static bool name_fits(const GuestSection *s, const char *name) {
        return name ? s->naming != NAME_NONE && guest_name_is_valid(name) : s->naming != NAME_REQUIRED;
}

static int reset_key(const GuestKey *k, void *dest) {
        if (k->reset)
                return k->reset(dest), 0;
        if (k->initial)
                return k->parse(k->initial, dest);
        return free_and_strdup(dest, NULL); /* only strings have no initial value */
}

static bool is_of_guest(const GuestKey *k) {
        return k->of_guest || find_section(k->section)->size == 0;
}

/* Sets the keys of an item of a section to their initial values; section NULL: those of the guest itself. */
static int apply_initial(void *base, const GuestSection *section) {
        for (size_t i = 0; i < n_guest_keys; i++) {
                const GuestKey *k = &guest_keys[i];
                int r;

                if (!k->initial || is_of_guest(k) == !!section || (section && !streq(k->section, section->name)))
                        continue;
                r = k->parse(k->initial, (char *) base + k->offset);
                if (r < 0)
                        return r;
        }
        return 0;
}

int guest_apply_initial(Guest *g) {
        return apply_initial(g, NULL);
}

/* Adds a zeroed item to the section's list. Returns NULL when out of memory, or when there are as many as there may be. */
static void *add_item(Guest *g, const GuestSection *s) {
        char **items = (char **) (void *) ((char *) g + s->items), *grown;
        size_t *n = (size_t *) (void *) ((char *) g + s->n);

        if (*n >= s->max)
                return NULL;
        grown = reallocarray(*items, *n + 1, s->size);
        if (!grown)
                return NULL;
        *items = grown;
        return memset(grown + (*n)++ * s->size, 0, s->size);
}

/* The item of the section's list that is called name, NULL: the one without a name. */
static void *find_item(Guest *g, const GuestSection *s, const char *name) {
        char *items = *(char **) (void *) ((char *) g + s->items);
        size_t n = *(size_t *) (void *) ((char *) g + s->n);

        for (size_t i = 0; i < n; i++) {
                void *item = items + i * s->size;

                if (streq_ptr(*(char **) item, name) && (!s->is_of || s->is_of(item)))
                        return item;
        }
        return NULL;
}

/* What the keys of a section are stored in; an item that is not there yet is added. Returns NULL when out of memory, or of
 * what there may be of it. */
static void *section_base(Guest *g, const GuestSection *s, const char *name) {
        void *item;

        if (s->size == 0)
                return g;
        item = find_item(g, s, name);
        if (item)
                return item;
        item = add_item(g, s);
        if (!item)
                return NULL;
        if (s->make_of)
                s->make_of(item);
        return free_and_strdup(item, name) < 0 || apply_initial(item, s) < 0 ? NULL : item;
}

static int too_many(const ConfLine *line, const GuestSection *s) {
        return conf_log(LOG_ERR, line->file, line->line, "[%s]: there can be %zu %s at most.", line->section, s->max, s->plural);
}

static int warn_unknown_section(const ConfLine *line, const char *section) {
        Suggestion nearest = {};

        for (size_t i = 0; i < n_guest_sections; i++)
                suggest(section, guest_sections[i].name, &nearest);
        if (nearest.word)
                return conf_log(LOG_WARNING, line->file, line->line, "Section [%s] is unknown, and ignored; did you mean [%s]?", line->section,
                        nearest.word);
        return conf_log(LOG_WARNING, line->file, line->line, "Section [%s] is unknown, and ignored; vxm.guest(5) lists all sections.", line->section);
}

/* The only section that has a key of that name; NULL: there are none, or several. */
static const char *only_section_of(const char *key) {
        const char *section = NULL;

        for (size_t i = 0; i < n_guest_keys; i++) {
                if (!streq(guest_keys[i].key, key))
                        continue;
                if (section)
                        return NULL;
                section = guest_keys[i].section;
        }
        return section;
}

static int warn_unknown_key(const ConfLine *line, const char *section) {
        const char *other = only_section_of(line->key);
        _cleanup_(freep) char *hint = NULL;
        Suggestion nearest = {};

        for (size_t i = 0; i < n_guest_keys; i++)
                if (streq(guest_keys[i].section, section))
                        suggest(line->key, guest_keys[i].key, &nearest);
        if ((other || nearest.word) && format(&hint, "did you mean [%s] %s=?", other ? other : line->section, other ? line->key : nearest.word) < 0)
                return log_oom();
        return conf_log(LOG_WARNING, line->file, line->line, "[%s] %s= is unknown, and ignored; %s", line->section, line->key,
                hint ? hint : "vxm.guest(5) lists all keys.");
}

static int assign_section(const ConfLine *line, Guest *g, const GuestSection *s, const char *section, const char *name) {
        if (!s)
                return warn_unknown_section(line, section);
        if (!name_fits(s, name) && s->naming != NAME_NONE)
                return conf_log(LOG_ERR, line->file, line->line,
                        "[%s] needs a name of a-z, 0-9 and “-”, a letter first: [%s NAME].", line->section, section);
        if (!name_fits(s, name))
                return conf_log(LOG_ERR, line->file, line->line, "[%s] takes no name; write [%s].", line->section, section);
        /* What has a name is there with its section, so that one that says nothing else is missed too. */
        return s->naming == NAME_REQUIRED && !section_base(g, s, name) ? too_many(line, s) : 0;
}

static int assign_key(const ConfLine *line, const GuestKey *k, void *base) {
        char *dest = (char *) base + k->offset;
        int r;

        r = isempty(line->value) ? reset_key(k, dest) : k->parse(line->value, dest);
        if (r == -EINVAL || r == -ERANGE)
                return conf_log(LOG_ERR, line->file, line->line, "[%s] %s=%s: expected %s.", line->section, line->key,
                        line->value, k->expects);
        return r;
}

int guest_assign(const ConfLine *line, void *guest) {
        _cleanup_(freep) char *section = NULL;
        const GuestSection *s;
        const GuestKey *k;
        const char *name;
        void *base;

        if (guest_section_split(line->section, &section, &name) < 0)
                return -ENOMEM;
        s = find_section(section);
        if (!line->key)
                return assign_section(line, guest, s, section, name);
        if (!s || !name_fits(s, name))
                return 0; /* its own line has been complained about */

        k = guest_key_find(section, line->key);
        if (k) {
                base = k->of_guest ? guest : section_base(guest, s, name);
                return base ? assign_key(line, k, base) : too_many(line, s);
        }
        return warn_unknown_key(line, section);
}
