package emulator

import (
	"net/http"
	"slices"
)

// Question is the content of the login-and-consent page.
type Question struct {
	// Service is the emulated service, App the name or client_id of the application.
	Service, App string
	// Scopes are the requested rights.
	Scopes []Scope
}

// Scope is a right on the consent page.
type Scope struct {
	// Value is the scope as it travels in scope parameters.
	Value string
	// Optional scopes have a box that the person may untick.
	Optional bool
}

// FixedScopes returns scopes that come together or not at all.
func FixedScopes(values []string) []Scope {
	var out []Scope
	for _, v := range values {
		out = append(out, Scope{Value: v})
	}
	return out
}

// Consent is what the person decided.
type Consent struct {
	// Account is the user who logged in; set when Allowed.
	Account Account
	Allowed bool
	// Scopes are the allowed ones, in the order in which they were requested.
	Scopes []string
}

// Ask shows the login-and-consent page, or takes the decision from its form. It
// returns false as long as it has answered the request by showing the page. The
// form comes back to the address of the page, so the handler checks the same
// query again. Its fields are login, password, scope (boxes) and the buttons
// decision=allow and decision=deny.
func (d Directory) Ask(w http.ResponseWriter, r *http.Request, q Question) (Consent, bool) {
	form := consentPage{Question: q, Accounts: d, Text: textFor(r), Ticked: func(string) bool { return true }}
	if len(d) > 0 {
		form.Login, form.Password = d[0].Login, d[0].Password
	}
	if r.Method != http.MethodPost {
		form.show(w, http.StatusOK)
		return Consent{}, false
	}
	if r.PostForm.Get("decision") != "allow" {
		return Consent{}, true
	}
	ticked := r.PostForm["scope"]
	account, ok := d.Authenticate(r.PostForm.Get("login"), r.PostForm.Get("password"))
	if !ok {
		form.Login, form.Password, form.Problem = r.PostForm.Get("login"), "", form.Text.WrongPassword
		form.Ticked = func(scope string) bool { return slices.Contains(ticked, scope) }
		NoteResult(r, "wrong password")
		form.show(w, http.StatusUnauthorized)
		return Consent{}, false
	}
	consent := Consent{Account: account, Allowed: true}
	for _, s := range q.Scopes {
		if !s.Optional || slices.Contains(ticked, s.Value) {
			consent.Scopes = append(consent.Scopes, s.Value)
		}
	}
	return consent, true
}
