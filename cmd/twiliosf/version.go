package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

func newVersion(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := map[string]string{"version": thisVersion(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}
			return show(cmd, o, v, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "twiliosf %s (%s, %s)\n", v["version"], v["go"], v["platform"])
				return err
			})
		},
	}
}
