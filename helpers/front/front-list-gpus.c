/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm list-gpus: the machine's GPUs, and what a guest would get of each; by IOMMU groups with --tree. The judgement is that of
 * vxm-bind. Only looks. */

#include "bind-list.h"
#include "cli.h"
#include "exit-status.h"
#include "verb-root.h"
#include "verb.h"

static const char *arg_root = "/";
static bool arg_json;
static bool arg_tree;

int verb_list_gpus(int argc, char *argv[]) {
        static const CliOption options[] = {
                { "tree", NULL, "all devices, by IOMMU group", &arg_tree, NULL },
                { "json", NULL, "for machines", &arg_json, NULL },
                { "root", "DIR", "of the machine whose files are below DIR", NULL, &arg_root },
                {},
        };
        static const Cli cli = { "vxm list-gpus", "Shows the GPUs, and what a guest would get of each.", "", 0, options,
                .manual = VERB_MANUAL };
        _cleanup_(closep) int root = -EBADF;
        char **operands;
        int r;

        r = cli_parse(&cli, argc, argv, &operands);
        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        root = verb_root_open(arg_root);
        if (root < 0)
                return exit_status(root);
        return exit_status(arg_tree ? bind_tree(root, arg_json, stdout) : bind_list(root, arg_json, stdout));
}
