/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting events within a while. */

#include <limits.h>

#include "event-limit.h"

EventVerdict event_limit(EventLimit *l, uint64_t now, unsigned *ret_missed) {
        *ret_missed = 0;
        if (l->begin == 0 || now - l->begin >= EVENT_LIMIT_INTERVAL) {
                if (l->n > EVENT_LIMIT_BURST)
                        *ret_missed = l->n - EVENT_LIMIT_BURST;
                *l = (EventLimit){ .begin = now };
        }
        if (l->n < UINT_MAX)
                l->n++;
        return l->n <= EVENT_LIMIT_BURST ? EVENT_TELL : l->n == EVENT_LIMIT_BURST + 1 ? EVENT_TELL_LAST : EVENT_DROP;
}
