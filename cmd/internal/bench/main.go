// Command bench measures what the README promises, each figure beside its limit.
// The emulators run in this process and the daemon in a child, over TCP, so that
// the child's CPU and memory are the daemon's alone. `make bench` runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// row is one figure.
type row struct {
	name    string
	measure func(context.Context) ([]figure, error)
}

// figure is one line of the table.
type figure struct {
	What, Measured, Goal string
	Met                  bool
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		os.Exit(child(os.Args[2]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // the signal handler ends with the process
	}
}

func run(ctx context.Context) error {
	var only string
	var s sizes
	flag.StringVar(&only, "rows", "", "comma-separated rows; all when empty: backfill, cpu, memory, quiet, start, ack, lag, people, draft, pace, campaign, archive")
	flag.IntVar(&s.backfill, "backfill", 300_000, "messages of the backfill row")
	flag.IntVar(&s.cpu, "cpu", 200_000, "messages of the cpu row")
	flag.IntVar(&s.memory, "memory", 1_000_000, "messages of the memory row")
	flag.IntVar(&s.contacts, "contacts", 200_000, "Contacts of the people row")
	flag.IntVar(&s.matched, "matched", 50_000, "messages of the people row")
	flag.IntVar(&s.campaign, "campaign", 100_000, "members of the campaign row")
	flag.IntVar(&s.archive, "archive", 200_000, "messages of the archive row")
	flag.Parse()
	rows := []row{
		{"start", measureStart},
		{"cpu", s.measureCPU},
		{"backfill", s.measureBackfill},
		{"quiet", measureQuiet},
		{"memory", s.measureMemory},
		{"ack", measureAck},
		{"lag", measureLag},
		{"people", s.measurePeople},
		{"draft", measureDraft},
		{"pace", measurePace},
		{"campaign", s.measureCampaign},
		{"archive", s.measureArchive},
	}
	fmt.Println("| what | measured | goal |\n| --- | --- | --- |")
	var errs []error
	for _, r := range rows {
		if only != "" && !slices.Contains(strings.Split(only, ","), r.name) {
			continue
		}
		figures, err := r.measure(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.name, err))
		}
		for _, f := range figures {
			mark := ""
			if !f.Met {
				mark = " (NOT MET)"
			}
			fmt.Printf("| %s | %s%s | %s |\n", f.What, f.Measured, mark, f.Goal)
		}
	}
	return errors.Join(errs...)
}

// sizes are how many messages each row moves.
type sizes struct{ backfill, cpu, memory, contacts, matched, campaign, archive int }
