/* SPDX-License-Identifier: BSD-3-Clause */
/* A table of options over getopt_long(3), so that --help never lies about what is parsed. */

#include <getopt.h>

#include "cli.h"

enum {
        OPTIONS_MAX = 24,
        OPTION_HELP = 1000,
        OPTION_VERSION,
};

static void print_option(const CliOption *o) {
        const char letter[] = { '-', o->letter, ' ', '\0' };
        int width = printf("  %s--%s%s%s", o->letter ? letter : "", o->name, o->argument ? " " : "", o->argument ? o->argument : "");

        printf("%*s%s\n", width < 22 ? 22 - width : 1, "", o->help);
}

static void print_help(const Cli *cli) {
        static const CliOption common[] = { { "help", NULL, "show this, and exit" }, { "version", NULL, "show the version, and exit" } };

        printf("%s [OPTION…]%s%s\n\n%s\n\n", cli->program, *cli->operands ? " " : "", cli->operands, cli->summary);
        for (const CliOption *o = cli->options; o->name; o++)
                print_option(o);
        for (size_t i = 0; i < ELEMENTSOF(common); i++)
                print_option(&common[i]);
        if (cli->print_more)
                cli->print_more();
        printf("\nExit status: %s\nThe manual is %s%s.\n",
                cli->statuses ? cli->statuses
                              : "0 done or already so, 1 system error, 64 wrong command line,\n"
                                "69 hardware or kernel feature absent, 75 busy, 78 a file needs editing.",
                cli->manual ? cli->manual : cli->program, cli->manual ? "" : "(8)");
}

static void fill_long_options(const Cli *cli, struct option long_options[static OPTIONS_MAX]) {
        int n = 0;

        for (const CliOption *o = cli->options; o->name && n < OPTIONS_MAX - 3; o++, n++)
                long_options[n] = (struct option){ o->name, o->argument ? required_argument : no_argument, NULL, n };
        long_options[n++] = (struct option){ "help", no_argument, NULL, OPTION_HELP };
        long_options[n++] = (struct option){ "version", no_argument, NULL, OPTION_VERSION };
        long_options[n] = (struct option){};
}

/* For getopt(3): “+”: it stops at the first operand; “:”: it tells a value that is missing from an option that is unknown. */
static void fill_letters(const Cli *cli, char letters[static OPTIONS_MAX * 2 + 4]) {
        if (cli->verbatim)
                *letters++ = '+';
        *letters++ = ':';
        *letters++ = 'h';
        for (const CliOption *o = cli->options; o->name; o++) {
                if (o->letter)
                        *letters++ = o->letter;
                if (o->letter && o->argument)
                        *letters++ = ':';
        }
        *letters = '\0';
}

static const CliOption *find_letter(const Cli *cli, int letter) {
        const CliOption *o = cli->options;

        while (o->letter != letter)
                o++;
        return o;
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

static int check_operands(const Cli *cli, int n, char *operands[]) {
        if ((n >= cli->n_operands && n <= cli->n_operands + cli->n_more) || (cli->optional && n == 0))
                return check_root(cli);
        if (*cli->operands && n > cli->n_operands + cli->n_more)
                fprintf(stderr, "%s: expected %s, so “%s” is too much; see %s --help.\n", cli->program, cli->operands,
                        text_clean(operands[cli->n_operands + cli->n_more]), cli->program);
        else if (*cli->operands)
                fprintf(stderr, "%s: expected %s; see %s --help.\n", cli->program, cli->operands, cli->program);
        else
                fprintf(stderr, "%s: expected nothing but options; see %s --help.\n", cli->program, cli->program);
        return -EINVAL;
}

/* What getopt(3) has just stopped at: a letter, of which a word may have several, or that word. */
static int refuse_option(const Cli *cli, int why, char *word) {
        char letter[] = { '-', (char) optopt, '\0' }, *option = optopt > ' ' && optopt < 0x7f ? letter : text_clean(word);

        fprintf(stderr, why == ':' ? "%s: %s needs a value; see %s --help.\n" : "%s: there is no option %s; see %s --help.\n", cli->program,
                option, cli->program);
        return -EINVAL;
}

/* Sets what the options say, up to the first operand or all of them. Returns as cli_parse(). */
static int parse_options(const Cli *cli, int argc, char *argv[]) {
        struct option long_options[OPTIONS_MAX];
        char letters[OPTIONS_MAX * 2 + 4];
        int c;

        fill_long_options(cli, long_options);
        fill_letters(cli, letters);
        optind = 0; /* anew */
        while ((c = getopt_long(argc, argv, letters, long_options, NULL)) >= 0) {
                const CliOption *o;

                switch (c) {
                case 'h':
                case OPTION_HELP:
                        print_help(cli);
                        return 0;
                case OPTION_VERSION:
                        printf("%s %s\n", cli->program, VXM_VERSION);
                        return 0;
                case ':':
                case '?':
                        return refuse_option(cli, c, argv[optind - 1]);
                default:
                        o = c < OPTIONS_MAX ? &cli->options[c] : find_letter(cli, c);
                        if (o->flag)
                                *o->flag = true;
                        else
                                *o->value = optarg;
                }
        }
        return 1;
}

int cli_parse(const Cli *cli, int argc, char *argv[], char ***ret_operands) {
        int r = parse_options(cli, argc, argv);

        if (r <= 0)
                return r;
        *ret_operands = argv + optind;
        return check_operands(cli, argc - optind, argv + optind);
}
