# SPDX-License-Identifier: GPL-2.0-or-later
# Configurations of front ends for a dump.
vmcore_gdbserver_SOURCES += \
	server/ide/eclipse.c \
	server/ide/editors.c \
	server/ide/ide.c server/ide/ide.h \
	server/ide/ide_facts.c server/ide/ide_facts.h \
	server/ide/vscode.c \
	server/ide/words.c server/ide/words.h
