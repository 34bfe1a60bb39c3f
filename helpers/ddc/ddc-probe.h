/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Shows the monitors, what they tell of their inputs, and what does not work: for people who write a guest file. Changes nothing. */

#include "ddc-link.h"

/* link NULL: monitors are not spoken to. Returns 0 or -errno, logged. */
int ddc_probe(const DdcLink *link, const Monitors *l, bool json, FILE *f);
