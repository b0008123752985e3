package twiliosf_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/twiliosf/twiliosf/config"
)

const (
	unitFile     = "deploy/systemd/twiliosf.service"
	templateFile = "deploy/systemd/twiliosf@.service"
	packagedYAML = "deploy/systemd/twiliosf.yaml"
)

// directives are a unit's lines NAME=VALUE, in order, without comments.
func directives(t *testing.T, file string) [][2]string {
	t.Helper()
	var all [][2]string
	for line := range strings.Lines(read(t, file)) {
		line = strings.TrimSpace(line)
		if name, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			all = append(all, [2]string{name, value})
		}
	}
	require.NotEmpty(t, all)
	return all
}

// values are those that a unit gives a directive.
func values(t *testing.T, file, name string) []string {
	t.Helper()
	var all []string
	for _, d := range directives(t, file) {
		if d[0] == name {
			all = append(all, d[1])
		}
	}
	return all
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(raw)
}

func TestTheUnitsAreHardened(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("left out: no systemd-analyze here")
	}
	for _, file := range []string{unitFile, templateFile} {
		// The threshold is in tenths: 1.5.
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=15", file).CombinedOutput()
		require.NoError(t, err, "%s is exposed more than 1.5:\n%s", file, out)
	}
}

func TestSystemdUnderstandsTheUnits(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("left out: no systemd-analyze here")
	}
	// The binary is not installed here, and before version 253 notify-reload is
	// not known.
	expected := regexp.MustCompile(`(?m)^.*(/usr/local/bin/twiliosf is not executable: No such file|service type, ignoring: notify-reload).*\n?`)
	for _, file := range []string{unitFile, templateFile} {
		out, _ := exec.Command("systemd-analyze", "verify", file).CombinedOutput() // it fails for want of the binary
		var ours []string
		for line := range strings.Lines(expected.ReplaceAllString(string(out), "")) {
			if strings.Contains(line, "twiliosf") {
				ours = append(ours, line)
			}
		}
		require.Empty(t, ours, file)
	}
}

func TestTheTemplateIsTheUnitWithAFolderForEachInstance(t *testing.T) {
	one, many := directives(t, unitFile), directives(t, templateFile)
	for i := range many {
		many[i][1] = strings.NewReplacer("/%i", "", " (%i)", "").Replace(many[i][1])
	}
	require.Equal(t, one, many)
	for _, name := range []string{"StateDirectory", "RuntimeDirectory", "ExecStart", "LoadCredential"} {
		for _, value := range values(t, templateFile, name) {
			require.Contains(t, value, "%i", "instances would share %s", name)
		}
	}
}

func TestTheUnitReadsTheConfigurationWhereItIsLookedFor(t *testing.T) {
	require.Equal(t, []string{"/usr/local/bin/twiliosf run --config " + config.DefaultPath}, values(t, unitFile, "ExecStart"))
}

// A secret file that the packaged configuration names must be one that the unit
// loads; a missing one must not keep the service from starting.
func TestTheUnitLoadsEverySecretOfTheConfiguration(t *testing.T) {
	named := regexp.MustCompile(`(?m)^ *#?[a-z_]+_file: ([a-z-]+)$`).FindAllStringSubmatch(read(t, packagedYAML), -1)
	require.NotEmpty(t, named)
	var loaded, fallbacks []string
	for _, v := range values(t, unitFile, "LoadCredential") {
		name, from, ok := strings.Cut(v, ":")
		require.True(t, ok, v)
		require.Equal(t, filepath.Join(filepath.Dir(config.DefaultPath), name), from,
			"outside the unit the same file is looked for beside the configuration")
		loaded = append(loaded, name)
	}
	for _, v := range values(t, unitFile, "SetCredential") {
		name, _, _ := strings.Cut(v, ":")
		fallbacks = append(fallbacks, name)
	}
	for _, n := range named {
		require.Contains(t, loaded, n[1], packagedYAML)
	}
	slices.Sort(loaded)
	slices.Sort(fallbacks)
	require.Equal(t, loaded, fallbacks)
	require.Len(t, loaded, len(named), "the unit loads a secret that the configuration does not know")
}

func TestSystemdWaitsLongerThanTheDrainTakes(t *testing.T) {
	m := regexp.MustCompile(`(?m)^#?drain: (\S+)$`).FindStringSubmatch(read(t, packagedYAML))
	require.NotNil(t, m)
	drain, err := time.ParseDuration(m[1])
	require.NoError(t, err)
	stop, err := time.ParseDuration(values(t, unitFile, "TimeoutStopSec")[0])
	require.NoError(t, err)
	require.Greater(t, stop, drain+5*time.Second)
}

func TestSystemdRestartsAfterACrashButNotOnAWrongConfiguration(t *testing.T) {
	require.Equal(t, []string{"on-failure"}, values(t, unitFile, "Restart"))
	require.Equal(t, []string{"0"}, values(t, unitFile, "StartLimitIntervalSec"), "it must never be given up")
	codes := strings.Fields(values(t, unitFile, "RestartPreventExitStatus")[0])
	require.Contains(t, codes, "78")
	require.NotContains(t, codes, "2", "a Go panic and a watchdog's SIGABRT end with 2 as well")
}

func TestASystemdWithoutNotifyReloadFallsBackToNotify(t *testing.T) {
	require.Equal(t, []string{"notify", "notify-reload"}, values(t, unitFile, "Type"), "the last one that is understood counts")
}
