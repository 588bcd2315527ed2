package authserver

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// device is a device authorization (RFC 8628).
type device struct {
	userCode string
	scopes   []string
	interval time.Duration
	expires  time.Time
	asked    time.Time // when it was last asked for
	family   *Family   // once a person agreed
	denied   bool
	spent    bool
}

// deviceAuthorization is RFC 8628 section 3.1.
func (s *Server) deviceAuthorization(w http.ResponseWriter, r *http.Request) {
	if no := s.authenticate(r); no != nil {
		refuse(w, no)
		return
	}
	code, letters := "device_code-"+rand.Text(), rand.Text()
	d := &device{
		userCode: letters[:4] + "-" + letters[4:8], scopes: strings.Fields(r.PostFormValue("scope")),
		interval: s.config.DeviceInterval, expires: s.now().Add(s.config.DeviceCodeLife),
	}
	s.mu.Lock()
	s.devices[code] = d
	s.mu.Unlock()
	page := s.issuer(r) + "/device"
	writeJSON(w, map[string]any{
		"device_code": code, "user_code": d.userCode, "verification_uri": page,
		"verification_uri_complete": page + "?" + url.Values{"user_code": {d.userCode}}.Encode(),
		"expires_in":                int64(s.config.DeviceCodeLife.Seconds()), "interval": int64(s.config.DeviceInterval.Seconds()),
	})
}

// deviceToken is RFC 8628 sections 3.4 and 3.5. A client that asks too soon is told to
// slow down, by five seconds for good.
func (s *Server) deviceToken(r *http.Request) (map[string]any, *refusal) {
	now := s.now()
	family, no := s.answerDevice(r.PostFormValue("device_code"), now)
	if no != nil {
		return nil, no
	}
	reply := s.mint(family, true)
	if slices.Contains(family.Scopes, "openid") {
		reply["id_token"] = s.idToken(s.issuer(r), family.Account, "")
	}
	return reply, nil
}

func (s *Server) answerDevice(code string, now time.Time) (*Family, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.devices[code]
	if !ok || d.spent {
		return nil, invalidGrant("the device code is unknown or spent")
	}
	tooSoon := !d.asked.IsZero() && now.Sub(d.asked) < d.interval*9/10
	d.asked = now
	refused := func(code string) (*Family, *refusal) {
		return nil, &refusal{http.StatusBadRequest, code, "the device authorization is not granted"}
	}
	switch {
	case !now.Before(d.expires):
		return refused("expired_token")
	case d.denied:
		return refused("access_denied")
	case tooSoon:
		d.interval += 5 * time.Second
		return refused("slow_down")
	case d.family == nil:
		return refused("authorization_pending")
	}
	d.spent = true
	return d.family, nil
}

// DecideDevice is what a person does who enters a user code: an account by its login
// agrees, "" is a refusal. False if the code is not to be entered any more.
func (s *Server) DecideDevice(userCode, login string) bool {
	i := slices.IndexFunc(s.config.Accounts, func(a Account) bool { return strings.EqualFold(a.Login, strings.TrimSpace(login)) })
	if login != "" && i < 0 {
		return false
	}
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.devices {
		if !strings.EqualFold(d.userCode, strings.TrimSpace(userCode)) || d.family != nil || d.denied || !now.Before(d.expires) {
			continue
		}
		if d.denied = login == ""; !d.denied {
			d.family = s.ledger.open(Family{Account: s.config.Accounts[i], Scopes: d.scopes})
		}
		return true
	}
	return false
}

var devicePage = template.Must(template.New("device").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Enter the code — test authorization server</title></head>
<body><main><h1>Enter the code of your device</h1>
{{if .Said}}<p role="status" id="said">{{.Said}}</p>{{end}}
<form method="post" action="/device">
<p><label>Code <input name="user_code" value="{{.Code}}" autocomplete="off" required></label></p>
<p><label>E-mail <input name="login" type="email" value="{{.Login}}" autocomplete="off"></label></p>
<p><label>Password <input name="password" type="password" value="{{.Password}}" autocomplete="off"></label></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny" formnovalidate>Deny</button></p>
</form></main></body></html>
`))

// devicePage shows the page on which a code is entered.
func (s *Server) devicePage(w http.ResponseWriter, r *http.Request) {
	s.showDevicePage(w, r.URL.Query().Get("user_code"), "")
}

func (s *Server) showDevicePage(w http.ResponseWriter, code, said string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Frame-Options", "DENY")
	first := s.config.Accounts[0]
	_ = devicePage.Execute(w, map[string]string{"Code": code, "Login": first.Login, "Password": first.Password, "Said": said}) // the browser may have gone
}

// enterDevice takes a code and the person's answer.
func (s *Server) enterDevice(w http.ResponseWriter, r *http.Request) {
	code, login := r.PostFormValue("user_code"), r.PostFormValue("login")
	if r.PostFormValue("decision") == "deny" {
		login = ""
	} else if !slices.ContainsFunc(s.config.Accounts, func(a Account) bool {
		return strings.EqualFold(a.Login, strings.TrimSpace(login)) && a.Password == r.PostFormValue("password")
	}) {
		s.showDevicePage(w, code, "The login or the password is wrong.")
		return
	}
	said := "This code is wrong, or too old."
	if s.DecideDevice(code, login) {
		said = "Done. You can close this page; your device goes on by itself."
	}
	s.showDevicePage(w, code, said)
}
