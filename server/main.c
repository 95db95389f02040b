// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/log.h"
#include "config.h"
#include "proto/target.h"
#include "server/completion.h"
#include "server/confinement.h"
#include "server/files/debuginfod_helper.h"
#include "server/files/made_image.h"
#include "server/files/write_symbols.h"
#include "server/files/write_types.h"
#include "server/ide/ide.h"
#include "server/ide/ide_facts.h"
#include "server/monitor/info.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/monitor/monitor.h"
#include "server/net/captive.h"
#include "server/net/outer.h"
#include "server/net/peer.h"
#include "server/net/server.h"
#include "server/options.h"
#include "server/serve_shelf.h"
#include "server/service.h"
#include "server/target/guests.h"
#include "server/target/target_kernel.h"
#include "vmcore/guest/guest_dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/packages.h"
#include "vmcore/vmcore.h"

/* Prints what failed; returns the exit status. Takes @e. */
static int fail(struct err *e)
{
	/* Output so far comes before the error when both go to one place. */
	fflush(stdout);
	fprintf(stderr, "vmcore-gdbserver: %s\n", err_msg(e));
	err_free(e);
	return EXIT_FAILURE;
}

/*
 * A standard descriptor that we got closed would become that of the next file opened, and output go
 * into a dump's temporary file. Taken in the direction in which nobody uses it, it still fails.
 */
static void occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/* Whether everything printed has really gone out: a full disk shows only here. */
static int finish_stdout(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_SUCCESS;
	perror("vmcore-gdbserver: write to standard output");
	return EXIT_FAILURE;
}

/* A line that is rewritten as work goes on, on a terminal only. */
static void show_progress(void *closure, const char *doing, uint64_t done, uint64_t total)
{
	bool *shown = closure;
	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s: %d%%\033[K", doing, total ? (int)(done * 100. / (double)total) : 0);
	*shown = true;
}

/*
 * What is done as root in live mode ends once the memory is open and clients can connect: with
 * @served, which guests have sockets of their own in, else before anything is read. @server is NULL
 * if nothing is served.
 */
static struct err *end_privileges(const struct options *o, struct server *server,
				  struct served_list *served, struct confinement *confined)
{
	struct err *e = server ? server_listen(server, served) : NULL;
	if (!e && server && geteuid() == 0)
		e = server_leave_sweeper(server);
	return e ? e : confinement_of_live(o, server, confined);
}

struct opened {
	const struct options *options;
	struct server *server; /* as above */
	struct confinement *confined;
};

static struct err *on_opened(void *closure)
{
	const struct opened *opened = closure;
	return end_privileges(opened->options, opened->server, NULL, opened->confined);
}

/* What is looked at: a dump's machine, or with --guest one of its virtual machines. */
struct opened_host {
	struct service *host;
	struct guest_dump *guest; /* what it is made of, and the machine around it; or NULL */
	struct service *outer;
	struct packages *packages; /* among --symbols */
};

static void close_hosts(struct opened_host *h)
{
	service_close(h->host);
	guest_dump_free(h->guest);
	service_close(h->outer);
	packages_free(h->packages);
}

/*
 * With --guest there are two kernels, and --symbols may have files of one that do not fit the
 * other: then *ret_unfit says so, and the host is opened without.
 */
static struct err *open_either(const struct service_options *options, struct guest_dump *guest,
			       struct service **ret, struct err **ret_unfit)
{
	struct service_options o = *options;
	/* What is kept there goes by the dump's files, and would be the outer machine's. */
	const struct vmlinux_index_options no_index = { 0 };
	if (guest) {
		o.symbol_cache = NULL;
		o.index = &no_index;
	}
	struct err *e = guest ? guest_dump_new_dump(guest, &o.vmcore.dump) : NULL;
	if (!e)
		e = service_open(&o, ret);
	if (!e || !o.vmcore.symbol_path_count || err_code(e) != ERR_FORMAT)
		return e;
	*ret_unfit = e;
	o.vmcore.symbol_path_count = 0;
	e = guest ? guest_dump_new_dump(guest, &o.vmcore.dump) : NULL;
	return e ? e : service_open(&o, ret);
}

static struct err *open_guest_dump(const struct vmcore *outer, const char *name,
				   struct guest_dump **ret)
{
	struct vm *vms;
	size_t count, i = 0;
	struct err *e = kvm_vms(outer->kvm, &vms, &count);
	const char *why = kvm_why(outer->kvm);
	if (!e && !count)
		e = err_new(ERR_NOTFOUND, "there are no virtual machines in it%s%s",
			    why ? ": " : "", why ? why : "");
	if (!e)
		e = vm_by_name(outer, name, &i);
	return e ? e : guest_dump_open(outer->kvm, &vms[i], ret);
}

/* Opens the machine, then makes its guest called @name what @h looks at. */
static struct err *open_guest(struct opened_host *h, const char *name,
			      const struct service_options *options)
{
	struct err *unfit[2] = { NULL };
	struct err *e = open_either(options, NULL, &h->outer, &unfit[0]);
	if (e)
		goto out;
	e = open_guest_dump(h->outer->vmcore, name, &h->guest);
	if (!e)
		e = open_either(options, h->guest, &h->host, &unfit[1]);
	if (!e && unfit[0] && unfit[1]) {
		e = unfit[1];
		unfit[1] = NULL;
	}
	e = err_wrap(e, "look at the virtual machine %s", name);
out:
	err_free(unfit[0]);
	err_free(unfit[1]);
	return e;
}

/* @server as for work_on_dump(). @shown, false at first, must last as long as the host. */
static struct err *open_host(const struct options *o, struct server *server,
			     struct confinement *confined, bool *shown, struct opened_host *ret)
{
	struct opened opened = { o, server, confined };
	const struct packages_options packages_options = {
		.cache = o->symbol_cache,
		.progress = o->quiet ? NULL : show_progress,
		.closure = shown,
	};
	struct err *e = packages_new(&packages_options, &ret->packages);
	if (e)
		return e;
	struct service_options options = {
		.vmcore = {
			.dump_paths = o->dumps.list,
			.dump_path_count = o->dumps.count,
			.live = o->live,
			.live_source = o->live_source,
			.opened = o->live && (!o->guests || o->write_symbols) ? on_opened : NULL,
			.opened_closure = &opened,
			.symbol_paths = o->symbols.list,
			.symbol_path_count = o->symbols.count,
			.packages = ret->packages,
			.cache_size = o->cache_size,
			.progress = o->quiet ? NULL : show_progress,
			.closure = shown,
		},
		.serve_files = !o->no_serve_files,
		.context_threads = !o->no_context_threads,
		.extra_cfi = !o->no_extra_cfi,
		.symbol_cache = o->symbol_cache,
		.fetch_waits = !server,
		.owner = confined->owner,
		.notes = confined->notes.len ? confined->notes.data : NULL,
		.notes_mode = confined->notes_mode,
		.debuginfod = &confined->debuginfod,
		.index = &confined->index,
		.confined = confined->held.len ? confined->held.data : NULL,
	};
	e = o->guest ? open_guest(ret, o->guest, &options) : service_open(&options, &ret->host);
	if (*shown)
		fputs("\r\033[K", stderr);
	return e;
}

/* Runs a monitor command to its end, and prints what each slice of it says. */
static struct err *run_command(struct service *service, struct target_view *view, const char *line)
{
	struct buf out = BUF_INIT;
	struct target_job *job = NULL;
	struct err *e = monitor_run(service, view, line, &out, &job);
	bool done = !job;
	fwrite(out.data, 1, out.len, stdout);
	while (!e && !done) {
		buf_reset(&out);
		e = monitor_more(service->vmcore, job, &out, &done);
		fwrite(out.data, 1, out.len, stdout);
	}
	buf_free(&out);
	return e;
}

static int run_commands(const struct options *o, struct service *service,
			const struct target *target)
{
	int status = EXIT_SUCCESS;
	struct target_view view = { .tid = target_current_thread(target) };
	for (size_t i = 0; i < o->exec.count; i++) {
		struct err *e = run_command(service, &view, o->exec.list[i]);
		if (e)
			status = fail(e);
	}
	int written = finish_stdout();
	return status ? status : written;
}

/* Serving does not wait for it. */
static struct err *start_download(const struct options *o, struct service *service)
{
	bool started;
	struct err *e = service_fetch_vmlinux(service, &started);
	if (!e && started && !o->quiet)
		fputs("vmlinux   is asked of debuginfod meanwhile; 'monitor symbols' tells how far "
		      "it "
		      "is\n",
		      stderr);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	fprintf(stderr, "note      debuginfod: %s\n", err_msg(e));
	err_free(e);
	return NULL;
}

/* @again: another process has said all that is said at the start. */
static int serve_host(const struct options *o, struct server *server, struct service *service,
		      bool again)
{
	const struct debug_file *file = kernel_debug_file(service->vmcore->kernel);
	int status = EXIT_SUCCESS;
	if (!o->quiet && !again) {
		struct buf text = BUF_INIT;
		info_text(service->vmcore, service->confined, &text);
		fputs(text.data, stderr);
		buf_free(&text);
	}
	struct err *e = start_download(o, service);
	if (e)
		return fail(e);
	e = server_run(server, service->served, service->vmcore->dump,
		       file && !file->in_package ? file->path : NULL, &status);
	return e ? fail(e) : status;
}

/* A machine of QEMU's is its owner's, and needs no root: then the socket is in their own folder. */
static struct err *live_socket(const struct options *o, struct buf *ret)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	bool qmp = o->live_source && !strncmp(o->live_source, "qmp:", strlen("qmp:"));
	if (qmp && geteuid() && (!own || !*own))
		return err_new(ERR_INVALID,
			       "there is no folder for a socket of yours (XDG_RUNTIME_DIR): say "
			       "where to listen with --listen");
	buf_addf(ret, o->guests ? "unixdir:%s/vmcore-gdbserver" : "unix:%s/vmcore-gdbserver.sock",
		 qmp && geteuid() ? own : "/run");
	return buf_error(ret);
}

/* A configuration for the debugger that will come, with --listen's first address. */
static int print_ide(const struct options *o, const struct service *service)
{
	struct ide_facts facts = { 0 };
	struct buf own = BUF_INIT, out = BUF_INIT;
	const char *listen = o->listen.count ? o->listen.list[0] : NULL;
	struct err *e = o->live && !listen ? live_socket(o, &own) : NULL;
	if (!e)
		e = ide_facts_find(service, own.len ? own.data : listen, &facts);
	if (!e) {
		ide_print(o->ide, &facts, &out);
		e = buf_error(&out);
	}
	if (!e)
		fwrite(out.data, 1, out.len, stdout);
	ide_facts_free(&facts);
	buf_free(&own);
	buf_free(&out);
	return e ? fail(e) : finish_stdout();
}

static int print_summary(const struct service *service)
{
	struct buf text = BUF_INIT;
	struct err *e = shelf_summary(service->vmcore, &text);
	if (!e)
		fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	return e ? fail(e) : finish_stdout();
}

/* @server is NULL when the commands of --exec are to be run, or for --ide. */
static int work_on_dump(const struct options *o, struct server *server,
			struct confinement *confined)
{
	struct opened_host opened = { 0 };
	struct target *target = NULL;
	struct served_list served = { 0 };
	bool shown = false;
	int status;
	struct err *e = open_host(o, server, confined, &shown, &opened);
	struct service *service = opened.host;
	if (!e)
		e = target_kernel_new(service, &target);
	if (!e)
		e = served_host(service, target, &served);
	if (!e) {
		service->served = &served;
		if (o->guests)
			e = served_add_guests(&served);
		if (!e && o->live && o->guests)
			e = end_privileges(o, server, &served, confined);
	}
	if (!e && confined->held.len)
		service->confined = confined->held.data;
	if (e && o->inlet >= 0)
		shelf_tell_failed(o->inlet, err_msg(e));
	if (e)
		status = fail(e);
	else if (server)
		status = serve_host(o, server, service, outer_note(confined->outer));
	else if (o->ide)
		status = print_ide(o, service);
	else if (o->summary)
		status = print_summary(service);
	else
		status = run_commands(o, service, target);
	served_free(&served);
	target_kernel_free(target);
	close_hosts(&opened);
	return status;
}

static int write_symbols_of_dump(const struct options *o, struct confinement *confined)
{
	struct opened_host opened = { 0 };
	bool shown = false;
	struct err *e = open_host(o, NULL, confined, &shown, &opened);
	if (!e)
		e = write_symbols(made_image_source(opened.host->made), o->write_symbols);
	close_hosts(&opened);
	return e ? fail(e) : EXIT_SUCCESS;
}

static int write_types_of_files(const struct options *o)
{
	struct err *e = write_types(o->symbols.list, o->symbols.count, o->write_types);
	return e ? fail(e) : EXIT_SUCCESS;
}

static int serve(const struct options *o)
{
	/* Whoever can read a running kernel's memory owns the machine: for its owner only. */
	bool default_socket = o->live && !o->listen.count;
	struct buf socket = BUF_INIT;
	struct server *server = NULL;
	struct err *e = default_socket ? live_socket(o, &socket) : NULL;
	if (e)
		return fail(e);
	const char *const sockets[] = { socket.data };
	struct captive captive = CAPTIVE_INIT;
	struct peers peers = PEERS_INIT;
	struct confinement confined = CONFINEMENT_INIT;
	struct serve_options serve_options = {
		.listen = default_socket ? sockets : o->listen.list,
		.listen_count = default_socket ? 1 : o->listen.count,
		.run = o->run,
		.captive = &captive,
		.peers = &peers,
		.max_clients = o->max_clients,
		.quiet = o->quiet,
		.patience = (uint64_t)o->patience * 1000,
		.guests = o->guests,
		.multiprocess = o->multiprocess,
		.live = o->live,
		.inlet = o->inlet,
		.idle = o->idle,
	};
	int status;
	e = peers_open(o->any_user, o->group, &peers);
	if (!e)
		e = server_new(&serve_options, &server);
	if (!e && o->run)
		e = captive_prepare(o->run, &captive);
	if (!e)
		e = confinement_begin(o, server, &captive, &confined);
	status = e ? fail(e) : work_on_dump(o, server, &confined);
	captive_free(&captive);
	peers_close(&peers);
	server_free(server);
	confinement_end(&confined);
	buf_free(&socket);
	return status;
}

/* Commands, or a file: nothing is served. */
static int work_without_clients(const struct options *o)
{
	struct confinement confined = CONFINEMENT_INIT;
	struct err *e = confinement_begin(o, NULL, NULL, &confined);
	int status;
	if (e)
		status = fail(e);
	else if (o->write_symbols)
		status = write_symbols_of_dump(o, &confined);
	else
		status = work_on_dump(o, NULL, &confined);
	confinement_end(&confined);
	return status;
}

/* A folder in place of a dump. */
static int work_on_shelf(const struct options *o)
{
	struct buf text = BUF_INIT;
	int status = EXIT_SUCCESS;
	struct err *e;
	if (o->dumps.count > 1 || o->guests || o->guest || o->run || o->ide || o->write_symbols)
		e = err_new(ERR_INVALID,
			    "%s is a folder: of all dumps below it there are no --guests, "
			    "--guest, --run, --ide and --write-symbols",
			    o->dumps.list[0]);
	else if (o->exec.count)
		e = shelf_run_commands(o, &text);
	else
		e = shelf_serve(o, &status);
	fwrite(text.data, 1, text.len, stdout);
	buf_free(&text);
	if (e)
		return fail(e);
	int written = finish_stdout();
	return status ? status : written;
}

/* With placeholders in the place of a dump's facts. */
static void print_ide_file(enum ide ide, struct buf *out)
{
	struct ide_facts facts;
	struct err *e = ide_facts_example(&facts);
	if (e) {
		out->failed = true;
		err_free(e);
		return;
	}
	ide_print(ide, &facts, out);
	ide_facts_free(&facts);
}

static int print_text(enum action action, enum ide ide)
{
	struct buf out = BUF_INIT;
	switch (action) {
	case ACTION_HELP:
		options_help(&out);
		break;
	case ACTION_VERSION:
		buf_addstr(&out, PACKAGE_STRING "\n");
		break;
	case ACTION_DEBUG_LIST:
		log_list(&out);
		break;
	case ACTION_MAN_OPTIONS:
		options_man(&out);
		break;
	case ACTION_MAN_MONITOR:
		monitor_man(&out);
		break;
	case ACTION_COMPLETION_BASH:
		completion_bash(&out);
		break;
	case ACTION_COMPLETION_FISH:
		completion_fish(&out);
		break;
	case ACTION_COMPLETION_ZSH:
		completion_zsh(&out);
		break;
	case ACTION_MARKDOWN:
		options_markdown(&out);
		monitor_markdown(&out);
		monitor_crash_words(&out);
		break;
	case ACTION_IDE_FILE:
		print_ide_file(ide, &out);
		break;
	case ACTION_DEBUGINFOD_HELPER:
	case ACTION_SERVE:
		break;
	}
	fwrite(out.data, 1, out.len, stdout);
	buf_free(&out);
	return finish_stdout();
}

int main(int argc, char **argv)
{
	struct options options;
	occupy_standard_descriptors();
	/* A file that grows to the limit of its size (ulimit -f) is an error like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	struct err *e = options_parse(argc, argv, &options);
	if (e)
		return fail(e);
	int status;
	close_inherited(&options);
	if (options.action == ACTION_DEBUGINFOD_HELPER)
		debuginfod_helper(options.dumps.list, options.dumps.count);
	if (options.action != ACTION_SERVE)
		status = print_text(options.action, options.ide);
	else if (options.write_types)
		status = write_types_of_files(&options);
	else if (options.dumps.count && files_is_folder(options.dumps.list[0]))
		status = work_on_shelf(&options);
	else if (options.write_symbols || options.exec.count || options.ide || options.summary)
		status = work_without_clients(&options);
	else
		status = serve(&options);
	options_free(&options);
	return status;
}
