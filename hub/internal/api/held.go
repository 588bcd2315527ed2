package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/evergrant/evergrant/hub/internal/access"
)

// heldAgain is when to come again to a hub that holds too much open.
const heldAgain = 10 * time.Second

// errTooManyStreams says that a key, or all together, hold too much open.
var errTooManyStreams = errors.New("too many streams and long polls are open")

// hold counts a stream or a long poll of a key until leave is called. Errors:
// errTooManyStreams.
func (a *API) hold(authorization string) (leave func(), err error) {
	key, err := access.BearerToken(authorization)
	if err != nil {
		return nil, err
	}
	leave, ok := a.streams.Hold("key " + access.HashKey(key))
	if !ok {
		return nil, errTooManyStreams
	}
	return leave, nil
}

// tooManyStreams is the problem of errTooManyStreams.
func tooManyStreams() error {
	return retry(problem(http.StatusTooManyRequests, "too-many-streams", "Too many streams and long polls at one time",
		"This key, or this hub for all, holds as many open as limits.streams_per_key and limits.streams allow; close some, or pull without wait."), heldAgain)
}
