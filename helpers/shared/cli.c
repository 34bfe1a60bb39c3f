/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of options over getopt_long(3), so that --help never lies about what is parsed. */

#include <getopt.h>

#include "cli.h"

enum {
        OPTIONS_MAX = 24,
        OPTION_HELP = 1000,
        OPTION_VERSION,
};

static void print_option(const char *name, const char *argument, const char *help) {
        int width = printf("  --%s%s%s", name, argument ? " " : "", argument ? argument : "");

        printf("%*s%s\n", width < 22 ? 22 - width : 1, "", help);
}

static void print_help(const Cli *cli) {
        printf("%s [OPTION…] %s\n\n%s\n\n", cli->program, cli->operands, cli->summary);
        for (const CliOption *o = cli->options; o->name; o++)
                print_option(o->name, o->argument, o->help);
        print_option("help", NULL, "show this, and exit");
        print_option("version", NULL, "show the version, and exit");
        printf("\nExit status: 0 done or already so, 1 system error, 64 wrong command line,\n"
               "69 hardware or kernel feature absent, 75 busy, 78 a file needs editing.\n"
               "The manual is %s(8).\n",
                cli->program);
}

static void fill_long_options(const Cli *cli, struct option long_options[static OPTIONS_MAX]) {
        int n = 0;

        for (const CliOption *o = cli->options; o->name && n < OPTIONS_MAX - 3; o++, n++)
                long_options[n] = (struct option){ o->name, o->argument ? required_argument : no_argument, NULL, n };
        long_options[n++] = (struct option){ "help", no_argument, NULL, OPTION_HELP };
        long_options[n++] = (struct option){ "version", no_argument, NULL, OPTION_VERSION };
        long_options[n] = (struct option){};
}

static const CliOption *find_option(const Cli *cli, const char *name) {
        for (const CliOption *o = cli->options; o->name; o++)
                if (streq(o->name, name))
                        return o;
        return NULL;
}

/* What a helper touches besides files below its root is always this machine's. */
static int check_root(const Cli *cli) {
        if (!cli->root_alone || *find_option(cli, "dry-run")->flag || streq(*find_option(cli, "root")->value, "/"))
                return 1;
        fprintf(stderr, "%s: --root %s\n", cli->program, cli->root_alone);
        return -EINVAL;
}

int cli_parse(const Cli *cli, int argc, char *argv[], char ***ret_operands) {
        struct option long_options[OPTIONS_MAX];
        int c;

        fill_long_options(cli, long_options);
        while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
                switch (c) {
                case 'h':
                case OPTION_HELP:
                        print_help(cli);
                        return 0;
                case OPTION_VERSION:
                        printf("%s %s\n", cli->program, VXM_VERSION);
                        return 0;
                case '?':
                        return -EINVAL; /* getopt has said why */
                default:
                        if (cli->options[c].flag)
                                *cli->options[c].flag = true;
                        else
                                *cli->options[c].value = optarg;
                }
        }

        if (argc - optind != cli->n_operands && !(cli->optional && argc == optind)) {
                fprintf(stderr, "%s: expected %s; see %s --help.\n", cli->program, cli->operands, cli->program);
                return -EINVAL;
        }
        *ret_operands = argv + optind;
        return check_root(cli);
}
