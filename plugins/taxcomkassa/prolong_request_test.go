package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
	"github.com/evergrant/evergrant/sdk/providerplugin"
	"github.com/evergrant/evergrant/sdk/providertest"
)

// The method of prolongation is told in person, so it can be anything: the options say how
// it is called and how its reply is read.
func TestAProlongationIsCalledAsTheOptionsSay(t *testing.T) {
	for name, tc := range map[string]struct {
		options    []string
		reply      string
		asked      string // method, address and body
		session    string
		bearer     string
		token      string
		life       time.Duration
		unreadable string // the option that is to blame
	}{
		"by itself": {
			reply: `{"access_token":"next","expires_in":60}`, asked: "POST / client_id=integrator", session: "old", bearer: "Bearer old", token: "next", life: time.Minute,
		},
		"GET with the token as a parameter": {
			options: []string{optionProlongMethod, "GET", optionProlongTokenIn, inParameter, optionProlongTokenName, "marker", optionProlongParams, "app={client_id}&mode=1"},
			reply:   `{"expires_in":60}`, asked: "GET /?app=integrator&marker=old&mode=1 ", token: "old", life: time.Minute,
		},
		"PUT with one header and no parameters": {
			options: []string{optionProlongMethod, "PUT", optionProlongTokenIn, inSession, optionProlongParams, "-"},
			reply:   `{"access_token":"next","expires_in":60}`, asked: "PUT / ", session: "old", token: "next", life: time.Minute,
		},
		"fields of other names": {
			options: []string{optionProlongTokenIn, inBearer, optionProlongToken, "result.sessionToken", optionProlongExpires, "result.ttl"},
			reply:   `{"result":{"sessionToken":"next","ttl":120},"access_token":"no"}`, asked: "POST / client_id=integrator", bearer: "Bearer old", token: "next", life: 2 * time.Minute,
		},
		"the agreed lifetime counts": {
			options: []string{optionAgreedLife, "41d"}, reply: `{"access_token":"next","expires_in":3600000}`,
			asked: "POST / client_id=integrator", session: "old", bearer: "Bearer old", token: "next", life: 41 * 24 * time.Hour,
		},
		"nothing but success, and an agreed lifetime": {
			options: []string{optionAgreedLife, "12h"}, reply: `{"ok":true}`,
			asked: "POST / client_id=integrator", session: "old", bearer: "Bearer old", token: "old", life: 12 * time.Hour,
		},
		"parameters that cannot be read": {options: []string{optionProlongParams, "a=%zz"}, unreadable: optionProlongParams},
	} {
		t.Run(name, func(t *testing.T) {
			var asked, session, bearer string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				asked, session, bearer = r.Method+" "+r.URL.RequestURI()+" "+string(body), r.Header.Get("Session-Token"), r.Header.Get("Authorization")
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, tc.reply)
			}))
			defer server.Close()
			plugin, stop, err := providerplugin.InProcess(taxcomKassa{})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			svc := service(append(tc.options, optionServer, "lk-ofd", optionProlongURL, server.URL+"/")...)
			svc.ClientID = "integrator"
			token, err := plugin.Refresh(t.Context(), &providertest.Relay{}, "taxcom-kassa", &provider.RefreshRequest{
				Call: provider.Call{Service: svc, Now: time.Now()}, Current: provider.Token{AccessToken: "old"},
			})
			if tc.unreadable != "" {
				if e, ok := errors.AsType[*provider.Error](err); !ok || e.Option != tc.unreadable || e.Kind != provider.Blocked || asked != "" {
					t.Errorf("%v, asked %q", err, asked)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if asked != tc.asked || session != tc.session || bearer != tc.bearer {
				t.Errorf("asked %q, Session-Token %q, Authorization %q", asked, session, bearer)
			}
			if token.AccessToken != tc.token || token.ExpiresIn == nil || *token.ExpiresIn != tc.life {
				t.Errorf("got %q for %v", token.AccessToken, token.ExpiresIn)
			}
		})
	}
}

// An error is none that prolongs.
func TestARefusedProlongationGivesNoTime(t *testing.T) {
	for _, reply := range []string{`{"error":"invalid_token"}`, `{"apiErrorCode":2109}`} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, reply)
		}))
		plugin, stop, err := providerplugin.InProcess(taxcomKassa{})
		if err != nil {
			t.Fatal(err)
		}
		svc := service(optionServer, "lk-ofd", optionAgreedLife, "41d", optionProlongURL, server.URL)
		_, err = plugin.Refresh(t.Context(), &providertest.Relay{}, "taxcom-kassa", &provider.RefreshRequest{
			Call: provider.Call{Service: svc, Now: time.Now()}, Current: provider.Token{AccessToken: "old"},
		})
		if e, ok := errors.AsType[*provider.Error](err); !ok || e.Kind != provider.ReauthorizationRequired || strings.Contains(e.Message, "old") {
			t.Errorf("%s: %v", reply, err)
		}
		stop()
		server.Close()
	}
}
