/* SPDX-License-Identifier: BSD-3-Clause */
/* A QEMU that gives any answer when it is asked for disks and devices, or reports any event: a JSON document a line, for blocks,
 * devices, migration, and the events. */

#include "fuzz.h"
#include "life-images.h"
#include "life-session.h"
#include "log.h"
#include "qemu-events.h"

static json_t *next(const uint8_t **data, size_t *size) {
        const uint8_t *end = memchr(*data, '\n', *size);
        size_t n = end ? (size_t) (end - *data) : *size;
        json_t *j = json_loadb((const char *) *data, n, JSON_UNTRUSTED, NULL);

        *data += n + (end != NULL);
        *size -= n + (end != NULL);
        return j;
}

static void check_clean(const char *text) {
        _cleanup_(freep) char *clean = life_clean(text);

        if (clean && (!utf8_is_valid(clean) || strpbrk(clean, "\n\033")))
                abort();
}

static void look(const json_t *blocks, const json_t *devices, const json_t *migrate) {
        _cleanup_(life_images_done) LifeImages l = {};

        if (life_images_read(blocks, (const json_t *[]){ devices, NULL }, migrate, &l) < 0)
                return;
        for (size_t i = 0; i < l.n_snapshots; i++) {
                check_clean(l.snapshots[i].tag);
                if (l.snapshots[i].n_disks == 0 || life_images_find(&l, l.snapshots[i].tag) != &l.snapshots[i])
                        abort();
        }
        if (l.n == 0 && !l.obstacle)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const char *const names[] = { "RESET", "SHUTDOWN", "GUEST_PANICKED", "WATCHDOG", "BLOCK_IO_ERROR", "MEMORY_FAILURE" };
        _cleanup_(json_decrefp) json_t *blocks = next(&data, &size), *devices = next(&data, &size), *migrate = next(&data, &size);
        static Guest guest = { .name = (char *) "g" };
        QemuEvents events = { .guest = &guest };

        log_set_max_priority(-1);
        look(blocks, devices, migrate);
        for (uint64_t i = 1; size > 0; i++) {
                _cleanup_(json_decrefp) json_t *event = next(&data, &size);

                qemu_events_say(&events, names[i % ELEMENTSOF(names)], event, false, i);
        }
        return 0;
}
