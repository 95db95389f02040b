// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/monitor.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/log.h"
#include "proto/target.h"
#include "server/markdown.h"
#include "server/monitor/commands.h"
#include "server/monitor/crash_words.h"
#include "server/monitor/info.h"
#include "server/monitor/job.h"
#include "server/service.h"
#include "vmcore/dump/dump.h"
#include "vmcore/vmcore.h"

enum { WORDS_MAX = 16 };

struct command {
	const char *name;
	const char *arguments; /* for the help; "" if none */
	const char *help;      /* one sentence, no full stop */
	bool json;	       /* understands --json */
	bool words;	       /* takes words of a person, as they are typed */
	unsigned least, most;  /* arguments, without --json */
	struct err *(*run)(struct service *service, struct target_view *view,
			   const struct monitor_arguments *w, struct buf *out);
	/* In a guest's monitor: the sentence of its help, NULL if the command needs the host; and
	 * what its first argument is, which is not typed there. */
	const char *guest_help;
	enum { GIVE_NOTHING, GIVE_VM, GIVE_VCPU } give;
};

static struct err *run_help(struct service *service, struct target_view *view,
			    const struct monitor_arguments *w, struct buf *out);

static struct err *run_info(struct service *service, struct target_view *view,
			    const struct monitor_arguments *w, struct buf *out)
{
	if (w->guest && w->count)
		return err_new(ERR_INVALID, "'info' of a guest takes no arguments");
	if (w->guest)
		return w->guest->info(w->guest->closure, w->printer, out);
	if (w->count)
		return monitor_layout(service, view, w, out);
	if (w->printer == PRINT_JSON)
		info_json(service->vmcore, service->confined, out);
	else
		info_text(service->vmcore, service->confined, out);
	return NULL;
}

static struct err *run_refresh(struct service *service, struct target_view *view,
			       const struct monitor_arguments *w, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)view;
	(void)w;
	if (!h->live)
		return err_new(ERR_INVALID, "a dump never changes; only --live has new threads");
	struct err *e = vmcore_renew(h);
	if (e)
		return e;
	buf_addf(out, "%zu tasks\n", h->tasks.count);
	const char *note = dump_info(h->dump)->memory_note;
	if (note)
		buf_addf(out, "%s\n", note);
	return NULL;
}

static struct err *run_dumps(struct service *service, struct target_view *view,
			     const struct monitor_arguments *w, struct buf *out)
{
	(void)service, (void)view, (void)w, (void)out;
	return err_new(ERR_INVALID, "a dump is open: the list is what a server of a folder has, before "
				    "'attach'");
}

static const struct command commands[] = {
	{ "help", "[COMMAND]", "what commands there are", true, false, 0, 1, .run = run_help,
	  .guest_help = "what commands a guest has" },
	{ "info", "[--layout [--all]]",
	  "what the dump holds: kernel, format, date, panic, CPUs, tasks; with --layout which "
	  "members "
	  "of kernel structures this kernel lacks of those that are asked for, with --all the "
	  "others, "
	  "too, with their offsets",
	  true, false, 0, 2, .run = run_info,
	  .guest_help = "which virtual machine this is, what runs in it, and its vCPUs" },
	{ "refresh", "", "take the list of threads of a live machine anew", false, false, 0, 0,
	  .run = run_refresh },
	{ "threads", "", "every task and idle CPU, with where its registers come from", true, false,
	  0, 0, .run = monitor_threads },
	{ "bt", "[TID|--all|--cpu N] [--regs] [--raw] [--inline]",
	  "the frames of the selected thread, of another or of all: where each is and how it was "
	  "found; with --regs what each register held there and where that was saved, with --raw "
	  "the words of the stack with what each is, with --inline the inlined functions and the "
	  "lines of the source",
	  true, false, 0, 6, .run = monitor_bt },
	{ "frame", "[N]",
	  "show the registers of frame N of the selected thread, as 'bt' numbers them, instead of "
	  "those of frame 0; without N, say which frame's are shown",
	  true, false, 0, 1, .run = monitor_frame },
	{ "stacks", "", "threads grouped by identical stacks, those of most threads first", true,
	  false, 0, 0, .run = monitor_stacks },
	{ "signature", "",
	  "a number that crashes have in common which came the same way: made of the functions of "
	  "the "
	  "thread that crashed, from the one that called panic() on",
	  true, false, 0, 0, .run = monitor_signature },
	{ "modules", "",
	  "the loaded modules: where they and their sections lie, state, build-id, and their files",
	  true, false, 0, 0, .run = monitor_modules },
	{ "symbols", "[--fetch] [OBJECT]...",
	  "the files that hold the symbols of the kernel ('vmlinux') and of each module: which are "
	  "wanted, what was found, and which package has the others; --fetch asks debuginfod for "
	  "those, and does not wait for them",
	  true, false, 0, WORDS_MAX, .run = monitor_symbols },
	{ "lldb-script", "", "commands for lldb that load the files of modules where they lie",
	  true, false, 0, 0, .run = monitor_lldb_script },
	{ "dmesg", "", "the kernel's log, as dmesg prints it", true, false, 0, 0,
	  .run = monitor_dmesg },
	{ "vms", "",
	  "the virtual machines of KVM: process, kind, vCPUs with their states, memory slots", true,
	  false, 0, 0, .run = monitor_vms },
	{ "vcpus", "[VM]",
	  "the vCPUs of all virtual machines, or of that of process VM (or with its struct kvm at "
	  "VM): thread, state, last exit, guest's rip",
	  true, false, 0, 1, .run = monitor_vcpus,
	  .guest_help = "its vCPUs: thread on the host, state, last exit, rip", .give = GIVE_VM },
	{ "vcpu", "ID",
	  "one vCPU, by its struct kvm_vcpu, its thread or as VM:ID, with the guest's "
	  "registers and where each is from",
	  true, false, 1, 1, .run = monitor_vcpu,
	  .guest_help = "the selected vCPU, with its registers and where each is from",
	  .give = GIVE_VCPU },
	{ "read", "[-p] ADDR LEN",
	  "bytes of memory as the selected thread sees it; says which kind of missing memory stops "
	  "it; ADDR is hexadecimal, a symbol of the kernel or of a module, or MODULE:SYMBOL; with "
	  "-p, and after 'phys', it is a physical address",
	  true, false, 2, 3, .run = monitor_read },
	{ "r", "[REG]",
	  "Dump hidden registers: cr0, cr2, cr3, cr4, efer, gdtr and idtr of the CPU that runs the "
	  "selected thread, or one of them, with what is not known and why; debuggers have them as "
	  "registers, too",
	  true, false, 0, 1, .run = monitor_register,
	  .guest_help = "Dump hidden registers of the selected vCPU: cr0, cr2, cr3, cr4, efer, "
			"gdtr and idtr, or one of them" },
	{ "phys", "",
	  "take addresses for physical ones from now on, in all that this session reads of memory",
	  false, false, 0, 0, .run = monitor_physical,
	  .guest_help = "take addresses for the guest's physical ones from now on" },
	{ "virt", "", "take addresses for virtual ones again", false, false, 0, 0,
	  .run = monitor_virtual, .guest_help = "take addresses for virtual ones again" },
	{ "vtop", "ADDR",
	  "walk the selected thread's page tables: every level, then where it leads (ADDR as for "
	  "read)",
	  true, false, 1, 1, .run = monitor_vtop },
	{ "what", "ADDR...",
	  "what an address is, the most exact first: vCPU, VM, task, object of a slab cache, "
	  "symbol, "
	  "per-CPU variable, place on a stack, page (ADDR as for read)",
	  true, false, 1, WORDS_MAX, .run = monitor_what,
	  .guest_help = "what an address of the guest is, as its own kernel has it: task, object of "
			"a slab cache, symbol, per-CPU variable, place on a stack, page; and where "
			"it lies in the guest's and the host's physical memory" },
	{ "refs", "ADDR [CACHE]...",
	  "what points to the object that an address lies in: registers and words of the stacks of "
	  "all "
	  "threads, and of the objects in use of each slab CACHE (ADDR as for read)",
	  true, false, 1, WORDS_MAX, .run = monitor_refs,
	  .guest_help = "what in the guest points to the object that an address of it lies in: "
			"registers and words of the stacks of its kernel's threads, and objects of "
			"each slab CACHE" },
	{ "walk", "VCPU gva|gpa ADDR",
	  "where an address of a guest leads, every step: guest virtual to guest physical by the "
	  "guest's own tables, then by memory slot and beside it by EPT or NPT (VCPU as for vcpu)",
	  true, false, 3, 3, .run = monitor_walk,
	  .guest_help = "where an address of the selected vCPU leads, every step",
	  .give = GIVE_VCPU },
	{ "mmu", "VCPU",
	  "KVM's MMU of a vCPU: root, levels, EPT or NPT or shadow tables, roles, counts", true,
	  false, 1, 1, .run = monitor_mmu, .guest_help = "the selected vCPU's MMU as KVM has it",
	  .give = GIVE_VCPU },
	{ "ept", "VCPU [GPA..GPA] [--summary]",
	  "what the EPT or NPT of a vCPU maps, as ranges with page sizes and rights; with "
	  "--summary "
	  "how much there is of each page size and rights",
	  true, false, 1, 3, .run = monitor_ept, .guest_help = "what the nested page tables map",
	  .give = GIVE_VCPU },
	{ "targets", "", "what is served, the host and with --guests every VM, and where", true,
	  false, 0, 0, .run = monitor_targets, .guest_help = "what is served, and where" },
	{ "connect", "", "how to start gdb and crash on what is served", true, false, 0, 0,
	  .run = monitor_connect, .guest_help = "how to start gdb and crash on what is served" },
	{ "dumps", "",
	  "of a server of a folder: all dumps below it, the last first, with kernel, panic, the "
	  "signature of the crash and how many have the same",
	  true, false, 0, 0, .run = run_dumps },
	{ "clients", "",
	  "who looks at the same dump now: the name that each has given itself, whose it is, which "
	  "program, thread and frame, since when, and whether it follows",
	  true, false, 0, 0, .run = monitor_clients,
	  .guest_help = "who looks at the same dump now" },
	{ "iam", "[NAME]", "give yourself a name, which others see in 'clients' and in notes",
	  false, false, 0, 1, .run = monitor_iam, .guest_help = "give yourself a name" },
	{ "note", "[TID|#FRAME|TID#FRAME|0xADDR|&SYMBOL|vm-PID] TEXT",
	  "write down something about a thread, a frame of the selected thread or of another, an "
	  "address, a virtual machine, or else about the dump: it is shown to everybody in 'bt', "
	  "'what' and 'threads', and kept beside the dump or in the folder of --notes; behind -- "
	  "all is text",
	  false, true, 1, 1, .run = monitor_note,
	  .guest_help = "write down something about this virtual machine" },
	{ "notes", "", "all notes, with who wrote them and when", true, false, 0, 0,
	  .run = monitor_notes, .guest_help = "all notes of the dump" },
	{ "point", "[--to NAME] [TID|#FRAME|TID#FRAME|0xADDR|&SYMBOL|vm-PID] [TEXT]",
	  "show colleagues where to look: the selected thread and frame, or what is named, with "
	  "words; those who follow, or NAME alone, stop there the next time that they wait",
	  false, true, 0, 1, .run = monitor_point,
	  .guest_help = "show colleagues who look at this guest the selected vCPU, with words" },
	{ "follow", "[on|off]",
	  "let 'continue' wait until a colleague points at something, and stop there; nobody is "
	  "moved who has not said so",
	  false, false, 0, 1, .run = monitor_follow,
	  .guest_help = "let 'continue' wait until a colleague points at something" },
};

enum { COMMANDS = sizeof(commands) / sizeof(*commands) };

/* ---- what there is ---- */

static bool is_there(const struct command *c, bool guest)
{
	return !guest || c->guest_help;
}

/* What is typed behind the name. */
static const char *arguments_of(const struct command *c, bool guest)
{
	const char *arguments = c->arguments;
	if (guest && c->give != GIVE_NOTHING) {
		arguments += strcspn(arguments, " ");
		arguments += strspn(arguments, " ");
	}
	return arguments;
}

static void add_words(bool guest, struct buf *out)
{
	const char *before = "";
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!is_there(&commands[i], guest))
			continue;
		buf_addf(out, "%s%s", before, commands[i].name);
		before = " ";
	}
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i].name))
			return &commands[i];
	return NULL;
}

static struct err *no_command(const char *name, bool guest)
{
	struct buf names = BUF_INIT;
	add_words(guest, &names);
	struct err *e = buf_error(&names);
	if (!e && find_command(name))
		e = err_new(ERR_INVALID,
			    "'%s' needs the host: it is a command of the host's monitor, and "
			    "'targets' says where that is; a guest has: %s",
			    name, names.data);
	else if (!e)
		e = err_new(ERR_INVALID, "there is no monitor command '%s'; there are: %s", name,
			    names.data);
	buf_free(&names);
	return e;
}

static void add_help(const struct command *c, const struct monitor_arguments *w, struct buf *out)
{
	const char *arguments = arguments_of(c, w->guest);
	const char *help = w->guest ? c->guest_help : c->help;
	struct json j = JSON_INIT(out);
	if (w->printer == PRINT_TEXT) {
		buf_addf(out, "%s%s%s%s\n    %s\n", c->name, *arguments ? " " : "", arguments,
			 c->json ? " [--json]" : "", help);
		return;
	}
	json_object(&j, NULL);
	json_str(&j, "command", c->name);
	json_str(&j, "arguments", arguments);
	json_str(&j, "help", help);
	json_end(&j);
	buf_addch(out, '\n');
}

/* "ps            threads" and, where there is none of ours, what to use. */
static void help_crash(enum row_printer printer, struct buf *out)
{
	for (size_t i = 0; i < CRASH_WORDS; i++) {
		const struct crash_word *c = &crash_words[i];
		struct json j = JSON_INIT(out);
		if (printer == PRINT_TEXT) {
			buf_addf(out, "%-13s %s\n", c->words, c->ours ? c->ours : c->use);
			continue;
		}
		json_object(&j, NULL);
		json_str(&j, "crash", c->words);
		if (c->ours)
			json_str(&j, "command", c->ours);
		json_str(&j, "use", c->use);
		json_end(&j);
		buf_addch(out, '\n');
	}
}

static struct err *run_help(struct service *service, struct target_view *view,
			    const struct monitor_arguments *w, struct buf *out)
{
	(void)service;
	(void)view;
	bool found = false;
	if (w->count && !strcmp(w->list[0], "crash")) {
		help_crash(w->printer, out);
		return NULL;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		if (!is_there(c, w->guest) || (w->count && strcmp(w->list[0], c->name) != 0))
			continue;
		add_help(c, w, out);
		found = true;
	}
	if (w->guest && !w->count && w->printer == PRINT_TEXT)
		buf_addstr(out, "All other commands are the host's.\n");
	else if (!w->count && w->printer == PRINT_TEXT)
		buf_addstr(out,
			   "What crash calls 'ps' or 'log' is understood: see 'help crash'.\n");
	return found ? NULL : no_command(w->list[0], w->guest);
}

/* ---- a command line ---- */

/* Room for an argument that is not typed. */
struct given {
	char text[sizeof("0x0123456789abcdef")];
};

/* Splits @line (which is changed) at white space. */
static struct err *split(char *line, struct monitor_arguments *w, bool *ret_help)
{
	*ret_help = false;
	for (char *p = line; *p;) {
		while (isspace((unsigned char)*p))
			*p++ = 0;
		if (!*p)
			break;
		char *word = p;
		while (*p && !isspace((unsigned char)*p))
			p++;
		if (*p)
			*p++ = 0;
		if (!strcmp(word, "--json"))
			w->printer = PRINT_JSON;
		else if (!strcmp(word, "--help"))
			*ret_help = true;
		else if (w->count == WORDS_MAX)
			return err_new(ERR_INVALID, "too many words");
		else
			w->list[w->count++] = word;
	}
	return NULL;
}

/* All behind the first word of @line, which @c takes as it is, but for blanks around it. */
static struct err *take_words(const struct command *c, const char *line, bool guest,
			      struct monitor_arguments *w, struct buf *storage, bool *ret_help)
{
	line += strspn(line, " \t");
	line += strcspn(line, " \t");
	line += strspn(line, " \t");
	size_t len = strlen(line);
	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	buf_add(storage, line, len);
	*ret_help = !strcmp(storage->data, "--help");
	w->text = storage->data;
	w->count = 0;
	if (!len && c->least)
		return err_new(ERR_INVALID, "%s: it takes %s; 'help' says more", c->name,
			       arguments_of(c, guest));
	return buf_error(storage);
}

/* The command that takes words and is called as the first word of @line; NULL: that is another. */
static const struct command *find_words_command(const char *line)
{
	char name[16];
	line += strspn(line, " \t");
	size_t len = strcspn(line, " \t");
	if (len >= sizeof(name))
		return NULL;
	memcpy(name, line, len);
	name[len] = 0;
	const struct command *c = find_command(name);
	return c && c->words ? c : NULL;
}

/* The address of what a guest's command is about, as its first argument: the place of the name is
 * free. */
static struct err *give_argument(const struct command *c, const struct target_view *view,
				 struct monitor_arguments *w, struct given *ret)
{
	uint64_t address;
	const struct monitor_guest *g = w->guest;
	if (!g || c->give == GIVE_NOTHING)
		return NULL;
	struct err *e = c->give == GIVE_VM ? g->vm(g->closure, &address)
					   : g->vcpu(g->closure, view->tid, &address);
	if (e)
		return e;
	snprintf(ret->text, sizeof(ret->text), "0x%" PRIx64, address);
	memmove(w->list + 1, w->list, w->count++ * sizeof(*w->list));
	w->list[0] = ret->text;
	return NULL;
}

/* Of "rd [-p] ADDR [COUNT]", with COUNT words of eight bytes, "read [-p] ADDR LEN". */
static bool translate_rd(struct monitor_arguments *w, struct given *given)
{
	enum { WORD_BYTES = 8, MOST = 1 << 20 };
	size_t addr = w->count > 1 && !strcmp(w->list[1], "-p") ? 2 : 1;
	uint64_t count = 1;
	if (strcmp(w->list[0], "rd") != 0 || w->count <= addr || w->count > addr + 2 ||
	    w->list[addr][0] == '-')
		return false;
	if (w->count == addr + 2 &&
	    (!number_parse(w->list[addr + 1], false, &count) || count > MOST))
		return false;
	snprintf(given->text, sizeof(given->text), "%" PRIu64, count * WORD_BYTES);
	w->list[0] = "read";
	w->list[addr + 1] = given->text;
	w->count = addr + 2;
	return true;
}

/* Puts @line's words in place of the first @typed of @w. */
static void put_words(struct monitor_arguments *w, size_t typed, const char *line,
		      struct buf *storage)
{
	const char *rest[WORDS_MAX];
	size_t more = w->count - typed;
	memcpy(rest, w->list + typed, more * sizeof(*rest));
	buf_addstr(storage, line);
	w->count = 0;
	for (char *p = storage->data; p && *p && w->count < WORDS_MAX;) {
		w->list[w->count++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = 0;
	}
	for (size_t i = 0; i < more && w->count < WORDS_MAX; i++)
		w->list[w->count++] = rest[i];
}

/*
 * What crash calls otherwise becomes our command, with a line that says so where people read it;
 * what we have none for is an error that names what to use. @storage holds words of @w from then
 * on.
 */
static struct err *translate(struct monitor_arguments *w, struct given *given, struct buf *storage,
			     struct buf *out)
{
	size_t typed;
	const struct crash_word *c = crash_word_find(w->list, w->count, &typed);
	if (!c)
		return NULL;
	if (translate_rd(w, given)) {
		if (w->printer == PRINT_TEXT)
			buf_addstr(out, "'rd' is 'read [-p] ADDR LEN' here\n");
		return NULL;
	}
	if (!c->ours || (!c->rest && w->count > typed))
		return err_new(ERR_INVALID, "'%s' is crash's: here it is %s", c->words, c->use);
	put_words(w, typed, c->ours, storage);
	if (w->printer == PRINT_TEXT)
		buf_addf(out, "'%s' is '%s' here\n", c->words, c->ours);
	return buf_error(storage);
}

static struct err *run_line(struct service *service, const struct monitor_guest *guest,
			    struct target_view *view, char *line, struct buf *storage,
			    struct buf *out, struct target_job **ret_job)
{
	const char *list[WORDS_MAX];
	struct monitor_arguments w = { .list = list, .guest = guest, .ret_job = ret_job };
	struct given given, number;
	bool help;
	const struct command *c = find_words_command(line);
	struct err *e = c ? take_words(c, line, guest, &w, storage, &help) : split(line, &w, &help);
	if (e)
		return e;
	if (c && help) {
		w.list[w.count++] = c->name;
		return run_help(service, view, &w, out);
	}
	if (c)
		return err_wrap(c->run(service, view, &w, out), "%s", c->name);
	/* `monitor` alone asks what there is. */
	if (!w.count) {
		w.list[w.count++] = "help";
		help = false;
	}
	e = translate(&w, &number, storage, out);
	if (e)
		return e;
	c = find_command(w.list[0]);
	if (!c || !is_there(c, guest))
		return no_command(w.list[0], guest);
	if (help) {
		w.count = 1;
		return run_help(service, view, &w, out);
	}
	memmove(w.list, w.list + 1, --w.count * sizeof(*w.list));
	e = give_argument(c, view, &w, &given);
	if (!e && (w.count < c->least || w.count > c->most)) {
		const char *arguments = arguments_of(c, guest);
		return err_new(ERR_INVALID, "%s: it takes %s; 'help' says more", c->name,
			       *arguments ? arguments : "no argument");
	}
	return err_wrap(e ? e : c->run(service, view, &w, out), "%s", c->name);
}

static struct err *run(struct service *service, const struct monitor_guest *guest,
		       struct target_view *view, const char *line, struct buf *out,
		       struct target_job **ret_job)
{
	struct vmcore *h = service->vmcore;
	struct buf storage = BUF_INIT;
	char *copy = strdup(line);
	if (!copy)
		return err_nomem();
	/* Of a machine that runs every answer is of now; where that fails, of the last time. */
	struct err *e = vmcore_renew(h);
	if (e)
		log_debug(LOG_TASKS, "the old list of threads has to do: %s", err_msg(e));
	err_free(e);
	e = run_line(service, guest, view, copy, &storage, out, ret_job);
	free(copy);
	buf_free(&storage);
	if (*ret_job) {
		(*ret_job)->generation = h->generation;
		(*ret_job)->code_generation = h->code_generation;
	}
	return e ? e : buf_error(out);
}

struct err *monitor_run(struct service *service, struct target_view *view, const char *line,
			struct buf *out, struct target_job **ret_job)
{
	return run(service, NULL, view, line, out, ret_job);
}

struct err *monitor_run_in_guest(struct service *service, const struct monitor_guest *guest,
				 struct target_view *view, const char *line, struct buf *out,
				 struct target_job **ret_job)
{
	return run(service, guest, view, line, out, ret_job);
}

/* Why a job that began before cannot go on; NULL if it can. */
static const char *what_changed(const struct vmcore *h, const struct target_job *job)
{
	if (job->rests_on == JOB_ON_TASKS && job->generation != h->generation)
		return "the list of threads was taken anew";
	if (job->rests_on == JOB_ON_CODE && job->code_generation != h->code_generation)
		return "modules were loaded or unloaded";
	return NULL;
}

struct err *monitor_more(struct vmcore *h, struct target_job *job, struct buf *out, bool *ret_done)
{
	bool done = false;
	const char *changed = what_changed(h, job);
	struct err *e =
		changed ? err_new(ERR_INVALID, "%s meanwhile: give the command again", changed)
			: job->slice(h, job, out, &done);
	if (!e)
		e = buf_error(out);
	if (e || done)
		job->free(job);
	*ret_done = done;
	return e;
}

void monitor_cancel(struct target_job *job)
{
	if (job)
		job->free(job);
}

void monitor_man(struct buf *out)
{
	buf_addstr(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < COMMANDS; i++)
		buf_addf(out, ".It Ic %s%s%s%s\n%s.\n", commands[i].name,
			 *commands[i].arguments ? " " : "", commands[i].arguments,
			 commands[i].json ? " Op Fl Fl json" : "", commands[i].help);
	buf_addstr(out, ".El\n"
			".Pp\n"
			"What\n.Xr crash 8\ncalls otherwise is understood, or answered by what to "
			"use here:\n"
			".Ic help crash\nlists its words.\n");
}

void monitor_markdown(struct buf *out)
{
	buf_addstr(
		out,
		"\n## Monitor commands\n\n"
		"Typed after `monitor` in gdb, after `process plugin packet monitor` in lldb, or "
		"given to\n`--exec`, which needs no debugger:\n\n"
		"    vmcore-gdbserver -x 'threads --json' DUMP\n\n"
		"With `--json` each prints one JSON object a line; addresses are strings that "
		"begin with 0x, and\nwhat is unknown is absent. An address is hexadecimal, with or "
		"without 0x, or the name of a symbol\nof the kernel, or of one module where no "
		"other has it, or MODULE:SYMBOL; a name that stands for\nseveral places is "
		"refused, "
		"with those. A length is decimal unless it begins with 0x.\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		const struct command *c = &commands[i];
		buf_addf(out, "\n### `%s`\n\n    %s%s%s%s\n\n", c->name, c->name,
			 *c->arguments ? " " : "", c->arguments, c->json ? " [--json]" : "");
		markdown_sentence(out, c->help);
		if (!c->guest_help)
			continue;
		buf_addf(out, "\nA guest's monitor (`--guests`) has it, too:\n\n    %s%s%s%s\n\n",
			 c->name, *arguments_of(c, true) ? " " : "", arguments_of(c, true),
			 c->json ? " [--json]" : "");
		markdown_sentence(out, c->guest_help);
	}
}

void monitor_crash_words(struct buf *out)
{
	buf_addstr(out,
		   "\n### What crash calls otherwise\n\n"
		   "Whoever types crash's own words gets the command that does the same, or a "
		   "sentence that names what\nto use here: the debugger's own command, or crash "
		   "itself, which comes to the same port.\n`help crash` prints this table.\n\n"
		   "| crash | here | and else |\n|---|---|---|\n");
	for (size_t i = 0; i < CRASH_WORDS; i++) {
		const struct crash_word *c = &crash_words[i];
		buf_addf(out, "| `%s` | %s%s%s | %s |\n", c->words, c->ours ? "`" : "",
			 c->ours ? c->ours : "", c->ours ? "`" : "", c->use);
	}
}

void monitor_words(struct buf *out)
{
	add_words(false, out);
}
