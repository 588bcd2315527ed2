package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// The lives of tokens that a staging copy is made with: they are good while the original
// is killed, and over before the scene is.
const (
	copiedLife     = 20 * time.Second
	copiedLifeMost = 30 * time.Second
)

// staging copies a database by a backup, with a message that was about to be sent, detaches
// the copy and starts a hub on it. What is due there, and what there is to tell, stays
// there; the original then sends the message and goes on.
func staging(ctx context.Context, v *venue) error {
	services, err := channeltest.Open()
	if err != nil {
		return err
	}
	v.after = append(v.after, services.Close)
	if err := v.administer(ctx, v.dataDir(0), v.database, v.key, tellsByWebhook(ctx, services)); err != nil {
		return err
	}
	if err := v.diesBeforeTelling(ctx); err != nil {
		return err
	}
	h, err := v.detachedCopy(ctx)
	if err != nil {
		return err
	}
	if err := v.asksInVain(ctx, h); err != nil {
		return err
	}
	asked, told := v.sentBy(copied), len(services.Messages())
	if asked > 0 || told > 0 {
		v.problem("the staging copy has sent %d token requests and %d messages", asked, told)
	}
	original, err := v.open(ctx, 0, "")
	if err != nil {
		return err
	}
	v.ask(original)
	for len(services.Messages()) == told {
		if err := wait(ctx, pace); err != nil {
			return fmt.Errorf("the original tells nobody: %w", err)
		}
	}
	v.authority.SetAccessLife(time.Hour)
	if err := v.renewed(ctx, original, v.all()); err != nil {
		return err
	}
	v.remark = fmt.Sprintf("%d token requests and %d messages by the copy, %d and %d by the original after it",
		v.sentBy(copied), told, len(v.all()), len(services.Messages())-told)
	return nil
}

// diesBeforeTelling ends a grant that is not judged, and kills the hub when the message
// about it is written and not sent.
func (v *venue) diesBeforeTelling(ctx context.Context) error {
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	p, err := v.client.pull(ctx, h.url, v.spare())
	if err != nil {
		return err
	}
	v.authority.SetLives(copiedLife, copiedLifeMost)
	if err := v.renewed(ctx, h, v.all()); err != nil {
		return err
	}
	h.stop()
	family := authority.FamilyOf(p.AccessToken)
	v.authority.SetManner(func(r authority.Request) authority.Manner {
		if r.Family != family {
			return authority.Manner{}
		}
		return authority.Manner{Refuse: http.StatusBadRequest, Code: "invalid_grant"}
	})
	if h, err = v.open(ctx, 0, crashpoint.BeforeSend); err != nil {
		return err
	}
	v.renew(ctx, h, []string{v.spare()})
	return h.killed(ctx)
}

// detachedCopy restores a backup into a place of its own, detaches it and starts a hub
// there.
func (v *venue) detachedCopy(ctx context.Context) (*hubProcess, error) {
	file := filepath.Join(v.dir, slugged("world "+v.name)+".evergrant-backup")
	if err := v.command(ctx, 0, "backup", "-q", "-o", file); err != nil {
		return nil, err
	}
	production, to := v.database, v.dataDir(copied)
	if v.postgres != nil {
		name := databaseName(v.scene) + "_copy"
		if err := v.postgres.create(ctx, name, ""); err != nil {
			return nil, err
		}
		to = v.postgres.url(name)
		v.database = to
	}
	defer func() { v.database = production }()
	if err := v.command(ctx, copied, "restore", "-q", file, "--to", to); err != nil {
		return nil, err
	}
	if err := v.command(ctx, copied, "data", "detach"); err != nil {
		return nil, err
	}
	return v.open(ctx, copied, "")
}

// spare is a connection that a scene has no more use for.
func (v *venue) spare() string { return warm(v.scene.kinds[0]) }

// asksInVain asks a detached hub for renewals, until all tokens that came with the copy
// are over, and then for tokens.
func (v *venue) asksInVain(ctx context.Context, h *hubProcess) error {
	for end := time.Now().Add(copiedLifeMost); time.Now().Before(end); {
		v.renewAll(ctx, h)
		if err := wait(ctx, copiedLife/4); err != nil {
			return err
		}
	}
	for _, name := range v.all() {
		_, err := v.client.pull(ctx, h.url, name)
		if status, ok := errors.AsType[*statusError](err); !ok || status.status != http.StatusConflict {
			v.problem("the staging copy answers a pull of %s, whose token is over, with %v", name, err)
			return nil
		}
	}
	return nil
}

// tellsByWebhook has one contact be told of every grant that ends.
func tellsByWebhook(ctx context.Context, services *channeltest.Server) func(*visitor) error {
	return func(v *visitor) error {
		hook, err := v.addChannel(ctx, services, channel.Webhook)
		if err != nil {
			return err
		}
		desk, err := v.addContact(ctx, "Desk", map[string]string{hook: services.Address(channel.Webhook)})
		if err != nil {
			return err
		}
		_, _, err = v.ask(ctx, "/escalation/policies/new", url.Values{
			"title": {"All"}, "enabled": {"true"}, "events": {"grant_ended"}, "after": {"0"}, "to": {desk}, "channel": {hook},
		})
		return err
	}
}
