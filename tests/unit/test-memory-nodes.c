/* SPDX-License-Identifier: BSD-3-Clause */
/* What is read of the machine's memory. */

#include "fixture.h"
#include "memory-nodes.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static int parse(const char *text, MemoryNode *node) {
        _cleanup_(freep) char *copy = strdup(text);

        assert_non_null(copy);
        return memory_node_parse(copy, node);
}

static void test_meminfo(void **state) {
        MemoryNode node = {};

        (void) state;
        assert_int_equal(parse("Node 0 MemTotal: 65536 kB\nNode 0 MemFree: 32768 kB\nNode 0 Active(file): 1024 kB\n"
                               "Node 0 Active: 4096 kB\nNode 0 Shmem: 8192 kB\nNode 0 HugePages_Free:     7\n",
                                &node), 0);
        assert_int_equal(node.total, 64 * MIB);
        assert_int_equal(node.available, 32 * MIB); /* one MiB of cache, less the 64th that is kept */

        assert_int_equal(parse("", &node), 0);
        assert_int_equal(node.total, 0);
        assert_int_equal(parse("Node 0 MemTotal: 65536 kB\nNode 0 MemFree: 16 kB\n", &node), 0);
        assert_int_equal(node.available, 0);
        assert_int_equal(parse("Node 0 MemTotal: 65536 kB\nNode 0 MemFree: -16 kB\n", &node), -EINVAL);
        assert_int_equal(parse("Node 0 MemTotal: 99999999999999999999 kB\n", &node), -EINVAL);
}

static void test_none(void **state) {
        MemoryNodes nodes;
        Fixture *f = *state;

        assert_int_equal(memory_nodes_read(f->root, 2 * MIB, &nodes), 0);
        assert_int_equal(nodes.n, 0);
        assert_int_equal(memory_nodes_total(&nodes), 0);
}

static void test_machine(void **state) {
        MemoryNodes nodes;
        Fixture *f = *state;

        fixture_machine(f, "memory");
        fixture_machine(f, "two-node");
        assert_int_equal(memory_nodes_read(f->root, 2 * MIB, &nodes), 0);
        assert_int_equal(nodes.n, 2);
        assert_int_equal(nodes.items[0].available, 6 * GIB);
        assert_true(nodes.items[0].has_pool);
        assert_int_equal(nodes.items[1].number, 1);
        assert_int_equal(nodes.items[1].free, 1024);
        assert_int_equal(memory_nodes_total(&nodes), 16 * GIB);
        assert_int_equal(memory_nodes_available(&nodes), 10 * GIB);
        memory_nodes_done(&nodes);

        assert_int_equal(memory_nodes_read(f->root, GIB, &nodes), 0);
        assert_true(nodes.items[0].has_pool);
        assert_false(nodes.items[1].has_pool);
        memory_nodes_done(&nodes);

        /* Nodes come in the order of their numbers, not of their names. */
        fixture_lines(f, "sys/devices/system/node/node10/meminfo = Node 10 MemTotal: 1024 kB\n"
                         "sys/devices/system/node/node2/meminfo = Node 2 MemTotal: 1024 kB\n"
                         "sys/devices/system/node/nodex/meminfo = Node 3 MemTotal: 1024 kB\n");
        assert_int_equal(memory_nodes_read(f->root, 0, &nodes), 0);
        assert_int_equal(nodes.n, 4);
        assert_int_equal(nodes.items[2].number, 2);
        assert_int_equal(nodes.items[3].number, 10);
        memory_nodes_done(&nodes);
}

static void test_size_text(void **state) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } rows[] = {
                { 0, "0 MiB" }, { 3 * MIB / 2, "1 MiB" }, { 512 * MIB, "512 MiB" }, { GIB, "1 GiB" }, { 16 * GIB, "16 GiB" },
                { GIB + 512 * MIB, "1.5 GiB" }, { 2 * GIB - 1, "1.9 GiB" },
        };
        char buffer[SIZE_TEXT_MAX];

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                assert_string_equal(size_text(rows[i].bytes, buffer), rows[i].text);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_meminfo),
                fixture_test(test_none),
                fixture_test(test_machine),
                cmocka_unit_test(test_size_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
