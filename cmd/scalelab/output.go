package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/scalelab/scalelab/report"
)

// outputFlags say what is printed, and where.
type outputFlags struct {
	outputs []string
	color   string
}

func (f *outputFlags) register(c *cobra.Command, formats []string) {
	c.Flags().StringArrayVarP(&f.outputs, "output", "o", []string{formats[0]},
		"`format` to print, or format=file to write: "+strings.Join(formats, ", ")+"; can be repeated")
	c.Flags().Lookup("output").DefValue = formats[0]
	c.Flags().StringVar(&f.color, "color", "auto", "`when` to print in colour: auto, always or never")
	c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoSpace))
	c.RegisterFlagCompletionFunc("color", cobra.FixedCompletions(colors, cobra.ShellCompDirectiveNoFileComp))
}

var colors = []string{"auto", "always", "never"}

// output is one parsed --output.
type output struct{ format, file string }

// parse checks the flags before any work is done.
func (f *outputFlags) parse(formats []string) ([]output, error) {
	if err := oneOf("--color", f.color, colors); err != nil {
		return nil, err
	}
	var outputs []output
	printed, files := false, map[string]bool{}
	for _, text := range f.outputs {
		format, file, toFile := strings.Cut(text, "=")
		if err := oneOf("--output", format, formats); err != nil {
			return nil, err
		}
		if toFile {
			if err := checkFile(text, file, files); err != nil {
				return nil, err
			}
		}
		if !toFile && printed {
			return nil, usagef("--output: found two formats for standard output, expected a file for one of them, such as %s=FILE", format)
		}
		printed = printed || !toFile
		outputs = append(outputs, output{format, file})
	}
	return outputs, nil
}

// checkPrintable refuses to print on a terminal what is no text.
func checkPrintable(outputs []output, stdout io.Writer) error {
	for _, o := range outputs {
		if o.file == "" && o.format == report.PNG && isTerminal(stdout) {
			return usagef("--output: found png for a terminal, expected a file: png=FILE")
		}
	}
	return nil
}

// checkFile refuses a file that is named twice or cannot be written.
func checkFile(text, file string, files map[string]bool) error {
	if file == "" || file == "-" {
		return usagef("--output: found %q, expected a file after the equals sign; a format alone is printed", text)
	}
	if files[filepath.Clean(file)] {
		return usagef("--output: found %q twice, expected a file of its own for every format", file)
	}
	files[filepath.Clean(file)] = true
	return checkPlace(file)
}

// printText prints what is no report.
func printText(c *cobra.Command, text []byte) error {
	if _, err := c.OutOrStdout().Write(text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// write renders every output and, only when all of them could be rendered,
// prints and writes them.
func (f *outputFlags) write(stdout io.Writer, outputs []output, render func(w io.Writer, format string, o report.Options) error) error {
	rendered := make([]bytes.Buffer, len(outputs))
	for i, o := range outputs {
		options := report.Options{}
		if o.file == "" {
			options = f.options(stdout)
		}
		if err := render(&rendered[i], o.format, options); err != nil {
			return fmt.Errorf("render %s: %w", o.format, err)
		}
	}
	var files staged
	defer files.discard()
	for i, o := range outputs {
		if o.file != "" {
			if err := files.add(o.file, rendered[i].Bytes()); err != nil {
				return err
			}
		}
	}
	if err := files.commit(); err != nil {
		return err
	}
	for i, o := range outputs {
		if o.file == "" {
			if _, err := stdout.Write(rendered[i].Bytes()); err != nil {
				return fmt.Errorf("print: %w", err)
			}
		}
	}
	return nil
}

// options are what standard output can show.
func (f *outputFlags) options(stdout io.Writer) report.Options {
	terminal := isTerminal(stdout)
	o := report.Options{Color: f.color == "always" || f.color == "auto" && terminal && os.Getenv("NO_COLOR") == ""}
	if terminal {
		file := stdout.(*os.File)
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			o.Width = min(width, 160)
		}
	}
	return o
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
