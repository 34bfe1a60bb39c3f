/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU that greets, and then says what the test has it say. */

#include <fcntl.h>
#include <sys/socket.h>

#include "plug-scene.h"

void plug_scene_begin(Fixture *f, const QemuPlugKind *kind, const void *userdata, const char *door, const char *nodes, PlugScene *ret) {
        static const char greeting[] = "{\"QMP\": {}}\n{\"return\": {}, \"id\": 1}\n";
        static const QmpHandlers handlers = {};
        _cleanup_(freep) char *door_path = NULL, *nodes_path = NULL;
        char said[256];
        int pair[2];

        fixture_directory(f, door);
        assert_true(format(&door_path, "%s/%s", f->path, door) >= 0 && format(&nodes_path, "%s/%s", f->path, nodes) >= 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        *ret = (PlugScene){ .f = f, .qemu = pair[1], .qmp = qmp_new(pair[0], &handlers, NULL) };
        assert_non_null(ret->qmp);
        assert_int_equal(qemu_plug_new(kind, userdata, door_path, nodes_path, &ret->plug), 0);
        assert_int_equal(qmp_feed(ret->qmp, greeting, strlen(greeting)), 0);
        assert_true(read(ret->qemu, said, sizeof said) > 0);
}

void plug_scene_end(PlugScene *s) {
        (void) qemu_plug_free(s->plug);
        (void) qmp_free(s->qmp);
        close(s->qemu);
}

void plug_scene_assert_told(PlugScene *s, const char *first, const char *second) {
        char said[2048];
        ssize_t n;

        assert_int_equal(qemu_plug_process(s->plug, s->qmp), 0);
        n = read(s->qemu, said, sizeof said - 1);
        said[n < 0 ? 0 : n] = '\0';
        if (!first) {
                assert_string_equal(said, "");
                return;
        }
        if (!strstr(said, first) || (second && !strstr(said, second)))
                fail_msg("told: %s", said);
}
