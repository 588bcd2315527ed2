package doctor

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// knock is how long a channel's server has to take a connection.
const knock = 5 * time.Second

// lookAtChannels checks whether notifications of an incident would reach a contact. It
// sends nothing; the page of a channel sends a test.
func (d *deployment) lookAtChannels(ctx context.Context) []Finding {
	if d.db == nil || d.box == nil {
		return []Finding{warn("cannot be read without database and key", "mend these first")}
	}
	channels, err := d.db.Channels(ctx)
	if err != nil {
		return []Finding{warn("cannot be read: "+err.Error(), "start the hub once, which brings the database up to date")}
	}
	contacts, err := d.db.Contacts(ctx)
	if err != nil {
		return []Finding{warn("the contacts cannot be read: "+err.Error(), "start the hub once, which brings the database up to date")}
	}
	if len(channels) == 0 || len(contacts) == 0 {
		return []Finding{warn("nobody can be told of trouble: there is no channel, or no contact", "add both in the web hub under Escalation")}
	}
	var found []Finding
	for _, c := range channels {
		found = append(found, lookAtChannel(ctx, c))
	}
	rest := slices.ContainsFunc(contacts, func(c policy.Contact) bool { return c.TakesRest && len(c.Addresses) > 0 })
	if !rest {
		found = append(found, warn("no contact gets what has no other recipient", "choose one in the web hub under Escalation, so that nothing goes unheard"))
	}
	return found
}

func lookAtChannel(ctx context.Context, c noticedb.Channel) Finding {
	kind := channel.Kind(c.Kind)
	if !c.DisabledAt.IsZero() {
		return warn(c.Title+" is switched off: its receiver wanted no more messages", "save it again in the web hub to switch it on")
	}
	if problems := channel.Check(kind, c.Settings); len(problems) > 0 {
		return fail(fmt.Sprintf("%s: the setting %s is %s", c.Title, problems[0].Field, problems[0].Code), "correct it in the web hub under Escalation")
	}
	host := serverOf(kind, c.Settings)
	if host == "" {
		return ok(c.Title + " is set up") // a webhook's server is that of each contact
	}
	ctx, cancel := context.WithTimeout(ctx, knock)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return fail(fmt.Sprintf("%s: %s takes no connection", c.Title, host), "let this machine out to it, or correct the address of the channel")
	}
	_ = conn.Close()
	return ok(c.Title + " is set up, and " + host + " answers")
}

// serverOf is host and port of a channel's service.
func serverOf(kind channel.Kind, settings map[string]string) string {
	of := func(name string) string {
		if v := settings[name]; v != "" {
			return v
		}
		for _, f := range channel.Fields(kind) {
			if f.Name == name {
				return f.Default
			}
		}
		return ""
	}
	if kind == channel.SMTP {
		port := of("port")
		switch {
		case port != "":
		case of("encryption") == "tls":
			port = "465"
		default:
			port = "587"
		}
		return net.JoinHostPort(of("host"), port)
	}
	u, err := url.Parse(of("base_url"))
	if err != nil || u.Host == "" {
		return ""
	}
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "http" {
		return net.JoinHostPort(u.Hostname(), "80")
	}
	return net.JoinHostPort(u.Hostname(), "443")
}
