# SPDX-License-Identifier: GPL-2.0-or-later
# The recipe tool: dumps from text, for the demo and the tests
noinst_LIBRARIES += librecipe.a
librecipe_a_SOURCES = \
	tests/recipe/compress.c tests/recipe/compress.h \
	tests/recipe/dir_memory.c tests/recipe/dir_notes.c tests/recipe/dir_object.c \
	tests/recipe/dir_output.c tests/recipe/dir_paging.c tests/recipe/directive.h \
	tests/recipe/elfdump.c tests/recipe/elfdump.h \
	tests/recipe/expr.c tests/recipe/expr.h \
	tests/recipe/field.c tests/recipe/field.h \
	tests/recipe/flatten.c tests/recipe/flatten.h \
	tests/recipe/image.c tests/recipe/image.h \
	tests/recipe/items.c \
	tests/recipe/kdumpfile.c tests/recipe/kdumpfile.h \
	tests/recipe/kernelfile.c tests/recipe/kernelfile.h \
	tests/recipe/kerneltypes.c \
	tests/recipe/names.c tests/recipe/names.h \
	tests/recipe/notes.c tests/recipe/notes.h \
	tests/recipe/output.c tests/recipe/output.h \
	tests/recipe/paging.c tests/recipe/paging.h \
	tests/recipe/physmem.c tests/recipe/physmem.h \
	tests/recipe/plan.c tests/recipe/plan.h \
	tests/recipe/reader.c tests/recipe/recipe.h \
	tests/recipe/token.c tests/recipe/token.h
librecipe_a_CPPFLAGS = $(AM_CPPFLAGS) -DHAVE_CONFIG_H
recipe_libs = librecipe.a libbase.a $(ELFUTILS_LIBS) $(COMPRESSION_LIBS)

noinst_PROGRAMS = tests/recipe/mkvmcore
tests_recipe_mkvmcore_SOURCES = tests/recipe/mkvmcore.c
tests_recipe_mkvmcore_LDADD = $(recipe_libs)
EXTRA_DIST += tests/recipe/README.md

if HAVE_CMOCKA
check_PROGRAMS += tests/recipe/test_recipe tests/recipe/test_dumps
endif
