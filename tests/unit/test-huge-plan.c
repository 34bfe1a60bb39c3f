/* SPDX-License-Identifier: BSD-3-Clause */
/* Where huge pages are placed, and how many of them have to be made. */

#include "fixture.h"
#include "huge-plan.h"

#define PAGE (UINT64_C(2) << 20)

typedef struct Row {
        struct {
                uint64_t free, awaited, makeable;
        } nodes[3];
        size_t n;
        uint64_t need;
        int result;
        struct {
                uint64_t take, add;
        } plan[3];
} Row;

static const Row rows[] = {
        /* only what is missing */
        { { { 0, 0, 1000 } }, 1, 512, 0, { { 512, 512 } } },
        { { { 100, 0, 1000 } }, 1, 512, 0, { { 512, 412 } } },
        { { { 512, 0, 0 } }, 1, 512, 0, { { 512, 0 } } },
        { { { 600, 100, 1000 } }, 1, 512, 0, { { 512, 12 } } },  /* a guest waits for 100 of them */
        { { { 50, 100, 1000 } }, 1, 512, 0, { { 512, 512 } } },
        { { { 100, 0, 411 } }, 1, 512, -ENOSPC, {} },
        { {}, 0, 512, -ENOSPC, {} },
        /* all on one node, the one with the least work */
        { { { 0, 0, 1000 }, { 200, 0, 400 } }, 2, 512, 0, { {}, { 512, 312 } } },
        { { { 0, 0, 1000 }, { 0, 0, 2000 } }, 2, 512, 0, { {}, { 512, 512 } } },
        { { { 0, 0, 1000 }, { 0, 0, 1000 } }, 2, 512, 0, { { 512, 512 }, {} } },
        { { { 0, 0, 1000 }, { 500, 0, 0 } }, 2, 512, 0, { { 512, 512 }, {} } },
        /* on as few as it takes */
        { { { 100, 0, 100 }, { 0, 0, 400 }, { 50, 0, 0 } }, 3, 512, 0, { { 112, 12 }, { 400, 400 }, {} } },
        { { { 0, 0, 100 }, { 0, 0, 400 }, { 50, 0, 0 } }, 3, 512, 0, { { 100, 100 }, { 400, 400 }, { 12, 0 } } },
        { { { 0, 0, 100 }, { 0, 0, 300 }, { 50, 0, 0 } }, 3, 512, -ENOSPC, {} },
};

static void test_place(void **state) {
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                HugeNode nodes[3] = {};
                HugePool pool = { .page_size = PAGE, .items = nodes, .n = rows[i].n };

                for (size_t k = 0; k < pool.n; k++) {
                        nodes[k].memory = (MemoryNode){ .has_pool = true, .free = rows[i].nodes[k].free,
                                .available = rows[i].nodes[k].makeable * PAGE + PAGE - 1 };
                        nodes[k].awaited = rows[i].nodes[k].awaited;
                }
                if (huge_pool_place(&pool, rows[i].need) != rows[i].result)
                        fail_msg("row %zu: not %d", i, rows[i].result);
                for (size_t k = 0; k < pool.n; k++)
                        if (nodes[k].take != rows[i].plan[k].take || nodes[k].add != rows[i].plan[k].add)
                                fail_msg("row %zu, node %zu: takes %llu, adds %llu", i, k, (unsigned long long) nodes[k].take,
                                        (unsigned long long) nodes[k].add);
        }
}

/* What has turned out not to be there is looked for elsewhere. */
static void test_exhausted(void **state) {
        HugeNode nodes[] = {
                { .memory = { .has_pool = true, .available = 1000 * PAGE } },
                { .memory = { .has_pool = true, .available = 500 * PAGE } },
                { .memory = { .available = 5000 * PAGE } }, /* no pages of this size there */
        };
        HugePool pool = { .page_size = PAGE, .items = nodes, .n = 3 };

        (void) state;
        assert_int_equal(huge_pool_place(&pool, 600), 0);
        assert_int_equal(nodes[0].add, 600);
        nodes[0].exhausted = true;
        nodes[0].memory.free = 200;
        assert_int_equal(huge_pool_place(&pool, 600), 0);
        assert_int_equal(nodes[0].take, 100);
        assert_int_equal(nodes[0].add, 0);
        assert_int_equal(nodes[1].add, 500);
        nodes[1].exhausted = true;
        assert_int_equal(huge_pool_place(&pool, 600), -ENOSPC);
        assert_true(huge_pool_exists(&pool));
        pool.items = nodes + 2;
        pool.n = 1;
        assert_false(huge_pool_exists(&pool));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_place),
                cmocka_unit_test(test_exhausted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
