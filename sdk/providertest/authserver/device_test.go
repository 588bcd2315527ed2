package authserver

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// A device code is good once, and who asks too soon has to slow down for good.
func TestADeviceCodeIsGrantedOnce(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := New(Config{Now: func() time.Time { return now }, DeviceInterval: 2 * time.Second})
	post := func(path string, form url.Values) map[string]any {
		t.Helper()
		form.Set("client_id", "client")
		form.Set("client_secret", "secret")
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var reply map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatal(err)
		}
		return reply
	}
	started := post("/device_authorization", url.Values{"scope": {"openid"}})
	ask := func(wait time.Duration) any {
		now = now.Add(wait)
		reply := post("/token", url.Values{"grant_type": {deviceGrant}, "device_code": {started["device_code"].(string)}})
		if reply["access_token"] != nil {
			return "granted"
		}
		return reply["error"]
	}
	for i, step := range []struct {
		wait time.Duration
		want string
	}{{0, "authorization_pending"}, {time.Second, "slow_down"}, {3 * time.Second, "slow_down"}, {12 * time.Second, "authorization_pending"}} {
		if got := ask(step.wait); got != step.want {
			t.Errorf("request %d: %v, want %s", i, got, step.want)
		}
	}
	if code := started["user_code"].(string); s.DecideDevice("nothing", "anna@example.test") || !s.DecideDevice(strings.ToLower(code), "anna@example.test") || s.DecideDevice(code, "") {
		t.Error("a code is not decided about once")
	}
	if got := ask(12 * time.Second); got != "granted" {
		t.Errorf("after the person agreed: %v", got)
	}
	if got := ask(12 * time.Second); got != "invalid_grant" {
		t.Errorf("the second time: %v", got)
	}
	for want, prepare := range map[string]func(){
		"access_denied": func() { s.DecideDevice(started["user_code"].(string), "") },
		"expired_token": func() { now = now.Add(10 * time.Minute) },
	} {
		started = post("/device_authorization", url.Values{})
		prepare()
		if got := ask(0); got != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
}
