package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/twiliosf/twiliosf/config"
)

// maxLoad is far above what any file needs, and below what a fuzzer would bear
// without noticing.
const maxLoad = 10 * time.Second

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(config.Init()))
	f.Add([]byte(minimal + "sync: &a {<<: [*a, *a]}\n"))
	f.Add([]byte("a: &a [*a]\n<<: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		cfg, err := config.Parse("twiliosf.yaml", data, nil)
		if took := time.Since(start); took > maxLoad {
			t.Fatalf("took %s", took)
		}
		var faults config.Faults
		switch {
		case err == nil && cfg == nil, err != nil && cfg != nil:
			t.Fatal("either a configuration or an error")
		case err == nil:
			_ = cfg.Redacted()
		case !errors.As(err, &faults) || len(faults) == 0:
			t.Fatalf("not a list of faults: %v", err)
		}
		for _, fault := range faults {
			if fault.Problem == "" || strings.ContainsFunc(fault.Error(), unicode.IsControl) {
				t.Fatalf("not one clear line: %q", fault.Error())
			}
		}
	})
}

// FuzzSecret writes the value where a secret belongs, as carelessly as an
// operator might.
func FuzzSecret(f *testing.F) {
	for _, s := range []string{"hunter2-hunter2", "*hunter2-hunter2", "&hunter2-hunter2", "!hunter2-hunter2", "{hunter2-hunter2: x}", "[hunter2-hunter2]", "'hunter2-hunter2", `"hunter2-hunter2\q`, "hunter2: hunter2-x", "%hunter2-hunter2", "@hunter2-hunter2", "|hunter2-hunter2", "918273645546372819", "~", "hunter2\x00-hunter2", "\thunter2-hunter2"} {
		f.Add(s)
	}
	rest := strings.Replace(minimal, "  auth_token: "+authToken+"\n", "", 1)
	known := minimal + config.Reference() + config.Init()
	f.Fuzz(func(t *testing.T, value string) {
		if len(value) < 8 || strings.ContainsAny(value, "\n\r\u0085\u2028\u2029") || strings.Contains(known, strings.TrimSpace(value)) {
			t.Skip()
		}
		text := strings.Replace(rest, "twilio:\n", "twilio:\n  auth_token: "+value+"\n  concurrency: 0\n", 1)
		check := func(err error) {
			if err == nil {
				t.Fatal("the file has a fault")
			}
			core := strings.Trim(value, " \t*&!{}[]'\"%@|>~:")
			if len(core) >= 8 && strings.Contains(err.Error(), core) {
				t.Fatalf("the secret is in the fault: %v", err)
			}
		}
		_, err := config.Parse("twiliosf.yaml", []byte(text), nil)
		check(err)
		_, err = config.Parse("twiliosf.yaml", []byte(rest+"drain: 0s\n"), []string{"TWILIOSF_TWILIO_AUTH_TOKEN=" + value})
		check(err)
	})
}
