package web

import (
	"context"
	"time"

	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// groupedAbove is how many connections may need a person before the overview groups them.
const groupedAbove = 10

// problemGroups groups what needs a person, if that is too much for a list, and names the
// channels that are switched off.
func (p *Pages) problemGroups(ctx context.Context, v *view.Overview, refs map[string]view.ServiceRef) error {
	channels, err := p.o.Notifications.Channels(ctx)
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
	groups, err := p.o.Overview.AcuteGroups(ctx, time.Now())
	for _, g := range groups {
		v.Groups = append(v.Groups, view.AcuteGroup{Service: refs[g.ServiceID], Status: g.Status, Never: g.Never, Count: g.Count})
	}
	return err
}
