/* SPDX-License-Identifier: BSD-3-Clause */
/* What headers of qcow2 images say of other files. */

#include "fixture.h"
#include "qcow2-header.h"

static void test_kinds(void **state _unused_) {
        static const struct {
                uint8_t version, backing, incompatible;
                size_t size;
                Qcow2Kind kind;
        } cases[] = {
                { 3, 0, 0, 104, QCOW2_ALONE },
                { 3, 0, 3, 104, QCOW2_ALONE }, /* dirty and corrupt are QEMU's to judge */
                { 3, 1, 0, 104, QCOW2_BACKED },
                { 3, 0, 4, 104, QCOW2_DATA_ELSEWHERE },
                { 3, 0, 0, 103, QCOW2_NONE },
                { 2, 0, 0, 72, QCOW2_ALONE },
                { 2, 1, 0, 72, QCOW2_BACKED },
                { 2, 0, 4, 104, QCOW2_ALONE }, /* version 2 has something else there */
                { 2, 0, 0, 71, QCOW2_NONE },
                { 1, 0, 0, 104, QCOW2_NONE },
                { 4, 0, 0, 104, QCOW2_NONE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint8_t data[QCOW2_HEADER_SIZE] = { 'Q', 'F', 'I', 0xfb, 0, 0, 0, cases[i].version };

                data[15] = cases[i].backing;
                data[79] = cases[i].incompatible;
                assert_int_equal(qcow2_header_kind(data, cases[i].size), cases[i].kind);
                data[8] = 0x80; /* the highest byte counts, too */
                assert_int_equal(qcow2_header_kind(data, cases[i].size),
                        cases[i].kind == QCOW2_NONE ? QCOW2_NONE : QCOW2_BACKED);
                data[3] = 0;
                assert_int_equal(qcow2_header_kind(data, cases[i].size), QCOW2_NONE);
        }
        assert_int_equal(qcow2_header_kind(NULL, 0), QCOW2_NONE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
