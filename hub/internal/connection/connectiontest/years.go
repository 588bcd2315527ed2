package connectiontest

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

const day = 24 * time.Hour

// Year is how a connection is used for a year, and what has to come of it.
type Year struct {
	Service *Service
	// Every is how often processes pull; none does from the 100th to the 200th day
	// if Rests is set.
	Every time.Duration
	Rests bool

	// Least and Most bound the renewals.
	Least, Most int
	// Longest bounds the time between two renewals, which shows keep-alives; Shortest
	// bounds how often a service gets a request.
	Longest, Shortest time.Duration
	// Persons is how often a person has to authorize again, each time at the very
	// date that was declared.
	Persons int
}

// Pulls reports whether processes pull at an age of the year.
func (y Year) Pulls(age time.Duration) bool { return !y.Rests || age <= 100*day || age >= 200*day }

// asItGoes is what a renewal may take from its due time to the service.
const asItGoes = time.Minute

// Check holds a part of a year, up to the whole, against what has to come of it.
func (y Year) Check(t testing.TB, lived time.Duration, persons int) {
	t.Helper()
	share := lived.Hours() / (365 * day).Hours()
	if y.Rests && y.Service.Description.RenewWindow.Kind == provider.RenewOnDemand {
		rest := min(max(lived-100*day, 0), 100*day)
		share = (lived - rest).Hours() / (265 * day).Hours()
	}
	got := y.Service.Tally()
	least, most := int(float64(y.Least)*share)-6, int(float64(y.Most)*share)+6
	if lived == 365*day {
		least, most = y.Least, y.Most
	}
	switch {
	case got.Spent > 0 || got.Early > 0:
		t.Errorf("%d refresh tokens were spent twice, %d requests came before the expiry", got.Spent, got.Early)
	case got.Renewals < least || got.Renewals > most:
		t.Errorf("%d renewals, want %d to %d", got.Renewals, least, most)
	case got.LongestPause > y.Longest+asItGoes:
		t.Errorf("no renewal for %s, want one within %s", got.LongestPause, y.Longest)
	case got.Renewals > 1 && got.ShortestPause < y.Shortest:
		t.Errorf("two renewals within %s, want none within %s", got.ShortestPause, y.Shortest)
	case persons != int(float64(y.Persons)*share):
		t.Errorf("a person was needed %d times, want %d", persons, int(float64(y.Persons)*share))
	}
}

func describe(name string, renew provider.AutoRenew, rotation provider.RotationKind, window provider.RenewWindow, lives provider.Lifetimes) provider.Description {
	return provider.Description{
		Name: name, Title: provider.Text{EN: name, RU: name}, AutoRenew: renew, Rotation: provider.Rotation{Kind: rotation},
		RenewWindow: window, Lifetimes: lives, Hosts: []provider.Host{{Pattern: "auth.example"}}, PKCE: provider.PKCENone,
	}
}

// Years are the providers, each with the description of its plugin and, in the
// Service, what is known or feared of the other side.
func Years() map[string]Year {
	return map[string]Year{
		"Bitrix24, on demand": {
			Service: &Service{
				Description: describe("bitrix24", provider.AutoRenewRefreshToken, provider.RotationRotatesRevokesAccess,
					provider.RenewWindow{Kind: provider.RenewOnDemand, KeepAlive: 20 * day},
					provider.Lifetimes{AccessToken: time.Hour, RefreshToken: 180 * day}),
				AccessLife: time.Hour, RefreshLife: 28 * day, // as short as it was ever seen
			},
			Every: 7 * time.Hour, Rests: true,
			Least: 900, Most: 920, Longest: 20*day + time.Hour, Shortest: time.Hour,
		},
		"Bitrix24, always fresh": {
			Service: &Service{
				Description: describe("bitrix24-fresh", provider.AutoRenewRefreshToken, provider.RotationRotatesRevokesAccess,
					provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Every: 25 * time.Minute},
					provider.Lifetimes{AccessToken: time.Hour, RefreshToken: 180 * day}),
				AccessLife: time.Hour, RefreshLife: 28 * day, FaultEvery: 17,
			},
			Every: 50 * time.Minute,
			Least: 21_000, Most: 23_400, Longest: 26 * time.Minute, Shortest: 22 * time.Minute,
		},
		"Taxcom-Kassa, without prolongation": {
			Service: &Service{
				Description: describe("taxcom", provider.AutoRenewNone, provider.RotationNone, provider.RenewWindow{}, provider.Lifetimes{}),
				AccessLife:  3_600_000 * time.Second,
			},
			Every: 6 * time.Hour, Persons: 8,
		},
		"Taxcom-Kassa, with prolongation": {
			Service: &Service{
				Description: describe("taxcom-prolong", provider.AutoRenewProlong, provider.RotationRotatesRevokesAccess,
					provider.RenewWindow{Kind: provider.RenewBeforeExpiry, Margin: 3 * day}, provider.Lifetimes{}),
				AccessLife: 3_600_000 * time.Second, FaultEvery: 3,
			},
			Every: 6 * time.Hour, Rests: true,
			Least: 9, Most: 10, Longest: 39 * day, Shortest: 35 * day,
		},
		"Google": {
			Service: &Service{
				Description: describe("google", provider.AutoRenewRefreshToken, provider.RotationNone, provider.RenewWindow{Kind: provider.RenewBeforeExpiry},
					provider.Lifetimes{AccessToken: time.Hour, RefreshToken: provider.Never, RefreshTokenIdle: 180 * day}),
				AccessLife: time.Hour, IdleLife: 180 * day, FaultEvery: 29,
			},
			Every: 11 * time.Hour, Rests: true,
			Least: 9733, Most: 10_950, Longest: time.Hour, Shortest: 40 * time.Minute,
		},
		"OAuth, rotating": {
			Service: &Service{
				Description: describe("oauth2", provider.AutoRenewRefreshToken, provider.RotationRotates, provider.RenewWindow{},
					provider.Lifetimes{RefreshTokenIdle: 30 * day}),
				AccessLife: 8 * time.Hour, IdleLife: 30 * day, FaultEvery: 13,
			},
			Every: 3 * time.Hour,
			Least: 1216, Most: 1370, Longest: 8 * time.Hour, Shortest: 5 * time.Hour,
		},
		"hh.ru, only after expiry": {
			Service: &Service{
				Description: describe("hh", provider.AutoRenewRefreshToken, provider.RotationRotates, provider.RenewWindow{Kind: provider.RenewAfterExpiry}, provider.Lifetimes{}),
				AccessLife:  14 * day, FaultEvery: 5,
			},
			Every: 90 * time.Minute,
			Least: 25, Most: 26, Longest: 14*day + time.Minute, Shortest: 14 * day,
		},
		"sliding, 5 minutes": {
			Service: &Service{
				Description: describe("sliding", provider.AutoRenewSliding, provider.RotationNone, provider.RenewWindow{}, provider.Lifetimes{}),
				AccessLife:  5 * time.Minute, FaultEvery: 11,
			},
			Every: 5 * time.Hour, Rests: true,
			Least: 116_800, Most: 131_400, Longest: 5 * time.Minute, Shortest: 3 * time.Minute,
		},
		"exchanged, 60 days": {
			Service: &Service{
				Description: describe("meta", provider.AutoRenewExchange, provider.RotationNone, provider.RenewWindow{Margin: 10 * day}, provider.Lifetimes{}),
				AccessLife:  60 * day, FaultEvery: 2,
			},
			Every: 20 * time.Hour, Rests: true,
			Least: 7, Most: 9, Longest: 50 * day, Shortest: 40 * day,
		},
	}
}
