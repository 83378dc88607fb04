package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with a width; seen gives what was shown on it
// up to now and closes it.
func terminal(t *testing.T, width uint16) (screen *os.File, seen func() string) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("this machine has no pseudo-terminals: %v", err)
	}
	number, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0))
	screen, err = os.OpenFile(filepath.Join("/dev/pts", strconv.Itoa(number)), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: width}))
	var shown bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		shown.ReadFrom(control) // ends with an error when the terminal is closed
	}()
	return screen, func() string {
		screen.Close()
		<-read
		control.Close()
		return strings.ReplaceAll(shown.String(), "\r\n", "\n")
	}
}

func widest(text string) int {
	most := 0
	for line := range strings.Lines(text) {
		most = max(most, utf8.RuneCountInString(escape.ReplaceAllString(strings.TrimSuffix(line, "\n"), "")))
	}
	return most
}

var escape = regexp.MustCompile(`\x1b\[[0-9]*m`)

func TestTerminalHasColourAndWidth(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	for _, c := range []struct{ columns, least, most int }{{60, 55, 60}, {100, 81, 100}, {131, 101, 131}, {500, 101, 160}} {
		screen, seen := terminal(t, uint16(c.columns))
		var complaint bytes.Buffer
		code := execute(context.Background(), []string{"run", "testdata/shop/scenario.yaml"}, screen, &complaint)
		text := seen()
		assert.Equal(t, exitOK, code)
		assert.Empty(t, complaint.String())
		assert.Contains(t, text, "\x1b[1mshop / hpa\x1b[0m\n")
		assert.LessOrEqual(t, widest(text), c.most)
		assert.GreaterOrEqual(t, widest(text), c.least)
	}
}

func TestTerminalWithoutColour(t *testing.T) {
	for name, c := range map[string]struct {
		noColor string
		args    []string
	}{
		"NO_COLOR":      {"1", nil},
		"--color never": {"", []string{"--color", "never"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NO_COLOR", c.noColor)
			screen, seen := terminal(t, 80)
			code := execute(context.Background(), append([]string{"run", "testdata/shop/scenario.yaml"}, c.args...), screen, new(bytes.Buffer))
			text := seen()
			assert.Equal(t, exitOK, code)
			assert.Contains(t, text, "shop / hpa\n")
			assert.NotContains(t, text, "\x1b")
		})
	}
}

// The bar is on standard error alone, and gone when the command ends.
func TestProgressOnATerminal(t *testing.T) {
	for _, line := range []string{"run testdata/shop/scenario.yaml", "compare testdata/shop/scenario.yaml --seeds 2"} {
		_, plain, _ := call(context.Background(), strings.Fields(line)...)
		screen, seen := terminal(t, 80)
		var printed bytes.Buffer
		code := execute(context.Background(), strings.Fields(line), &printed, screen)
		text := seen()
		assert.Equal(t, exitOK, code, line)
		assert.Equal(t, plain, printed.String(), line)
		assert.Contains(t, text, "shop", line)
		assert.Contains(t, text, "%", line)
		shown := strings.Split(text, "\r")
		assert.Empty(t, strings.TrimSpace(shown[len(shown)-1]), "%s: left on the screen: %q", line, text)
	}
}

// How long a test took is said on a terminal only, and beside the results.
func TestTestOnATerminal(t *testing.T) {
	_, plain, complaint := call(context.Background(), "test", "testdata/shop")
	assert.Empty(t, complaint)
	screen, seen := terminal(t, 80)
	var printed bytes.Buffer
	assert.Equal(t, exitOK, execute(context.Background(), []string{"test", "testdata/shop"}, &printed, screen))
	assert.Equal(t, plain, printed.String())
	assert.Regexp(t, `\rtested in [0-9.]+m?s\n$`, seen())
}

func TestNoProgress(t *testing.T) {
	for name, args := range map[string][]string{
		"quiet":         {"run", "testdata/shop/scenario.yaml", "--quiet"},
		"quiet compare": {"compare", "testdata/shop/scenario.yaml", "--quiet"},
		"quiet test":    {"test", "testdata/shop/scenario.yaml", "--quiet"},
		"quick answer":  {"validate", "testdata/shop/scenario.yaml"},
	} {
		screen, seen := terminal(t, 80)
		code := execute(context.Background(), args, new(bytes.Buffer), screen)
		assert.Equal(t, exitOK, code, name)
		assert.Empty(t, seen(), name)
	}
}

// A complaint comes after the bar, on a line of its own.
func TestInterruptedOnATerminal(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	screen, seen := terminal(t, 80)
	code := execute(ctx, []string{"run", "testdata/shop/scenario.yaml"}, new(bytes.Buffer), screen)
	assert.Equal(t, exitFailed, code)
	text := seen()
	assert.Contains(t, text, "\rscalelab: run shop with hpa, seed 7: stopped at 0s of simulated time: interrupted, nothing was written\n")
}

func TestPicturesAreNotForATerminal(t *testing.T) {
	for _, command := range []string{"run", "compare"} {
		screen, seen := terminal(t, 80)
		var complaint bytes.Buffer
		code := execute(context.Background(), []string{command, "testdata/shop/scenario.yaml", "-o", "png"}, screen, &complaint)
		assert.Equal(t, exitInvalid, code)
		assert.Empty(t, seen())
		assert.Contains(t, complaint.String(), "--output: found png for a terminal, expected a file: png=FILE")
	}
}
