package main

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// newProgress gives a function that moves a bar to a share of 1,000. The bar is
// drawn on stderr, and only if that is a terminal.
func newProgress(stderr io.Writer, quiet bool, what string) (move func(perMille int), finish func()) {
	file, ok := stderr.(*os.File)
	if quiet || !ok || !term.IsTerminal(int(file.Fd())) {
		return nil, func() {}
	}
	bar := progressbar.NewOptions(1000,
		progressbar.OptionSetWriter(file),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionThrottle(100_000_000),
		progressbar.OptionClearOnFinish(),
	)
	bar.RenderBlank()
	return func(perMille int) { bar.Set(perMille) }, func() { bar.Finish() }
}
