package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSecret is the most bytes a secret's file may have; an RSA key has some thousand.
const maxSecret = 64 << 10

// credentialsDir is where systemd puts a service's credentials.
// https://systemd.io/CREDENTIALS/
const credentialsDir = "CREDENTIALS_DIRECTORY"

// secretValue reads the secret k from the strongest source that has either of
// its forms; ok is false when none has. A source that has both is at fault: one
// of the two is forgotten, and nobody can tell which.
func (l *loader) secretValue(k *key) (g given, ok bool) {
	for _, from := range []layer{l.environ, l.file} {
		inline, isInline := from[k.path]
		file, isFile := from[k.path+fileSuffix]
		_, name := split(k.path)
		switch {
		case isInline && isFile:
			l.fault(file.at, k.path+fileSuffix, problemf("is given beside %s", name).do("keep one of the two"))
			return given{at: file.at, bad: true}, true
		case isInline:
			return inline, true
		case isFile:
			return l.secretFile(k, file), true
		}
	}
	return given{}, false
}

func (l *loader) secretFile(k *key, g given) given {
	if g.bad {
		return g
	}
	path := l.resolve(g.value.(string)) //nolint:errcheck // the key was parsed as text
	value, mode, p := readSecret(k, path)
	if p != nil {
		p.what = path + " " + p.what
		l.fault(g.at, k.path+fileSuffix, p)
		return given{at: g.at, bad: true}
	}
	if mode.Perm()&0o004 != 0 {
		l.warn(g.at, k.path+fileSuffix, problemf("%s may be read by every user of this machine", path).do("chmod o-r %s", path))
	}
	return given{value: value, at: g.at}
}

// resolve makes a credential's path absolute or relative to what is documented at Load.
func (l *loader) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	if dir := l.env[credentialsDir]; dir != "" {
		return filepath.Join(dir, path)
	}
	return filepath.Join(filepath.Dir(l.name), path)
}

func readSecret(k *key, path string) (any, fs.FileMode, *problem) {
	data, mode, p := readFile(path, maxSecret)
	if p != nil {
		if errors.Is(p.err, fs.ErrNotExist) {
			p.do("put the %s there, or correct the path", humanName(k.path))
		}
		return nil, 0, p
	}
	data = bytes.TrimRight(data, "\r\n")
	if len(data) == 0 {
		return nil, 0, problemf("is empty").do("put the %s there", humanName(k.path))
	}
	value, p := k.parseSecret(string(data))
	return value, mode, p
}

// humanName is "API key secret" for twilio.api_key_secret.
func humanName(path string) string {
	_, name := split(path)
	return strings.ReplaceAll(strings.ReplaceAll(name, "_", " "), "api ", "API ")
}

// parseSecret checks a secret without ever showing it.
func (k *key) parseSecret(value string) (any, *problem) {
	if !utf8.ValidString(value) {
		return nil, problemf("is not UTF-8 text").do("store the value itself, as text")
	}
	if k.check != nil {
		if p := k.check(value); p != nil {
			return nil, p
		}
		return NewSecret(value), nil
	}
	if strings.IndexFunc(value, unicode.IsControl) >= 0 {
		return nil, problemf("has more than one line, or a control character").do("store the value alone, on one line")
	}
	return NewSecret(value), nil
}

// readFile reads a regular file of at most limit bytes. Pipes and devices are
// refused: they may block for ever, and a reload could not read them again.
func readFile(path string, limit int64) ([]byte, fs.FileMode, *problem) {
	if path == "" {
		return nil, 0, problemf("no file is named").do("name one with --config")
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, 0, unreadable(err)
	case info.IsDir():
		return nil, 0, problemf("is a directory").do("name the file in it")
	case !info.Mode().IsRegular():
		return nil, 0, problemf("is not a regular file").do("name a file that can be read again at a reload")
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, 0, unreadable(err)
	}
	defer func() { _ = f.Close() }() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, 0, unreadable(err)
	}
	if int64(len(data)) > limit {
		return nil, 0, problemf("is larger than %d KiB", limit>>10).do("this is probably another file")
	}
	return data, info.Mode(), nil
}

func unreadable(err error) *problem {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problemf("does not exist").because(err)
	case errors.Is(err, fs.ErrPermission):
		return problemf("may not be read by this user").do("give the service's user or group the right to read it").because(err)
	}
	cause := err
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		cause = pe.Err // the path stands before it already
	}
	return problemf("cannot be read: %v", cause).because(err)
}
