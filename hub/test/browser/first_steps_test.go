package hub_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
)

// The overview says for as long as it is so that nobody would be told, and lists what is
// left to do once until it is done.
func TestTheOverviewWarnsUntilSomebodyCanBeTold(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	b := startBrowser(t, 1280, 900)
	b.setUp(r)
	done := func(want ...string) {
		t.Helper()
		b.open(r.hub.URL() + "/")
		got := script[[]string](b, `[...document.querySelectorAll('[data-step][data-done]')].map(x => x.dataset.step)`)
		if !slices.Equal(got, want) {
			t.Errorf("done are %q, want %q", got, want)
		}
	}
	done()
	connection := r.addService(t, world.Service("google-calendar"))
	r.authorise(t, connection)
	done("service", "connection")
	b.see("Nobody would be told of trouble")
	if said := b.text("main"); strings.Contains(said, "tells you in time") {
		t.Errorf("the page promises a warning:\n%s", said)
	}
	r.key(t, connection).pull(t, connection)
	done("service", "connection", "pull")
	flags := map[string]any{"listen": r.hub.Addr().String(), "public_url": r.hub.URL()}
	b.open("about:blank") // a page that is open would look for the hub while it is stopped
	r.behind(t, func(s *store.Store) {
		now := time.Now()
		services := startChannels(t)
		if err := s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: string(channel.Telegram), Settings: services.Settings(channel.Telegram), CreatedAt: now, UpdatedAt: now}); err != nil {
			t.Fatal(err)
		}
		if err := s.People.SaveContact(t.Context(), policy.Contact{
			ID: "anna", Title: "Anna", Lang: "en", Zone: "UTC", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: services.Address(channel.Telegram)}},
		}, now); err != nil {
			t.Fatal(err)
		}
	})
	r = startHubIn(t, r.dir, flags)
	done("service", "connection", "pull", "channel")
	if b.has("#nobody-told") {
		t.Error("the page still says that nobody would be told")
	}
	b.click(`form[action="/data/key-kept"] button`)
	eventually(t, "the list goes once all of it is done", func() bool { return !b.has("#first-steps") })
	b.see("tells you in time about the rest")
	b.open("about:blank")
}
