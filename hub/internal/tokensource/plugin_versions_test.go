package tokensource_test

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/store/renewaldb"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/waittest"
	"github.com/evergrant/evergrant/sdk/provider"
)

// versioned is a plugin of a version.
type versioned struct {
	inProcess
	version string
}

// Version is as pluginhost.Host.Version.
func (v versioned) Version(string) string { return v.version }

// Description implements operation.Plugins.
func (v versioned) Description(string) (d provider.Description, sum string, ok bool) {
	return d, "sum of " + v.version, false
}

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func TestARenewalNotesThePluginThatMakesItsRequests(t *testing.T) {
	r := newRig(t, -time.Minute)
	r.start(t, func(_ *tokensource.Options, po *operation.Options) {
		po.Plugins = versioned{inProcess{r.client}, "1.0.0"}
	})
	go func() { _, _ = r.source.RenewNow(t.Context(), r.c.ID, 1) }()
	<-r.arrived
	open, err := r.store.Renewals.OpenIntents(t.Context(), "")
	must(t, err)
	if len(open) != 1 || open[0].PluginVersion != "1.0.0" || open[0].PluginSum != "sum of 1.0.0" {
		t.Errorf("open is %+v", open)
	}
	r.let <- struct{}{}
	waittest.Until(t, "it is renewed", func() bool { return r.read(t).Generation == 2 })
}

// A reply that one version asked for and another reads: where that fails, both are named,
// and what differs.
func TestAReplyThatAnotherVersionCannotUseNamesBoth(t *testing.T) {
	r := newRig(t, -time.Minute)
	log := &lines{}
	r.start(t, func(so *tokensource.Options, po *operation.Options) {
		po.Plugins = versioned{inProcess{r.client}, "1.1.0"}
		so.Logger = hclog.New(&hclog.LoggerOptions{Output: log})
	})
	server, _ := r.service.Options["server"].(string)
	reply := `{"request":"GET ` + server + `","status":200,"header":{"Content-Type":["application/json"]},"body":"e30="}`
	won, err := r.store.Renewals.TakeLease(t.Context(), r.c.ID, r.source.Owner(), time.Minute)
	must(t, err)
	if !won {
		t.Fatal("no lease")
	}
	now := time.Now()
	must(t, r.store.Renewals.BeginIntent(t.Context(), renewaldb.Intent{
		ID: "left", ConnectionID: r.c.ID, Generation: 1, Owner: r.source.Owner(), StartedAt: now, SendBy: now, Deadline: now, PluginVersion: "1.0.0", PluginSum: "sum of 1.0.0",
	}))
	must(t, r.journal.Begin("left", []byte(`{"connection_id":"`+r.c.ID+`","generation":1,"plugin_version":"1.0.0","plugin_sum":"sum of 1.0.0"}`)))
	must(t, r.journal.Append("left", 0, []byte(reply)))
	must(t, r.source.Recover(t.Context()))
	waittest.Until(t, "it has failed", func() bool { return r.read(t).Failure != nil })
	got := r.read(t).Failure.Message
	for _, want := range []string{"the method is POST, was GET", "version 1.0.0 of the plugin had asked for the reply, version 1.1.0 reads it"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if !strings.Contains(log.text(), "read by another plugin version than asked for it") {
		t.Errorf("the log has only %s", log.text())
	}
	open, err := r.store.Renewals.OpenIntents(t.Context(), "")
	must(t, err)
	if len(open) != 1 || len(open[0].Reply) == 0 || len(r.arrived) != 0 {
		t.Errorf("the reply is not kept: %+v, %d requests were sent", open, len(r.arrived))
	}
}
