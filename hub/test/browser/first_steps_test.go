package browser_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// The overview says for as long as it is so that nobody would be told, and lists what is
// left to do once until it is done.
func TestTheOverviewWarnsUntilSomebodyCanBeTold(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	b := hubtest.StartBrowser(t, 1280, 900)
	b.SetUp(r)
	done := func(want ...string) {
		t.Helper()
		b.Open(r.Hub.URL() + "/")
		got := hubtest.Script[[]string](b, `[...document.querySelectorAll('[data-step][data-done]')].map(x => x.dataset.step)`)
		if !slices.Equal(got, want) {
			t.Errorf("done are %q, want %q", got, want)
		}
	}
	done()
	connection := r.AddService(t, world.Service("google-calendar"))
	r.Authorize(t, connection)
	done("service", "connection")
	b.See("Nobody would be told of trouble")
	if said := b.Text("main"); strings.Contains(said, "tells you in time") {
		t.Errorf("the page promises a warning:\n%s", said)
	}
	r.Key(t, connection).Pull(t, connection)
	done("service", "connection", "pull")
	flags := map[string]any{"listen": r.Hub.Addr().String(), "public_url": r.Hub.URL()}
	b.Open("about:blank") // a page that is open would look for the hub while it is stopped
	r.Behind(t, func(s *store.Store) {
		now := time.Now()
		services := hubtest.StartChannels(t)
		if err := s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: "tg", Title: "Telegram", Kind: string(channel.Telegram), Settings: services.Settings(channel.Telegram), CreatedAt: now, UpdatedAt: now}); err != nil {
			t.Fatal(err)
		}
		if err := s.People.SaveContact(t.Context(), policy.Contact{
			ID: "anna", Title: "Anna", Lang: "en", Zone: "UTC", TakesRest: true, Addresses: []policy.Address{{Channel: "tg", To: services.Address(channel.Telegram)}},
		}, now); err != nil {
			t.Fatal(err)
		}
	})
	r = hubtest.StartHubIn(t, r.Dir, flags)
	done("service", "connection", "pull", "channel")
	if has(b, "#nobody-told") {
		t.Error("the page still says that nobody would be told")
	}
	b.Click(`form[action="/data/key-kept"] button`)
	hubtest.Eventually(t, "the list goes once all of it is done", func() bool { return !has(b, "#first-steps") })
	b.See("tells you in time about the rest")
	b.Open("about:blank")
}
