package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/scalelab/scalelab/report"
)

// shows are the flags that change what is seen of a result, not the result.
var shows = []string{"output", "color", "quiet", "workers"}

// sign makes a page say how to get it again.
func sign(o report.Options, c *cobra.Command, args []string) report.Options {
	o.Command, o.Version = again(c, args), version()
	return o
}

// again is the command line as it would be typed to get the same result.
func again(c *cobra.Command, args []string) string {
	words := strings.Fields(c.CommandPath())
	for _, arg := range args {
		words = append(words, quoted(arg))
	}
	c.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(shows, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if words = append(words, "--"+f.Name); f.Value.Type() != "bool" {
				words = append(words, quoted(v))
			}
		}
	})
	return strings.Join(words, " ")
}

var bare = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// quoted is a word as a POSIX shell reads it back.
func quoted(word string) string {
	if bare.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
