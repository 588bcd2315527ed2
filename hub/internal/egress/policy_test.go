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
	"github.com/evergrant/evergrant/hub/internal/waittest"
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
		// Documentation, benchmarks and protocol assignments, of the IANA registries.
		"192.0.2.1": false, "198.51.100.255": false, "203.0.113.9": false, "2001:db8::1": false, "3fff::1": false, "3fff:fff:ffff::1": false, "198.19.255.255": false, "2001:2::1": false, "2001:10::1": false, "2001:20::1": false,
		"100.127.255.255": false, "100.128.0.1": true, "192.88.99.1": false, "240.0.0.1": false, "192.0.0.8": false, "192.0.1.1": true, "203.0.114.1": true, "2001:200::1": true, "3ffe::1": true, "4000::1": false,
		"100::1": false, "100:0:0:1::1": false, "5f00::1": false, "64:ff9b:1::808:808": false, "fec0::1": false, "feff::1": false, "fdff::1": false, "ff0e::1": false, "ffff::1": false,
		// Addresses that hold another: Teredo, 6to4, NAT64, mapped, translated, ISATAP.
		"2001::1": false, "2001:0:808:808::f7f7:f7f7": false, "2002:c000:201::1": false, "2002:cb00:7101::1": false, "64:ff9b::c633:6401": false, "::ffff:192.0.2.1": false, "::ffff:8.8.8.8": true, "::ffff:0:8.8.8.8": false,
		"::8.8.8.8": false, "2606:4700::5efe:a00:1": false, "2606:4700::200:5efe:7f00:1": false, "2606:4700::5efe:808:808": true,
		// Metadata services that lie in networks which are public or trusted elsewhere, and zones.
		"168.63.129.16": false, "100.100.100.200": false, "fd20:ce::254": false, "2606:4700::1111%lo": false, "fe80::1%eth0": false, "::1%lo": false,
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
			failure, ok := errors.AsType[*providerplugin.RelayError](err)
			if !ok || failure.Written || calls.Load() != before {
				t.Fatalf("got %v, %d calls", err, calls.Load()-before)
			}
		})
	}
	if len(refusals) < 4 || refusals[0].Reason != ReasonPrivate || refusals[0].Service != "crm" {
		t.Errorf("reported of %v", refusals)
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
	for _, other := range []string{"100.100.100.200", "168.63.129.16", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fd20:ce::254]", "[fe80::1%lo]", "[::ffff:0:a9fe:a9fe]"} {
		if err := s.allowedHosts(ctx, "tcp", other+":80", nil); err == nil {
			t.Errorf("an allowed name led to %s", other)
		}
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

// What a resolver behind a proxy makes of a host in another spelling is judged here: the
// proxy would connect to it.
func TestAnAddressIsJudgedInEverySpelling(t *testing.T) {
	trusting := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	closed := New(Options{})
	for _, host := range []string{
		"2130706433", "0x7f000001", "0X7F000001", "017700000001", "127.1", "127.0.1", "0177.0.0.1", "0x7f.1", "0x7f.0x0.0x0.0x1", "127.0.0.1.", "127.1.", "0x7f.1.", "0", "0x0", "0x", "00", "1", "0.0",
		"010.0.0.1", "10.0.0.010", "0xa.0.0.1", "012.0.0.1", "167772161", "192.168.257", "172.1048577", "169.254.43518", "2852039166", "0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "100.100.25800",
		"１２７.0.0.1", "127。0。0。1", "127．0．0．1", "①②⑦.0.0.1", "0ｘ7f.1", "１２７．１", "169.254.169.２５４",
		"localhost", "LOCALHOST", "LocalHost.", "ｌｏｃａｌｈｏｓｔ", "x.localhost", "a.b.LOCALHOST.", "localhost.localdomain", "metadata", "metadata.google.internal", "METADATA.GOOGLE.INTERNAL.", "printer.local", "router.home.arpa", "intranet",
		"[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:FFFF:7F00:0001]", "[::127.0.0.1]", "[fe80::1%25lo]", "[::1%25lo]", "[FD00:EC2::254]", "[64:ff9b::7f00:1]", "[64:FF9B::10.0.0.1]", "[2002:7f00:1::]", "[2001:DB8::1]", "[::]",
		"256.1.1.1", "1.2.3.4.5", "4294967296", "0xfffffffff", "127.0.0.1.5", "8.8.8.8.8", "a.0x", "example.1", "192.0.2.1", "198.51.100.1", "203.0.113.1",
	} {
		u := &url.URL{Scheme: "https", Host: host}
		if parsed, err := url.Parse("https://" + host + "/"); err == nil {
			u = parsed
		}
		if err := closed.proxied(u); err == nil {
			t.Errorf("%s would be given to the proxy", host)
		}
		if err := (Own{}).Proxied(u); err == nil {
			t.Errorf("a message to %s would be given to the proxy", host)
		}
	}
	for _, host := range []string{"oauth.example.com", "OAUTH.EXAMPLE.COM.", "xn--80ak6aa92e.com", "пример.рф", "a_b.example.com", "8.8.8.8", "8.8.8.8.", "134744072", "0x08.0x08.0x08.0x08", "[2606:4700::1111]", "1.example.com", "0x7f.com", "127.0.0.1.example.com", "local.example.com"} {
		if err := closed.proxied(&url.URL{Scheme: "https", Host: host}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"127.0.0.1", "127.1", "0x7f000001", "localhost", "x.localhost", "[::ffff:127.0.0.1]"} {
		if err := trusting.proxied(&url.URL{Scheme: "http", Host: host}); err != nil {
			t.Errorf("%s, which the operator trusts: %v", host, err)
		}
	}
}

func TestTheSameRefusalIsToldOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []Refusal
		reporter := reporter{to: func(r Refusal) { got = append(got, r) }, reported: bounded.New[Refusal, reported](maxReported)}
		for range 100 {
			reporter.report(time.Now(), Refusal{Service: "a", Host: "h", Reason: ReasonPrivate, Detail: "d"})
		}
		reporter.report(time.Now(), Refusal{Service: "b", Host: "h", Reason: ReasonPrivate})
		waittest.Let(reportEvery)
		reporter.report(time.Now(), Refusal{Service: "a", Host: "h", Reason: ReasonPrivate})
		if len(got) != 3 || got[2].More != 99 {
			t.Errorf("reported %v", got)
		}
	})
}

// Whatever a description says, nothing goes to a host that the service is not bound to.
func TestARequestStaysWithTheHostsThatSecretsWereEnteredFor(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	var refused []Refusal
	s := New(Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Refused: func(r Refusal) { refused = append(refused, r) }})
	defer s.Close()
	to := Target{
		Service: provider.Service{Name: "s", ClientSecret: "a-long-client-secret"}, Hosts: []provider.Host{{Pattern: server.URL, ClientSecret: true}},
		Bound: []provider.Host{{Pattern: "auth.example", ClientSecret: true}},
	}
	send := func(body string) error {
		_, err := s.Send(t.Context(), to, &providerplugin.HTTPRequest{Method: "POST", URL: server.URL + "/token", Body: []byte(body)}, Hooks{})
		return err
	}
	if err := send("grant_type=refresh_token"); err == nil || len(refused) != 1 || refused[0].Reason != ReasonUnbound {
		t.Errorf("another host than the bound ones: %v, %+v", err, refused)
	}
	to.Bound = append(to.Bound, provider.Host{Pattern: server.URL})
	if err := send("client_secret=a-long-client-secret"); err == nil || refused[len(refused)-1].Reason != ReasonSecret {
		t.Errorf("a host that is bound without the secret gets it: %v", err)
	}
	if err := send("grant_type=refresh_token"); err != nil || asked.Load() != 1 {
		t.Errorf("a bound host: %v, %d requests", err, asked.Load())
	}
}
