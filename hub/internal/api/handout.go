package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

// handOut makes the answer to a pull, and counts it by its result: served,
// served_with_trouble, not_modified, or the name of the problem.
func (a *API) handOut(pulled *tokensource.Pulled, ifNoneMatch string, err error) (*TokenOutput, error) {
	if err != nil {
		err = a.fail(err)
		result := "internal"
		if p, ok := asProblem(err); ok {
			result = strings.ReplaceAll(strings.TrimPrefix(p.Type, problemBase), "-", "_")
		}
		a.pulled(result, false)
		return nil, err
	}
	out := a.tokenOutput(pulled, ifNoneMatch)
	switch end := pulled.Connection.Tokens.ExpiresAt; {
	case out.Status == http.StatusNotModified:
		a.pulled("not_modified", false)
	case pulled.Trouble != nil:
		a.pulled("served_with_trouble", isPast(end, a.now()))
	default:
		a.pulled("served", isPast(end, a.now()))
	}
	return out, nil
}

// isPast reports whether a known end has passed.
func isPast(end, now time.Time) bool { return !end.IsZero() && !now.Before(end) }
