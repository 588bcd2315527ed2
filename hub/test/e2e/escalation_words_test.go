package e2e_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// What people edit is what is sent; a word that there is not is refused, and no field
// is a token.
func TestEditedTextsAreSent(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	sms := boss.AddChannel(services, channel.Twilio)
	boss.AddContact("Desk", map[string]string{sms: services.Address(channel.Twilio)}, "takes_rest", "true", "lang", "en")
	form := url.Values{"topic": {"grant_ended"}, "lang": {"en"}, "text.subject": {"S"}, "text.short": {"Call Boris about {name} {access_token}"}, "text.text": {"T"}, "then": {"save"}}
	if status, page, _ := boss.Ask("POST", "/escalation/texts", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "{access_token}") {
		t.Errorf("an unknown word answers %d", status)
	}
	form.Set("text.short", "Call Boris about {name}")
	form.Set("then", "preview")
	if _, page, _ := boss.Ask("POST", "/escalation/texts", form); !strings.Contains(page, "Call Boris about sales-moscow") {
		t.Errorf("no preview: %s", page)
	}
	form.Set("then", "save")
	boss.Ask("POST", "/escalation/texts", form)
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	if got := hubtest.Told(t, services, channel.Twilio, 1)[0]; got.Text != "Call Boris about "+connection {
		t.Errorf("%q was sent", got.Text)
	}
}

// What opens something, and what the hub logs in to services with, is nowhere in clear:
// not in the log, not in the files of the data folder, not in a page.
func TestNothingOfAMessageThatOpensSomethingIsInClear(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	secrets := map[string]string{}
	addresses := map[string]string{}
	form := url.Values{"title": {"All"}, "enabled": {"true"}, "events": {"grant_ended"}}
	for _, kind := range channel.Kinds {
		id := boss.AddChannel(services, kind)
		addresses[id] = services.Address(kind)
		form.Add("after", "0")
		form.Add("channel", id)
		for _, f := range channel.Fields(kind) {
			if value := services.Settings(kind)[f.Name]; f.Secret && value != "" {
				secrets[f.Name+" of "+string(kind)] = value
			}
		}
	}
	anna := boss.AddContact("Anna", addresses)
	for range channel.Kinds {
		form.Add("to", anna)
	}
	if status, page, _ := boss.Ask("POST", "/escalation/policies/new", form); status != http.StatusSeeOther {
		t.Fatalf("adding a policy answers %d: %s", status, page)
	}
	services.Fail(channel.Telegram, channeltest.Echo, 1) // repeats what was sent, credentials included
	services.Fail(channel.Mandrill, channeltest.Echo, 1)
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	hubtest.Eventually(t, "most have taken their message", func() bool { return len(services.Messages()) >= len(channel.Kinds)-2 })
	for _, m := range services.Messages() {
		for _, link := range append(hubtest.GrantPathRE.FindAllString(m.Text+m.HTML+string(m.Data), -1), hubtest.AckPathRE.FindAllString(m.Text+m.HTML+string(m.Data), -1)...) {
			secrets["link by "+string(m.Kind)+" "+link[:6]] = link[strings.LastIndex(link, "/")+1:]
		}
	}
	if len(secrets) < 16 {
		t.Fatalf("only %d secrets are known", len(secrets))
	}
	places := map[string][]byte{"log": []byte(r.Log.String())}
	pages := []string{"/escalations", "/escalation", "/audit"}
	_, list, _ := boss.Ask("GET", "/escalations", nil)
	pages = append(pages, regexp.MustCompile(`/escalations/[0-9a-f-]{36}`).FindString(list))
	for id := range addresses {
		pages = append(pages, "/escalation/channels/"+id)
	}
	for _, path := range pages {
		_, page, _ := boss.Ask("GET", path, nil)
		places[path] = []byte(page)
	}
	addFiles(t, places, r.Dir)
	for what, secret := range secrets {
		for place, data := range places {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%s is in %s", what, place)
			}
		}
	}
}

// Where nothing is left to do because the connection is paused, deleted or given back,
// nobody is told that it works again.
func TestTheEndOfATroubleSaysHowItEnded(t *testing.T) {
	t.Parallel()
	tests := []struct{ code, began, method, act string }{
		{"invalid_client", "escalation.operator_needed", "POST", "/pause"},
		{"invalid_grant", "escalation.grant_ended", "POST", "/revoke"},
		{"invalid_grant", "escalation.grant_ended", "DELETE", ""},
	}
	for _, test := range tests {
		t.Run(test.method+test.act, func(t *testing.T) {
			services := hubtest.StartChannels(t)
			r := hubtest.StartHub(t, nil)
			boss := r.Owner(t)
			server, connection := bitrix24(t, r, time.Hour)
			hook := boss.AddChannel(services, channel.Webhook)
			boss.AddContact("Corezoid", map[string]string{hook: services.Address(channel.Webhook)}, "takes_rest", "true", "lang", "en")
			server.SetFault(emulator.Fault{Code: test.code})
			r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
			if first := hubtest.Told(t, services, channel.Webhook, 1)[0]; first.Type != test.began || strings.Contains(string(first.Data), `"until"`) {
				t.Errorf("the trouble is told as %s %s", first.Type, first.Data)
			}
			r.Admin.Must(t, test.method, "/api/v1/connections/"+connection+test.act, nil, nil)
			over := hubtest.Told(t, services, channel.Webhook, 2)[1]
			if over.Type != "escalation.withdrawn" || !strings.Contains(string(over.Data), `"until"`) || strings.Contains(string(over.Data), `"authorize"`) {
				t.Errorf("the end is told as %s %s", over.Type, over.Data)
			}
		})
	}
}

// The example in the documentation has the fields of what a webhook is posted.
func TestTheDocumentedWebhookIsTheRealOne(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/escalation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	var documented struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal([]byte(example), &documented); err != nil {
		t.Fatal(err)
	}
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	hook := boss.AddChannel(services, channel.Webhook)
	boss.AddContact("Corezoid", map[string]string{hook: services.Address(channel.Webhook)}, "takes_rest", "true")
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	got := hubtest.Told(t, services, channel.Webhook, 1)[0]
	var data map[string]any
	if err := json.Unmarshal(got.Data, &data); err != nil {
		t.Fatal(err)
	}
	fields := func(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
	if got.Type != documented.Type || !slices.Equal(fields(data), fields(documented.Data)) {
		t.Errorf("a webhook is posted %s with %v, documented is %s with %v", got.Type, fields(data), documented.Type, fields(documented.Data))
	}
}

// A trouble that goes on is shown, however many there have been since.
func TestAnOldTroubleThatGoesOnIsShown(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	_, connection := bitrix24(t, r, time.Hour)
	hook := boss.AddChannel(services, channel.Webhook)
	boss.AddContact("Corezoid", map[string]string{hook: services.Address(channel.Webhook)}, "takes_rest", "true")
	drill := func() string {
		_, _, location := boss.Ask("POST", "/connections/"+connection+"/drill/start", url.Values{"event": {"grant_ended"}})
		return location
	}
	old := drill()
	for range 51 {
		boss.Ask("POST", drill()+"/end", url.Values{})
	}
	shown := func(page string) (paths []string) {
		paths = regexp.MustCompile(`/escalations/[0-9a-f-]{36}`).FindAllString(page, -1)
		slices.Sort(paths)
		return slices.Compact(paths)
	}
	_, first, _ := boss.Ask("GET", "/escalations", nil)
	if got := shown(first); len(got) != 51 || !slices.Contains(got, old) {
		t.Errorf("the page leaves out what goes on, or shows %d", len(got))
	}
	next := regexp.MustCompile(`/escalations\?before=[0-9a-f-]+`).FindString(first)
	_, second, _ := boss.Ask("GET", next, nil)
	if got := shown(second); len(got) != 2 || !slices.Contains(got, old) {
		t.Errorf("the second page (%s) shows %d", next, len(got))
	}
}
