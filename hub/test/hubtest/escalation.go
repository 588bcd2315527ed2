package hubtest

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
)

// StartChannels plays the services by which people are told.
func StartChannels(t testing.TB) *channeltest.Server {
	t.Helper()
	s := channeltest.Start()
	t.Cleanup(s.Close)
	return s
}

// AddChannel adds a channel by the page and returns its id.
func (v *Visitor) AddChannel(services *channeltest.Server, kind channel.Kind) string {
	v.T.Helper()
	return v.AddChannelTitled(services, kind, string(kind))
}

// AddChannelTitled adds a channel under a title and returns its id.
func (v *Visitor) AddChannelTitled(services *channeltest.Server, kind channel.Kind, title string) string {
	v.T.Helper()
	form := url.Values{"title": {title}}
	for name, value := range services.Settings(kind) {
		form.Set("settings."+name, value)
	}
	status, page, location := v.Ask("POST", "/escalation/channels/new/"+string(kind), form)
	id := strings.TrimPrefix(location, "/escalation/channels/")
	if status != http.StatusSeeOther || id == location {
		v.T.Fatalf("adding %s answers %d %s: %s", kind, status, location, page)
	}
	return id
}

var contactRE = regexp.MustCompile(`/escalation/contacts/([0-9a-f-]{36})`)

// AddContact adds a contact with addresses by channel, and returns its id.
func (v *Visitor) AddContact(title string, addresses map[string]string, more ...string) string {
	v.T.Helper()
	_, before, _ := v.Ask("GET", "/escalation", nil)
	form := url.Values{"title": {title}, "lang": {"ru"}, "zone": {"Europe/Moscow"}}
	for id, to := range addresses {
		form.Set("address."+id, to)
	}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	if status, page, _ := v.Ask("POST", "/escalation/contacts/new", form); status != http.StatusSeeOther {
		v.T.Fatalf("adding a contact answers %d: %s", status, page)
	}
	_, page, _ := v.Ask("GET", "/escalation", nil)
	for _, m := range contactRE.FindAllStringSubmatch(page, -1) {
		if !strings.Contains(before, m[1]) {
			return m[1]
		}
	}
	v.T.Fatalf("the contact is not in the list: %s", page)
	return ""
}

// Told waits until a kind of channel has taken so many messages.
func Told(t *testing.T, services *channeltest.Server, kind channel.Kind, n int) []channeltest.Received {
	t.Helper()
	var got []channeltest.Received
	Eventually(t, string(kind)+" has taken messages", func() bool {
		got = nil
		for _, m := range services.Messages() {
			if m.Kind == kind {
				got = append(got, m)
			}
		}
		return len(got) >= n
	})
	if len(got) != n {
		t.Errorf("%s has taken %d messages, want %d", kind, len(got), n)
	}
	return got
}

// GrantPathRE and ackPathRE find the links of a message.
var (
	GrantPathRE = regexp.MustCompile(`/grant/[A-Za-z0-9_-]{43}`)
	AckPathRE   = regexp.MustCompile(`/ack/[A-Za-z0-9_-]{43}`)
)
