package services

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/service"
)

// UseSecret makes the client secret of a service the current one with which a renewal has
// succeeded after the other one was refused, and has the connections tried again that were
// blocked. The hub does it itself: the caller is act.Hub. One that is current by now is
// left alone, without a record.
func (x *Services) UseSecret(ctx context.Context, working service.Service) error {
	stored, other, err := x.o.Catalogue.Working(ctx, working)
	if err != nil || !other {
		return err
	}
	a := about("service.use_secret", access.ActManage, stored.Name, "why", "the service refused the current client secret and accepted the other one")
	changed := false
	err = x.o.Recorder.Change(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		if changed, err = x.o.Catalogue.UseSecret(ctx, working, time.Now()); !changed {
			e.Unchanged()
		}
		return err
	})
	if err != nil || !changed {
		return err
	}
	return x.o.Catalogue.TryBlocked(ctx, working.ID)
}

// secretChanges are the changes of the client secrets of a service, for the record: what
// was changed and when it ends, never a value.
func secretChanges(old, next service.Service) (detail []string) {
	add := func(name, what string) { detail = append(detail, name, what) }
	swapped := old.ClientSecret != "" && old.ClientSecret == next.OtherSecret.Value
	switch {
	case swapped && next.ClientSecret == old.OtherSecret.Value:
		add("client_secret", "the other one is the current one now")
	case swapped:
		add("client_secret", "a second one was added and is the current one now")
	default:
		if old.ClientSecret != next.ClientSecret {
			add("client_secret", "replaced")
		}
		if !old.OtherSecret.IsZero() && next.OtherSecret.IsZero() {
			add("other_client_secret", "removed")
		}
	}
	if !old.SecretEndsAt.Equal(next.SecretEndsAt) {
		add("client_secret_ends_at", said(next.SecretEndsAt))
	}
	if !old.OtherSecret.EndsAt.Equal(next.OtherSecret.EndsAt) {
		add("other_client_secret_ends_at", said(next.OtherSecret.EndsAt))
	}
	return detail
}

func said(end time.Time) string {
	if end.IsZero() {
		return "not known"
	}
	return end.UTC().Format(time.RFC3339)
}
