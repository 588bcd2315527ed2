package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// ReasonNotNeeded is that of a connection which needs no authorization: it is paused or
// renews.
const ReasonNotNeeded = "not_needed"

// mostLinks bounds the links of a message; the rest goes into further messages.
const mostLinks = 20

// LinkSent is what came of sending the link of a connection.
type LinkSent struct {
	// To is the contact and channel it was sent to; empty if to none.
	To string
	// Reason is why it was not sent: one of the hub's or of channel.Reason. Said is the
	// service's answer.
	Reason, Said string
}

// waitingLink is a connection whose link is to be sent.
type waitingLink struct {
	connection.Connection
	link string
}

// SendLinks sends the owners of connections links to authorize them again, at once, and
// returns the result of each by id. An owner of several gets them together. Connections
// without an owner go to the contacts that take the rest. A failed send is not retried
// later; the next address of the contact is tried.
func (e *Escalation) SendLinks(ctx context.Context, ids []string) (map[string]LinkSent, error) {
	sent := make(map[string]LinkSent, len(ids))
	contacts, err := e.o.Store.People.Contacts(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string][]waitingLink{}
	for _, id := range ids {
		c, err := e.o.Store.Grants.Connection(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			sent[id] = LinkSent{Reason: ReasonTooOld}
			continue
		}
		if err != nil {
			return nil, err
		}
		contact, reason, err := e.receiver(ctx, c, contacts)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			sent[id] = LinkSent{Reason: reason}
			continue
		}
		of[contact.ID] = append(of[contact.ID], waitingLink{Connection: c})
	}
	for _, contact := range contacts {
		for list := of[contact.ID]; len(list) > 0; list = list[min(len(list), mostLinks):] {
			batch := list[:min(len(list), mostLinks)]
			maps.Copy(sent, e.sendTo(ctx, contact, batch))
		}
	}
	return sent, nil
}

// receiver is the contact that gets the link of a connection; reason is why there is
// none.
func (e *Escalation) receiver(ctx context.Context, c connection.Connection, contacts []policy.Contact) (who policy.Contact, reason string, err error) {
	switch c.StatusAt(time.Now()) {
	case connection.StatusFresh, connection.StatusPaused:
		return who, ReasonNotNeeded, nil
	}
	owner, err := e.o.Store.People.Owner(ctx, c.ID)
	if err != nil {
		return who, "", err
	}
	for _, x := range contacts {
		if x.ID == owner {
			return x, "", nil
		}
	}
	for _, x := range contacts {
		if x.TakesRest {
			return x, "", nil
		}
	}
	return who, ReasonNoContact, nil
}

// sendTo sends links to a contact by the first of their addresses that takes them.
func (e *Escalation) sendTo(ctx context.Context, contact policy.Contact, list []waitingLink) map[string]LinkSent {
	result := LinkSent{Reason: ReasonNoAddress}
	for i := range list {
		path, err := e.o.MakeLink(ctx, list[i].ID, contact.UserID, linkLife)
		if err != nil {
			e.o.Logger.Error("create authorization link failed", "connection", list[i].Name, "error", err)
			return each(list, LinkSent{Reason: string(channel.Away)})
		}
		list[i].link = e.o.PublicURL + path
	}
	for _, a := range contact.Addresses {
		via, err := e.o.Store.Notices.Channel(ctx, a.Channel)
		if err != nil {
			result = LinkSent{Reason: ReasonNoChannel}
			continue
		}
		if !via.DisabledAt.IsZero() {
			result = LinkSent{Reason: ReasonDisabled}
			continue
		}
		if result = e.sendBy(ctx, contact, via, a.To, list); result.Reason == "" {
			return each(list, result)
		}
	}
	return each(list, result)
}

// sendBy sends links by one channel: all in one message, or each in its own where messages
// are short.
func (e *Escalation) sendBy(ctx context.Context, contact policy.Contact, via noticedb.Channel, to string, list []waitingLink) LinkSent {
	kind := channel.Kind(via.Kind)
	parts := [][]waitingLink{list}
	if kind.Form() == channel.Short {
		parts = nil
		for i := range list {
			parts = append(parts, list[i:i+1])
		}
	}
	for _, part := range parts {
		m, err := e.linksMessage(contact, kind, part)
		if err != nil {
			return LinkSent{Reason: string(channel.Refused), Said: err.Error()}
		}
		m.To = to
		sending, cancel := context.WithTimeout(ctx, sendTimeout)
		_, err = e.o.Senders.Send(sending, kind, via.Settings, m)
		cancel()
		if failure, is := errors.AsType[*channel.Error](err); is {
			e.o.Delivered(via.Kind, Failed)
			e.o.Logger.Warn("send authorization links failed", "contact", contact.Title, "channel", via.Title, "reason", string(failure.Reason), "said", failure.Said)
			return LinkSent{Reason: string(failure.Reason), Said: failure.Said}
		}
		if err != nil {
			return LinkSent{Reason: string(channel.Away), Said: err.Error()}
		}
		e.o.Delivered(via.Kind, Delivered)
	}
	e.o.Logger.Info("authorization links sent", "contact", contact.Title, "channel", via.Title, "links", len(list))
	return LinkSent{To: contact.Title + " · " + via.Title}
}

// linksMessage composes a message with links.
func (e *Escalation) linksMessage(contact policy.Contact, kind channel.Kind, list []waitingLink) (channel.Message, error) {
	lang := langOf(contact)
	m := channel.Message{ID: store.NewID(), Lang: lang, At: time.Now(), Type: "links", Subject: fmt.Sprintf(phrase(lang, "links_subject"), len(list))}
	l := links{page: e.o.PublicURL + "/connections?status=" + string(connection.StatusNeedsAuthorization)}
	if len(list) == 1 {
		m.Subject, l.authorize = fmt.Sprintf(phrase(lang, "links_subject_one"), list[0].Title), list[0].link
	}
	if kind.Form() == channel.Short {
		m.Text = fmt.Sprintf(phrase(lang, "links_short"), list[0].Title, list[0].link)
		return m, nil
	}
	text := []string{phrase(lang, "links_lead"), ""}
	type item struct {
		Name      string `json:"name"`
		Title     string `json:"title"`
		Authorize string `json:"authorize"`
	}
	var items []item
	for _, x := range list {
		text = append(text, x.Title+": "+x.link)
		items = append(items, item{x.Name, x.Title, x.link})
	}
	m.Text = strings.Join(append(text, "", phrase(lang, "links_how")), "\n")
	var err error
	switch kind.Form() {
	case channel.Data:
		m.Data, err = json.Marshal(map[string]any{"topic": "links", "connections": items, "page": l.page})
	case channel.Rich:
		m.HTML, err = htmlOf(m, lang, l, e.o.PublicURL)
	}
	return m, err
}

// each gives every connection of a message the same result.
func each(list []waitingLink, result LinkSent) map[string]LinkSent {
	all := make(map[string]LinkSent, len(list))
	for _, x := range list {
		all[x.ID] = result
	}
	return all
}
