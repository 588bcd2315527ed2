package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/evergrant/evergrant/hub"
)

type doctorCmd struct {
	configFlags `embed:""`

	JSON     bool   `help:"Print the findings as JSON."`
	ClockURL string `help:"A service to compare the clock with, by the Date of its answer." placeholder:"URL"`
}

// Run looks at the deployment and prints a line for each finding. Its error is that
// something has to be mended.
func (c doctorCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	found, failed := hub.Doctor(ctx, cfg, c.ClockURL)
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		if err := out.Encode(found); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			line := fmt.Sprintf("%-5s %-9s %s", f.Level, f.Check, f.What)
			if f.Do != "" {
				line += "  — " + f.Do
			}
			fmt.Println(line)
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d findings have to be mended", failed, len(found))
	}
	return nil
}
