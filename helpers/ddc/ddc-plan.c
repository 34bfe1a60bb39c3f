/* SPDX-License-Identifier: BSD-3-Clause */
/* From [Monitor] sections to monitors and values. */

#include <strings.h>

#include "ddc-plan.h"
#include "exit-status.h"
#include "guest-monitors.h"
#include "log.h"
#include "messages.h"

/* “[Monitor left] ” with its Match=, for messages. */
typedef struct Title {
        char section[48];
        char match[MONITOR_TEXT_MAX + 16];
} Title;

static Title title_of(const GuestMonitor *m) {
        static const char *const kinds[] = { [MONITOR_AUTO] = "auto", [MONITOR_MODEL] = "model:", [MONITOR_SERIAL] = "serial:",
                [MONITOR_CONNECTOR] = "connector:" };
        Title title;

        (void) snprintf(title.section, sizeof title.section, "[Monitor%s%s]", m->name ? " " : "", m->name ? m->name : "");
        (void) snprintf(title.match, sizeof title.match, "%s%s", kinds[m->match.kind], m->match.text);
        return title;
}

void ddc_plan_done(DdcPlan *plan) {
        free(plan->items);
        *plan = (DdcPlan){};
}

/* “card1-HDMI-A-1” or, of any card, “HDMI-A-1”. */
static bool connector_fits(const char *connector, const char *text) {
        return strcasecmp(connector, text) == 0 || strcasecmp(strchr(connector, '-') + 1, text) == 0;
}

static bool fits(const MonitorMatch *match, const Monitor *m) {
        char model[EDID_MODEL_SIZE];

        switch (match->kind) {
        case MONITOR_MODEL:
                return strcasecmp(edid_model(&m->edid, model), match->text) == 0;
        case MONITOR_SERIAL:
                return strcasecmp(m->edid.serial, match->text) == 0;
        case MONITOR_CONNECTOR:
                return connector_fits(m->connector, match->text);
        default:
                return true;
        }
}

/* Those that fit; NULL: all there are. */
static int list_monitors(const Monitors *l, const MonitorMatch *match, char **ret) {
        for (size_t i = 0; i < l->n; i++) {
                _cleanup_(freep) char *what = NULL;
                const Monitor *m = &l->items[i];

                if (match && !fits(match, m))
                        continue;
                if (monitor_describe(m, &what) < 0 ||
                        list_append(ret, ", ", "%s%s%s", what, m->edid.serial[0] ? " serial " : "", m->edid.serial) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int refuse_match(const Monitors *l, const GuestMonitor *wanted, size_t n) {
        _cleanup_(freep) char *all = NULL;
        Title title = title_of(wanted);

        if (list_monitors(l, n > 0 ? &wanted->match : NULL, &all) < 0)
                return log_oom();
        if (l->n == 0)
                return log_event_errno(E_CONFIG, MESSAGE_MONITOR_REFUSED, NULL,
                        "%s: no monitor is connected to the host; plug it into the host's GPU, too, or remove the section.", title.section);
        if (n == 0)
                return log_event_errno(E_CONFIG, MESSAGE_MONITOR_REFUSED, NULL,
                        "%s Match=%s is none of the monitors that are connected to the host: %s; correct it.", title.section, title.match,
                        all);
        return log_event_errno(E_CONFIG, MESSAGE_MONITOR_REFUSED, NULL,
                "%s Match=%s fits %zu monitors: %s; name one by its serial: or connector:.", title.section, title.match, n, all);
}

static int find_monitor(const Monitors *l, const GuestMonitor *wanted, const Monitor **ret) {
        size_t n = 0;

        for (size_t i = 0; i < l->n; i++)
                if (fits(&wanted->match, &l->items[i])) {
                        *ret = &l->items[i];
                        n++;
                }
        return n == 1 ? 0 : refuse_match(l, wanted, n);
}

static int refuse_input(const DdcStep *step, const char *key, const char *why) {
        _cleanup_(freep) char *what = NULL;

        if (monitor_describe(step->monitor, &what) < 0)
                return log_oom();
        return log_event_errno(E_CONFIG, MESSAGE_MONITOR_REFUSED, NULL, "%s %s=: %s %s.", title_of(step->wanted).section, key, what, why);
}

static int find_values(DdcStep *step) {
        static const char unknown[] = "has no such input that we know of; write its own value, such as 0x11 (see vxm-ddc --probe)";
        const MonitorQuirk *q = &step->monitor->quirk;
        const GuestInput *guest = &step->wanted->guest_input, *host = &step->wanted->host_input;

        step->guest = monitor_quirk_value(q, guest);
        if (step->guest == 0)
                return refuse_input(step, "GuestInput", unknown);
        if (host->name == MONITOR_INPUT_UNSET && q->unreadable)
                return refuse_input(step, "HostInput", "does not tell which input it shows; set the one to come back to");
        step->host = host->name == MONITOR_INPUT_UNSET ? DDC_HOST_UNKNOWN : monitor_quirk_value(q, host);
        if (step->host == 0)
                return refuse_input(step, "HostInput", unknown);
        if (step->host == step->guest)
                return refuse_input(step, "HostInput", "has the same value for both inputs; correct one of them");
        /* What the hwdb says has been seen to work, and lists of features do not go by other addresses. */
        step->look_up = !q->known;
        return 0;
}

static bool is_taken(const DdcPlan *plan, const Monitor *m) {
        for (size_t i = 0; i < plan->n; i++)
                if (plan->items[i].monitor == m)
                        return true;
        return false;
}

static int plan_one(const Monitors *l, const GuestMonitor *wanted, DdcPlan *plan) {
        DdcStep step = { .wanted = wanted }, *slot;
        int r = find_monitor(l, wanted, &step.monitor);

        if (r < 0)
                return r;
        if (is_taken(plan, step.monitor))
                return refuse_input(&step, "Match", "is another section's monitor already; correct one of them");
        r = find_values(&step);
        if (r < 0)
                return r;
        slot = ARRAY_GROW(plan->items, plan->n);
        if (!slot)
                return log_oom();
        *slot = step;
        plan->n++;
        return 0;
}

int ddc_plan_make(const Guest *g, const Monitors *l, DdcPlan *ret) {
        int r = 0;

        for (size_t i = 0; i < g->n_monitors; i++) {
                int q = plan_one(l, &g->monitors[i], ret);

                r = r < 0 ? r : q;
        }
        return r;
}
