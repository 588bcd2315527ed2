package web

import (
	"context"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// groupedAbove is how many connections may need a person before the overview groups them.
const groupedAbove = 10

// problemGroups groups what needs a person, if that is too much for a list, and names the
// channels that are switched off.
func (p *overviewPages) problemGroups(ctx context.Context, v *view.Overview, refs map[string]view.ServiceRef) error {
	channels, err := p.notifications.Channels(ctx)
	if err != nil {
		return err
	}
	for _, c := range channels {
		if !c.DisabledAt.IsZero() {
			v.ChannelsOff = append(v.ChannelsOff, c.Title)
		}
	}
	if v.Counts.Acute() <= groupedAbove {
		return nil
	}
	groups, err := p.overview.AcuteGroups(ctx, time.Now())
	for _, g := range groups {
		v.Groups = append(v.Groups, view.AcuteGroup{Service: refs[g.ServiceID], Status: g.Status, Never: g.Never, Count: g.Count})
	}
	return err
}

// doubtfulServices returns the services whose options need a decision by an administrator.
func (p *overviewPages) doubtfulServices(c *gin.Context) ([]view.ServiceRef, error) {
	services, err := p.services.Doubtful(c.Request.Context())
	var doubtful []view.ServiceRef
	for _, s := range services {
		if len(s.Doubts()) > 0 {
			doubtful = append(doubtful, p.serviceRef(s))
		}
	}
	return doubtful, err
}

// endingSecrets returns the services whose client secrets end soon or have ended.
func (p *overviewPages) endingSecrets(c *gin.Context) ([]view.Service, error) {
	services, err := p.services.List(c.Request.Context())
	var ending []view.Service
	for _, s := range services {
		v := view.Service{ServiceRef: p.serviceRef(s), Secrets: view.SecretsOf(s, time.Now())}
		v.Secrets = slices.DeleteFunc(v.Secrets, func(x view.Secret) bool { return !x.Near })
		if len(v.Secrets) > 0 {
			ending = append(ending, v)
		}
	}
	return ending, err
}

// doubtfulPolicies returns the policies that an earlier version may have stored as disabled by
// mistake.
func (p *overviewPages) doubtfulPolicies(c *gin.Context) ([]policy.Policy, error) {
	policies, err := p.notifications.Policies(c.Request.Context())
	return slices.DeleteFunc(policies, func(x policy.Policy) bool { return !x.Doubtful || x.Enabled }), err
}
