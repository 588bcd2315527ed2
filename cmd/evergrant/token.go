package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
)

type tokenCmd struct {
	Name   string `arg:"" help:"Name of the connection."`
	MinTTL string `help:"Least life that the token must have left." default:"60s"`
	URL    string `help:"Address of the hub." env:"EVERGRANT_URL" default:"http://localhost:8080"`
	JSON   bool   `help:"Print the whole answer instead of the token."`
}

// Run prints the token. The key comes from the environment alone: arguments
// can be seen by every user of the machine.
func (c tokenCmd) Run(ctx context.Context) error {
	key := os.Getenv("EVERGRANT_API_KEY")
	if key == "" {
		return errors.New("set EVERGRANT_API_KEY to an API key of the hub")
	}
	var answer json.RawMessage
	path := "/api/v1/connections/" + url.PathEscape(c.Name) + "/token?min_ttl=" + url.QueryEscape(c.MinTTL)
	if err := (&hubClient{base: c.URL, key: key}).get(ctx, path, &answer); err != nil {
		return err
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
