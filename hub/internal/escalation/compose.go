package escalation

import (
	"context"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// linkLife is how long the link of a message can be followed.
const linkLife = 14 * 24 * time.Hour

// compose writes the text of a delivery. It creates the links, which are valid for this
// message alone; ackHash is the hash of the acknowledge link.
func (e *Escalation) compose(ctx context.Context, d noticedb.Delivery, contact policy.Contact, kind channel.Kind) (m channel.Message, ackHash string, err error) {
	esc, err := e.o.Store.Notices.Escalation(ctx, d.EscalationID)
	if err != nil {
		return m, "", err
	}
	facts, err := e.factsOf(ctx, esc)
	if err != nil {
		return m, "", err
	}
	topic := TopicOf(esc.Event)
	links := links{page: e.o.PublicURL + "/escalations/" + esc.ID}
	switch topic {
	case topicRequest:
		links.page = e.o.PublicURL + "/requests"
	case topicHosts:
		links.page = e.o.PublicURL + "/services"
	case topicSecret:
		links.page = e.o.PublicURL + "/services/" + facts.serviceName
	case topicCertificate:
		links.page = e.o.PublicURL + "/services/" + facts.serviceName + "/keys"
	}
	if d.Kind == noticedb.DeliveryRecovered {
		if topic, err = e.endingOf(ctx, esc); err != nil {
			return m, "", err
		}
	} else {
		token := randtoken.New()
		ackHash, links.acknowledge = randtoken.Hash(token), e.o.PublicURL+"/ack/"+token
		if links.authorize, err = e.authorizeLink(ctx, esc, facts, contact); err != nil {
			return m, "", err
		}
	}
	edited, err := e.o.Store.Notices.MessageTemplates(ctx)
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
			said = phrase(lang, "drill") + said
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
			m.Text += "\n\n" + phrase(lang, "drill_text")
		}
		if kind.Form() == channel.Rich {
			m.HTML, err = htmlOf(m, lang, links, e.o.PublicURL)
		}
	}
	return m, ackHash, err
}

// links of one message.
type links struct{ authorize, acknowledge, page string }

// authorizeLink leads straight to the one connection that a person has to authorize.
func (e *Escalation) authorizeLink(ctx context.Context, esc noticedb.Escalation, facts facts, contact policy.Contact) (string, error) {
	topic := TopicOf(esc.Event)
	if topic != string(policy.GrantEnded) && topic != topicPerson && topic != topicScopes {
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
