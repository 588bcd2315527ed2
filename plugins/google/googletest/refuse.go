package googletest

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// expiredOrRevoked is all that Google says about a dead refresh token.
const expiredOrRevoked = "Token has been expired or revoked."

var descriptions = map[string]string{
	"invalid_client": "The OAuth client was not found.",
	"invalid_grant":  expiredOrRevoked,
	"invalid_token":  "Invalid Value",
}

// refuse answers with an error and what Google usually says to it.
func refuse(w http.ResponseWriter, r *http.Request, code string, status int) {
	refuseWith(w, r, code, cmp.Or(descriptions[code], "Bad Request"), status)
}

func refuseWith(w http.ResponseWriter, r *http.Request, code, description string, status int) {
	usual := http.StatusBadRequest
	if code == "invalid_client" {
		usual = http.StatusUnauthorized
	}
	emulator.NoteResult(r, code)
	if strings.HasPrefix(r.URL.Path, "/calendar/") {
		refuseAPI(w, r, cmp.Or(status, usual), code, description)
		return
	}
	emulator.WriteJSON(w, cmp.Or(status, usual), map[string]string{"error": code, "error_description": description})
}

// refuseAPI answers as Google's APIs do, with an object in error.
func refuseAPI(w http.ResponseWriter, r *http.Request, status int, reason, message string) {
	emulator.NoteResult(r, reason)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://accounts.google.com/", error="invalid_token"`)
	}
	emulator.WriteJSON(w, status, map[string]any{"error": map[string]any{
		"code": status, "message": message, "status": reason,
	}})
}
