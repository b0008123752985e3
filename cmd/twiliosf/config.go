package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/twiliosf/twiliosf/config"
)

func newConfig(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Write, check and describe the configuration",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	text := func(use, short string, write func() string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), write())
			return err
		}}
	}
	cmd.AddCommand(newConfigCheck(o),
		text("init", "Print a commented configuration to start from", config.Init),
		text("schema", "Print the JSON Schema, for editors", func() string { return string(config.Schema()) }),
		text("reference", "Print the table of all keys, as Markdown", config.Reference))
	return cmd
}

func newConfigCheck(o *options) *cobra.Command {
	var full bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and report every fault at once",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := o.load(cmd)
			if err != nil {
				return err
			}
			if full {
				fmt.Fprint(cmd.OutOrStdout(), cfg.Redacted())
				return nil
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is right.\n", o.config)
			return nil
		},
	}
	cmd.Flags().BoolVar(&full, "print", false, "print the configuration in effect, without secrets")
	return cmd
}
