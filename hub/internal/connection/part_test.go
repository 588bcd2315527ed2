package connection_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAPartIsNamedForItsMain(t *testing.T) {
	long := strings.Repeat("a", 93) + "-bcdefg"
	for want, got := range map[string]string{
		"sales-user":                         connection.PartName("sales", "user", 1),
		"sales-user-2":                       connection.PartName("sales", "user", 2),
		strings.Repeat("a", 92) + "-user-11": connection.PartName(long, "user", 11),
		strings.Repeat("a", 93) + "-b-user":  connection.PartName(long, "user", 1),
	} {
		if got != want || len(got) > 100 {
			t.Errorf("named %s (%d), want %s", got, len(got), want)
		}
	}
}

func TestAPartGetsItsTokensAsItsMain(t *testing.T) {
	now := time.Now()
	main := connection.New(now, "1", "sales", "Sales", "service", connection.Policy{AutoRenew: provider.AutoRenewRefreshToken})
	main.Grant, main.Options = provider.GrantDevice, map[string]any{"team": "7"}
	part := main.NewPart(now, "2", "sales-user", provider.Part{Name: "user", Title: provider.Text{EN: "person", RU: "человек"}}, "ru")
	part.Options["team"] = "8"
	if part.Title != "Sales · человек" || part.MainID != "1" || part.Part != "user" || part.ServiceID != "service" || part.Grant != provider.GrantDevice ||
		part.Policy.AutoRenew != provider.AutoRenewRefreshToken || part.State != connection.StatePending || main.Options["team"] != "7" {
		t.Errorf("made %+v", part)
	}
}
