/* SPDX-License-Identifier: BSD-3-Clause */
/* DDC/CI's bytes: as the standard has its examples, as LG wants them, and answers of all kinds. */

#include "ddc-packet.h"
#include "fixture.h"

static void test_questions(void **state) {
        /* The sum is that of 0x6e, which the bus sends as the monitor's address, and all bytes. */
        static const uint8_t get[] = { 0x51, 0x82, 0x01, 0x60, 0xdc }, set[] = { 0x51, 0x84, 0x03, 0x60, 0x00, 0x11, 0xc9 },
                             lg[] = { 0x50, 0x84, 0x03, 0xf4, 0x00, 0x90, 0xdd };
        uint8_t packet[DDC_SET_SIZE];

        (void) state;
        ddc_packet_get(0x51, 0x60, packet);
        assert_memory_equal(packet, get, sizeof get);
        ddc_packet_set(0x51, 0x60, 0x11, packet);
        assert_memory_equal(packet, set, sizeof set);
        ddc_packet_set(0x50, 0xf4, 0x90, packet);
        assert_memory_equal(packet, lg, sizeof lg);
}

/* With the right sum. */
static int reply(uint8_t length, uint8_t opcode, uint8_t result, uint8_t feature, uint16_t value, uint16_t *ret) {
        uint8_t data[DDC_REPLY_SIZE] = { 0x6e, length, opcode, result, feature, 0, 0, 0xff, (uint8_t) (value >> 8), (uint8_t) value };

        data[10] = 0x50;
        for (size_t i = 0; i < 10; i++)
                data[10] ^= data[i];
        return ddc_reply_parse(data, sizeof data, 0x60, ret);
}

static void test_answers(void **state) {
        static const uint8_t null[] = { 0x6e, 0x80, 0xbe, 0, 0, 0, 0, 0, 0, 0, 0 }, zeros[DDC_REPLY_SIZE] = {},
                             bad_null[] = { 0x6e, 0x80, 0xbf };
        uint8_t garbled[] = { 0x6e, 0x88, 0x02, 0x00, 0x60, 0x00, 0x00, 0xff, 0x00, 0x0f, 0x00 };
        uint16_t value = 7;

        (void) state;
        assert_int_equal(reply(0x88, 2, 0, 0x60, 0x0f11, &value), 0);
        assert_int_equal(value, 0x0f11);
        value = 7;
        assert_int_equal(reply(0x88, 2, 1, 0x60, 0, &value), -EOPNOTSUPP);
        assert_int_equal(reply(0x88, 2, 0, 0x10, 0, &value), -EBADMSG);
        assert_int_equal(reply(0x87, 2, 0, 0x60, 0, &value), -EBADMSG);
        assert_int_equal(reply(0x88, 3, 0, 0x60, 0, &value), -EBADMSG);
        assert_int_equal(ddc_reply_parse(garbled, sizeof garbled, 0x60, &value), -EBADMSG);
        assert_int_equal(ddc_reply_parse(null, sizeof null, 0x60, &value), -EAGAIN);
        assert_int_equal(ddc_reply_parse(bad_null, sizeof bad_null, 0x60, &value), -EBADMSG);
        assert_int_equal(ddc_reply_parse(zeros, sizeof zeros, 0x60, &value), -EBADMSG);
        assert_int_equal(ddc_reply_parse(null, 0, 0x60, &value), -EBADMSG);
        assert_int_equal(value, 7);
}

static void test_capabilities(void **state) {
        static const struct {
                const char *text;
                int r;
                uint8_t values[4];
        } rows[] = {
                { "(prot(monitor)type(LCD)model(X)vcp(02 14(05 08) 60(0F 11 12) F4)mccs_ver(2.1))", 1, { 0x0f, 0x11, 0x12 } },
                { "(vcp(0214(0508)60(0f1112)))", 1, { 0x0f, 0x11, 0x12 } },
                { "(VCP( 60 ( 01  03 ) ))", 1, { 0x01, 0x03 } },
                { "(vcp(60))", 0, {} },
                { "(vcp(60()))", 0, {} },
                { "(vcp(10 12))", 0, {} },
                { "(vcp(14(60 08) 10))", 0, {} }, /* a value, not a feature */
                { "(vcp(10)vcpname(60(0F)))", 0, {} },
                { "", 0, {} },
                { "(vcp(", -EBADMSG, {} },
                { "(vcp(60(0F", -EBADMSG, {} },
                { "(vcp(60(0F 1)))", -EBADMSG, {} },
                { "(vcp(60(zz)))", -EBADMSG, {} },
                { "(vcp(6", -EBADMSG, {} },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bool values[256];

                if (ddc_capabilities_values(rows[i].text, 0x60, values) != rows[i].r)
                        fail_msg("%s is taken for something else", rows[i].text);
                for (size_t j = 0; rows[i].r > 0 && j < 256; j++)
                        if (values[j] != (j > 0 && memchr(rows[i].values, (int) j, sizeof rows[i].values) != NULL))
                                fail_msg("%s: 0x%02zx", rows[i].text, j);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_questions),
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_capabilities),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
