package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/evergrant/evergrant/hub/internal/store/replicadb"
)

// RestoreState is how the last restore of the database stands.
type RestoreState struct {
	Noticed *RestoreNoticed `json:"noticed,omitempty" doc:"The last one; absent if none was noticed"`
	Held    bool            `json:"held" doc:"Renewals that rotate wait until all replicas have compared"`
	Behind  int             `json:"behind" doc:"Grants that may be behind the backup and about which nobody has decided"`
}

// RestoreNoticed is a restore that was noticed.
type RestoreNoticed struct {
	Cause     string            `json:"cause" enum:"backup,database,token_sets" doc:"By what: evergrant restore, a data folder that had got further, a token set that the database had confirmed"`
	At        time.Time         `json:"at"`
	By        string            `json:"by" doc:"Name of the replica that noticed it"`
	BackupAt  *time.Time        `json:"backup_at,omitempty" doc:"The moment that the database is of, or one before it"`
	Until     time.Time         `json:"until" doc:"How long replicas are waited for at most"`
	EndedAt   *time.Time        `json:"ended_at,omitempty" doc:"When renewals went on; absent while they are held"`
	Forwarded int               `json:"forwarded" doc:"Connections that were brought forward"`
	Replicas  []ComparedReplica `json:"replicas"`
}

// ComparedReplica is how far a replica has got with a restore.
type ComparedReplica struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	ComparedAt *time.Time `json:"compared_at,omitempty" doc:"Absent while it is waited for, or if it never came"`
	Forwarded  int        `json:"forwarded"`
}

// BehindGrant is a grant that may be behind the backup.
type BehindGrant struct {
	Connection string     `json:"connection"`
	Title      string     `json:"title"`
	Reason     string     `json:"reason" enum:"due,expired,renewing,authorized" doc:"Why it may have been renewed after the backup"`
	ListedAt   time.Time  `json:"listed_at"`
	ValidUntil *time.Time `json:"valid_until,omitempty" doc:"When the access token ends, which is served until then"`
}

// BehindBody says which grants a decision is about.
type BehindBody struct {
	Connections []string `json:"connections,omitempty" maxItems:"5000" doc:"Names; or all"`
	All         bool     `json:"all,omitempty"`
}

// BehindRun is the act on many connections that a decision has begun.
type BehindRun struct {
	Run         string `json:"run,omitempty" doc:"Its id; the page /bulk/{id} shows what came of each. Absent if nothing was listed"`
	Connections int    `json:"connections"`
}

func (a *API) registerBehind() {
	huma.Register(a.huma, operation("get-restore", http.MethodGet, "/api/v1/data/restore", "How the last restore of the database stands", "Data"),
		func(ctx context.Context, _ *struct{}) (*one[RestoreState], error) {
			v, err := a.restoreState(ctx)
			if err != nil {
				return nil, a.fail(err)
			}
			return &one[RestoreState]{v}, nil
		})
	huma.Register(a.huma, operation("list-behind", http.MethodGet, "/api/v1/data/behind", "List grants that may be behind the backup: they wait for a decision", "Data"),
		func(ctx context.Context, _ *struct{}) (*listOf[BehindGrant], error) {
			found, err := a.data.Behind(ctx, 0)
			if err != nil {
				return nil, a.fail(err)
			}
			items := make([]BehindGrant, 0, len(found))
			for _, b := range found {
				items = append(items, BehindGrant{Connection: b.Name, Title: b.Title, Reason: b.Reason, ListedAt: b.ListedAt.UTC(), ValidUntil: orAbsent(b.ExpiresAt)})
			}
			return list(items), nil
		})
	decide := func(id, path, decision, summary string) {
		op := operation(id, http.MethodPost, "/api/v1/data/behind/"+path, summary, "Data", 422)
		op.DefaultStatus = http.StatusOK
		huma.Register(a.huma, op, func(ctx context.Context, in *one[BehindBody]) (*one[BehindRun], error) {
			names := in.Body.Connections
			switch {
			case in.Body.All == (len(names) > 0):
				return nil, problem(http.StatusUnprocessableEntity, "invalid-fields", "Some fields cannot be used as they are", "Name connections, or say all.")
			case in.Body.All:
				names = nil
			}
			run, n, err := a.data.DecideBehind(ctx, names, decision)
			if err != nil {
				return nil, a.fail(err)
			}
			return &one[BehindRun]{BehindRun{Run: run, Connections: n}}, nil
		})
	}
	decide("try-behind", "try", replicadb.DecideTryOnce, "Spend the stored refresh tokens of such grants once")
	decide("link-behind", "links", replicadb.DecideSendLinks, "Give such grants up without trying: people are sent links to authorize again")
}

func (a *API) restoreState(ctx context.Context) (v RestoreState, err error) {
	at, err := a.data.Restores(ctx)
	if err != nil {
		return v, err
	}
	if v.Behind, err = a.data.CountBehind(ctx); err != nil {
		return v, err
	}
	r := at.Newest
	if v.Held = r.Held(); r.ID == "" {
		return v, nil
	}
	v.Noticed = &RestoreNoticed{
		Cause: r.Cause, At: r.NoticedAt.UTC(), By: r.NoticedBy, BackupAt: orAbsent(r.BackupAt), Until: r.Until.UTC(), EndedAt: orAbsent(r.EndedAt), Replicas: []ComparedReplica{},
	}
	all, err := a.data.RestoreReplicas(ctx, r.ID)
	for _, x := range all {
		v.Noticed.Forwarded += x.Forwarded
		v.Noticed.Replicas = append(v.Noticed.Replicas, ComparedReplica{ID: x.ID, Name: x.Name, ComparedAt: orAbsent(x.ComparedAt), Forwarded: x.Forwarded})
	}
	return v, err
}
