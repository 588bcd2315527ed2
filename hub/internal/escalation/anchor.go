package escalation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// ErrNobodyOn reports that no channel of that title is enabled, or that no contact has an
// address there.
var ErrNobodyOn = errors.New("there is no channel of this name that is on, or no contact has an address there")

// SendAnchor sends an anchor of the audit records to every contact with an address on the
// channel of a title, now. told is the number of contacts it was sent to; the error joins
// the failures of the others.
func (e *Escalation) SendAnchor(ctx context.Context, title string, a auditdb.AuditAnchor) (told int, err error) {
	if err := e.o.Store.Detached(ctx); err != nil {
		return 0, err
	}
	channels, err := e.o.Store.Notices.Channels(ctx)
	if err != nil {
		return 0, err
	}
	contacts, err := e.o.Store.People.Contacts(ctx)
	if err != nil {
		return 0, err
	}
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return 0, fmt.Errorf("write the anchor: %w", err)
	}
	var errs []error
	for _, via := range channels {
		if via.Title != title || !via.DisabledAt.IsZero() {
			continue
		}
		for _, who := range contacts {
			to := who.On(via.ID)
			if to == "" {
				continue
			}
			if err := e.sendAnchor(ctx, via, to, who.Lang, data); err != nil {
				errs = append(errs, fmt.Errorf("to %s: %w", who.Title, err))
				continue
			}
			told++
		}
	}
	if told == 0 && len(errs) == 0 {
		return 0, ErrNobodyOn
	}
	return told, errors.Join(errs...)
}

func (e *Escalation) sendAnchor(ctx context.Context, via noticedb.Channel, to, lang string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	_, err := e.o.Senders.Send(ctx, channel.Kind(via.Kind), via.Settings, channel.Message{
		ID: store.NewID(), To: to, Lang: lang, At: time.Now(), Type: "audit.anchor", Data: data,
		Subject: phrase(lang, "anchor_subject"), Text: phrase(lang, "anchor_text") + " " + e.o.PublicURL + "\n\n" + string(data),
	})
	return err
}
