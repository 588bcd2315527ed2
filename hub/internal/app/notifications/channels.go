package notifications

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// ChannelDraft is a channel as it was entered.
type ChannelDraft struct {
	// ID is that of a channel that is changed; empty for a new one, of the kind Kind.
	ID, Kind, Title string
	// Settings are what was entered. A secret that is left empty stays as it is stored.
	Settings map[string]string
}

// SaveChannel adds a channel or changes one. If the secrets of a channel go to another
// host, that is recorded as well and the owners are told. Errors: *InvalidError,
// store.ErrNotFound.
func (n *Notifications) SaveChannel(ctx context.Context, d ChannelDraft) (saved noticedb.Channel, err error) {
	d.Title = strings.TrimSpace(d.Title)
	err = n.o.Recorder.Change(ctx, manage("channel", d.Title, act.Act{Name: "channel.save"}), func(ctx context.Context, e *act.Entry) error {
		stored, err := n.drafted(ctx, d)
		if err != nil {
			return err
		}
		was := stored.Settings
		var from, to string
		if saved, from, to, err = changed(stored, d); err != nil {
			return err
		}
		err = n.o.Store.Notices.SaveChannel(ctx, saved)
		if errors.Is(err, store.ErrNameTaken) {
			return &InvalidError{Problems: []Problem{{Field: "title", Code: Taken}}}
		}
		if err != nil || was == nil || from == to {
			return err
		}
		return n.channelMoved(ctx, saved.Title, from, to)
	})
	return saved, err
}

// drafted is the channel that a draft changes, or a new one without settings.
func (n *Notifications) drafted(ctx context.Context, d ChannelDraft) (noticedb.Channel, error) {
	if d.ID != "" {
		return n.o.Store.Notices.Channel(ctx, d.ID)
	}
	if !channel.Kind(d.Kind).Known() {
		return noticedb.Channel{}, store.ErrNotFound
	}
	return noticedb.Channel{ID: store.NewID(), Kind: d.Kind, CreatedAt: time.Now()}, nil
}

// changed is a channel with what was entered, and the hosts that its secrets go to.
func changed(c noticedb.Channel, d ChannelDraft) (_ noticedb.Channel, from, to string, err error) {
	kind := channel.Kind(c.Kind)
	settings, entered := map[string]string{}, channel.Settings{}
	for _, f := range channel.Fields(kind) {
		value := strings.TrimSpace(d.Settings[f.Name])
		entered[f.Name] = value
		if value == "" && f.Secret {
			value = c.Settings[f.Name]
		}
		settings[f.Name] = value
	}
	kept, from, to := channel.KeptElsewhere(kind, c.Settings, entered)
	c.Settings, c.Title, c.UpdatedAt, c.DisabledAt = settings, d.Title, time.Now(), time.Time{}
	invalid := &InvalidError{}
	for _, x := range channel.Check(kind, settings) {
		code := Missing
		if x.Code == channel.ProblemInvalid {
			code = Invalid
		}
		invalid.add("settings."+x.Field, code)
	}
	for _, field := range kept {
		invalid.Problems = append(invalid.Problems, Problem{Field: "settings." + field, Code: Again, From: from, To: to})
	}
	if d.Title == "" {
		invalid.add("title", Missing)
	}
	return c, from, to, invalid.orNil()
}

// channelMoved records that a channel's secret goes to another host, and notifies the owners.
func (n *Notifications) channelMoved(ctx context.Context, title, from, to string) error {
	a := manage("channel", title, act.Act{Name: "channel.hosts", Detail: []string{"was", from, "hosts", to}})
	return n.o.Recorder.Change(ctx, a, func(ctx context.Context, _ *act.Entry) error {
		return n.o.Escalation.TellHosts(ctx, "", title, escalation.NoticeDone, act.From(ctx).Name, []string{from}, []string{to})
	})
}

// TestChannel sends a test message to an address now. Errors: *InvalidError for the
// address, *channel.Error if the service did not take it, store.ErrNotFound.
func (n *Notifications) TestChannel(ctx context.Context, id, to, lang string) (receipt channel.Receipt, err error) {
	stored, err := n.o.Store.Notices.Channel(ctx, id)
	a := manage("channel", stored.Title, act.Act{Name: "channel.test"})
	if err == nil && channel.CheckAddress(channel.Kind(stored.Kind), to) != nil {
		err = &InvalidError{Problems: []Problem{{Field: "to", Code: Invalid}}}
	}
	if err != nil {
		return receipt, n.o.Recorder.Attempted(ctx, a, err)
	}
	err = n.o.Recorder.Ask(ctx, a, func(ctx context.Context, e *act.Entry) (err error) {
		receipt, err = n.o.Escalation.Test(ctx, stored, to, lang)
		if failure, is := errors.AsType[*channel.Error](err); is {
			e.Add("result", string(failure.Reason))
		}
		return err
	})
	return receipt, err
}

// DeleteChannel deletes a channel, and returns it. Errors: store.ErrNotFound.
func (n *Notifications) DeleteChannel(ctx context.Context, id string) (deleted noticedb.Channel, err error) {
	err = n.o.Recorder.Change(ctx, manage("channel", id, act.Act{Name: "channel.delete"}), func(ctx context.Context, e *act.Entry) (err error) {
		if deleted, err = n.o.Store.Notices.Channel(ctx, id); err != nil {
			return err
		}
		e.Named(deleted.Title)
		return n.o.Store.Notices.DeleteChannel(ctx, id)
	})
	return deleted, err
}
