package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/service"
)

func TestTheClientSecretIsChosenByDate(t *testing.T) {
	now := time.Date(2027, 5, 12, 0, 0, 0, 0, time.UTC)
	past, later := now.Add(-time.Hour), now.Add(time.Hour)
	other := func(end time.Time) service.Secret { return service.Secret{Value: "other", EndsAt: end} }
	for name, tt := range map[string]struct {
		end   time.Time
		other service.Secret
		sent  string
		next  string // after invalid_client; "" is none
	}{
		"one":                               {time.Time{}, service.Secret{}, "current", ""},
		"one that has ended":                {past, service.Secret{}, "current", ""},
		"both last":                         {time.Time{}, other(later), "current", "other"},
		"the current one has ended":         {now, other(later), "other", ""},
		"the current one ends later":        {later, other(time.Time{}), "current", "other"},
		"the other one has ended":           {later, other(past), "current", ""},
		"both have ended":                   {past, other(past), "current", ""},
		"the other one is the same":         {later, service.Secret{Value: "current"}, "current", ""},
		"the current one ended, other open": {past, other(time.Time{}), "other", ""},
	} {
		svc := service.Service{ClientSecret: "current", SecretEndsAt: tt.end, OtherSecret: tt.other}.At(now)
		if svc.ForProvider().ClientSecret != tt.sent {
			t.Errorf("%s: sent %q, want %q", name, svc.ClientSecret, tt.sent)
		}
		next, ok := svc.WithOther(now)
		if ok != (tt.next != "") || ok && next.ForProvider().ClientSecret != tt.next {
			t.Errorf("%s: next is %q, %t; want %q", name, next.ClientSecret, ok, tt.next)
		}
	}
}

func TestTheEndsOfSecretsTellWhatCoversThem(t *testing.T) {
	now := time.Date(2027, 5, 12, 0, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	for name, tt := range map[string]struct {
		svc  service.Service
		want string
	}{
		"none known":       {service.Service{ClientSecret: "a"}, ""},
		"one":              {service.Service{ClientSecret: "a", SecretEndsAt: day(3)}, "15 true false"},
		"covered":          {service.Service{ClientSecret: "a", SecretEndsAt: day(3), OtherSecret: service.Secret{Value: "b", EndsAt: day(9)}}, "15 true true, 21 false false"},
		"covered for ever": {service.Service{ClientSecret: "a", SecretEndsAt: day(3), OtherSecret: service.Secret{Value: "b"}}, "15 true true"},
		"together":         {service.Service{ClientSecret: "a", SecretEndsAt: day(3), OtherSecret: service.Secret{Value: "b", EndsAt: day(3)}}, "15 true false, 15 false false"},
	} {
		var got []string
		for _, e := range tt.svc.SecretEnds() {
			got = append(got, fmt.Sprintf("%d %t %t", e.At.Day(), e.Current, e.Covered))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %s, want %s", name, strings.Join(got, ", "), tt.want)
		}
	}
}

func TestASecondSecretIsNeverPrinted(t *testing.T) {
	s := service.Secret{Value: "shh-shh"}
	if said := fmt.Sprintf("%v %s %#v %+v", s, s, s, s); strings.Contains(said, "shh") {
		t.Error(said)
	}
}
