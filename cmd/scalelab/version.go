package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: example("scalelab version"),
		Args:    noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			line := fmt.Sprintf("scalelab %s %s/%s %s\n", version(), runtime.GOOS, runtime.GOARCH, runtime.Version())
			return printText(c, []byte(line))
		},
	}
}

// version is the module's version as the go command recorded it: a tag, a
// pseudo-version, or (devel) for a build from a changed tree.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
