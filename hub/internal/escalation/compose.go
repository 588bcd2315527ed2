package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/opaque"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/i18n"
)

// linkLife is how long the link of a message can be followed.
const linkLife = 14 * 24 * time.Hour

// mostListed is how many connections a message names.
const mostListed = 5

// compose writes what a delivery says. It makes the links, which are good for this
// message alone; ackHash is the hash of the one that acknowledges.
func (e *Escalation) compose(ctx context.Context, d store.Delivery, contact policy.Contact, kind channel.Kind) (m channel.Message, ackHash string, err error) {
	esc, err := e.o.Store.Escalation(ctx, d.EscalationID)
	if err != nil {
		return m, "", err
	}
	facts, err := e.factsOf(ctx, esc)
	if err != nil {
		return m, "", err
	}
	topic := TopicOf(esc.Event)
	links := links{page: e.o.PublicURL + "/escalations/" + esc.ID}
	if d.Kind == store.DeliveryRecovered {
		topic = facts.ending()
	} else {
		token := opaque.New()
		ackHash, links.acknowledge = opaque.Hash(token), e.o.PublicURL+"/ack/"+token
		if links.authorize, err = e.authorizeLink(ctx, esc, facts, contact); err != nil {
			return m, "", err
		}
	}
	edited, err := e.o.Store.MessageTemplates(ctx)
	if err != nil {
		return m, "", err
	}
	lang := langOf(contact)
	fields := facts.fields(topic, lang, zoneOf(contact), links, e.o.PublicURL)
	text := func(part string) string {
		template := edited[TemplateKey(topic, lang, part)]
		if template == "" {
			template = Original(topic, lang, part)
		}
		said := fill(template, fields)
		if esc.Drill {
			said = word(lang, "drill") + said
		}
		return said
	}
	m = channel.Message{ID: d.ID, Lang: lang, At: d.CreatedAt, Type: "escalation." + topic, Subject: text(PartSubject)}
	switch kind.Form() {
	case channel.Short:
		m.Text = text(PartShort)
	case channel.Data:
		m.Text = text(PartText)
		m.Data, err = facts.data(topic, m.Subject, links)
	default:
		m.Text = text(PartText)
		if esc.Drill {
			m.Text += "\n\n" + word(lang, "drill_text")
		}
		if kind.Form() == channel.Rich {
			m.HTML, err = htmlOf(m, lang, links, e.o.PublicURL)
		}
	}
	return m, ackHash, err
}

// links of one message.
type links struct{ authorize, acknowledge, page string }

// authorizeLink leads straight to the one connection that a person has to authorise.
func (e *Escalation) authorizeLink(ctx context.Context, esc store.Escalation, facts facts, contact policy.Contact) (string, error) {
	topic := TopicOf(esc.Event)
	if topic != string(policy.GrantEnded) && topic != topicPerson {
		return "", nil
	}
	if len(facts.connections) != 1 || esc.Affected > 1 || esc.Drill {
		return e.o.PublicURL + "/escalations/" + esc.ID, nil
	}
	path, err := e.o.MakeLink(ctx, facts.connections[0].ID, contact.UserID, linkLife)
	if err != nil {
		return "", fmt.Errorf("make the link of a message: %w", err)
	}
	return e.o.PublicURL + path, nil
}

// facts are what a message tells of.
type facts struct {
	esc         store.Escalation
	service     string // its title; empty for several
	connections []connection.Connection
}

func (e *Escalation) factsOf(ctx context.Context, esc store.Escalation) (f facts, err error) {
	f.esc = esc
	if esc.ServiceID != "" {
		svc, err := e.o.Store.Service(ctx, esc.ServiceID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return f, err
		}
		f.service = svc.Title
	}
	for _, id := range esc.Connections {
		c, err := e.o.Store.Connection(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return f, err
		}
		f.connections = append(f.connections, c)
		if len(f.connections) > mostListed {
			break
		}
	}
	return f, nil
}

// ending is the topic of the end of a trouble: something works again, or there is
// nothing left that could.
func (f facts) ending() string {
	for _, c := range f.connections {
		if c.State == connection.StateActive {
			return topicRecovered
		}
	}
	if f.esc.Drill || len(f.esc.Connections) == 0 {
		return topicRecovered
	}
	return topicWithdrawn
}

// fields are the words of a text.
func (f facts) fields(topic, lang string, zone *time.Location, l links, hub string) map[string]string {
	speak := i18n.NewSpeaker(lang, zone, time.Now())
	fields := map[string]string{
		"service": f.service, "count": speak.Count("overview_more.day", f.esc.Affected), "since": speak.Clock(f.esc.OpenedAt), "said": said(f.esc),
		"link": l.authorize, "acknowledge": l.acknowledge, "page": l.page, "hub": hub, "remedy": f.remedy(topic, lang),
	}
	if f.service == "" {
		fields["service"] = word(lang, "several")
	}
	names := make([]string, 0, len(f.connections))
	for _, c := range f.connections[:min(len(f.connections), mostListed)] {
		names = append(names, c.Name)
	}
	fields["connections"] = strings.Join(names, ", ")
	if more := f.esc.Affected - len(names); more > 0 && len(names) > 0 {
		fields["connections"] += " " + fmt.Sprintf(word(lang, "more"), more)
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
	if f.esc.ClosedAt.IsZero() {
		fields["stops"] = f.stops(lang, speak)
	}
	return fields
}

// stops says what stops working, and when.
func (f facts) stops(lang string, speak *i18n.Speaker) string {
	if len(f.connections) != 1 || f.esc.Affected > 1 {
		return word(lang, "stops_more")
	}
	if !f.esc.PersonBy.IsZero() {
		return word(lang, "stops_then")
	}
	if t := f.connections[0].Tokens; t.Valid(time.Now()) && !t.ExpiresAt.IsZero() {
		return fmt.Sprintf(word(lang, "stops_at"), speak.Clock(t.ExpiresAt))
	}
	return word(lang, "stops_now")
}

// remedy is the provider's own advice, or ours.
func (f facts) remedy(topic, lang string) string {
	if len(f.connections) > 0 && f.connections[0].Failure != nil {
		own := f.connections[0].Failure.Remedy
		if lang == "ru" && own.RU != "" {
			return own.RU
		}
		if own.EN != "" {
			return own.EN
		}
	}
	return word(lang, "remedy_"+topic)
}

// said is what the service said, in one line.
func said(esc store.Escalation) string {
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

func langOf(c policy.Contact) string {
	if c.Lang == "ru" {
		return "ru"
	}
	return "en"
}

func zoneOf(c policy.Contact) *time.Location {
	if zone, err := time.LoadLocation(c.Zone); err == nil && c.Zone != "" {
		return zone
	}
	return time.UTC
}
