package emulator

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"time"
)

// WriteJSON writes a reply that no cache may keep (RFC 6749 section 5.1).
func WriteJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// RedirectWith sends the browser to an address with params added to its query;
// the query that the address has and its fragment stay.
func RedirectWith(w http.ResponseWriter, r *http.Request, address string, params url.Values) {
	target, err := url.Parse(address)
	if err != nil {
		http.Error(w, "the registered redirect address is no URL", http.StatusInternalServerError)
		return
	}
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += params.Encode()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusFound)
}

// Seconds formats a lifetime for expires_in, rounded up to whole seconds.
func Seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }
