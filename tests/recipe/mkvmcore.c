// SPDX-License-Identifier: GPL-2.0-or-later
/* mkvmcore: makes a kernel dump from a recipe. README.md describes the language. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/recipe/output.h"
#include "tests/recipe/recipe.h"

static const char usage[] =
	"Usage: mkvmcore [OPTION]... RECIPE OUT\n"
	"Makes the dump that the text file RECIPE describes.\n"
	"\n"
	"  -f FORMAT      elf, kdump-none, kdump-zlib, kdump-lzo, kdump-snappy or kdump-zstd;\n"
	"                 wins over the recipe's own\n"
	"  -s N           split into OUT.1 ... OUT.N\n"
	"  -F             makedumpfile's flattened form\n"
	"  -I FOLDER      look for files that the recipe names in FOLDER, too\n"
	"  -D NAME=VALUE  a constant that wins over the recipe's `set NAME`\n"
	"  -h             this text\n";

struct options {
	const char *format;
	unsigned int pieces;
	bool flatten;
};

static struct err *define(struct recipe *r, char *text)
{
	char *equals = strchr(text, '='), *end;
	if (!equals || equals == text || !equals[1])
		return err_new(ERR_INVALID, "-D wants NAME=VALUE, not '%s'", text);
	errno = 0;
	uint64_t value = strtoull(equals + 1, &end, 0);
	if (*end || errno)
		return err_new(ERR_INVALID, "'%s' is no 64-bit number", equals + 1);
	*equals = 0;
	return recipe_define(r, text, value);
}

static struct err *split(struct options *o, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*end || !n || n > 64)
		return err_new(ERR_INVALID, "-s wants a number from 1 to 64, not '%s'", text);
	o->pieces = (unsigned int)n;
	return NULL;
}

static struct err *parse_options(int argc, char **argv, struct recipe *r, struct options *o)
{
	struct err *e = NULL;
	int opt;
	while (!e && (opt = getopt(argc, argv, "f:s:FI:D:h")) != -1) {
		switch (opt) {
		case 'f':
			o->format = optarg;
			break;
		case 's':
			e = split(o, optarg);
			break;
		case 'F':
			o->flatten = true;
			break;
		case 'I':
			e = recipe_add_folder(r, optarg);
			break;
		case 'D':
			e = define(r, optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		default:
			e = err_new(ERR_INVALID, "try 'mkvmcore -h'");
		}
	}
	if (!e && argc - optind != 2)
		e = err_new(ERR_INVALID, "a RECIPE and an OUT are wanted; try 'mkvmcore -h'");
	return e;
}

/* What the command line says about the output wins over the recipe. */
static struct err *apply_options(struct recipe *r, const struct options *o)
{
	if (o->format && !plan_set_format(&r->plan, o->format))
		return err_new(ERR_INVALID, "no format '%s'", o->format);
	if (o->pieces)
		r->plan.pieces = o->pieces;
	r->plan.flatten |= o->flatten;
	return NULL;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct recipe r;
	recipe_init(&r);
	struct err *e = parse_options(argc, argv, &r, &o);
	if (!e)
		e = recipe_read_file(&r, argv[optind]);
	if (!e)
		e = apply_options(&r, &o);
	if (!e)
		e = output_write(&r, argv[optind + 1]);
	if (e)
		fprintf(stderr, "mkvmcore: %s\n", err_msg(e));
	int status = e ? EXIT_FAILURE : EXIT_SUCCESS;
	err_free(e);
	recipe_free(&r);
	return status;
}
