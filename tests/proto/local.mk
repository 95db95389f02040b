# SPDX-License-Identifier: GPL-2.0-or-later
# Conversations with clients, replayed against a fake target: each file is a test.
proto_transcripts = \
	tests/proto/accelerators-lldb.transcript \
	tests/proto/acknowledgements.transcript \
	tests/proto/attach-gdb-13.transcript \
	tests/proto/attach-gdb-16.transcript \
	tests/proto/attach-gdb-18.transcript \
	tests/proto/attach-lldb-14.transcript \
	tests/proto/attach-lldb-21.transcript \
	tests/proto/attach-others.transcript \
	tests/proto/attach-several.transcript \
	tests/proto/crash.transcript \
	tests/proto/crash-hostile.transcript \
	tests/proto/crash-not.transcript \
	tests/proto/crash-junk.transcript \
	tests/proto/crash-endless.transcript \
	tests/proto/crash-without.transcript \
	tests/proto/framing.transcript \
	tests/proto/interrupt.transcript \
	tests/proto/libraries.transcript \
	tests/proto/many-threads.transcript \
	tests/proto/memory-lldb.transcript \
	tests/proto/memory.transcript \
	tests/proto/monitor.transcript \
	tests/proto/refused.transcript \
	tests/proto/registers.transcript \
	tests/proto/run-gdb.transcript \
	tests/proto/run-lldb.transcript \
	tests/proto/search.transcript \
	tests/proto/threads.transcript \
	tests/proto/trace.transcript \
	tests/proto/unknown.transcript \
	tests/proto/vfile.transcript \
	tests/proto/without-groups.transcript \
	tests/proto/xfer.transcript

proto_fake = tests/proto/fake.c tests/proto/fake.h \
	tests/proto/fake_crash.c tests/proto/fake_crash.h \
	tests/proto/fake_others.c tests/proto/fake_others.h
# Tools of the tests, and no tests by themselves: the logs below depend on them.
EXTRA_PROGRAMS += tests/proto/replay tests/proto/documents
tests_proto_replay_SOURCES = tests/proto/replay.c $(proto_fake) \
	server/net/dialogue.c server/net/dialogue.h \
	server/net/kept.c server/net/kept.h
tests_proto_documents_SOURCES = tests/proto/documents.c $(proto_fake)

TRANSCRIPT_LOG_COMPILER = tests/proto/replay
TESTS += $(proto_transcripts) tests/proto/validate.sh
$(proto_transcripts:.transcript=.log): tests/proto/replay$(EXEEXT)
tests/proto/validate.log: tests/proto/documents$(EXEEXT)
EXTRA_DIST += $(proto_transcripts) tests/proto/validate.sh tests/proto/gdb-target.dtd \
	tests/proto/threads.dtd

if HAVE_CMOCKA
check_PROGRAMS += tests/proto/test_cursor tests/proto/test_frame tests/proto/test_rsp \
	tests/proto/test_tdesc
tests_proto_test_rsp_SOURCES = tests/proto/test_rsp.c $(proto_fake)
tests_proto_test_tdesc_SOURCES = tests/proto/test_tdesc.c
endif
