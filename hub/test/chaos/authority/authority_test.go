package authority_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
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
	got, err := p.try(p.t.Context(), form)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

func (p party) try(ctx context.Context, form url.Values) (set, error) {
	form.Set("client_id", authority.ClientID)
	form.Set("client_secret", authority.ClientSecret)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.server.URL+"/"+string(p.kind)+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return set{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return set{}, err
	}
	defer resp.Body.Close()
	got := set{Status: resp.StatusCode}
	return got, json.NewDecoder(resp.Body).Decode(&got)
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

// A service does not stop to rotate because its client has hung up.
func TestARequestIsServedToItsEndWhenTheClientHasGone(t *testing.T) {
	server, err := authority.Start(authority.Config{AccessLife: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := party{t, server, provider.RotationRotates}
	first := p.granted()
	family := authority.FamilyOf(first.Access)
	server.SetManner(func(r authority.Request) authority.Manner {
		if r.Nth == 1 {
			return authority.Manner{Delay: 200 * time.Millisecond}
		}
		return authority.Manner{}
	})
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.try(short, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}}); err == nil {
		t.Fatal("the answer came at once")
	}
	if again := p.renew(first.Refresh); again.Access != "" {
		t.Errorf("the spent refresh token gave %+v", again)
	}
	g := server.Grant(family)
	if g.Ended == nil || g.Issued != 1 || g.Spent != 1 || g.DoubleSpent != 1 || g.Ended.First.Gone.IsZero() || g.Ended.First.Delivered {
		t.Errorf("counted %+v", g)
	}
}

func TestAnAnswerCanBeLostAfterTheRotationOrRefusedBeforeIt(t *testing.T) {
	for name, c := range map[string]struct {
		manner  authority.Manner
		status  int // 0: the connection ends
		rotates bool
	}{
		"lost":     {authority.Manner{Lose: true}, 0, true},
		"gateway":  {authority.Manner{Gateway: http.StatusGatewayTimeout}, http.StatusGatewayTimeout, true},
		"refused":  {authority.Manner{Refuse: http.StatusServiceUnavailable}, http.StatusServiceUnavailable, false},
		"reset":    {authority.Manner{Reset: true}, 0, false},
		"answered": {authority.Manner{Stall: time.Millisecond, Delay: time.Millisecond}, http.StatusOK, true},
	} {
		t.Run(name, func(t *testing.T) {
			server, err := authority.Start(authority.Config{AccessLife: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			p := party{t, server, provider.RotationRotates}
			first := p.granted()
			server.SetManner(func(authority.Request) authority.Manner { return c.manner })
			got, err := p.try(t.Context(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}})
			if (err != nil) != (c.status == 0) || got.Status != c.status {
				t.Errorf("answered %+v, %v", got, err)
			}
			server.SetManner(nil)
			if again := p.renew(first.Refresh); (again.Access == "") != c.rotates {
				t.Errorf("the same refresh token then gave %+v", again)
			}
			log := server.Log(authority.FamilyOf(first.Access))
			if sent := log[1]; sent.Delivered == (name == "lost" || name == "gateway") || sent.Answered.IsZero() {
				t.Errorf("logged %v", sent)
			}
		})
	}
}

func TestTheWorthOfARevokedTokenSaysWhetherTheClientWasTold(t *testing.T) {
	server, err := authority.Start(authority.Config{AccessLife: 5 * time.Second, AccessLifeMost: 9 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := party{t, server, provider.RotationRotatesRevokesAccess}
	first := p.granted()
	server.SetManner(func(authority.Request) authority.Manner { return authority.Manner{Gateway: http.StatusBadGateway} })
	second := p.renew(first.Refresh)
	w, ok := server.Worth(first.Access)
	if second.Access != "" || !ok || w.Revoked.IsZero() || !w.Told.IsZero() {
		t.Errorf("the old token's worth is %+v", w)
	}
	if life := time.Until(w.Expires); life > 9*time.Second || life < 4*time.Second {
		t.Errorf("it lives %s", life)
	}
}
