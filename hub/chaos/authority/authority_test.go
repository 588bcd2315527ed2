package authority_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/chaos/authority"
	"github.com/evergrant/evergrant/sdk/provider"
)

type set struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Status  int
}

// party is a client of the server that may do anything.
type party struct {
	t      *testing.T
	server *authority.Server
	kind   provider.RotationKind
}

func (p party) post(form url.Values) set {
	p.t.Helper()
	form.Set("client_id", authority.ClientID)
	form.Set("client_secret", authority.ClientSecret)
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.server.URL+"/"+string(p.kind)+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	got := set{Status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		p.t.Fatal(err)
	}
	return got
}

func (p party) granted() set {
	p.t.Helper()
	address := p.server.URL + "/" + string(p.kind) + "/authorize?client_id=" + authority.ClientID + "&redirect_uri=http://hub.test/callback&state=s"
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = resp.Body.Close()
	landed, err := resp.Location()
	if err != nil {
		p.t.Fatal(err)
	}
	return p.post(url.Values{"grant_type": {"authorization_code"}, "code": {landed.Query().Get("code")}})
}

func (p party) renew(refresh string) set {
	p.t.Helper()
	return p.post(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
}

func TestWhatAReplayedRefreshTokenCosts(t *testing.T) {
	for kind, want := range map[provider.RotationKind]struct {
		replayIsGood, oldAccessLives bool
		doubleSpent                  int
	}{
		provider.RotationNone:                 {true, true, 0},
		provider.RotationRotates:              {false, false, 1},
		provider.RotationRotatesRevokesAccess: {false, false, 1},
		provider.RotationRotatesWithGrace:     {true, true, 0},
	} {
		t.Run(string(kind), func(t *testing.T) {
			server, err := authority.Start(authority.Config{AccessLife: time.Hour, Grace: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			p := party{t, server, kind}
			first := p.granted()
			second := p.renew(first.Refresh)
			if second.Access == "" || !server.Good(second.Access, time.Now()) {
				t.Fatalf("the renewal gave %+v", second)
			}
			if good := server.Good(first.Access, time.Now()); good != (kind != provider.RotationRotatesRevokesAccess) {
				t.Errorf("after the renewal the old access token is good: %t", good)
			}
			third := p.renew(first.Refresh)
			if (third.Access != "") != want.replayIsGood {
				t.Errorf("the replay gave %+v", third)
			}
			if good := server.Good(second.Access, time.Now()); good != want.oldAccessLives {
				t.Errorf("after the replay the family's access token is good: %t", good)
			}
			v := server.Judge(authority.FamilyOf(first.Access))
			if v.DoubleSpent != want.doubleSpent || len(v.Lost) != want.doubleSpent {
				t.Errorf("judged %+v", v)
			}
			if next := p.renew(second.Refresh); want.doubleSpent > 0 && next.Access != "" {
				t.Error("the family lives on")
			}
		})
	}
}

func TestTheGraceEnds(t *testing.T) {
	server, err := authority.Start(authority.Config{AccessLife: time.Hour, Grace: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := party{t, server, provider.RotationRotatesWithGrace}
	first := p.granted()
	p.renew(first.Refresh)
	if again := p.renew(first.Refresh); again.Access != "" || server.Judge().DoubleSpent != 1 {
		t.Errorf("after the grace the old refresh token gave %+v", again)
	}
}

func TestAFaultRotatesNothingAndIsCounted(t *testing.T) {
	server, err := authority.Start(authority.Config{AccessLife: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := party{t, server, provider.RotationRotates}
	first := p.granted()
	server.SetFault(authority.Fault{Status: http.StatusServiceUnavailable, RetryAfter: time.Second})
	for range 3 {
		if got := p.renew(first.Refresh); got.Status != http.StatusServiceUnavailable {
			t.Errorf("the fault answered %d", got.Status)
		}
	}
	if struck := server.SetFault(authority.Fault{}); struck != 3 {
		t.Errorf("%d requests met the fault", struck)
	}
	if p.renew(first.Refresh).Access == "" || server.Judge().DoubleSpent != 0 {
		t.Error("the fault has spent the refresh token")
	}
}
