package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile is the most bytes a configuration may have. Ours has some thousand;
// whatever is larger is another file, named by mistake.
const maxFile = 256 << 10

// Load reads and checks the file at path together with environ, which is what
// os.Environ returns. The error is Faults: everything that is wrong, at once.
// A path relative to $CREDENTIALS_DIRECTORY, where that is set, else to the
// configuration file, is what a relative *_file value means.
func Load(path string, environ []string) (*Config, error) {
	data, mode, p := readFile(path, maxFile)
	if p != nil {
		if errors.Is(p.err, fs.ErrNotExist) {
			p.do("write one with: twiliosf config init > %s", path)
		}
		return nil, Faults{{File: path, Problem: p.what, Remedy: p.remedy, Err: p.err}}
	}
	return parse(path, data, mode, environ)
}

// Parse checks a configuration that is already in memory. name stands in its
// faults, and its directory is where a relative *_file value leads without
// $CREDENTIALS_DIRECTORY.
func Parse(name string, data []byte, environ []string) (*Config, error) {
	return parse(name, data, 0, environ)
}

func parse(name string, data []byte, mode fs.FileMode, environ []string) (*Config, error) {
	l := newLoader(name, environ)
	if !l.readYAML(data) {
		return nil, l.faults // without its structure nothing else can be said of the file
	}
	l.readEnviron()
	values := l.values()
	cfg, err := merge(values)
	if err != nil {
		return nil, err
	}
	l.applyRules(cfg, values)
	if len(l.faults) > 0 {
		return nil, l.faults.inOrder()
	}
	l.warnOpenFile(mode)
	l.warnings.sort()
	cfg.warnings = l.warnings
	cfg.normalise()
	return cfg, nil
}

// normalise gives each thing one spelling and fills in what follows from the rest.
func (c *Config) normalise() {
	c.Twilio.BaseURL = strings.TrimRight(c.Twilio.BaseURL, "/")
	c.Salesforce.LoginURL = strings.TrimRight(c.Salesforce.LoginURL, "/")
	c.Salesforce.Audience = strings.TrimRight(c.Salesforce.Audience, "/")
	if c.Salesforce.Audience == "" {
		c.Salesforce.Audience = c.Salesforce.LoginURL
	}
}

// given is one value with its place. A bad one has been reported already.
type given struct {
	value any
	at    origin
	bad   bool
	items []origin // of a list: the places of its items
}

// layer is what one source gives, by path; a secret's file form has its own.
type layer map[string]given

// loader is the state of one Load.
type loader struct {
	name     string
	empty    bool // the file holds no value at all
	file     layer
	environ  layer
	sections map[string]origin // where the file opens each section
	meant    map[string]bool   // keys that a fault has already told to write rightly
	env      map[string]string
	faults   Faults
	warnings Faults
}

func newLoader(name string, environ []string) *loader {
	l := &loader{
		name: name, file: layer{}, environ: layer{},
		sections: map[string]origin{}, meant: map[string]bool{}, env: map[string]string{},
	}
	for _, pair := range environ {
		if k, v, ok := strings.Cut(pair, "="); ok {
			l.env[k] = v
		}
	}
	return l
}

func (l *loader) fault(at origin, path string, p *problem) {
	l.faults = append(l.faults, at.fault(path, p))
}

func (l *loader) warn(at origin, path string, p *problem) {
	l.warnings = append(l.warnings, at.fault(path, p))
}

// values are what was given, the environment before the file, with every
// secret read.
func (l *loader) values() layer {
	out := layer{}
	for i := range table {
		k := &table[i]
		if k.kind == secret {
			if g, ok := l.secretValue(k); ok {
				out[k.path] = g
			}
			continue
		}
		for _, from := range []layer{l.environ, l.file} {
			if g, ok := from[k.path]; ok {
				out[k.path] = g
				break
			}
		}
	}
	return out
}

// warnOpenFile speaks up when the configuration holds a secret and everybody
// on the machine may read it. mode is 0 when there is no file.
func (l *loader) warnOpenFile(mode fs.FileMode) {
	if mode.Perm()&0o004 == 0 {
		return
	}
	paths := make([]string, 0, len(l.file))
	for path := range l.file {
		if e := index[path]; e.kind == secret && !e.isFile {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	for _, path := range paths {
		l.warn(l.file[path].at, path, problemf("is a secret in a file that every user of this machine may read").
			do("chmod o-r %s, or move it to %s", filepath.Base(l.name), path+fileSuffix))
	}
}
