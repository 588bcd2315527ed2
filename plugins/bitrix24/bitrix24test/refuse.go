package bitrix24test

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/evergrant/evergrant/plugins/emulator"
)

// trouble is an error of Bitrix24: what it says, and with which status at the
// token endpoint and at REST methods. Only the code can be relied on.
type trouble struct {
	description string
	token, rest int
}

var troubles = map[string]trouble{
	"wrong_client":          {"The application is unknown.", http.StatusOK, http.StatusUnauthorized},
	"invalid_client":        {"The client credentials are invalid or the application is not installed.", http.StatusBadRequest, http.StatusUnauthorized},
	"invalid_grant":         {"The authorization code or refresh token is invalid.", http.StatusBadRequest, http.StatusUnauthorized},
	"bad_verification_code": {"The verification code is wrong.", http.StatusBadRequest, http.StatusUnauthorized},
	"expired_token":         {"The code or access token provided has expired.", http.StatusBadRequest, http.StatusUnauthorized},
	"invalid_request":       {"A required parameter is missing.", http.StatusBadRequest, http.StatusBadRequest},
	"invalid_scope":         {"The scope exceeds the application's card.", http.StatusForbidden, http.StatusForbidden},
	"insufficient_scope":    {"The request requires higher privileges than provided by the access token.", http.StatusForbidden, http.StatusForbidden},
	"PAYMENT_REQUIRED":      {"Payment required.", http.StatusUnauthorized, http.StatusUnauthorized},
	"USER_ACCESS_ERROR":     {"The user does not have access to the application.", http.StatusForbidden, http.StatusForbidden},
	"NOT_INSTALLED":         {"The application is not installed.", http.StatusUnauthorized, http.StatusUnauthorized},
	"ERROR_OAUTH":           {"The application is not installed.", http.StatusUnauthorized, http.StatusUnauthorized},
	"PORTAL_DELETED":        {"The portal was deleted.", http.StatusForbidden, http.StatusForbidden},

	"invalid_token":          {"Unable to get application by token.", http.StatusBadRequest, http.StatusUnauthorized},
	"NO_AUTH_FOUND":          {"Wrong authorization data.", http.StatusUnauthorized, http.StatusUnauthorized},
	"ACCESS_DENIED":          {"REST is not available on the portal's plan.", http.StatusForbidden, http.StatusForbidden},
	"INVALID_CREDENTIALS":    {"Invalid request credentials.", http.StatusForbidden, http.StatusForbidden},
	"CONNECTION_ERROR":       {"The authorization server could not be reached.", http.StatusUnauthorized, http.StatusUnauthorized},
	"QUERY_LIMIT_EXCEEDED":   {"Too many requests.", http.StatusServiceUnavailable, http.StatusServiceUnavailable},
	"OVERLOAD_LIMIT":         {"REST is blocked due to overload.", http.StatusServiceUnavailable, http.StatusServiceUnavailable},
	"OPERATION_TIME_LIMIT":   {"The method is blocked due to its operation time.", http.StatusTooManyRequests, http.StatusTooManyRequests},
	"ERROR_METHOD_NOT_FOUND": {"Method not found!", http.StatusNotFound, http.StatusNotFound},
}

// refuse answers with an error of Bitrix24. A code that is not in the table is
// answered with 400, so that a test can try any.
func refuse(w http.ResponseWriter, r *http.Request, code string, status int) {
	known := troubles[code]
	usual := known.token
	if strings.HasPrefix(r.URL.Path, "/rest/") {
		usual = known.rest
	}
	emulator.NoteResult(r, code)
	emulator.WriteJSON(w, cmp.Or(status, usual, http.StatusBadRequest), map[string]string{
		"error": code, "error_description": known.description,
	})
}
