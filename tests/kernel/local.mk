# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel in dumps from recipes.
if HAVE_CMOCKA
if MAKES_X86_64
check_LIBRARIES += libmachine.a
test_machine = libmachine.a
libmachine_a_SOURCES = tests/kernel/ask.c tests/kernel/ask.h tests/kernel/machine.c \
	tests/kernel/machine.h tests/kernel/mutant.c tests/kernel/mutant.h

# Newer kernels, as small as the demo's
kernel_tests_kernels = contrib/demo/vmlinux tests/kernel/modern tests/kernel/middle \
	tests/kernel/hot/modern
kernel_tests_cc = $(MKDIR_P) tests/kernel/hot && $(CC) $(demo_cflags) -c -o $@
kernel_tests_ld = $(LD) -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=sha1 \
	-T $(srcdir)/tests/kernel/modern.lds -o $@
tests/kernel/modern.o: tests/kernel/modern.c tests/kernel/modern_modules.h tests/kernel/modern_tracers.h tests/kernel/modern_slabs.h
	$(AM_V_CC)$(kernel_tests_cc) $(srcdir)/tests/kernel/modern.c
tests/kernel/middle.o: tests/kernel/modern.c tests/kernel/modern_modules.h tests/kernel/modern_tracers.h tests/kernel/modern_slabs.h
	$(AM_V_CC)$(kernel_tests_cc) -DLAYOUT_MIDDLE $(srcdir)/tests/kernel/modern.c
tests/kernel/hot/modern.o: tests/kernel/modern.c tests/kernel/modern_modules.h tests/kernel/modern_tracers.h tests/kernel/modern_slabs.h
	$(AM_V_CC)$(kernel_tests_cc) -DLAYOUT_HOT $(srcdir)/tests/kernel/modern.c
tests/kernel/modern: tests/kernel/modern.o tests/kernel/modern.lds
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0xffffffff81600000 tests/kernel/modern.o
tests/kernel/middle: tests/kernel/middle.o tests/kernel/modern.lds
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0 tests/kernel/middle.o
tests/kernel/hot/modern: tests/kernel/hot/modern.o tests/kernel/modern.lds
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0xffffffff81600000 tests/kernel/hot/modern.o
check_DATA += tests/kernel/modern tests/kernel/middle
CLEANFILES += tests/kernel/modern.o tests/kernel/middle.o tests/kernel/hot/modern.o \
	tests/kernel/modern tests/kernel/middle tests/kernel/hot/modern
# Modules as kernels had them through the years, in the newest but for that
kernel_module_layouts = tests/kernel/modules-310/modern tests/kernel/modules-405/modern \
	tests/kernel/modules-502/modern tests/kernel/modules-508/modern \
	tests/kernel/modules-604/modern tests/kernel/modules-614/modern
$(kernel_module_layouts): tests/kernel/modern.c tests/kernel/modern_modules.h tests/kernel/modern_tracers.h tests/kernel/modern_slabs.h tests/kernel/modern.lds
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) $(demo_cflags) -c -o $@.o \
		-DMODULES=`echo $(@D) | sed 's/.*-//'` $(srcdir)/tests/kernel/modern.c
	$(AM_V_CCLD)$(kernel_tests_ld) --defsym PERCPU=0xffffffff81600000 $@.o
check_DATA += $(kernel_module_layouts)
CLEANFILES += $(kernel_module_layouts) $(kernel_module_layouts:=.o)

check_PROGRAMS += \
	tests/kernel/test_damage \
	tests/kernel/test_demo \
	tests/kernel/test_ground \
	tests/kernel/test_islands \
	tests/kernel/test_module_layouts \
	tests/kernel/test_modern \
	tests/kernel/test_modules \
	tests/kernel/test_mutations \
	tests/kernel/test_opening \
	tests/kernel/test_printk \
	tests/kernel/test_registers \
	tests/kernel/test_slabs \
	tests/kernel/test_tracers \
	tests/kernel/test_untyped
EXTRA_tests_kernel_test_damage_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_demo_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_ground_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_islands_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_module_layouts_DEPENDENCIES = $(kernel_module_layouts)
EXTRA_tests_kernel_test_modern_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_modules_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_mutations_DEPENDENCIES = $(kernel_tests_kernels) $(kernel_module_layouts)
EXTRA_tests_kernel_test_opening_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_printk_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_registers_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_slabs_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_tracers_DEPENDENCIES = $(kernel_tests_kernels)
EXTRA_tests_kernel_test_untyped_DEPENDENCIES = $(kernel_tests_kernels) $(kernel_module_layouts)
endif
endif
EXTRA_DIST += tests/kernel/ground.recipe tests/kernel/machine.recipe tests/kernel/middle.recipe \
	tests/kernel/modules.recipe tests/kernel/modern.c tests/kernel/modern.lds tests/kernel/modern.recipe \
	tests/kernel/modern_modules.h tests/kernel/modern_slabs.h tests/kernel/modern_tracers.h \
	tests/kernel/layout.recipe tests/kernel/layout-310.recipe \
	tests/kernel/layout-405.recipe tests/kernel/layout-500.recipe tests/kernel/layout-502.recipe \
	tests/kernel/layout-508.recipe tests/kernel/layout-604.recipe tests/kernel/layout-614.recipe \
	tests/kernel/layout-binary.recipe tests/kernel/layout-kallsyms.recipe \
	tests/kernel/layout-names.recipe tests/kernel/layout-notes.recipe \
	tests/kernel/layout-regions.recipe tests/kernel/layout-typetab.recipe
