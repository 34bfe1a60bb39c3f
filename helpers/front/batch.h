/* SPDX-License-Identifier: BSD-3-Clause */
#pragma once
/* Batch files in a Windows guest. The agent quotes a program's arguments as C programs read them, with backslashes, which cmd.exe does
 * not: what it is to take as it is, is handed over in a file. */

#include "agent-client.h"

/* Appends a word in double quotes to a line of a batch file, where only the percent sign means something in them. Returns 0; -EINVAL:
 * the word has what would end it; -ENOMEM. */
int batch_quote(char **line, const char *word);

/* Writes a file with these bytes, under a name that nobody can guess. *ret_path is to be freed, and the file to be removed, also on
 * failure. All that follow log what fails, and return as agent_client_call(). */
int batch_write(AgentClient *c, const char *bytes, size_t size, char **ret_path);

void batch_remove(AgentClient *c, const char *path);

/* Runs a line, which is UTF-8, from a file of its own, and waits for its end. */
int batch_run(AgentClient *c, const char *what, const char *line, AgentStatus *ret);
