package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/egress"
	"github.com/evergrant/evergrant/hub/internal/journal"
	"github.com/evergrant/evergrant/hub/internal/operation"
	"github.com/evergrant/evergrant/hub/internal/scheduler"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

const day = 24 * time.Hour

// habit is how processes use a connection: a pull every so often, and none at all
// from the 100th to the 200th day if it rests.
type habit struct {
	every time.Duration
	rests bool
}

// expectation is what has to come of a year.
type expectation struct {
	least, most int // renewals
	// longestPause bounds the time between two renewals: keep-alives were made.
	longestPause time.Duration
	// shortestPause: nobody was asked more often than that.
	shortestPause time.Duration
	// persons is how often a person had to authorise again.
	persons int
}

func describe(name string, renew provider.AutoRenew, rotation provider.RotationKind, window provider.RenewWindow, lives provider.Lifetimes) provider.Description {
	return provider.Description{
		Name: name, Title: provider.Text{EN: name, RU: name}, AutoRenew: renew, Rotation: provider.Rotation{Kind: rotation}, RenewWindow: window, Lifetimes: lives,
		Hosts: []provider.Host{{Pattern: "auth.example"}}, PKCE: provider.PKCENone,
	}
}

// year is what happens, and what has to come of it.
type year struct {
	service *virtualService
	habit   habit
	want    expectation
}

// years are the providers, each with the lifetimes of its description and, on the
// other side, those of the service.
func years() map[string]year {
	return map[string]year{
		"Bitrix24, on demand": {
			service: &virtualService{
				description: describe("bitrix24", provider.AutoRenewRefreshToken, provider.RotationRotatesRevokesAccess,
					provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: 20 * day},
					provider.Lifetimes{AccessToken: time.Hour, RefreshToken: 180 * day}),
				accessLife: time.Hour, refreshLife: 28 * day, // as short as it was ever seen
			},
			habit: habit{every: 7 * time.Hour, rests: true},
			want:  expectation{least: 900, most: 920, longestPause: 20*day + time.Hour, shortestPause: time.Hour},
		},
		"Bitrix24, always fresh": {
			service: &virtualService{
				description: describe("bitrix24-fresh", provider.AutoRenewRefreshToken, provider.RotationRotatesRevokesAccess,
					provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Every: 6 * time.Hour},
					provider.Lifetimes{AccessToken: 12 * time.Hour, RefreshToken: 180 * day}),
				accessLife: 12 * time.Hour, refreshLife: 28 * day, faultEvery: 17,
			},
			habit: habit{every: 50 * time.Minute},
			want:  expectation{least: 1460, most: 1640, longestPause: 6*time.Hour + time.Minute, shortestPause: 5 * time.Hour},
		},
		"Taxcom-Kassa, without prolongation": {
			service: &virtualService{
				description: describe("taxcom", provider.AutoRenewNone, provider.RotationNone, provider.RenewWindow{}, provider.Lifetimes{}),
				accessLife:  3_600_000 * time.Second,
			},
			habit: habit{every: 6 * time.Hour},
			want:  expectation{persons: 8},
		},
		"Taxcom-Kassa, with prolongation": {
			service: &virtualService{
				description: describe("taxcom-prolong", provider.AutoRenewProlong, provider.RotationRotatesRevokesAccess,
					provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Margin: 3 * day}, provider.Lifetimes{}),
				accessLife: 3_600_000 * time.Second, faultEvery: 3,
			},
			habit: habit{every: 6 * time.Hour, rests: true},
			want:  expectation{least: 9, most: 10, longestPause: 39 * day, shortestPause: 35 * day},
		},
		"Google": {
			service: &virtualService{
				description: describe("google", provider.AutoRenewRefreshToken, provider.RotationNone, provider.RenewWindow{Kind: provider.RenewBeforeExpiry},
					provider.Lifetimes{AccessToken: time.Hour, RefreshToken: provider.Never, RefreshTokenIdle: 180 * day}),
				accessLife: time.Hour, idleLife: 180 * day, faultEvery: 29,
			},
			habit: habit{every: 11 * time.Hour, rests: true},
			want:  expectation{least: 9733, most: 10_950, longestPause: time.Hour, shortestPause: 40 * time.Minute},
		},
		"OAuth, rotating": {
			service: &virtualService{
				description: describe("oauth2", provider.AutoRenewRefreshToken, provider.RotationRotates, provider.RenewWindow{},
					provider.Lifetimes{RefreshTokenIdle: 30 * day}),
				accessLife: 8 * time.Hour, idleLife: 30 * day, faultEvery: 13,
			},
			habit: habit{every: 3 * time.Hour},
			want:  expectation{least: 1216, most: 1370, longestPause: 8 * time.Hour, shortestPause: 5 * time.Hour},
		},
		"hh.ru, only after expiry": {
			service: &virtualService{
				description: describe("hh", provider.AutoRenewRefreshToken, provider.RotationRotates, provider.RenewWindow{Kind: provider.RenewAfterExpiry}, provider.Lifetimes{}),
				accessLife:  14 * day, faultEvery: 5,
			},
			habit: habit{every: 90 * time.Minute},
			want:  expectation{least: 25, most: 26, longestPause: 14*day + time.Minute, shortestPause: 14 * day},
		},
		"sliding": {
			service: &virtualService{
				description: describe("sliding", provider.AutoRenewSliding, provider.RotationNone, provider.RenewWindow{}, provider.Lifetimes{}),
				accessLife:  12 * time.Hour, faultEvery: 11,
			},
			habit: habit{every: 5 * time.Hour, rests: true},
			want:  expectation{least: 810, most: 920, longestPause: 12 * time.Hour, shortestPause: 9 * time.Hour},
		},
		"exchanged, 60 days": {
			service: &virtualService{
				description: describe("meta", provider.AutoRenewExchange, provider.RotationNone, provider.RenewWindow{Margin: 10 * day}, provider.Lifetimes{}),
				accessLife:  60 * day, faultEvery: 2,
			},
			habit: habit{every: 20 * time.Hour, rests: true},
			want:  expectation{least: 7, most: 9, longestPause: 50 * day, shortestPause: 40 * day},
		},
	}
}

// TestAYearOfEachProvider runs one connection of each provider for a year, with the
// real store, journal, token source and scheduler. The time is a bubble's.
func TestAYearOfEachProvider(t *testing.T) {
	for name, year := range years() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := year.service
			synctest.Test(t, func(t *testing.T) {
				h := startYear(t, s)
				persons := h.live(t, s, year.habit)
				s.mu.Lock()
				defer s.mu.Unlock()
				t.Logf("%d renewals by %d requests, %s to %s apart; %d pulls; a person %d times", s.renewals, s.requests, s.shortestPause, s.longestPause, h.pulls, persons)
				year.want.check(t, s, persons)
			})
		})
	}
}

func (want expectation) check(t *testing.T, s *virtualService, persons int) {
	t.Helper()
	switch {
	case s.spent > 0 || s.early > 0:
		t.Errorf("%d refresh tokens were spent twice, %d requests came before the expiry", s.spent, s.early)
	case s.renewals < want.least || s.renewals > want.most:
		t.Errorf("%d renewals, want %d to %d", s.renewals, want.least, want.most)
	case s.longestPause > want.longestPause:
		t.Errorf("no renewal for %s, want one within %s", s.longestPause, want.longestPause)
	case s.shortestPause < want.shortestPause:
		t.Errorf("two renewals within %s, want none within %s", s.shortestPause, want.shortestPause)
	case persons != want.persons:
		t.Errorf("a person was needed %d times, want %d", persons, want.persons)
	}
}

// hubOfAYear is the part of the hub that keeps grants alive.
type hubOfAYear struct {
	store  *store.Store
	source *tokensource.Source
	id     string
	pulls  int
}

func startYear(t *testing.T, s *virtualService) *hubOfAYear {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	box := storetest.Box(t)
	h := &hubOfAYear{store: storetest.OpenWith(t, store.Options{DataDir: t.TempDir(), Box: box}), id: store.NewID()}
	client, stop, err := providerplugin.InProcess(s)
	must(err)
	t.Cleanup(stop)
	j, err := journal.Open(filepath.Join(t.TempDir(), "journal"), box)
	must(err)
	t.Cleanup(func() { _ = j.Close() })
	log := hclog.NewNullLogger()
	sender := egress.New("test")
	h.source = tokensource.New(tokensource.Options{
		Store: h.store, Journal: j, Logger: log, Runner: operation.NewRunner(inProcess{client}, sender, j, log),
	})
	now := time.Now()
	svc := service.Service{ID: store.NewID(), Name: "svc", Title: "svc", Provider: s.description.Name, Description: &s.description, CreatedAt: now, UpdatedAt: now}
	must(h.store.CreateService(t.Context(), svc))
	c := connection.New(now, h.id, "conn", "conn", svc.ID, connection.PolicyOf(&s.description)).
		Granted(now, now, s.grant(), provider.Account{}, nil)
	must(h.store.CreateConnection(t.Context(), c))
	sched := scheduler.New(scheduler.Options{
		Store: h.store, Source: h.source, Logger: log, Owner: j.Replica(), LongestSleep: day,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		sched.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		h.source.Close(context.Background())
		sender.Close()
	})
	return h
}

// live lets a year pass, pulls as the habit says, holds every token against the
// service, and plays the person. It returns how often that was needed.
func (h *hubOfAYear) live(t *testing.T, s *virtualService, habit habit) (persons int) {
	t.Helper()
	begin := time.Now()
	for next := begin; ; {
		next = next.Add(habit.every)
		if age := next.Sub(begin); age >= 365*day {
			return persons
		} else if habit.rests && age > 100*day && age < 200*day {
			continue
		}
		c := h.connection(t)
		if by, _ := c.PersonBy(); !by.IsZero() && !by.After(next) {
			h.person(t, s, by)
			persons++
		}
		<-time.After(time.Until(next))
		h.pull(t, s)
	}
}

func (h *hubOfAYear) connection(t *testing.T) connection.Connection {
	t.Helper()
	c, err := h.store.Connection(t.Context(), h.id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pull gets a token as a process does, and tries it on the service.
func (h *hubOfAYear) pull(t *testing.T, s *virtualService) {
	t.Helper()
	h.pulls++
	pulled, err := h.source.Token(t.Context(), "conn", time.Minute)
	for range 20 { // a fault passes; a process does as it is told and asks again
		refused, ok := errors.AsType[*tokensource.RefusedError](err)
		if !ok || refused.Kind != provider.Transient {
			break
		}
		<-time.After(refused.RetryAfter)
		pulled, err = h.source.Token(t.Context(), "conn", time.Minute)
	}
	if err != nil {
		t.Fatalf("no token on day %d: %v", h.pulls, err)
	}
	if !s.accepts(pulled.Connection.Tokens.AccessToken) {
		t.Fatalf("a token was served that the service does not take any more, pull %d", h.pulls)
	}
}

// person checks that nobody is needed before the declared time and somebody is
// after it, and authorises again.
func (h *hubOfAYear) person(t *testing.T, s *virtualService, by time.Time) {
	t.Helper()
	<-time.After(time.Until(by.Add(-time.Minute)))
	h.pull(t, s)
	if c := h.connection(t); c.StatusAt(time.Now()) != connection.StatusExpires {
		t.Fatalf("a minute before the declared end the status is %s", c.StatusAt(time.Now()))
	}
	<-time.After(2 * time.Minute)
	c := h.connection(t)
	if c.StatusAt(time.Now()) != connection.StatusNeedsAuthorization {
		t.Fatalf("a minute after the declared end the status is %s", c.StatusAt(time.Now()))
	}
	_, err := h.source.Token(t.Context(), "conn", time.Minute)
	if refused, ok := errors.AsType[*tokensource.RefusedError](err); !ok || refused.Kind != provider.ReauthorizationRequired {
		t.Fatalf("a process is told %v", err)
	}
	now := time.Now()
	if err := h.store.UpdateConnection(t.Context(), c.Granted(now, now, s.grant(), provider.Account{}, nil), c.Generation); err != nil {
		t.Fatal(fmt.Errorf("authorise again: %w", err))
	}
}
