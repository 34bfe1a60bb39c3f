/* SPDX-License-Identifier: BSD-3-Clause */
/* Whether a guest can have its TPM: programs, and the state as it lies there. */

#include <sys/stat.h>

#include "exit-status.h"
#include "fixture.h"
#include "tpm-state.h"

#define STATE "var/lib/vxm/guests/g/tpm/tpm2-00.permall"

static const Guest guest = { .name = (char *) "g", .user = (char *) "vxm-g", .file = (char *) "/etc/vxm/guests/g.guest", .tpm = true };

static void install(Fixture *f) {
        fixture_write(f, TPM_PROGRAM + 1, "");
        fixture_write(f, TPM_SETUP_PROGRAM + 1, "");
        fixture_write(f, TPM_CA_PROGRAM + 1, "");
}

static void assert_state(Fixture *f, bool wanted) {
        bool exists = !wanted;

        assert_int_equal(tpm_state_check(f->root, &guest, &exists), 0);
        assert_int_equal(exists, wanted);
}

static void assert_refused(Fixture *f, int error, const char *log) {
        bool exists;
        int r;

        fixture_capture(f);
        r = tpm_state_check(f->root, &guest, &exists);
        fixture_assert_logged(f, log);
        assert_int_equal(r, -error);
}

static void test_programs(void **state) {
        static const char *const programs[] = { TPM_PROGRAM, TPM_SETUP_PROGRAM, TPM_CA_PROGRAM };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                install(f);
                fixture_remove(f, programs[i] + 1);
                assert_refused(f, E_LACKS, programs[i]);
        }
}

static void test_state(void **state) {
        Fixture *f = *state;

        install(f);
        assert_state(f, false);
        fixture_directory(f, "var/lib/vxm/guests/g/tpm");
        assert_state(f, false);
        /* What a kill has left of making one is none. */
        fixture_write(f, "var/lib/vxm/guests/g/tpm/setup/tpm2-00.permall", "x");
        assert_state(f, false);
        fixture_write(f, STATE, "state");
        assert_state(f, true);
}

static void test_unfit(void **state) {
        Fixture *f = *state;

        install(f);
        fixture_write(f, STATE, "");
        assert_refused(f, E_CONFIG, STATE ", is empty; put it back from a backup, or remove it for a new TPM.");
        fixture_remove(f, STATE);
        fixture_link(f, STATE, "/etc/shadow");
        assert_refused(f, E_CONFIG, "is no regular file");
        fixture_remove(f, STATE);
        fixture_write(f, STATE, "state");
        assert_int_equal(fchmodat(f->root, STATE, 0400, 0), 0);
        assert_refused(f, E_CONFIG, STATE ", cannot be read and written by the guest's user; run chmod 600 on it.");
        assert_int_equal(fchmodat(f->root, STATE, 0600, 0), 0);
        if (geteuid() == 0) { /* nobody else can give files away */
                assert_int_equal(fchownat(f->root, STATE, 4242, (gid_t) -1, 0), 0);
                assert_refused(f, E_CONFIG, "is not the guest's user's; run chown vxm-g on it.");
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                fixture_test(test_programs),
                fixture_test(test_state),
                fixture_test(test_unfit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
