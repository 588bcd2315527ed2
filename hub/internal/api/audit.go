package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// AuditRecord is one line of who did what.
type AuditRecord struct {
	Seq       int64             `json:"seq" doc:"1, 2, 3, without a gap"`
	At        time.Time         `json:"at"`
	ActorKind string            `json:"actor_kind" enum:"person,key,link,front,hub"`
	Actor     string            `json:"actor,omitempty" doc:"The login, or the title of the key"`
	Address   string            `json:"address,omitempty"`
	Act       string            `json:"act" example:"plugin.approve"`
	Kind      string            `json:"object_kind"`
	Object    string            `json:"object,omitempty"`
	Outcome   string            `json:"outcome,omitempty" enum:"begun,done,refused,failed" doc:"How it went; begun is an act that asks a service or a person, whose outcome is another record. Absent in records from before outcomes were recorded"`
	Detail    map[string]string `json:"detail,omitempty"`
}

// AuditCheck is the outcome of walking the chain.
type AuditCheck struct {
	Records  int64 `json:"records" doc:"Records that are as they were written"`
	Whole    bool  `json:"whole"`
	BrokenAt int64 `json:"broken_at,omitempty" doc:"The first record that is not as it was written, or is missing"`
}

type auditInput struct {
	Actor  string `query:"actor"`
	Act    string `query:"act" doc:"An act, or all of a kind with a dot at the end: plugin."`
	Object string `query:"object"`
	// Outcome is one of the outcomes; empty for all.
	Outcome string    `query:"outcome" enum:"begun,done,refused,failed"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	Before  int64     `query:"before" doc:"Only records with a smaller seq: the next page"`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (a *API) registerAudit() {
	huma.Register(a.huma, operation("list-audit", http.MethodGet, "/api/v1/audit", "Read who did what, newest first", "Audit"),
		func(ctx context.Context, in *auditInput) (*listOf[AuditRecord], error) {
			records, err := a.store.Audit.AuditRecords(ctx, auditdb.AuditFilter{
				Actor: in.Actor, Act: in.Act, Object: in.Object, Outcome: in.Outcome, From: in.From, To: in.To, Before: in.Before, Limit: in.Limit,
			})
			if err != nil {
				return nil, a.fail(err)
			}
			items := make([]AuditRecord, 0, len(records))
			for _, r := range records {
				items = append(items, AuditRecord{
					Seq: r.Seq, At: r.At.UTC(), ActorKind: r.ActorKind, Actor: r.Actor, Address: r.Address, Act: r.Act,
					Kind: r.ObjectKind, Object: r.Object, Outcome: r.Outcome, Detail: r.Detail,
				})
			}
			return list(items), nil
		})
	huma.Register(a.huma, operation("verify-audit", http.MethodPost, "/api/v1/audit/verify", "Walk the chain of audit records and tell whether any was changed", "Audit"),
		func(ctx context.Context, _ *struct{}) (*one[AuditCheck], error) {
			n, err := a.data.VerifyAudit(ctx)
			if broken, ok := errors.AsType[*auditdb.BrokenChainError](err); ok {
				return &one[AuditCheck]{Body: AuditCheck{Records: n, BrokenAt: broken.Seq}}, nil
			}
			if err != nil {
				return nil, a.fail(err)
			}
			return &one[AuditCheck]{Body: AuditCheck{Records: n, Whole: true}}, nil
		})
}
