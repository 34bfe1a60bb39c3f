/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Which input devices a guest gets of those that are there. Looks only. */

#include "guest.h"
#include "input-device.h"
#include "input-record.h"

typedef struct InputPlan {
        InputDevices devices;
        bool *chosen; /* of each device, whether the guest gets it */
} InputPlan;

/* Plans for a guest that is to start. What is not there is no error: it may come later. Returns 0; -E_CONFIG or -E_BUSY: one that is
 * there cannot be given, which has been logged with the reason; -E_LACKS or -errno, logged. */
int input_plan_make(int root, const Guest *g, InputPlan *ret);
void input_plan_done(InputPlan *plan);

/* Whether anything that there is fits one of Devices=. */
bool input_plan_has(const InputPlan *plan, const InputSpec *spec);

/* Whether a device is a part of something that is held, held being a flag for each device. */
bool input_is_part(const InputDevices *l, const InputDevice *d, const bool held[]);

/* The one of n wishes that a device fits; NULL: none. What is meant by its name or link comes before auto. */
const InputSpec *input_wish(const InputSpec wishes[], size_t n, const InputDevices *l, const InputDevice *d);

/* Whether a guest may have the device. Who may not read other guests' records is not told of them. Returns 0; -E_CONFIG or -E_BUSY, and in
 * *ret_why what stands against it, as the rest of a sentence with the next step; -ENOENT: it is gone; -errno, logged. */
int input_judge(int root, const char *guest, const InputDevice *d, char **ret_why);

/* “keyboard “K120” (event5)”. Returns NULL when out of memory. */
char *input_device_describe(const InputDevice *d);
