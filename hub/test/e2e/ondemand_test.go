package hub_test

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
)

// pair is two hubs on one PostgreSQL.
func pair(t *testing.T) (one, two *running) {
	t.Helper()
	url, keyFile := storetest.Postgres(t), t.TempDir()+"/shared.key"
	if err := hub.CreateKey(keyFile); err != nil {
		t.Fatal(err)
	}
	flags := map[string]any{"database.url": url, "key.file": keyFile}
	return startHub(t, flags), startHub(t, flags)
}

// aged waits until a connection's token is old enough to be renewed again.
func (r *running) aged(t *testing.T, connection string) {
	t.Helper()
	var v struct {
		RenewedAt time.Time `json:"renewed_at"`
	}
	r.admin.must(t, "GET", "/api/v1/connections/"+connection, nil, &v)
	until(t, v.RenewedAt.Add(10*time.Second+50*time.Millisecond))
}

func TestARejectedTokenIsRenewedOnceForAllWhoSaySo(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	one, two := pair(t)
	s := world.Service("oauth2")
	connection := one.addService(t, s)
	one.authorise(t, connection)
	process := one.key(t, connection)
	path := "/api/v1/connections/" + connection + "/token/rejected"
	status, body := process.do(t, "POST", path, map[string]any{"generation": 1})
	if status != http.StatusTooManyRequests {
		t.Errorf("a token of a moment ago was renewed again: %d %s", status, body)
	}
	one.aged(t, connection)
	var callers sync.WaitGroup
	for n := range 64 {
		callers.Go(func() {
			c := process.withBase([]*running{one, two}[n%2])
			status, data := c.do(t, "POST", path, map[string]any{"generation": 1})
			var got pulled
			if err := json.Unmarshal(data, &got); err != nil || status != http.StatusOK || got.Generation != 2 {
				t.Errorf("caller %d got %d, generation %d: %s", n, status, got.Generation, data)
			}
		})
	}
	callers.Wait()
	if v := one.view(t, connection); v.Generation != 2 || s.Spent() != 0 {
		t.Errorf("generation %d, %d refresh tokens spent twice", v.Generation, s.Spent())
	}
	if status, _ := process.do(t, "POST", path, map[string]any{"generation": 9}); status != http.StatusUnprocessableEntity {
		t.Errorf("a generation that there is not yet answered %d", status)
	}
}

// answer is the head of a reply to a pull.
type answer struct {
	status int
	etag   string
}

// ask is a pull with a header and a wait.
func (c *client) ask(ctx context.Context, connection, query, etag string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/connections/"+connection+"/token?"+query, nil)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	req.Header.Set("If-None-Match", etag)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	return answer{resp.StatusCode, resp.Header.Get("ETag")}, resp.Body.Close()
}

func TestAProcessCanWaitForTheNextGeneration(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	one, two := pair(t)
	connection := one.addService(t, world.Service("oauth2"))
	one.authorise(t, connection)
	process := one.key(t, connection)
	began := make(chan struct{}, 2)
	var waiters sync.WaitGroup
	for _, r := range []*running{one, two} {
		waiters.Go(func() {
			began <- struct{}{}
			got, err := process.withBase(r).ask(t.Context(), connection, "wait=30s", `"1"`)
			if err != nil || got.status != http.StatusOK || got.etag != `"2"` {
				t.Errorf("a waiter got %v %v", got, err)
			}
		})
	}
	<-began
	<-began
	one.admin.must(t, "POST", "/api/v1/connections/"+connection+"/renew", nil, nil)
	waiters.Wait()

	if got, err := process.ask(t.Context(), connection, "wait=1s", `"2"`); err != nil || got.status != http.StatusNotModified {
		t.Errorf("after a wait for nothing: %v %v", got, err)
	}
	gone := make(chan answer, 1)
	go func() {
		got, err := process.ask(t.Context(), connection, "wait=30s", `"2"`)
		if err != nil {
			t.Error(err)
		}
		gone <- got
	}()
	one.admin.must(t, "POST", "/api/v1/connections/"+connection+"/pause", nil, nil)
	if got := <-gone; got.status != http.StatusConflict {
		t.Errorf("whoever waits for a connection that is paused gets %v", got)
	}
}

// listen reads events until one is accepted.
func listen(t *testing.T, r *running, key, lastID string, accept func(id string, data map[string]any) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.hub.URL()+"/api/v1/events", nil)
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
	world := startWorld(t, time.Hour)
	one, two := pair(t)
	mine := one.addService(t, world.Service("oauth2"))
	other := one.addService(t, world.Service("google-calendar"))
	one.authorise(t, mine)
	one.authorise(t, other)
	process := one.key(t, mine)
	var last string
	renewed := false
	listen(t, two, process.key, "", func(id string, data map[string]any) bool {
		if !renewed { // the first line says that the stream listens
			renewed = true
			one.admin.must(t, "POST", "/api/v1/connections/"+other+"/renew", nil, nil)
			one.admin.must(t, "POST", "/api/v1/connections/"+mine+"/renew", nil, nil)
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
	one.admin.must(t, "POST", "/api/v1/connections/"+mine+"/pause", nil, nil)
	listen(t, one, process.key, last, func(_ string, data map[string]any) bool {
		return data["status"] == "paused" // told although it happened while nobody listened
	})
	if status, _ := (&client{base: one.hub.URL(), key: "evg_wrong"}).do(t, "GET", "/api/v1/events", nil); status != http.StatusUnauthorized {
		t.Errorf("a wrong key gets %d", status)
	}
}
