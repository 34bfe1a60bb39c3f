/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* A supervisor's look at devices that come and go, with QEMU's end in the test's hands. */

#include "fixture.h"
#include "qemu-plug.h"

typedef struct PlugScene {
        Fixture *f;
        QemuPlug *plug;
        Qmp *qmp;
        int qemu; /* QEMU's end */
} PlugScene;

/* door, nodes: directories of the fixture, the first of which is made. */
void plug_scene_begin(Fixture *f, const QemuPlugKind *kind, const void *userdata, const char *door, const char *nodes, PlugScene *ret);
void plug_scene_end(PlugScene *s);

/* What QEMU is told, a line a command; first NULL: nothing. */
void plug_scene_assert_told(PlugScene *s, const char *first, const char *second);
