package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// pair is two hubs on one PostgreSQL.
func pair(t *testing.T) (one, two *hubtest.Running) {
	t.Helper()
	url, keyFile := storetest.Postgres(t), t.TempDir()+"/shared.key"
	if err := hub.CreateKey(keyFile); err != nil {
		t.Fatal(err)
	}
	flags := map[string]any{"database.url": url, "key.file": keyFile}
	return hubtest.StartHub(t, flags), hubtest.StartHub(t, flags)
}

// aged waits until a connection's token is old enough to be renewed again.
func aged(t *testing.T, r *hubtest.Running, connection string) {
	t.Helper()
	var v struct {
		RenewedAt time.Time `json:"renewed_at"`
	}
	r.Admin.Must(t, "GET", "/api/v1/connections/"+connection, nil, &v)
	hubtest.Until(t, v.RenewedAt.Add(10*time.Second+50*time.Millisecond))
}

func TestARejectedTokenIsRenewedOnceForAllWhoSaySo(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	one, two := pair(t)
	s := world.Service("oauth2")
	connection := one.AddService(t, s)
	one.Authorize(t, connection)
	process := one.Key(t, connection)
	path := "/api/v1/connections/" + connection + "/token/rejected"
	status, body := process.Do(t, "POST", path, map[string]any{"generation": 1})
	if status != http.StatusTooManyRequests {
		t.Errorf("a token of a moment ago was renewed again: %d %s", status, body)
	}
	aged(t, one, connection)
	var callers sync.WaitGroup
	for n := range 64 {
		callers.Go(func() {
			c := withBase(process, []*hubtest.Running{one, two}[n%2])
			status, data := c.Do(t, "POST", path, map[string]any{"generation": 1})
			var got hubtest.Pulled
			if err := json.Unmarshal(data, &got); err != nil || status != http.StatusOK || got.Generation != 2 {
				t.Errorf("caller %d got %d, generation %d: %s", n, status, got.Generation, data)
			}
		})
	}
	callers.Wait()
	if v := one.View(t, connection); v.Generation != 2 || s.Spent() != 0 {
		t.Errorf("generation %d, %d refresh tokens spent twice", v.Generation, s.Spent())
	}
	if status, _ := process.Do(t, "POST", path, map[string]any{"generation": 9}); status != http.StatusUnprocessableEntity {
		t.Errorf("a generation that there is not yet answered %d", status)
	}
}

func TestAProcessCanWaitForTheNextGeneration(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	one, two := pair(t)
	connection := one.AddService(t, world.Service("oauth2"))
	one.Authorize(t, connection)
	process := one.Key(t, connection)
	began := make(chan struct{}, 2)
	var waiters sync.WaitGroup
	for _, r := range []*hubtest.Running{one, two} {
		waiters.Go(func() {
			began <- struct{}{}
			got, err := withBase(process, r).Ask(t.Context(), connection, "wait=30s", `"1"`)
			if err != nil || got.Status != http.StatusOK || got.Etag != `"2"` {
				t.Errorf("a waiter got %v %v", got, err)
			}
		})
	}
	<-began
	<-began
	one.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	waiters.Wait()

	if got, err := process.Ask(t.Context(), connection, "wait=1s", `"2"`); err != nil || got.Status != http.StatusNotModified {
		t.Errorf("after a wait for nothing: %v %v", got, err)
	}
	gone := make(chan hubtest.Answer, 1)
	go func() {
		got, err := process.Ask(t.Context(), connection, "wait=30s", `"2"`)
		if err != nil {
			t.Error(err)
		}
		gone <- got
	}()
	one.Admin.Must(t, "POST", "/api/v1/connections/"+connection+"/pause", nil, nil)
	if got := <-gone; got.Status != http.StatusConflict {
		t.Errorf("whoever waits for a connection that is paused gets %v", got)
	}
}

// listen reads events until one is accepted.
func listen(t *testing.T, r *hubtest.Running, key, lastID string, accept func(id string, data map[string]any) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Hub.URL()+"/api/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	lines, id := bufio.NewScanner(resp.Body), ""
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			id = rest
		}
		rest, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			if strings.HasPrefix(lines.Text(), ":") && accept("", nil) {
				return
			}
			continue
		}
		var data map[string]any
		if err := json.Unmarshal([]byte(rest), &data); err != nil {
			t.Fatal(err)
		}
		if accept(id, data) {
			return
		}
	}
	t.Fatalf("the stream ended: %v", errors.Join(lines.Err(), ctx.Err()))
}

func TestEventsTellGenerationsOfWhatTheKeyMaySee(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	one, two := pair(t)
	mine := one.AddService(t, world.Service("oauth2"))
	other := one.AddService(t, world.Service("google-calendar"))
	one.Authorize(t, mine)
	one.Authorize(t, other)
	process := one.Key(t, mine)
	var last string
	renewed := false
	listen(t, two, process.Key, "", func(id string, data map[string]any) bool {
		if !renewed { // the first line says that the stream listens
			renewed = true
			one.Admin.Must(t, "POST", "/api/v1/connections/"+other+"/renew", nil, nil)
			one.Admin.Must(t, "POST", "/api/v1/connections/"+mine+"/renew", nil, nil)
			return false
		}
		if data == nil {
			return false
		}
		if data["connection"] != mine || strings.Contains(fmt.Sprint(data), "token") {
			t.Errorf("the key sees %v", data)
		}
		last = id
		return data["generation"] == float64(2)
	})
	one.Admin.Must(t, "POST", "/api/v1/connections/"+mine+"/pause", nil, nil)
	listen(t, one, process.Key, last, func(_ string, data map[string]any) bool {
		return data["status"] == "paused" // told although it happened while nobody listened
	})
	if status, _ := (&hubtest.Client{Base: one.Hub.URL(), Key: "evg_wrong"}).Do(t, "GET", "/api/v1/events", nil); status != http.StatusUnauthorized {
		t.Errorf("a wrong key gets %d", status)
	}
}
