package connection_test

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestFailuresOfOneCauseHaveOneName(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	policy := connection.Policy{AutoRenew: provider.AutoRenewRefreshToken, Rotation: provider.Rotation{Kind: provider.RotationRotates}}
	granted := func(id string) connection.Connection {
		c := connection.New(now, id, id, id, "svc", policy)
		return c.Granted(now, now, provider.Token{AccessToken: "a", RefreshToken: "r", ExpiresIn: new(time.Hour)}, provider.Account{}, nil)
	}
	for name, test := range map[string]struct {
		failure provider.Error
		lost    bool
		want    string
		who     string
	}{
		"wrong secret":           {provider.Error{Kind: provider.Blocked, Code: "invalid_client"}, false, "client|svc", "operator"},
		"wrong secret, Bitrix24": {provider.Error{Kind: provider.Blocked, Code: "WRONG_CLIENT"}, false, "client|svc", "operator"},
		"unpaid portal":          {provider.Error{Kind: provider.Blocked, Code: "PAYMENT_REQUIRED"}, false, "service|svc|payment_required", "operator"},
		"outage":                 {provider.Error{Kind: provider.Transient, HTTPStatus: 503}, false, "outage|auth.example", ""},
		"malformed reply":        {provider.Error{Kind: provider.Internal}, false, "outage|auth.example", ""},
		"plugin":                 {provider.Error{Kind: provider.Transient, Code: "plugin_gone"}, false, "plugin|acme", "operator"},
		"disk full":              {provider.Error{Kind: provider.Transient, Code: "journal"}, false, "hub", "operator"},
		"grant over":             {provider.Error{Kind: provider.ReauthorizationRequired, Code: "invalid_grant"}, false, "grant|one", "person"},
		"reply lost":             {provider.Error{Kind: provider.Transient}, true, "uncertain|one", ""},
	} {
		c := granted("one").Failed(now, 1, &test.failure)
		if test.lost {
			c = granted("one").ReplyLost(now, 1, &test.failure, connection.Lost{SentAt: now})
		}
		cause := connection.CauseOf(c, "auth.example", "acme")
		if cause.String() != test.want || cause.Who() != test.who || connection.ParseCause(cause.String()) != cause {
			t.Errorf("%s: %q by %q, want %q by %q", name, cause, cause.Who(), test.want, test.who)
		}
		c.Cause = cause.String()
		if c = c.Renewed(now, now, provider.Token{AccessToken: "b", ExpiresIn: new(time.Hour)}); c.Cause != "" {
			t.Errorf("%s: after a renewal the cause is still %q", name, c.Cause)
		}
	}
	if cause := connection.CauseOf(granted("one"), "auth.example", "acme"); cause.String() != "" {
		t.Errorf("a healthy connection has the cause %q", cause)
	}
}
