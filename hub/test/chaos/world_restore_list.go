package main

import (
	"context"
	"net/http"
	"time"
)

// compareWait is how long hubs wait for replicas that do not come back after a restore.
const compareWait = "30s"

// compared waits until a hub's database is compared after it went back, and returns the
// connections that are listed as behind the backup.
func (v *venue) compared(ctx context.Context, h *hubProcess) (listed []string, err error) {
	bounded, cancel := context.WithTimeout(ctx, 2*recoveryTimeout)
	defer cancel()
	for {
		at, err := v.client.restoreState(bounded, h.url)
		if err == nil && at.Noticed && !at.Held {
			return v.client.behind(bounded, h.url)
		}
		if wait(bounded, 200*time.Millisecond) != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			v.problem("no restore was noticed and compared within %s: %+v, %v", 2*recoveryTimeout, at, err)
			return nil, nil
		}
	}
}

// startCompared starts a hub on a database that went back, and returns when that is compared.
func (v *venue) startCompared(ctx context.Context, n int) (h *hubProcess, listed []string, err error) {
	if h, err = v.open(ctx, n, ""); err != nil {
		return nil, nil, err
	}
	if listed, err = v.compared(ctx, h); err != nil {
		return nil, nil, err
	}
	return h, listed, v.asked(ctx, h)
}

// restoreView is how a restore stands.
type restoreView struct{ Held, Noticed bool }

func (c client) restoreState(ctx context.Context, hub string) (at restoreView, err error) {
	var answer struct {
		Held    bool `json:"held"`
		Noticed *struct {
			Cause string `json:"cause"`
		} `json:"noticed"`
	}
	err = c.do(ctx, http.MethodGet, hub+"/api/v1/data/restore", nil, &answer)
	return restoreView{Held: answer.Held, Noticed: answer.Noticed != nil}, err
}

// behind names the connections that are listed as behind the backup.
func (c client) behind(ctx context.Context, hub string) (names []string, err error) {
	var answer struct {
		Items []struct {
			Connection string `json:"connection"`
		} `json:"items"`
	}
	err = c.do(ctx, http.MethodGet, hub+"/api/v1/data/behind", nil, &answer)
	for _, item := range answer.Items {
		names = append(names, item.Connection)
	}
	return names, err
}

// decide is an administrator's decision about what is listed: "try" or "links".
func (c client) decide(ctx context.Context, hub, decision string, connections []string) error {
	return c.do(ctx, http.MethodPost, hub+"/api/v1/data/behind/"+decision, map[string]any{"connections": connections}, nil)
}
