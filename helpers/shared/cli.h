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
        char letter;          /* as in -f; 0: it has none */
} CliOption;

typedef struct Cli {
        const char *program;
        const char *summary;   /* one line on what the program does */
        const char *operands;  /* as --help shows them */
        int n_operands;        /* exactly so many */
        const CliOption *options; /* ends with a row without a name */
        bool optional;         /* the operands may be left out, all of them */
        const char *root_alone; /* why --root without --dry-run is refused, the end of a sentence; NULL: it is not */
        int n_more;             /* so many operands may follow; CLI_ANY: as many as there are */
        bool verbatim;          /* what follows the first operand is none of our options, whatever it looks like */
        const char *manual;     /* as “vxm(1)”; NULL: the program's, in section 8 */
        void (*print_more)(void); /* what else --help says, before the exit statuses */
        const char *statuses;     /* as --help tells them; NULL: those that all have */
} Cli;

enum {
        CLI_ANY = 1 << 20,
};

/* Reads the command line. ret_operands points into argv, and ends with NULL. May be called again for another one. Returns 1:
 * go on; 0: --help or --version has been printed; -EINVAL: wrong, and said so on standard error. */
int cli_parse(const Cli *cli, int argc, char *argv[], char ***ret_operands);
