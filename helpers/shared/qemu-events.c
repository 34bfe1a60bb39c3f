/* SPDX-License-Identifier: BSD-3-Clause */
/* The events of QEMU (docs/interop/qemu-qmp-ref) that a user wants to find in the journal. What a guest's state is after them,
 * qemu-supervisor.c asks and tells. */

#include "log.h"
#include "messages.h"
#include "qemu-events.h"

enum {
        WORD_MAX_BYTES = 64, /* of what is taken over from QEMU */
};

typedef struct EventKind EventKind;
typedef void (*SayEvent)(const EventKind *kind, const Guest *g, const json_t *data, bool quiet);

struct EventKind {
        const char *name;
        SayEvent say;
        int priority;
        const char *text; /* for say_plainly() */
};

/* A word of QEMU's, or NULL. */
static const char *word_at(const json_t *data, const char *key) {
        const char *word = json_get_string(data, key);

        return !isempty(word) && strlen(word) < WORD_MAX_BYTES ? word : NULL;
}

/* Reason, action or device, whichever there is. */
static const char *detail_of(const json_t *data) {
        static const char *const keys[] = { "reason", "action", "device", "node-name", "id" };
        const char *detail = NULL;

        for (size_t i = 0; !detail && i < ELEMENTSOF(keys); i++)
                detail = word_at(data, keys[i]);
        return detail;
}

static int priority_of(const EventKind *kind, bool quiet) {
        return quiet ? LOG_DEBUG : kind->priority;
}

static void say_plainly(const EventKind *kind, const Guest *g _unused_, const json_t *data, bool quiet) {
        const char *detail = detail_of(data);

        log_event(priority_of(kind, quiet), MESSAGE_GUEST_EVENT, FIELDS("VXM_EVENT", kind->name), "%s%s%s%s.", kind->text,
                detail ? " (" : "", detail ? detail : "", detail ? ")" : "");
}

static void say_reset(const EventKind *kind, const Guest *g _unused_, const json_t *data, bool quiet) {
        bool guest = json_is_true(json_object_get(data, "guest"));

        log_event(priority_of(kind, quiet), MESSAGE_GUEST_RESET, FIELDS("VXM_EVENT", kind->name), "Guest was reset by %s.",
                guest ? "itself" : "the host");
}

static void say_panic(const EventKind *kind, const Guest *g, const json_t *data, bool quiet) {
        static const char *const next[] = {
                [GUEST_POLICY_NONE] = "it may go on as it likes",
                [GUEST_POLICY_PAUSE] = "it is paused, to be looked at; vxm reset-hard starts it anew",
                [GUEST_POLICY_POWEROFF] = "it is switched off",
                [GUEST_POLICY_RESET] = "it is reset",
        };
        const char *action = word_at(data, "action");

        log_event(priority_of(kind, quiet), MESSAGE_GUEST_PANICKED, FIELDS("VXM_EVENT", kind->name),
                "Guest's system has panicked; %s (OnPanic=).",
                streq_ptr(action, "run") ? next[GUEST_POLICY_NONE] : next[g->on_panic]);
}

static void say_watchdog(const EventKind *kind, const Guest *g, const json_t *data _unused_, bool quiet) {
        static const char *const next[] = {
                [GUEST_POLICY_NONE] = "nothing is done",
                [GUEST_POLICY_PAUSE] = "it is paused, to be looked at; vxm reset-hard starts it anew",
                [GUEST_POLICY_POWEROFF] = "it is switched off",
                [GUEST_POLICY_RESET] = "it is reset",
        };

        log_event(priority_of(kind, quiet), MESSAGE_GUEST_WATCHDOG, FIELDS("VXM_EVENT", kind->name),
                "Guest's system hangs: its watchdog has not been fed; %s (Watchdog=).", next[g->watchdog]);
}

/* Our disks are known by their nodes, “disk-system”; QEMU 7.2 names only these. */
static const char *disk_of(const json_t *data) {
        const char *node = word_at(data, "node-name"), *device = word_at(data, "device"), *name = node ? node : device;
        const char *disk = name ? startswith(name, "disk-") : NULL;

        return disk ? disk : name ? name : "of the guest";
}

/* By default a guest is stopped when the host has no room for what it writes, and told of any other error (werror=enospc). */
static void say_disk_error(const EventKind *kind, const Guest *g, const json_t *data, bool quiet) {
        const char *operation = word_at(data, "operation"), *reason = word_at(data, "reason"), *disk = disk_of(data);
        bool full = json_is_true(json_object_get(data, "nospace")), stops = streq_ptr(word_at(data, "action"), "stop");
        const char *next = stops ? "; the guest is stopped until you make room and run vxm resume " : "; the guest has been told";

        log_event(priority_of(kind, quiet), MESSAGE_DISK_ERROR, FIELDS("VXM_EVENT", kind->name, "VXM_DISK", disk),
                "Disk %s: %s has failed: %s%s%s.", disk, operation ? operation : "access",
                full ? "the host has no space left for it" : reason ? reason : "no reason given", next, stops ? g->name : "");
}

/* Whatever the host's memory has lost, it was the guest's or QEMU's. */
static void say_memory(const EventKind *kind, const Guest *g _unused_, const json_t *data, bool quiet) {
        const char *recipient = word_at(data, "recipient"), *action = word_at(data, "action");

        log_event(priority_of(kind, quiet), MESSAGE_GUEST_EVENT, FIELDS("VXM_EVENT", kind->name),
                "A piece of the host's memory is broken, and was the guest's (%s, %s); test the machine's memory.",
                recipient ? recipient : "unknown", action ? action : "unknown");
}

static const EventKind kinds[] = {
        { "SHUTDOWN", say_plainly, LOG_INFO, "Guest is off" },
        { "RESET", say_reset, LOG_INFO, NULL },
        { "POWERDOWN", say_plainly, LOG_DEBUG, "Power button pressed" },
        { "RESUME", say_plainly, LOG_INFO, "Guest goes on" },
        { "SUSPEND", say_plainly, LOG_INFO, "Guest sleeps" },
        { "SUSPEND_DISK", say_plainly, LOG_INFO, "Guest hibernates" },
        { "WAKEUP", say_plainly, LOG_INFO, "Guest woke up" },
        { "GUEST_PANICKED", say_panic, LOG_ERR, NULL },
        { "GUEST_CRASHLOADED", say_plainly, LOG_ERR, "Guest's system has crashed, and saves what it needs to find out why" },
        { "BLOCK_IO_ERROR", say_disk_error, LOG_ERR, NULL },
        { "BLOCK_IMAGE_CORRUPTED", say_plainly, LOG_ERR, "An image is damaged; shut the guest down and run qemu-img check" },
        { "WATCHDOG", say_watchdog, LOG_ERR, NULL },
        { "MEMORY_FAILURE", say_memory, LOG_ERR, NULL },
        { "MEM_UNPLUG_ERROR", say_plainly, LOG_WARNING, "Guest does not give memory back" },
        { "DEVICE_DELETED", say_plainly, LOG_INFO, "Device was removed" },
        { "DEVICE_UNPLUG_GUEST_ERROR", say_plainly, LOG_WARNING, "Guest does not let a device go" },
};
_Static_assert(ELEMENTSOF(kinds) <= QEMU_EVENTS_MAX, "one limit for each kind");

void qemu_events_say(QemuEvents *e, const char *name, const json_t *data, bool quiet, uint64_t now) {
        unsigned missed;

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                EventVerdict verdict;

                if (!streq(name, kinds[i].name))
                        continue;
                verdict = event_limit(&e->limits[i], now, &missed);
                if (missed > 0)
                        log_warning("%u more events %s were not shown.", missed, name);
                if (verdict == EVENT_TELL)
                        kinds[i].say(&kinds[i], e->guest, data, quiet);
                else if (verdict == EVENT_TELL_LAST)
                        log_warning("Too many events %s; more of them are not shown for a while.", name);
                return;
        }
        log_debug("Event %s.", strlen(name) < WORD_MAX_BYTES ? name : "with a long name");
}
