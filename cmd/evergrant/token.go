package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

type tokenCmd struct {
	Get tokenGetCmd `cmd:"" default:"withargs" help:"Print a valid token; 'evergrant token NAME' does the same."`
}

// The codes with which a pull ends, for scripts.
const (
	exitPersonNeeded = 3 // a person has to authorize again, or to resume the connection
	exitNotForKey    = 4 // the key is not valid, or there is no such connection for it
	exitLater        = 5 // the hub or the service does not answer now; ask again
	exitOperator     = 6 // the operator of the hub has to act
)

type tokenGetCmd struct {
	Name   string `arg:"" help:"Name of the connection."`
	MinTTL string `help:"Least life that the token must have left." default:"60s"`
	URL    string `help:"Address of the hub." env:"EVERGRANT_URL" default:"http://localhost:8080"`
	JSON   bool   `help:"Print the whole answer instead of the token."`
}

// Run prints the token. The key comes from the environment alone: arguments
// can be seen by every user of the machine.
func (c tokenGetCmd) Run(ctx context.Context) error {
	key := os.Getenv("EVERGRANT_API_KEY")
	if key == "" {
		return errors.New("set EVERGRANT_API_KEY to an API key of the hub")
	}
	var answer json.RawMessage
	path := "/api/v1/connections/" + url.PathEscape(c.Name) + "/token?min_ttl=" + url.QueryEscape(c.MinTTL)
	if err := (&hubClient{base: c.URL, key: key}).get(ctx, path, &answer); err != nil {
		return &exitError{code: pullExit(err), err: err}
	}
	if c.JSON {
		fmt.Println(string(answer))
		return nil
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer, &token); err != nil {
		return fmt.Errorf("the hub's answer cannot be read: %w", err)
	}
	fmt.Println(token.AccessToken)
	return nil
}

// pullExit is the code for a pull that failed.
func pullExit(err error) int {
	refused, ok := errors.AsType[*apiError](err)
	if !ok {
		return exitLater // nothing has answered
	}
	switch refused.Status {
	case http.StatusConflict:
		return exitPersonNeeded
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return exitNotForKey
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return exitLater
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return 1 // wrong usage
	}
	return exitOperator
}
