/* SPDX-License-Identifier: BSD-3-Clause */
/* vxm pause, resume, reset-hard, screenshot, snapshot: what QEMU of a running guest is told, by the functions of
 * helpers/life. */

#include "cli.h"
#include "exit-status.h"
#include "known-guest.h"
#include "life.h"
#include "verb.h"

static int act(LifeVerb verb, const char *guest, const char *argument, bool json) {
        int r = known_guest(guest);

        return exit_status(r < 0 ? r : life_run(verb, guest, argument, json));
}

/* A verb that takes a guest's name and nothing else. */
static int act_simply(const char *program, const char *summary, LifeVerb verb, int argc, char *argv[]) {
        static const CliOption options[] = { {} };
        const Cli cli = { program, summary, "NAME", 1, options, .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        return r <= 0 ? (r < 0 ? STATUS_USAGE : STATUS_DONE) : act(verb, operands[0], NULL, false);
}

int verb_pause(int argc, char *argv[]) {
        return act_simply("vxm pause", "Stops a guest's CPUs. Its memory and devices stay.", LIFE_PAUSE, argc, argv);
}

int verb_resume(int argc, char *argv[]) {
        return act_simply("vxm resume", "Lets a guest go on that is paused, or wakes one that sleeps.", LIFE_RESUME, argc, argv);
}

int verb_reset_hard(int argc, char *argv[]) {
        return act_simply("vxm reset-hard", "Presses a guest's reset button: what it has not written to disk is lost.", LIFE_RESET, argc,
                argv);
}

int verb_screenshot(int argc, char *argv[]) {
        static const CliOption options[] = { {} };
        static const Cli cli = { "vxm screenshot", "Saves what a guest's emulated display shows, as PNG; “-” is standard output.",
                "NAME FILE", 2, options, .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        return r <= 0 ? (r < 0 ? STATUS_USAGE : STATUS_DONE) : act(LIFE_SCREENDUMP, operands[0], operands[1], false);
}

static const struct SnapshotWord {
        const char *word;
        LifeVerb verb;
        bool tag; /* it takes one */
} snapshot_words[] = {
        { "save", LIFE_SNAPSHOT_SAVE, true },
        { "load", LIFE_SNAPSHOT_LOAD, true },
        { "delete", LIFE_SNAPSHOT_DELETE, true },
        { "list", LIFE_SNAPSHOTS, false },
};

int verb_snapshot(int argc, char *argv[]) {
        static bool json;
        static const CliOption options[] = { { "json", NULL, "with list: print JSON", &json, NULL }, {} };
        static const Cli cli = { "vxm snapshot", "Keeps what a guest is, its memory included, and goes back to that.",
                "NAME save|load|list|delete [TAG]", 2, options, .n_more = 1, .manual = VERB_MANUAL };
        char **operands;
        int r = cli_parse(&cli, argc, argv, &operands);

        if (r <= 0)
                return r < 0 ? STATUS_USAGE : STATUS_DONE;
        for (size_t i = 0; i < ELEMENTSOF(snapshot_words); i++) {
                const struct SnapshotWord *w = &snapshot_words[i];

                if (streq(w->word, operands[1]) && w->tag == (operands[2] != NULL) && (!json || !w->tag))
                        return act(w->verb, operands[0], operands[2], json);
        }
        fprintf(stderr, "vxm snapshot: expected NAME, then save TAG, load TAG, delete TAG, or list; --json goes with list.\n");
        return STATUS_USAGE;
}
