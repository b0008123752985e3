package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/twiliosf/twiliosf/cmd/internal/daemon"
	"github.com/twiliosf/twiliosf/cmd/internal/sandbox"
	"github.com/twiliosf/twiliosf/config"
)

const (
	childArg = "child-daemon"
	// profileVar names a file for the daemon's CPU profile. Beside it goes one of
	// what was allocated (.allocs), and its sum is printed: it is the same in each
	// run, which CPU time is not.
	profileVar = "TWILIOSF_BENCH_PROFILE"
)

// child is the daemon's process.
func child(configPath string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	end, err := profile(os.Getenv(profileVar))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	defer end()
	log, err := zap.NewProduction(zap.IncreaseLevel(zap.WarnLevel))
	if err != nil {
		return 1
	}
	daemon.TuneMemory()
	d, err := daemon.New(ctx, daemon.Options{
		Load: func() (*config.Config, error) { return config.Load(configPath, nil) }, Version: "bench", Log: log,
		Notify: func(state string) {
			if strings.HasPrefix(state, "READY=1") {
				fmt.Println("READY")
			}
		},
	})
	if err == nil {
		err = errors.Join(d.Run(ctx), d.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: the daemon:", err)
		return 1
	}
	return 0
}

// profile begins to write profiles, if path is not "", until end is called.
func profile(path string) (end func(), err error) {
	if path == "" {
		runtime.MemProfileRate = 0 // as in the daemon, which has no such profile
		return func() {}, nil
	}
	f, err := os.Create(path) //nolint:gosec // the one who runs the bench says where
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "bench: the daemon allocated %.1f MB in %d objects and was collected %d times\n",
			float64(m.TotalAlloc)/1e6, m.Mallocs, m.NumGC)
		runtime.GC()
		runtime.ReadMemStats(&m)
		fmt.Fprintf(os.Stderr, "bench: %.1f MB of it are alive\n", float64(m.HeapAlloc)/1e6)
		allocs, err := os.Create(path + ".allocs") //nolint:gosec // as above
		if err == nil {
			err = errors.Join(pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close())
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	}, pprof.StartCPUProfile(f)
}

// process is a daemon in a child process.
type process struct {
	cmd   *exec.Cmd
	ready time.Duration // from start to READY
}

// start runs a daemon on the sandbox with its store in dir and waits until it is
// ready. edit may change the configuration.
func start(ctx context.Context, s *sandbox.Sandbox, dir string, edit func(string) string) (*process, error) {
	text := s.ConfigYAML(dir)
	if edit != nil {
		text = edit(text)
	}
	path := filepath.Join(dir, "twiliosf.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self, childArg, path)} //nolint:gosec // it is this program
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "READY\n" {
		return nil, errors.Join(errors.New("the daemon did not become ready"), err, p.cmd.Wait())
	}
	p.ready = time.Since(began)
	return p, nil
}

// usage is what a process has used.
type usage struct {
	CPU    time.Duration
	MaxRSS int64 // bytes
}

// stop ends the daemon as a service manager does and answers what it used.
func (p *process) stop() (usage, error) {
	u := usage{MaxRSS: p.memory("VmHWM")}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return usage{}, err
	}
	err := p.cmd.Wait()
	u.CPU = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	return u, err
}

// rss is the resident memory of the running process, in bytes.
func (p *process) rss() int64 { return p.memory("VmRSS") }

// memory is a line of /proc/PID/status, in bytes. What wait4 tells of a child's
// memory begins with its parent's, which holds the emulators.
func (p *process) memory(name string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			var kib int64
			if _, err := fmt.Sscan(value, &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
