/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* JSON by jansson; this is the one place that includes it. json_decrefp(), for _cleanup_, is its own. */

#include <jansson.h>

/* For what comes from QEMU, from a guest's agent or from files of other packages: a key that is there twice would mean
 * one thing to us and another to the next reader. */
#define JSON_UNTRUSTED (JSON_REJECT_DUPLICATES)

/* The string at key, or NULL when it is missing or no string; borrowed. */
static inline const char *json_get_string(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key));
}
