// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/crash_words.h"

#include <string.h>

/* What has no counterpart but crash itself, which comes to the same port. */
#define CRASH	 "crash itself, on this dump: 'connect' prints its command line"
#define NO_CRASH "nothing: it is about crash's own session"
#define TABLES	 "'vtop ADDR' shows every level of the page tables"

/* The commands of crash 8 (crash_help.c, help.c: `help`), with the options that are typed most. */
const struct crash_word crash_words[CRASH_WORDS] = {
	{ "*", NULL, "the debugger: 'p *(struct TYPE *)ADDR' in gdb", false },
	{ "alias", NULL, NO_CRASH, false },
	{ "ascii", NULL, NO_CRASH, false },
	{ "bpf", NULL, "'modules' and 'bt', which name the code of BPF programs; else " CRASH,
	  false },
	{ "bt -a", NULL,
	  "'bt --cpu N' for each CPU; 'threads' marks the task of each by *",
	  false },
	{ "bt -f", "bt --raw", "'bt [TID] --raw'", true },
	{ "bt -FF", "bt --raw", "'bt [TID] --raw'", true },
	{ "bt -l", "bt --inline", "'bt [TID] --inline'", true },
	{ "bt -c", "bt --cpu", "'bt --cpu N'", true },
	{ "btop", NULL, "ADDR >> 12, in the debugger", false },
	{ "dev", NULL, CRASH, false },
	{ "dis", NULL, "the debugger: 'disassemble ADDR' or 'x/20i ADDR' in gdb", false },
	{ "eval", NULL, "the debugger: 'p/x EXPRESSION' in gdb", false },
	{ "exit", NULL, "the debugger: 'detach' or 'quit'", false },
	{ "extend", NULL, CRASH, false },
	{ "files", NULL, CRASH, false },
	{ "foreach", NULL, "'threads', 'stacks' and 'bt --all'; else " CRASH, false },
	{ "foreach bt", "bt --all", "'bt --all' with its own options, or 'stacks'", false },
	{ "foreach bt -l", "bt --all --inline", "'bt --all' with its own options", false },
	{ "foreach bt -f", "bt --all --raw", "'bt --all' with its own options", false },
	{ "fuser", NULL, CRASH, false },
	{ "gdb", NULL, "the debugger: it is gdb's own command, without this word", false },
	{ "ipcs", NULL, CRASH, false },
	{ "irq", NULL, CRASH, false },
	{ "kmem", NULL, "'what ADDR' for what an address is; else " CRASH, false },
	{ "list", NULL, "the debugger: Linux's 'lx-' scripts or a 'while' loop in gdb; else " CRASH,
	  false },
	{ "log", "dmesg", "'dmesg', which has no options", false },
	{ "mach", "info", "'info'", false },
	{ "mod", "modules", "'modules', and 'symbols' for files that are found by themselves",
	  false },
	{ "mount", NULL, CRASH, false },
	{ "net", NULL, CRASH, false },
	{ "p", NULL, "the debugger: 'p' in gdb, without 'monitor'", false },
	{ "ps", "threads", "'threads' for all of them, 'info os threads' in gdb, 'bt TID' for one",
	  false },
	{ "pte", NULL, TABLES, false },
	{ "ptob", NULL, "PFN << 12, in the debugger", false },
	{ "ptov", NULL, "'read -p ADDR LEN' for physical memory", false },
	{ "q", NULL, "the debugger: 'detach' or 'quit'", false },
	{ "quit", NULL, "the debugger: 'detach' or 'quit'", false },
	{ "rd", NULL,
	  "'read [-p] ADDR LEN', with LEN in bytes, or the debugger: 'x/8gx ADDR' in gdb", false },
	{ "repeat", NULL, NO_CRASH, false },
	{ "runq", NULL, "'threads' for what each CPU was running; else " CRASH, false },
	{ "sbitmapq", NULL, CRASH, false },
	{ "search", NULL, "the debugger: 'find START, END, VALUE' in gdb", false },
	{ "set", NULL, "the debugger: 'thread find PID' and 'thread N' in gdb", false },
	{ "sig", NULL, CRASH, false },
	{ "struct", NULL, "the debugger: 'p *(struct TYPE *)ADDR' or 'ptype /o struct TYPE' in gdb",
	  false },
	{ "swap", NULL, CRASH, false },
	{ "sym", "what", "'what ADDR', or the debugger: 'info symbol', 'info address' in gdb",
	  true },
	{ "sym -l", NULL, "the debugger: 'info variables' and 'info functions' in gdb", false },
	{ "sys", "info", "'info', or 'connect' for how to start others", false },
	{ "task", NULL, "the debugger: 'p *(struct task_struct *)$task' in gdb", false },
	{ "timer", NULL, CRASH, false },
	{ "tree", NULL, CRASH, false },
	{ "union", NULL, "the debugger: 'p *(union TYPE *)ADDR' in gdb", false },
	{ "vm", NULL, "'what ADDR' for areas of the selected thread's process; else " CRASH,
	  false },
	{ "vtop -c", NULL, "'vtop ADDR' of the selected thread: 'thread N' in gdb selects it",
	  false },
	{ "vtop -k", "vtop", "'vtop ADDR'", true },
	{ "vtop -u", "vtop", "'vtop ADDR'", true },
	{ "waitq", NULL, CRASH, false },
	{ "whatis", NULL, "the debugger: 'ptype' or 'whatis' in gdb", false },
	{ "wr", NULL, "nothing: a dump is not written to", false },
	{ "help -v", "info", "'info'", false },
	{ "man", "help", "'help [COMMAND]'", true },
};

/* How many words of @list are those of @words, which are separated by blanks; 0 if not all are. */
static size_t match(const char *words, const char *const *list, size_t count)
{
	size_t n = 0;
	for (const char *at = words;; at++) {
		size_t len = strcspn(at, " ");
		if (n == count || strlen(list[n]) != len || memcmp(list[n], at, len) != 0)
			return 0;
		n++;
		at += len;
		if (!*at)
			return n;
	}
}

const struct crash_word *crash_word_find(const char *const *list, size_t count, size_t *ret_count)
{
	const struct crash_word *found = NULL;
	size_t most = 0;
	for (size_t i = 0; i < CRASH_WORDS; i++) {
		size_t n = match(crash_words[i].words, list, count);
		if (n > most) {
			most = n;
			found = &crash_words[i];
		}
	}
	*ret_count = most;
	return found;
}
