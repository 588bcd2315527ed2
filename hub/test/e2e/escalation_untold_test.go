package e2e_test

import (
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

var resends = regexp.MustCompile(`/deliveries/[0-9a-f-]{36}/resend`)

// A message that is given up goes other ways while there are any, and when there is
// none the overview says that nobody knows.
func TestATroubleThatReachesNobodyIsSeenOnTheOverview(t *testing.T) {
	t.Parallel()
	services := hubtest.StartChannels(t)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	server, connection := bitrix24(t, r, time.Hour)
	telegram, sms := boss.AddChannel(services, channel.Telegram), boss.AddChannel(services, channel.UniSenderSMS)
	anna := boss.AddContact("Anna", map[string]string{telegram: services.Address(channel.Telegram), sms: services.Address(channel.UniSenderSMS)})
	boss.Ask("POST", "/escalation/policies/new", url.Values{
		"title": {"One"}, "enabled": {"true"}, "events": {"incident_opened"}, "after": {"0"}, "to": {anna}, "channel": {telegram},
	})
	services.Fail(channel.Telegram, channeltest.Blocked, 2)
	services.Fail(channel.UniSenderSMS, channeltest.BadRecipient, 1)
	server.SetFault(emulator.Fault{Code: "invalid_grant"})
	r.Admin.Do(t, "POST", "/api/v1/connections/"+connection+"/renew", nil)
	const said = "Nobody could be told of 1 trouble"
	hubtest.Eventually(t, "the overview says that nobody was told", func() bool {
		_, page, _ := boss.Ask("GET", "/", nil)
		return strings.Contains(page, said)
	})
	// The number is put right, and what could not be sent is sent again.
	_, page, _ := boss.Ask("GET", "/escalations", nil)
	for _, resend := range resends.FindAllString(page, -1) {
		boss.Ask("POST", resend, url.Values{})
	}
	hubtest.Told(t, services, channel.UniSenderSMS, 1)
	hubtest.Eventually(t, "the overview says so no more", func() bool {
		_, page, _ := boss.Ask("GET", "/", nil)
		return !strings.Contains(page, said)
	})
}
