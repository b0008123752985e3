package daemon

import "runtime/debug"

// TuneMemory sets the collector for a process that is the daemon and nothing
// else: its live heap is a few megabytes, so it is collected late, which saves
// CPU, up to a limit that keeps the whole process small.
func TuneMemory() {
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(33 << 20)
}
