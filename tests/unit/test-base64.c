/* SPDX-License-Identifier: BSD-3-Clause */
/* Base64: the vectors of RFC 4648, all lengths there and back, and what is none. */

#include "base64.h"
#include "fixture.h"

static void test_vectors(void **state) {
        static const char *const vectors[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
                { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(vectors); i++) {
                _cleanup_(freep) char *text = NULL, *data = NULL;
                size_t size;

                assert_int_equal(base64_encode(vectors[i][0], strlen(vectors[i][0]), &text), 0);
                assert_string_equal(text, vectors[i][1]);
                assert_int_equal(base64_decode(text, strlen(text), 100, &data, &size), 0);
                assert_int_equal(size, strlen(vectors[i][0]));
                assert_string_equal(data, vectors[i][0]);
        }
}

static void test_all_bytes(void **state) {
        unsigned char bytes[256];

        (void) state;
        for (size_t i = 0; i < sizeof bytes; i++)
                bytes[i] = (unsigned char) (i * 167 + 13);
        for (size_t n = 0; n <= sizeof bytes; n++) {
                _cleanup_(freep) char *text = NULL, *data = NULL;
                size_t size;

                assert_int_equal(base64_encode(bytes, n, &text), 0);
                assert_int_equal(base64_decode(text, strlen(text), n, &data, &size), 0);
                assert_int_equal(size, n);
                assert_memory_equal(data, bytes, n);
                if (n > 0)
                        assert_int_equal(base64_decode(text, strlen(text), n - 1, &data, &size), -EFBIG);
        }
}

static void test_wrong(void **state) {
        static const char *const wrong[] = { "Z", "Zg", "Zg=", "Zg===", "=Zg=", "====", "Z===", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zm9\n", "Zg==Zg==",
                "Zm8=Zm8=", "Zm9_", "Zm9-", "\xc3\xa4 v" };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                char *data;
                size_t size;

                if (base64_decode(wrong[i], strlen(wrong[i]), 100, &data, &size) != -EINVAL)
                        fail_msg("taken: %s", wrong[i]);
        }
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_vectors),
                cmocka_unit_test(test_all_bytes),
                cmocka_unit_test(test_wrong),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
