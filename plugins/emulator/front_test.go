package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// counter is a service that hands out a number at /token.
type counter struct {
	*emulator.Front
	*emulator.Site
	served atomic.Int32
}

func newCounter(t *testing.T) *counter {
	t.Helper()
	c := &counter{}
	refuse := func(w http.ResponseWriter, r *http.Request, code string, status int) {
		emulator.NoteResult(r, code)
		emulator.WriteJSON(w, max(status, http.StatusBadRequest), map[string]string{"error": code})
	}
	c.Front = emulator.NewFront(new(clock).now, refuse, "/token")
	c.Site = emulator.NewSite(c.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := c.served.Add(1)
		c.TokenIssued(r.Form.Get("grant_type"))
		fmt.Fprint(w, n)
	})))
	if err := c.Start(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask makes a token request and returns its status and body; 0 if the connection broke.
func (c *counter) ask(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.PostForm(c.URL+path, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"top secret"}})
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, string(body)
	}
	return resp.StatusCode, string(body)
}

func TestFaultsAnswerInsteadOfTheService(t *testing.T) {
	tests := map[string]struct {
		fault  emulator.Fault
		status int
		body   string
		served int32
	}{
		"status":         {emulator.Fault{Status: 503, Body: "<html>down</html>"}, 503, "<html>down</html>", 0},
		"code":           {emulator.Fault{Code: "wrong_client"}, 400, `{"error":"wrong_client"}` + "\n", 0},
		"code, status":   {emulator.Fault{Code: "wrong_client", Status: 418}, 418, `{"error":"wrong_client"}` + "\n", 0},
		"cut":            {emulator.Fault{Cut: true}, 0, "", 0},
		"cut body":       {emulator.Fault{Cut: true, Body: `{"access`}, 0, `{"access`, 0},
		"late cut":       {emulator.Fault{Cut: true, Late: true}, 0, "", 1},
		"late status":    {emulator.Fault{Status: 502, Late: true}, 502, "", 1},
		"other grant":    {emulator.Fault{Status: 502, GrantType: "authorization_code"}, 200, "1", 1},
		"other endpoint": {emulator.Fault{Status: 502, Path: "/rest/"}, 200, "1", 1},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCounter(t)
			c.SetFault(tc.fault)
			status, body := c.ask(t, "/token")
			if status != tc.status || body != tc.body || c.served.Load() != tc.served {
				t.Errorf("got %d %q after %d served, want %d %q after %d", status, body, c.served.Load(), tc.status, tc.body, tc.served)
			}
		})
	}
}

func TestAFaultStrikesAsOftenAsItIsTold(t *testing.T) {
	c := newCounter(t)
	c.SetFault(emulator.Fault{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Times: 2})
	var got []int
	for range 3 {
		status, _ := c.ask(t, "/token")
		got = append(got, status)
	}
	if fmt.Sprint(got) != "[429 429 200]" {
		t.Errorf("statuses %v, want the third request to be served", got)
	}
	c.SetFault(emulator.Fault{Status: 500})
	c.ClearFault()
	if status, _ := c.ask(t, "/token"); status != http.StatusOK {
		t.Errorf("status %d after the fault was cleared", status)
	}
}

func TestAHeldRequestGoesOnWhenItIsReleased(t *testing.T) {
	for _, late := range []bool{false, true} {
		c := newCounter(t)
		struck, answered := make(chan struct{}), make(chan string)
		c.SetFault(emulator.Fault{Hang: true, Late: late, Times: 1, Struck: func() { close(struck) }})
		go func() {
			_, body := c.ask(t, "/token")
			answered <- body
		}()
		<-struck
		if status, body := c.ask(t, "/token"); status != http.StatusOK {
			t.Errorf("the next request got %d %q", status, body)
		}
		c.ClearFault()
		want := "2"
		if late {
			want = "1" // the work was done before the request was held
		}
		if body := <-answered; body != want {
			t.Errorf("late %v: the held request got %q, want %q", late, body, want)
		}
	}
}

func TestOnTokenComesBeforeTheReply(t *testing.T) {
	c := newCounter(t)
	var replied atomic.Bool
	hooked := make(chan struct{})
	c.SetOnToken(func(grantType string) {
		close(hooked)
		if replied.Load() || grantType != "refresh_token" {
			t.Errorf("hook for %q, after the reply: %v", grantType, replied.Load())
		}
	})
	c.ask(t, "/token")
	replied.Store(true)
	<-hooked
}

func TestTheLogKnowsFingerprintsOnly(t *testing.T) {
	c := newCounter(t)
	c.ask(t, "/token?state=alsosecret")
	c.ask(t, "/elsewhere")
	log := c.Log()
	if len(log) != 2 || len(c.TokenRequests()) != 1 {
		t.Fatalf("log %+v, want two requests, one of them for tokens", log)
	}
	if log[0].Sent["refresh_token"] != emulator.Fingerprint("top secret") || log[0].GrantType != "refresh_token" || log[0].Status != 200 {
		t.Errorf("log %+v does not tell what was asked", log[0])
	}
	if text := fmt.Sprintf("%+v", log); strings.Contains(text, "secret ") || strings.Contains(text, "alsosecret") {
		t.Errorf("the log holds a secret: %s", text)
	}
}
