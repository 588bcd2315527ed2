package bulk

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/grantdb"
)

// Going is what an act concerns that takes connections away.
type Going struct {
	// Connections is how many they are, Names the first of them by name.
	Connections int
	Names       []string
	// Granting have a grant in force, and Rotating of them a refresh token that each
	// renewal replaces.
	Granting, Rotating int
	// Keys are the usable API keys that name one of them, Rules the escalation policies
	// that match one of them, and Channels those that notify of one.
	Keys, Rules, Channels int
}

// Going returns what an act on the connections that a filter selects would take away, with
// the names of so many of them.
func (r *Runner) Going(ctx context.Context, f grantdb.Filter, names int) (g Going, err error) {
	grants := r.o.Store.Grants
	if g.Connections, err = grants.CountChosen(ctx, f); err != nil {
		return g, err
	}
	if g.Names, err = grants.ChosenNames(ctx, f, names); err != nil {
		return g, err
	}
	policies, err := grants.ChosenGrants(ctx, f)
	if err != nil {
		return g, err
	}
	for _, p := range policies {
		g.Granting += p.Count
		if p.Policy.Rotates() {
			g.Rotating += p.Count
		}
	}
	if g.Keys, err = r.o.Store.People.CountKeysNaming(ctx, f, time.Now()); err != nil {
		return g, err
	}
	g.Rules, g.Channels, err = r.notifying(ctx, f)
	return g, err
}

// Staying returns what shares an authorization with the connections that a filter selects
// and is not deleted with them, with the names of so many of each: parts whose main
// connection goes, and what stays beside parts that go.
func (r *Runner) Staying(ctx context.Context, f grantdb.Filter, names int) (parts, beside grantdb.Staying, err error) {
	if parts, err = r.o.Store.Grants.StayingParts(ctx, f, names); err != nil {
		return parts, beside, err
	}
	beside, err = r.o.Store.Grants.StayingBeside(ctx, f, names)
	return parts, beside, err
}

// notifying counts the escalation policies and channels that notify of what a filter
// selects.
func (r *Runner) notifying(ctx context.Context, f grantdb.Filter) (rules, channels int, err error) {
	var at policy.Situation
	if at.Services, err = r.o.Store.Grants.ChosenServices(ctx, f); err != nil {
		return 0, 0, err
	}
	if at.Tags, err = r.o.Store.Grants.ChosenTags(ctx, f); err != nil {
		return 0, 0, err
	}
	if at.Owners, err = r.o.Store.People.OwnersOfChosen(ctx, f); err != nil {
		return 0, 0, err
	}
	policies, err := r.o.Store.Notices.Policies(ctx)
	if err != nil {
		return 0, 0, err
	}
	contacts, err := r.o.Store.People.Contacts(ctx)
	if err != nil {
		return 0, 0, err
	}
	rules, channels = policy.Concerned(at, policies, contacts)
	return rules, channels, nil
}
