package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
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
		"format to print, or FORMAT=FILE to write: "+strings.Join(formats, ", ")+"; can be repeated")
	c.Flags().StringVar(&f.color, "color", "auto", "colour on standard output: auto, always or never")
	c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoSpace))
	c.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
}

// output is one parsed --output.
type output struct{ format, file string }

// parse checks the flags before any work is done.
func (f *outputFlags) parse(formats []string) ([]output, error) {
	if !slices.Contains([]string{"auto", "always", "never"}, f.color) {
		return nil, usagef("--color: found %q, expected auto, always or never", f.color)
	}
	var outputs []output
	printed := false
	for _, text := range f.outputs {
		format, file, toFile := strings.Cut(text, "=")
		if !slices.Contains(formats, format) {
			return nil, usagef("--output: found %q, expected one of %s", format, strings.Join(formats, ", "))
		}
		if toFile && file == "" {
			return nil, usagef("--output %s: found no file name after the equals sign", text)
		}
		if !toFile && printed {
			return nil, usagef("--output: found two formats for standard output, expected a file for one of them, such as %s=FILE", format)
		}
		printed = printed || !toFile
		outputs = append(outputs, output{format, file})
	}
	return outputs, nil
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
	for i, o := range outputs {
		if o.file != "" {
			if err := writeFile(o.file, rendered[i].Bytes()); err != nil {
				return err
			}
		}
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
	file, ok := stdout.(*os.File)
	terminal := ok && term.IsTerminal(int(file.Fd()))
	o := report.Options{Color: f.color == "always" || f.color == "auto" && terminal && os.Getenv("NO_COLOR") == ""}
	if terminal {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			o.Width = min(width, 160)
		}
	}
	return o
}

// writeFile writes a file so that nobody ever sees half of it.
func writeFile(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name()) // fails when it has been renamed, as it should
	_, err = f.Write(content)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
