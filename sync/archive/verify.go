package archive

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Verdict is what Verify has found.
type Verdict struct {
	Runs     int   `json:"runs"`
	Files    int   `json:"files"`
	Messages int   `json:"messages"`
	Media    int   `json:"media"`
	Bytes    int64 `json:"bytes"`
	// Problems name each file that is not what was written, or missing.
	Problems []string `json:"problems"`
	// Strays are files that no manifest names: of a run under way, or that was killed.
	Strays []string `json:"strays"`
}

// Verify reads every file of the archive and compares it with its manifest. The
// error is for what keeps it from that.
func (e *Engine) Verify(ctx context.Context) (Verdict, error) {
	v := Verdict{Problems: []string{}, Strays: []string{}}
	all, err := e.Target.List(ctx, manifests)
	if err != nil {
		return v, err
	}
	named := map[string]bool{}
	var worst error
	for _, name := range all {
		if !strings.HasSuffix(name, jsonEnd) {
			continue
		}
		err := e.verifyRun(ctx, name, named, &v)
		if isFault(err) || ctx.Err() != nil {
			return v, err
		}
		if err != nil {
			worst = err
		}
	}
	if worst != nil {
		e.noteDamaged(worst)
	} else {
		e.Health.Clear(condDamaged)
	}
	for _, t := range []Table{Messages, Media} {
		there, err := e.Target.List(ctx, string(t)+"/")
		if err != nil {
			return v, err
		}
		for _, name := range there {
			if !named[name] {
				v.Strays = append(v.Strays, name)
			}
		}
	}
	return v, nil
}

// verifyRun adds what it finds to v; the error is the last that it has added.
func (e *Engine) verifyRun(ctx context.Context, name string, named map[string]bool, v *Verdict) (last error) {
	m, err := e.manifest(ctx, name)
	if err != nil {
		v.Problems = append(v.Problems, err.Error())
		return err
	}
	v.Runs++
	for i := range m.Files {
		f := &m.Files[i]
		named[f.Name] = true
		switch err := e.readFile(ctx, f, nil); {
		case isFault(err):
			return err
		case err != nil:
			v.Problems, last = append(v.Problems, err.Error()), err
		default:
			v.Files++
			v.Bytes += int64(f.Bytes)
			if f.Table == Messages {
				v.Messages += f.Rows
			} else {
				v.Media += f.Rows
			}
		}
	}
	return last
}

// checkRun makes sure that a run's files are what was written, by what the store
// and the manifest say of them.
func (e *Engine) checkRun(ctx context.Context, run string) error {
	m, err := e.manifest(ctx, manifestName(run))
	if err != nil {
		return err
	}
	files, err := e.Contents.Files(ctx, run)
	if err != nil {
		return err
	}
	for i := range files {
		if !slices.Contains(m.Files, files[i]) {
			return damaged(manifestName(run), fmt.Errorf("it does not name %s as it was written", files[i].Name))
		}
		if err := e.readFile(ctx, &files[i], nil); err != nil {
			return err
		}
	}
	return nil
}
