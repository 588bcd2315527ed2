package e2e_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/emulator"
)

// A grant ends, the process's author is told in Telegram, the link in the message leads
// through a new authorization, and the end of the trouble is told. The SMS that was to
// follow is not needed any more.
func TestWhoIsToldIsLedToANewAuthorization(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	telegram, sms := boss.AddChannel(services, channel.Telegram), boss.AddChannel(services, channel.Twilio)
	anna := boss.AddContact("Anna", map[string]string{telegram: services.Address(channel.Telegram), sms: services.Address(channel.Twilio)})
	status, page, _ := boss.Ask("POST", "/escalation/policies/new", url.Values{
		"title": {"Ladder"}, "enabled": {"true"}, "events": {"grant_ended"}, "after": {"0", "10"}, "to": {anna, anna}, "channel": {telegram, sms},
	})
	if status != http.StatusSeeOther {
		t.Fatalf("adding a policy answers %d: %s", status, page)
	}

	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	first := hubtest.Told(t, services, channel.Telegram, 1)[0]
	if !strings.Contains(first.Text, connection) || !strings.Contains(first.Text, "Что делать") {
		t.Errorf("the message says %q", first.Text)
	}
	link, ack := hubtest.GrantPathRE.FindString(first.Text), hubtest.AckPathRE.FindString(first.Text)
	if link == "" || ack == "" {
		t.Fatalf("no links in %q", first.Text)
	}
	_, page, _ = boss.Ask("GET", "/escalations", nil)
	detail := regexp.MustCompile(`/escalations/[0-9a-f-]{36}`).FindString(page)
	_, page, _ = boss.Ask("GET", detail, nil)
	if strings.Contains(page, link) || strings.Contains(page, ack) || !strings.Contains(page, "will be sent") {
		t.Errorf("the page of the escalation holds links of the message, or does not tell of the next step: %s", page)
	}
	if strings.Contains(r.Log.String(), link) || strings.Contains(r.Log.String(), ack) {
		t.Error("the log holds links of the message")
	}

	server.ClearFault()
	follow(t, hubtest.NewVisitor(t, r), link)
	if v := r.View(t, connection); v.Status != "fresh" {
		t.Errorf("the connection is %s", v.Status)
	}
	both := hubtest.Told(t, services, channel.Telegram, 2)
	if !strings.Contains(both[1].Text, "снова работает") || hubtest.GrantPathRE.MatchString(both[1].Text) {
		t.Errorf("the end is told as %q", both[1].Text)
	}
	hubtest.Told(t, services, channel.Twilio, 0)
	if _, page, _ := boss.Ask("GET", detail, nil); !strings.Contains(page, "not needed any more") {
		t.Error("the page does not say that the next step is not needed")
	}
	hubtest.Eventually(t, "both messages are counted", func() bool {
		return hubtest.Sample(r.Scrape(t), `evergrant_deliveries_total{channel="telegram",result="delivered"}`) == "2"
	})
}

// follow goes where a link of a message leads, as somebody without an account.
func follow(t *testing.T, v *hubtest.Visitor, link string) {
	t.Helper()
	if status, page, _ := v.Ask("GET", link, nil); status != http.StatusOK {
		t.Fatalf("the link answers %d: %s", status, page)
	}
	page := v.Follow(link, url.Values{})
	target := regexp.MustCompile(`id="continue" href="([^"]+)"`).FindStringSubmatch(page)
	if target == nil {
		t.Fatalf("the link leads nowhere: %s", page)
	}
	landed, err := emulator.Person{}.Authorize(t.Context(), strings.ReplaceAll(target[1], "&amp;", "&"), emulator.Choices{})
	if err != nil {
		t.Fatal(err)
	}
	if status, page, _ := v.Ask("GET", landed.String(), nil); status != http.StatusOK {
		t.Fatalf("the callback answers %d: %s", status, page)
	}
}

// Whoever acknowledges ends the ladder; looking at the link does not.
func TestAcknowledgingByTheLinkOfAMessage(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	mail := boss.AddChannel(services, channel.SMTP)
	boss.AddContact("Desk", map[string]string{mail: services.Address(channel.SMTP)}, "takes_rest", "true", "lang", "en")
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	got := hubtest.Told(t, services, channel.SMTP, 1)[0]
	if !strings.Contains(got.Subject, "has to be authorized again") || !strings.Contains(got.HTML, "Authorize again</a>") || !strings.Contains(got.Text, connection) {
		t.Errorf("%q\n%s\n%s", got.Subject, got.Text, got.HTML)
	}
	ack := hubtest.AckPathRE.FindString(got.Text)
	stranger := hubtest.NewVisitor(t, r)
	for range 2 {
		if status, page, _ := stranger.Ask("GET", ack, nil); status != http.StatusOK || !strings.Contains(page, "I take care of it") {
			t.Fatalf("the link answers %d: %s", status, page)
		}
	}
	if status, _, to := stranger.Ask("POST", ack, url.Values{}); status != http.StatusSeeOther || to != ack {
		t.Errorf("acknowledging leads to %s with %d", to, status)
	}
	if _, page, _ := stranger.Ask("GET", ack, nil); !strings.Contains(page, "Desk takes care of it") {
		t.Errorf("acknowledging answers %s", page)
	}
	if _, page, _ := boss.Ask("GET", "/escalations", nil); !strings.Contains(page, "Desk takes care") {
		t.Error("the list does not say who takes care")
	}
	if _, page, _ := boss.Ask("GET", "/audit?act=escalation.acknowledge", nil); !strings.Contains(page, "Desk") {
		t.Error("the audit record does not say who")
	}
	if status, _, _ := stranger.Ask("GET", "/ack/"+strings.Repeat("x", 43), nil); status != http.StatusGone {
		t.Errorf("a link that was never ours answers %d", status)
	}
}

// Each failure of a channel has a sentence of its own in the page, and what the service
// said beside it; no page shows a credential.
func TestTheTestOfAChannelTellsWhatIsWrong(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	for _, c := range []struct {
		kind channel.Kind
		mode channeltest.Mode
		says string
	}{
		{channel.Telegram, "", "The service took the message"}, {channel.Telegram, channeltest.BadCredential, "refuses the hub&#39;s credentials"},
		{channel.Telegram, channeltest.Blocked, "has blocked the sender"}, {channel.Telegram, channeltest.RateLimited, "wants fewer messages"},
		{channel.UniSenderSMS, "", "The service took the message"}, {channel.UniSenderSMS, channeltest.NoMoney, "out of money"},
		{channel.UniSenderSMS, channeltest.BadRecipient, "no such recipient"}, {channel.UniSenderEmail, channeltest.BadSender, "does not let the hub use this sender"},
		{channel.Mandrill, "", "The service took the message"}, {channel.Mandrill, channeltest.Refused, "refused the message"},
		{channel.Twilio, channeltest.BadCredential, "refuses the hub&#39;s credentials"}, {channel.MessageBird, channeltest.Down, "does not answer"},
		{channel.SMTP, "", "The service took the message"}, {channel.Webhook, "", "The service took the message"}, {channel.Webhook, channeltest.Gone, "wants no messages any more"},
	} {
		id := boss.AddChannelTitled(services, c.kind, string(c.kind)+" "+string(c.mode))
		if c.mode != "" {
			services.Fail(c.kind, c.mode, 1)
		}
		page := boss.Follow("/escalation/channels/"+id+"/test", url.Values{"to": {services.Address(c.kind)}})
		if !strings.Contains(page, c.says) {
			t.Errorf("%s, %s: the page does not say %q", c.kind, c.mode, c.says)
		}
		for _, f := range channel.Fields(c.kind) {
			if secret := services.Settings(c.kind)[f.Name]; f.Secret && secret != "" && (strings.Contains(page, secret) || strings.Contains(r.Log.String(), secret)) {
				t.Errorf("%s, %s: %s is in the page or the log", c.kind, c.mode, f.Name)
			}
		}
	}
	if _, page, _ := boss.Ask("POST", "/escalation/channels/new/telegram", url.Values{"title": {"T"}, "settings.token": {"no token"}}); !strings.Contains(page, "cannot be right") {
		t.Error("a token that cannot be one is taken")
	}
}

// A bot that was blocked does not hold the ladder up: the next step comes at once, and
// what did not get through can be sent again.
func TestABlockedBotBringsTheNextStep(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	telegram, sms := boss.AddChannel(services, channel.Telegram), boss.AddChannel(services, channel.UniSenderSMS)
	anna := boss.AddContact("Anna", map[string]string{telegram: services.Address(channel.Telegram), sms: services.Address(channel.UniSenderSMS)})
	boss.Ask("POST", "/escalation/policies/new", url.Values{
		"title": {"Ladder"}, "enabled": {"true"}, "events": {"incident_opened"}, "after": {"0", "60"}, "to": {anna, anna}, "channel": {telegram, sms},
	})
	services.Fail(channel.Telegram, channeltest.Blocked, 1)
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	hubtest.Told(t, services, channel.UniSenderSMS, 1)
	_, page, _ := boss.Ask("GET", "/escalations", nil)
	if !strings.Contains(page, "has blocked the sender") {
		t.Errorf("the page does not tell of the message that did not get through: %s", page)
	}
	resend := resends.FindString(page)
	if status, _, _ := boss.Ask("POST", resend, url.Values{}); status != http.StatusSeeOther {
		t.Errorf("sending again answers %d", status)
	}
	hubtest.Told(t, services, channel.Telegram, 1)
}

// A drill shows who would be told, sends it marked as one, and ends; its links do
// nothing to the connection.
func TestADrillSaysThatItIsOne(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	connection := r.AddService(t, world.Service("oauth2"))
	r.Authorize(t, connection)
	hook := boss.AddChannel(services, channel.Webhook)
	boss.AddContact("Corezoid", map[string]string{hook: services.Address(channel.Webhook)}, "takes_rest", "true")
	if page := boss.Follow("/connections/"+connection+"/drill", url.Values{"event": {"grant_ended"}}); !strings.Contains(page, "1 message would be sent") || !strings.Contains(page, "Corezoid") {
		t.Errorf("the rehearsal says %s", page)
	}
	if n := len(services.Messages()); n != 0 {
		t.Fatalf("the rehearsal has sent %d messages", n)
	}
	_, _, location := boss.Ask("POST", "/connections/"+connection+"/drill/start", url.Values{"event": {"grant_ended"}})
	got := hubtest.Told(t, services, channel.Webhook, 1)[0]
	if !strings.Contains(string(got.Data), `"drill":true`) || hubtest.GrantPathRE.Match(got.Data) || got.Type != "escalation.grant_ended" {
		t.Errorf("the drill sends %s %s", got.Type, got.Data)
	}
	boss.Ask("POST", location+"/end", url.Values{})
	if over := hubtest.Told(t, services, channel.Webhook, 2)[1]; over.Type != "escalation.recovered" || over.Key == got.Key {
		t.Errorf("the end of the drill is %s", over.Type)
	}
	if v := r.View(t, connection); v.Status != "fresh" {
		t.Errorf("the drill has changed the connection to %s", v.Status)
	}
}
