package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/evergrant/evergrant/hub"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Walk the chain of audit records, and look whether it holds what an anchor has seen. Exits 1 if records were changed or are missing."`
	Anchor auditAnchorCmd `cmd:"" help:"Print the signed head of the chain, to be kept elsewhere."`
}

type auditVerifyCmd struct {
	configFlags `embed:""`

	Anchor string `help:"File with an anchor, as audit anchor prints it or as it was sent." type:"existingfile" placeholder:"FILE"`
}

// Run walks the chain; it reads the database itself, beside hubs that run.
func (c auditVerifyCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	var anchor *hub.AuditAnchor
	if c.Anchor != "" {
		if anchor, err = hub.ReadAnchor(c.Anchor); err != nil {
			return err
		}
	}
	records, err := hub.VerifyAudit(ctx, cfg, anchor)
	if err != nil {
		return err
	}
	fmt.Printf("The chain is whole: %d records are as they were written.\n", records)
	if anchor != nil {
		fmt.Printf("It holds the head that was anchored at %s: record %d.\n", anchor.At, anchor.Seq)
	}
	return nil
}

type auditAnchorCmd struct {
	configFlags `embed:""`
}

// Run prints an anchor as JSON.
func (c auditAnchorCmd) Run(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	anchor, err := hub.AnchorAudit(ctx, cfg)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(anchor)
}
