package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/channel/channeltest"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/statsdb"
	"github.com/evergrant/evergrant/hub/test/hubtest"
	"github.com/evergrant/evergrant/plugins/demo"
	"github.com/evergrant/evergrant/plugins/emulator"
	"github.com/evergrant/evergrant/sdk/provider"
)

// picture is a page that is taken, in all themes, languages and widths.
type picture struct {
	name, path string
	// main pages are taken in Russian and on a phone as well.
	main bool
}

// pictures of whoever is signed in; those before are taken on the way.
var pictures = []picture{
	{"overview", "/", true},
	{"connections", "/connections", true},
	{"connection", "/connections/sales-portal", true},
	{"connection-ended", "/connections/marketing-calendar", false},
	{"connection-operator", "/connections/warehouse", false},
	{"connection-new", "/connections/new", false},
	{"import", "/connections/import", false},
	{"services", "/services", true},
	{"service", "/services/demo-bitrix24", false},
	{"service-gallery", "/services/new", true},
	{"service-form", "/services/new/bitrix24", true},
	{"once", "/once", false},
	{"escalations", "/escalations", true},
	{"escalation-setup", "/escalation", true},
	{"escalation-channel", "/escalation/channels/telegram", false},
	{"escalation-contact", "/escalation/contacts/anna", false},
	{"escalation-policy", "/escalation/policies/ladder", false},
	{"escalation-texts", "/escalation/texts?topic=grant_ended&lang=en", false},
	{"drill", "/connections/sales-portal/drill", false},
	{"keys", "/keys", false},
	{"key-new", "/keys/new", false},
	{"people", "/people", true},
	{"audit", "/audit", true},
	{"plugins", "/plugins", false},
	{"plugin", "/plugins/bitrix24", false},
	{"settings", "/settings", false},
	{"second-factor", "/settings/second-factor", false},
	{"not-found", "/nowhere", false},
}

// TestScreenshots takes a picture of every page; make screenshots runs it.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("EVERGRANT_SCREENSHOTS")
	if dir == "" {
		t.Skip("takes pictures of pages: make screenshots")
	}
	world := hubtest.StartWorld(t, time.Hour)
	r := startFurnished(t, world)
	wide := &camera{Browser: hubtest.StartBrowser(t, 1280, 800), dir: dir, width: 1280, height: 800}
	link, err := r.Hub.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wide.themes("setup", "en", link)
	wide.SetUp(r)
	for _, p := range pictures {
		wide.themes(p.name, "en", r.Hub.URL()+p.path)
		if p.main {
			wide.language("ru")
			wide.themes(p.name, "ru", r.Hub.URL()+p.path)
			wide.language("en")
		}
	}
	wide.onTheWay(r, world)
	wide.email(r)
	wide.phone()
	for _, p := range pictures {
		if p.main {
			wide.themes(p.name+"-phone", "en", r.Hub.URL()+p.path)
		}
	}
}

// camera takes pictures with a browser.
type camera struct {
	*hubtest.Browser
	dir string
	// width and height of the window, in CSS pixels.
	width, height int64
}

// themes takes a page in light and dark.
func (c *camera) themes(name, lang, address string) {
	c.T.Helper()
	c.Open(address)
	c.here(name, lang)
}

// here takes the page that is open.
func (c *camera) here(name, lang string) {
	c.T.Helper()
	for _, theme := range []string{"light", "dark"} {
		c.Do("choose the theme", media(theme))
		// The whole page is in sight, so that what sticks to the window is as long.
		c.Do("hold the page", chromedp.EmulateViewport(c.width, c.height))
		whole := hubtest.Script[int64](c.Browser, `document.documentElement.scrollHeight`)
		c.Do("hold the whole page", chromedp.EmulateViewport(c.width, max(c.height, whole)))
		image, err := chromedp.Run(c.Ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, name+"-"+theme+"-"+lang+".png"), image, 0o600)
		}
		if err != nil {
			c.T.Fatalf("take %s: %v", name, err)
		}
	}
}

func media(theme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return chromedp.Void{}, err
	}
}

// language is the person's choice, as the switch of every page makes it.
func (c *camera) language(lang string) {
	c.T.Helper()
	c.Click(`button[name="lang"][value="` + lang + `"]`)
	c.Wait(`html[lang="` + lang + `"] nav`)
}

func (c *camera) phone() { c.width, c.height = 390, 844 }

// onTheWay takes the pages that one only meets on the way.
func (c *camera) onTheWay(r *hubtest.Running, world *demo.World) {
	c.T.Helper()
	s := world.Service("google-calendar") // Bitrix24 tells nobody of a refusal
	c.Open(r.Hub.URL() + "/connections/sales-portal")
	c.Click("#show-codes")
	c.See("accessToken")
	c.here("access-codes", "en")
	c.Open(r.Hub.URL() + "/keys/new")
	c.Fill("title", "Bpium")
	c.Click(`input[name="which"][value="all"]`)
	c.Click("main form button[type=submit].btn-primary")
	c.Wait("#new-key")
	c.here("key-created", "en")
	c.Open(r.Hub.URL() + "/escalations")
	c.Click(`main table a.eg-name`)
	c.Wait("#messages")
	c.here("escalation", "en")
	c.Open(r.Hub.URL() + "/connections/sales-portal/drill")
	c.Click("main form button[type=submit].btn-primary")
	c.Wait("#planned")
	c.here("drill-planned", "en")
	c.Open(r.Hub.URL() + "/escalation/channels/telegram")
	c.Fill("to", "-4012345678")
	c.Click(`form[action$="/test"] button[type=submit]`)
	c.Wait("[role=status] .eg-note")
	c.here("escalation-test", "en")
	c.Open(r.Hub.URL() + "/services/new/bitrix24")
	c.Fill("client_id", "local.test")
	c.Click("#check-service")
	c.Wait("#check .eg-note")
	c.here("service-check", "en")
	c.Connect(r, s, "denied-one")
	c.Click(`button[name="decision"][value="deny"]`)
	c.Wait(".eg-mark.is-warning")
	c.here("authorization-denied", "en")
	stranger := &camera{Browser: hubtest.StartBrowser(c.T, 1280, 800), dir: c.dir, width: 1280, height: 800}
	stranger.Open(r.Hub.URL() + "/login")
	stranger.here("login", "en")
}

// email takes the message about a grant that ends soon, as a mail program shows it.
func (c *camera) email(r *hubtest.Running) {
	c.T.Helper()
	for _, m := range r.Services.Messages() {
		if m.Kind != channel.SMTP {
			continue
		}
		page := filepath.Join(c.T.TempDir(), "email.html")
		if err := os.WriteFile(page, []byte(linkOfMessageRE.ReplaceAllString(m.HTML, "/$1/…")), 0o600); err != nil {
			c.T.Fatal(err)
		}
		c.Open("file://" + page)
		c.here("email", "en")
		return
	}
	c.T.Error("nobody was told by e-mail")
}

var linkOfMessageRE = regexp.MustCompile(`/(grant|ack)/[A-Za-z0-9_-]{43}`)

// startFurnished is a hub with services of all emulators and connections in
// every status.
func startFurnished(t *testing.T, world *demo.World) *hubtest.Running {
	t.Helper()
	dir := t.TempDir()
	// Services know the hub's address, so it stays the same over a restart.
	r := hubtest.StartHubIn(t, dir, nil)
	flags := map[string]any{"listen": r.Hub.Addr().String(), "public_url": r.Hub.URL()}
	for _, s := range world.Services {
		r.AddService(t, s)
	}
	r.Admin.Must(t, "DELETE", "/api/v1/connections/c-oauth2", nil, nil)
	r.Admin.Must(t, "DELETE", "/api/v1/connections/c-taxcom-kassa", nil, nil)
	r.Admin.Must(t, "DELETE", "/api/v1/connections/c-google-calendar", nil, nil)
	r.Admin.Must(t, "DELETE", "/api/v1/connections/c-bitrix24", nil, nil)
	r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": "demo-bitrix24", "name": "sales-portal", "title": "Битрикс24 — отдел продаж"}, nil)
	status, page := hubtest.Send(t, r.Grant(t, "sales-portal", emulator.Choices{}))
	if v := r.View(t, "sales-portal"); v.Generation == 0 {
		t.Fatalf("the callback answered %d:\n%s", status, page)
	}
	r.Key(t, "sales-portal").Pull(t, "sales-portal")
	services := hubtest.StartChannels(t)
	r.Hub.Stop(context.Background())
	furnish(t, dir, services)
	r = hubtest.StartHubIn(t, dir, flags)
	r.Services = services
	r.Admin.Must(t, "POST", "/api/v1/connections/sales-portal/renew", nil, nil) // a plugin that runs has more to show
	return r
}

// furnish stores connections in every status behind the back of a hub that is
// stopped.
func furnish(t *testing.T, dir string, services *channeltest.Server) {
	t.Helper()
	box, err := seal.Open(filepath.Join(dir, "evergrant.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DataDir: dir, Box: box})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	now := time.Now()
	staff(t, s, services)
	day := 24 * time.Hour
	for _, f := range []struct {
		service, name, title string
		age, life            time.Duration
		refresh              string
		then                 func(connection.Connection) connection.Connection
	}{
		{"demo-google", "team-calendar", "Календарь команды", 20 * time.Minute, time.Hour, "r", nil},
		{"demo-google", "finance-calendar", "Календарь бухгалтерии", 15 * time.Minute, time.Hour, "r", func(c connection.Connection) connection.Connection {
			c.AuthorizedAt, c.Tokens.RefreshExpiresAt = now.Add(-60*day), now.Add(12*day)
			return c
		}},
		{"demo-google", "marketing-calendar", "Календарь маркетинга", 3 * time.Hour, time.Hour, "r", failed(provider.Error{
			Kind: provider.ReauthorizationRequired, Code: "invalid_grant", Message: "Token has been expired or revoked.",
		}, 0)},
		{"demo-google", "trial-calendar", "Trial calendar", 10 * time.Minute, time.Hour, "", nil},
		{"demo-taxcom", "cash-register-1", "Касса № 1, Тверская", 2 * time.Hour, 60 * day, "", nil},
		{"demo-taxcom", "cash-register-2", "Касса № 2, Арбат", 56 * day, 60 * day, "", nil},
		{"demo-oauth2", "warehouse", "Склад", 40 * time.Minute, time.Hour, "r", failed(provider.Error{
			Kind: provider.Blocked, Code: "invalid_client", Message: "Client authentication failed.",
		}, 5*time.Minute)},
		{"demo-oauth2", "logistics", "Logistics partner", 57 * time.Minute, time.Hour, "r", failed(provider.Error{
			Kind: provider.Transient, Code: "", Message: "the service answered 503", HTTPStatus: 503,
		}, 3*time.Minute)},
		{"demo-bitrix24", "hr-portal", "Битрикс24 — кадры", 30 * time.Minute, time.Hour, "r", func(c connection.Connection) connection.Connection {
			return c.Paused(now)
		}},
		{"demo-bitrix24", "new-portal", "Битрикс24 — филиал в Казани", 0, 0, "", nil},
	} {
		svc, err := s.Services.ServiceByName(t.Context(), f.service)
		if err != nil {
			t.Fatal(err)
		}
		c := connection.New(now.Add(-f.age-30*day), store.NewID(), f.name, f.title, svc.ID, connection.PolicyOf(svc.Description, provider.GrantAuthorizationCode))
		if f.life > 0 {
			asked := now.Add(-f.age)
			token := provider.Token{AccessToken: "a", RefreshToken: f.refresh, ExpiresIn: new(f.life), Scopes: svc.Scopes}
			c = c.Granted(asked, asked, token, provider.Account{ID: "1", Name: "Anna Ivanova"}, svc.Scopes)
		}
		if f.then != nil {
			c = f.then(c)
		}
		if !c.Due.IsZero() && c.Due.Before(now.Add(3*time.Minute)) {
			c.Due = now.Add(3 * time.Minute) // the pictures are taken before
		}
		if err := s.Grants.CreateConnection(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if f.name == "finance-calendar" {
			if err := s.People.SetOwner(t.Context(), c.ID, "desk"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// staff are who is told, and how renewals of the last days ended.
func staff(t *testing.T, s *store.Store, services *channeltest.Server) {
	t.Helper()
	now := time.Now()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for id, x := range map[string]struct {
		title string
		kind  channel.Kind
	}{"telegram": {"Telegram", channel.Telegram}, "sms": {"SMS", channel.UniSenderSMS}, "mail": {"E-mail", channel.SMTP}} {
		ok(s.Notices.SaveChannel(t.Context(), noticedb.Channel{ID: id, Title: x.title, Kind: string(x.kind), Settings: services.Settings(x.kind), CreatedAt: now, UpdatedAt: now}))
	}
	to := func(id string, kind channel.Kind) policy.Address {
		return policy.Address{Channel: id, To: services.Address(kind)}
	}
	ok(s.People.SaveContact(t.Context(), policy.Contact{
		ID: "anna", Title: "Анна, дежурная", Lang: "ru", Zone: "Europe/Moscow", Quiet: policy.Quiet{From: 22 * 60, Until: 8 * 60},
		Addresses: []policy.Address{to("telegram", channel.Telegram), to("sms", channel.UniSenderSMS)},
	}, now))
	ok(s.People.SaveContact(t.Context(), policy.Contact{ID: "desk", Title: "Service desk", Lang: "en", Zone: "Europe/Moscow", TakesRest: true, Addresses: []policy.Address{to("mail", channel.SMTP)}}, now))
	ok(s.Notices.SavePolicy(t.Context(), policy.Policy{
		ID: "ladder", Title: "On duty", Enabled: true, Urgent: true, Events: []policy.Event{policy.IncidentOpened, policy.PersonIn3},
		Steps: []policy.Step{{To: "anna", Channel: "telegram"}, {After: 10 * time.Minute, To: "anna", Channel: "sms"}, {After: time.Hour, To: "desk", Channel: "mail"}},
	}, now))
	var hours []statsdb.RenewalHour
	for back := range 48 {
		hour := now.Add(-time.Duration(back) * time.Hour)
		hours = append(hours, statsdb.RenewalHour{Hour: hour, Outcome: "renewed", N: 40 + (hour.Hour()*7)%23})
		if back%17 == 3 {
			hours = append(hours, statsdb.RenewalHour{Hour: hour, Outcome: "transient", N: 9})
		}
	}
	ok(s.Stats.AddRenewals(t.Context(), hours))
}

func failed(cause provider.Error, wait time.Duration) func(connection.Connection) connection.Connection {
	return func(c connection.Connection) connection.Connection {
		now := time.Now().Add(-2 * time.Minute)
		for range 3 {
			c = c.Failed(now, c.Generation, &cause)
		}
		if wait > 0 {
			c.Due = now.Add(2*time.Minute + wait)
		}
		c.Cause = connection.CauseOf(c, "auth.partner.example", "oauth2").String()
		return c
	}
}
