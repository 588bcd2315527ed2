package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/sdk/provider"
)

// mostListed is how many connections a message names.
const mostListed = 5

// facts are the contents of a message.
type facts struct {
	esc         noticedb.Escalation
	service     string // its title; empty for several
	serviceName string
	connections []connection.Connection
}

func (e *Escalation) factsOf(ctx context.Context, esc noticedb.Escalation) (f facts, err error) {
	f.esc = esc
	if esc.ServiceID != "" {
		svc, err := e.o.Store.Services.Service(ctx, esc.ServiceID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return f, err
		}
		f.service, f.serviceName = svc.Title, svc.Name
	}
	for _, id := range esc.Connections {
		if len(f.connections) == mostListed {
			break
		}
		c, err := e.o.Store.Grants.Connection(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return f, err
		}
		f.connections = append(f.connections, c)
	}
	return f, nil
}

// endingOf is the topic of the end of an incident: renewal works again, or there is
// nothing left that could.
func (e *Escalation) endingOf(ctx context.Context, esc noticedb.Escalation) (topic string, err error) {
	if esc.Drill || len(esc.Connections) == 0 {
		return topicRecovered, nil
	}
	active, err := e.o.Store.Grants.AnyActive(ctx, esc.Connections)
	if active {
		return topicRecovered, err
	}
	return topicWithdrawn, err
}

// fields are the words of a text.
func (f facts) fields(topic, lang string, zone *time.Location, l links, hub string) map[string]string {
	speak := i18n.NewSpeaker(lang, zone, time.Now())
	fields := map[string]string{
		"service": f.service, "count": speak.Count("overview_more.day", f.esc.Affected), "since": speak.Clock(f.esc.OpenedAt), "said": said(f.esc),
		"link": l.authorize, "acknowledge": l.acknowledge, "page": l.page, "hub": hub, "remedy": f.remedy(topic, lang),
	}
	if f.service == "" {
		fields["service"] = phrase(lang, "several")
	}
	names := make([]string, 0, len(f.connections))
	for _, c := range f.connections {
		names = append(names, c.Name)
	}
	fields["connections"] = strings.Join(names, ", ")
	if more := f.esc.Affected - len(names); more > 0 && len(names) > 0 {
		fields["connections"] += " " + fmt.Sprintf(phrase(lang, "more"), more)
	}
	switch {
	case !f.esc.ClosedAt.IsZero():
		fields["until"] = speak.Clock(f.esc.ClosedAt)
	case !f.esc.PersonBy.IsZero():
		fields["until"], fields["days"] = speak.Date(f.esc.PersonBy), speak.Duration(time.Until(f.esc.PersonBy).Round(time.Hour))
	}
	fields["title"] = fields["service"] + ": " + fields["count"]
	if len(f.connections) == 1 && f.esc.Affected <= 1 {
		fields["title"], fields["name"] = f.connections[0].Title, f.connections[0].Name
	}
	switch {
	case topic == topicSecret:
		fields["title"], fields["stops"] = fields["service"], phrase(lang, "stops_secret_"+f.endCode())
	case topic == topicCertificate:
		fields["title"], fields["stops"] = fields["service"], phrase(lang, "stops_certificate_"+f.endCode())
	case topic == topicScopes:
		fields["stops"] = phrase(lang, "stops_scopes")
	case f.esc.ClosedAt.IsZero():
		fields["stops"] = f.stops(lang, speak)
	}
	return fields
}

// stops describes what stops working, and when.
func (f facts) stops(lang string, speak *i18n.Speaker) string {
	if len(f.connections) != 1 || f.esc.Affected > 1 {
		return phrase(lang, "stops_more")
	}
	if !f.esc.PersonBy.IsZero() {
		return phrase(lang, "stops_then")
	}
	if t := f.connections[0].Tokens; t.Valid(time.Now()) && !t.ExpiresAt.IsZero() {
		return fmt.Sprintf(phrase(lang, "stops_at"), speak.Clock(t.ExpiresAt))
	}
	return phrase(lang, "stops_now")
}

// remedy is the provider's own advice, or ours.
func (f facts) remedy(topic, lang string) string {
	switch topic {
	case topicSecret:
		return phrase(lang, "remedy_secret_"+f.endCode())
	case topicCertificate:
		return phrase(lang, "remedy_certificate_"+f.endCode())
	}
	if topic == topicPerson && f.keys() {
		return phrase(lang, "remedy_person_needed_key")
	}
	if len(f.connections) > 0 && f.connections[0].Failure != nil {
		own := f.connections[0].Failure.Remedy
		if lang == "ru" && own.RU != "" {
			return own.RU
		}
		if own.EN != "" {
			return own.EN
		}
	}
	return phrase(lang, "remedy_"+topic)
}

// keys reports whether the connections are all of static keys.
func (f facts) keys() bool {
	return len(f.connections) > 0 && !slices.ContainsFunc(f.connections, func(c connection.Connection) bool { return c.Grant != provider.GrantStatic })
}

// endCode is the code of an escalation about a client secret or certificate; a drill has one
// of its own.
func (f facts) endCode() string {
	if f.esc.Drill {
		return secretLast
	}
	return f.esc.Code
}

// said is the service's error, in one line.
func said(esc noticedb.Escalation) string {
	text := strings.Join(strings.Fields(esc.Message), " ")
	if esc.Code != "" && !strings.Contains(text, esc.Code) {
		text = strings.TrimSuffix(esc.Code+": "+text, ": ")
	}
	runes := []rune(text)
	return string(runes[:min(len(runes), 300)])
}

// data is what a signed webhook carries.
func (f facts) data(topic, title string, l links) (json.RawMessage, error) {
	type item struct {
		Name  string `json:"name"`
		Title string `json:"title"`
	}
	items := []item{}
	for _, c := range f.connections {
		items = append(items, item{c.Name, c.Title})
	}
	data := map[string]any{
		"escalation": f.esc.ID, "event": f.esc.Event, "topic": topic, "title": title, "service": f.service, "affected": f.esc.Affected, "connections": items,
		"since": f.esc.OpenedAt.UTC(), "code": f.esc.Code, "message": said(f.esc), "page": l.page, "drill": f.esc.Drill,
	}
	for name, value := range map[string]string{"authorize": l.authorize, "acknowledge": l.acknowledge} {
		if value != "" {
			data[name] = value
		}
	}
	for name, at := range map[string]time.Time{"person_by": f.esc.PersonBy, "until": f.esc.ClosedAt} {
		if !at.IsZero() {
			data[name] = at.UTC()
		}
	}
	return json.Marshal(data)
}
