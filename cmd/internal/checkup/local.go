package checkup

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/twiliosf/twiliosf/sync/store"
)

// How much room a store should have. Below the lesser one the daemon soon cannot
// keep what it hears: 100,000 messages that wait take about 100 MB.
const (
	littleRoom = 1 << 30
	noRoom     = 64 << 20
)

// store looks at the file and the disk without opening the store, which would make
// files of whoever asks, and migrate it before its time.
func (v *visit) store() {
	in, err := store.Inspect(v.cfg.Store)
	switch {
	case err != nil:
		v.addf(factStore, Fail, hintPermission, "%s", err)
	case in.Holder != "":
		v.okf(factStore, "%s, in use by %s", in.Path, in.Holder)
	case !in.Exists:
		v.okf(factStore, "%s, made at the first start", in.Path)
	case strangers(in.Path):
		v.addf(factStore, Todo, "Run chown with the folder's user on the file and those beside it, or the daemon cannot open it.",
			"%s belongs to another user than its folder", in.Path)
	default:
		v.okf(factStore, "%s can be written", in.Path)
	}
	if !v.may(factDisk, factStore) {
		return
	}
	left, err := v.o.Free(in.Folder)
	switch {
	case err != nil:
		v.addf(factDisk, Todo, hintReportBug, "the room in %s is not known: %s", in.Folder, err)
	case left < noRoom:
		v.addf(factDisk, Fail, "Make room: with a full disk nothing that comes in can be kept.", "%d MB are left in %s", left>>20, in.Folder)
	case left < littleRoom:
		v.addf(factDisk, Todo, "Make room: at least 1 GB should be free.", "%d MB are left in %s", left>>20, in.Folder)
	default:
		v.okf(factDisk, "%d GB are left in %s", left>>30, in.Folder)
	}
}

// free asks the file system.
func free(folder string) (uint64, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil //nolint:gosec // a block size is positive
}

// strangers says that a file and its folder have different users: a command that
// root has run made it.
func strangers(path string) bool {
	file, err1 := os.Stat(path)
	folder, err2 := os.Stat(filepath.Dir(path))
	if err1 != nil || err2 != nil {
		return false
	}
	a, ok1 := file.Sys().(*syscall.Stat_t)
	b, ok2 := folder.Sys().(*syscall.Stat_t)
	return ok1 && ok2 && a.Uid == 0 && b.Uid != 0
}

// systemd looks at what a unit gives, where this runs in one.
// https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html
func (v *visit) systemd() {
	if v.o.Env("INVOCATION_ID") == "" {
		v.okf(factSystemd, "this does not run in a unit, so there is nothing to look at")
		return
	}
	if v.o.Env("NOTIFY_SOCKET") == "" {
		v.addf(factSystemd, Todo, "Set Type=notify-reload (or notify) and NotifyAccess=main in the unit, as deploy/systemd/twiliosf.service has them.",
			"the unit gives no NOTIFY_SOCKET, so systemd does not hear when the daemon is ready or hangs")
		return
	}
	dir := v.o.Env("CREDENTIALS_DIRECTORY")
	if dir == "" {
		v.okf(factSystemd, "the unit hears of the daemon; it passes no credentials")
		return
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if _, e := os.ReadFile(filepath.Join(dir, f.Name())); e != nil { //nolint:gosec // the unit names the folder
			err = e
		}
	}
	if err != nil {
		v.addf(factSystemd, Fail, "Look at LoadCredential= in the unit and at User=.", "the unit's credentials cannot be read: %s", err)
		return
	}
	v.okf(factSystemd, "the unit hears of the daemon and passes %d credentials", len(files))
}
