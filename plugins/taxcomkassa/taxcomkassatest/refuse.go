package taxcomkassatest

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// apiSessionExpired is the API's error for a token that it does not accept.
const apiSessionExpired = "2109"

// refuse answers with an error: at /core/ as IdentityServer does, with an error code
// and nothing else; at /API/ with the vendor's document around apiErrorCode.
func refuse(w http.ResponseWriter, r *http.Request, code string, status int) {
	emulator.NoteResult(r, code)
	if strings.HasPrefix(r.URL.Path, "/API/") {
		refuseAPI(w, code, cmp.Or(status, http.StatusUnauthorized))
		return
	}
	usual := http.StatusBadRequest
	if code == "invalid_token" {
		usual = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	emulator.WriteJSON(w, cmp.Or(status, usual), map[string]string{"error": code})
}

func refuseAPI(w http.ResponseWriter, code string, status int) {
	number, err := strconv.Atoi(code)
	if err != nil {
		number = http.StatusInternalServerError // a code of another part of the service
	}
	emulator.WriteJSON(w, status, map[string]any{
		"httpErrorCode": status, "apiErrorCode": number,
		"commonDescription": "Ошибка авторизации", "details": "Срок действия маркера доступа истёк или маркер неизвестен.",
	})
}
