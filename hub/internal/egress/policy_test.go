package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/bounded"
	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

func TestOnlyAddressesOfTheInternetArePublic(t *testing.T) {
	for address, public := range map[string]bool{
		"93.184.216.34": true, "2606:4700::1111": true, "8.8.8.8": true, "64:ff9b::808:808": true, "2002:0808:0808::1": true,
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "10.0.0.1": false, "172.16.5.5": false, "192.168.1.1": false,
		"169.254.169.254": false, "fd00:ec2::254": false, "fe80::1": false, "fc00::1": false, "0.0.0.0": false, "::": false,
		"100.64.0.1": false, "192.0.0.192": false, "198.18.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.1.1.1": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:0001::1": false, "::127.0.0.1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != public {
			t.Errorf("%s: public %t, want %t", address, got, public)
		}
	}
}

func TestAnAllowedHostIsNamedWithOrWithoutItsPort(t *testing.T) {
	for _, test := range []struct {
		entry, address string
		want           bool
	}{
		{"crm.lan", "https://crm.lan/rest", true}, {"crm.lan", "http://CRM.lan:8080/", true}, {"crm.lan:443", "https://crm.lan/", true},
		{"crm.lan:8080", "https://crm.lan/", false}, {"crm.lan", "https://x.crm.lan/", false}, {"10.0.0.5", "http://10.0.0.5:81/", true},
		{"[::1]:80", "http://[::1]/", true}, {"::1", "http://[::1]:99/", true}, {"lan", "https://crm.lan/", false},
	} {
		u, err := url.Parse(test.address)
		if err != nil {
			t.Fatal(err)
		}
		if got := allowed([]string{test.entry}, u); got != test.want {
			t.Errorf("%s for %s: %t", test.entry, test.address, got)
		}
	}
}

// local is a service on this machine, which is not public, under a name and under
// its address.
func local(t *testing.T) (calls *atomic.Int32, byAddress string) {
	t.Helper()
	calls = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(server.Close)
	return calls, server.URL
}

func get(s *Sender, to Target, address string) error {
	to.Hosts = append(to.Hosts, provider.Host{Pattern: address})
	_, err := s.Send(context.Background(), to, &providerplugin.HTTPRequest{Method: http.MethodGet, URL: address}, Hooks{})
	return err
}

func TestAPrivateAddressIsReachedOnlyIfSomebodyAllowedIt(t *testing.T) {
	calls, byAddress := local(t)
	byName := strings.Replace(byAddress, "127.0.0.1", "localhost", 1)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(byAddress, "http://"))
	var refusals []Refusal
	s := New(Options{Refused: func(r Refusal) { refusals = append(refusals, r) }})
	defer s.Close()
	for name, test := range map[string]struct {
		address string
		private []string
		ok      bool
	}{
		"by address, nobody allowed it":   {byAddress, nil, false},
		"by name, nobody allowed it":      {byName, nil, false},
		"another host was allowed":        {byAddress, []string{"crm.lan"}, false},
		"another port was allowed":        {byAddress, []string{"127.0.0.1:1"}, false},
		"its name was allowed":            {byName, []string{"localhost"}, true},
		"its address and port were":       {byAddress, []string{"127.0.0.1:" + port}, true},
		"metadata, nobody allowed it":     {"http://169.254.169.254/latest", nil, false},
		"metadata in another spelling":    {"http://[::ffff:169.254.169.254]/latest", nil, false},
		"everything, as an address":       {"http://0.0.0.0:" + port, nil, false},
		"as a short address of this host": {"http://127.1:" + port, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			before := calls.Load()
			err := get(s, Target{Service: provider.Service{Name: "crm"}, PrivateHosts: test.private}, test.address)
			if test.ok {
				if err != nil || calls.Load() != before+1 {
					t.Errorf("got %v", err)
				}
				return
			}
			failure, ok := errors.AsType[*providerplugin.CarryError](err)
			if !ok || failure.Written || calls.Load() != before {
				t.Fatalf("got %v, %d calls", err, calls.Load()-before)
			}
		})
	}
	if len(refusals) < 4 || refusals[0].Reason != ReasonPrivate || refusals[0].Service != "crm" {
		t.Errorf("told of %v", refusals)
	}
}

// A connection that one service may have must not be used by another that may not.
func TestAKeptConnectionServesNobodyElse(t *testing.T) {
	calls, address := local(t)
	s := New(Options{})
	defer s.Close()
	if err := get(s, Target{PrivateHosts: []string{"127.0.0.1"}}, address); err != nil {
		t.Fatal(err)
	}
	if err := get(s, Target{}, address); err == nil || calls.Load() != 1 {
		t.Errorf("got %v after %d calls", err, calls.Load())
	}
}

func TestANameMustNotLeadToTheMetadataService(t *testing.T) {
	s := New(Options{})
	ctx := context.WithValue(t.Context(), hostKey{}, "crm.lan")
	if err := s.allowedHosts(ctx, "tcp", "169.254.169.254:80", nil); err == nil {
		t.Error("an allowed name led there")
	}
	if err := s.allowedHosts(ctx, "tcp", "10.0.0.5:80", nil); err != nil {
		t.Errorf("an allowed name must lead into the network: %v", err)
	}
	literal := context.WithValue(t.Context(), hostKey{}, "169.254.169.254")
	if err := s.allowedHosts(literal, "tcp", "169.254.169.254:80", nil); err != nil {
		t.Errorf("the address itself was allowed: %v", err)
	}
}

func TestBehindAProxyWrittenAddressesAreStillChecked(t *testing.T) {
	s := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	for address, ok := range map[string]bool{
		"https://oauth.example.com/": true, "http://10.1.1.1/": true, "http://192.168.0.1/": false, "http://localhost/": false, "http://x.localhost./": false,
		"http://[::1]/": false,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.proxied(u); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestTheSameRefusalIsToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Refusal
		teller := teller{to: func(r Refusal) { got = append(got, r) }, told: bounded.New[Refusal, told](maxTold)}
		for range 100 {
			teller.tell(time.Now(), Refusal{Service: "a", Host: "h", Reason: ReasonPrivate, Detail: "d"})
		}
		teller.tell(time.Now(), Refusal{Service: "b", Host: "h", Reason: ReasonPrivate})
		<-time.After(tellEvery)
		teller.tell(time.Now(), Refusal{Service: "a", Host: "h", Reason: ReasonPrivate})
		if len(got) != 3 || got[2].More != 99 {
			t.Errorf("told %v", got)
		}
	})
}
