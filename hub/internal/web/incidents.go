package web

import (
	"context"
	"net/url"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// Bounds of the incidents on the overview.
const (
	mostIncidents = 20
	mostOver      = 3
	lately        = 24 * time.Hour
)

// incidents returns the open incidents of more than one connection, and those that ended
// recently. Trouble of one grant alone is in the list of connections that need a person.
func (p *overviewPages) incidents(ctx context.Context) (open, over []view.Incident, err error) {
	found, err := p.overview.Incidents(ctx, false, 500)
	if err != nil {
		return nil, nil, err
	}
	open = p.shared(ctx, found, mostIncidents)
	if found, err = p.overview.Incidents(ctx, true, 100); err != nil {
		return nil, nil, err
	}
	recent := found[:0]
	for _, i := range found {
		if time.Since(i.ClosedAt) < lately {
			recent = append(recent, i)
		}
	}
	return open, p.shared(ctx, recent, mostOver), nil
}

func (p *overviewPages) shared(ctx context.Context, found []noticedb.Incident, most int) []view.Incident {
	var shown []view.Incident
	for _, i := range found {
		cause := connection.ParseCause(i.Cause)
		if cause.Kind == connection.CauseGrant || cause.Kind == connection.CauseUncertain || len(shown) == most {
			continue
		}
		v := view.Incident{
			ID: i.ID, Kind: cause.Kind, Of: cause.Of, Said: i.Message, Code: i.Code, Affected: i.Affected, Since: i.OpenedAt, Until: i.ClosedAt,
		}
		if v.Said == cause.Said() {
			v.Said = "" // the title has it in the reader's language
		}
		switch cause.Kind {
		case connection.CauseBehind, connection.CauseRestored:
			v.URL = "/restored"
		case connection.CauseClient, connection.CauseService, connection.CauseRefusal:
			if svc, err := p.overview.Service(ctx, cause.Of); err == nil {
				v.Of, v.URL = svc.Title, "/services/"+url.PathEscape(svc.Name)+"/edit"
			}
		case connection.CausePlugin:
			v.URL = "/plugins"
		case connection.CauseOutage:
			v.URL = "/connections?status=" + string(connection.StatusRetrying)
		}
		if i.Affected > 1 && i.ClosedAt.IsZero() {
			v.AllURL = "/connections?" + url.Values{"cause": {i.Cause}}.Encode()
		}
		shown = append(shown, v)
	}
	return shown
}
