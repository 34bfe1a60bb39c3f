/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* What all helpers' command lines share: --help, --version, --root, --dry-run, and one guest's name. */

#include "util.h"

typedef struct CliOption {
        const char *name;     /* without the dashes */
        const char *argument; /* what --help calls the value; NULL: the option takes none */
        const char *help;
        bool *flag;           /* set to true … */
        const char **value;   /* … or to the option's value */
} CliOption;

typedef struct Cli {
        const char *program;
        const char *summary;   /* one line on what the program does */
        const char *operands;  /* as --help shows them */
        int n_operands;        /* exactly so many */
        const CliOption *options; /* ends with a row without a name */
        bool optional;         /* the operands may be left out, all of them */
        const char *root_alone; /* why --root without --dry-run is refused, the end of a sentence; NULL: it is not */
} Cli;

/* Reads the command line. ret_operands points into argv. Returns 1: go on; 0: --help or --version has been printed;
 * -EINVAL: wrong, and said so on standard error. */
int cli_parse(const Cli *cli, int argc, char *argv[], char ***ret_operands);
