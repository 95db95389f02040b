-- Linux, as vmcore-gdbserver serves it at localhost:1234.
-- For nvim-dap: in init.lua, or by :luafile.
-- Where the source is elsewhere, replace /path/to/linux.
local dap = require("dap")
dap.configurations.c = dap.configurations.c or {}
-- gdb's own adapter: gdb 14 or later
dap.adapters.vmcore_gdb = {
	type = "executable",
	command = "gdb",
	args = {
		"-iex", "set index-cache enabled on",
		"-iex", "set substitute-path /folder/of/the/compiler /path/to/linux",
		"--interpreter=dap",
	},
}
table.insert(dap.configurations.c, {
	name = "vmcore: Linux (gdb)",
	type = "vmcore_gdb",
	request = "attach",
	target = "localhost:1234",
	program = "/path/to/vmlinux",
})
-- lldb's
dap.adapters.vmcore_lldb = {
	type = "executable",
	command = "lldb-dap",
}
table.insert(dap.configurations.c, {
	name = "vmcore: Linux (lldb)",
	type = "vmcore_lldb",
	request = "attach",
	stopOnEntry = true,
	attachCommands = { "script lldb.debugger.SetAsync(False)", "gdb-remote localhost:1234", "script lldb.debugger.SetAsync(True)" },
	program = "/path/to/vmlinux",
	sourceMap = { { "/folder/of/the/compiler", "/path/to/linux" } },
})
