/* SPDX-License-Identifier: BSD-3-Clause */
/* What of QEMU's events stands in the journal, and that neither a guest nor QEMU can say more there than it should. */

#include "fixture.h"
#include "guest.h"
#include "log.h"
#include "qemu-events.h"

static Guest guest = { .name = (char *) "g", .on_panic = GUEST_POLICY_POWEROFF, .watchdog = GUEST_POLICY_RESET };

/* What is said of one event; to be freed. */
static char *said(Fixture *f, QemuEvents *e, const char *name, const char *data) {
        _cleanup_(json_decrefp) json_t *j = data ? json_loads(data, 0, NULL) : NULL;

        assert_true(!data == !j);
        fixture_capture(f);
        qemu_events_say(e, name, j, false, 1);
        return fixture_log(f);
}

static void test_texts(void **state) {
        static const struct {
                const char *name, *data, *wanted;
        } events[] = {
                { "RESET", "{\"guest\": true, \"reason\": \"guest-reset\"}", "Guest was reset by itself.\n" },
                { "RESET", "{\"guest\": false}", "Guest was reset by the host.\n" },
                { "SHUTDOWN", "{\"guest\": true, \"reason\": \"guest-shutdown\"}", "Guest is off (guest-shutdown).\n" },
                { "GUEST_PANICKED", "{\"action\": \"poweroff\"}", "Guest's system has panicked; it is switched off (OnPanic=).\n" },
                { "GUEST_PANICKED", "{\"action\": \"run\"}", "Guest's system has panicked; it may go on as it likes (OnPanic=).\n" },
                { "WATCHDOG", "{\"action\": \"reset\"}", "it is reset (Watchdog=).\n" },
                { "BLOCK_IO_ERROR",
                        "{\"device\": \"\", \"node-name\": \"disk-system\", \"operation\": \"write\", \"action\": \"stop\", \"nospace\": true, "
                        "\"reason\": \"No space left on device\"}",
                        "Disk system: write has failed: the host has no space left for it; the guest is stopped until you make room and "
                        "run vxm resume g.\n" },
                { "BLOCK_IO_ERROR",
                        "{\"node-name\": \"disk-system\", \"operation\": \"read\", \"action\": \"report\", \"reason\": \"Input/output error\"}",
                        "Disk system: read has failed: Input/output error; the guest has been told.\n" },
                { "MEMORY_FAILURE", "{\"recipient\": \"guest\", \"action\": \"inject\"}", "(guest, inject)" },
                { "RESUME", NULL, "Guest goes on.\n" },
        };
        QemuEvents e = { .guest = &guest };

        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                _cleanup_(freep) char *text = said(*state, &e, events[i].name, events[i].data);

                if (!strstr(text, events[i].wanted))
                        fail_msg("%s: “%s” instead of “%s”", events[i].name, text, events[i].wanted);
        }
}

/* Of wrong types, missing, or much too long. */
static void test_nonsense(void **state) {
        static const char *const data[] = { "{}", "[]", "5", "{\"reason\": 5, \"node-name\": [], \"guest\": \"yes\", \"action\": {}}",
                "{\"reason\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}" };
        static const char *const names[] = { "RESET", "SHUTDOWN", "GUEST_PANICKED", "WATCHDOG", "BLOCK_IO_ERROR", "MEMORY_FAILURE", "X" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                for (size_t d = 0; d <= ELEMENTSOF(data); d++) {
                        QemuEvents e = { .guest = &guest };
                        _cleanup_(freep) char *text = NULL;
                        _cleanup_(json_decrefp) json_t *j = d < ELEMENTSOF(data) ? json_loads(data[d], JSON_DECODE_ANY, NULL) : NULL;

                        fixture_capture(*state);
                        qemu_events_say(&e, names[i], j, false, 1);
                        text = fixture_log(*state);
                        assert_null(strstr(text, "xxxx"));
                        assert_true(strlen(text) < 300);
                }
}

static void test_flood(void **state) {
        QemuEvents e = { .guest = &guest };
        _cleanup_(freep) char *text = NULL;
        size_t lines = 0;

        fixture_capture(*state);
        for (int i = 0; i < 100000; i++) {
                qemu_events_say(&e, "RESET", NULL, false, 1);
                qemu_events_say(&e, "BLOCK_IO_ERROR", NULL, false, 1);
        }
        text = fixture_log(*state);
        for (const char *p = text; *p; p++)
                lines += *p == '\n';
        assert_int_equal(lines, 2 * (EVENT_LIMIT_BURST + 1));
        assert_non_null(strstr(text, "Too many events RESET; more of them are not shown for a while."));
}

int main(void) {
        const struct CMUnitTest tests[] = { fixture_test(test_texts), fixture_test(test_nonsense), fixture_test(test_flood) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
