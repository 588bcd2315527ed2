package main

import (
	"context"
	"fmt"

	"github.com/evergrant/evergrant/hub"
)

type dataAdoptCmd struct {
	configFlags `embed:""`
}

// Run requests the hub of the data folder to adopt it.
func (c dataAdoptCmd) Run(context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if err := hub.AdoptData(cfg); err != nil {
		return err
	}
	fmt.Printf("The hub of %s takes this data folder for the only one, within seconds if it runs, else when it starts.\n", cfg.DataDir)
	return nil
}
