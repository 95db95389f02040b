# SPDX-License-Identifier: GPL-2.0-or-later
# Modules, their code and its tables, the unwinder's answers.
libvmcore_a_SOURCES += \
	vmcore/code/made_code.c vmcore/code/made_code.h \
	vmcore/code/cfi_files.c vmcore/code/cfi_files.h \
	vmcore/code/code_map.c vmcore/code/code_map.h \
	vmcore/code/code_path.c vmcore/code/code_path.h \
	vmcore/code/code_place.c vmcore/code/code_place.h \
	vmcore/code/code_scopes.c vmcore/code/code_scopes.h \
	vmcore/code/code_variables.c vmcore/code/code_variables.h \
	vmcore/code/context_places.c vmcore/code/context_places.h \
	vmcore/code/frame_cache.c vmcore/code/frame_cache.h \
	vmcore/code/module_files.c vmcore/code/module_files.h \
	vmcore/code/module_sections.c vmcore/code/module_sections.h \
	vmcore/code/module_symbols.c vmcore/code/module_symbols.h \
	vmcore/code/module_types.c vmcore/code/module_types.h \
	vmcore/code/modules.c vmcore/code/modules.h \
	vmcore/code/modules_untyped.c vmcore/code/modules_untyped.h \
	vmcore/code/traced_returns.c vmcore/code/traced_returns.h \
	vmcore/code/arch.h \
	vmcore/code/unwind_source.c vmcore/code/unwind_source.h
