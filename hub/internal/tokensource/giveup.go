package tokensource

import (
	"context"
	"errors"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// CodeBehind is the code of a grant that was abandoned because it comes from a backup.
const CodeBehind = "behind_backup"

// ErrNewer reports that a grant has other tokens than those the decision was about.
var ErrNewer error = newerError("it has other tokens by now: it was brought forward, renewed or authorized again, and is left alone")

type newerError string

// Error implements error.
func (e newerError) Error() string { return string(e) }

// Refusal marks it as a rule that says no, for the audit record.
func (newerError) Refusal() bool { return true }

// GiveUp ends a grant without a request to its service, because a person decided not to
// try the refresh token of that lineage and generation: notifications are sent as for any
// grant that has ended, and a valid access token is still served. A hub that starts later
// with a newer token set makes the grant active again. Errors: ErrNewer,
// store.ErrNotFound.
func (s *Source) GiveUp(ctx context.Context, id string, decided grantdb.Generation) error {
	c, err := s.store.Grants.Connection(ctx, id)
	if err != nil {
		return err
	}
	if c.Generation != decided.Generation || c.Lineage != decided.Lineage {
		return ErrNewer
	}
	ended := c.Failed(s.Now(), c.Generation, provider.Errorf(provider.ReauthorizationRequired, CodeBehind,
		"the database was restored from a backup, so the refresh token may be used up and is not tried; a person has to authorize again"))
	ended.Cause = connection.CauseOf(ended, "", "").String()
	err = s.store.Renewals.SaveFailure(ctx, ended, c.Generation, "", s.Owner())
	if errors.Is(err, store.ErrStale) {
		return ErrNewer
	}
	return err
}
