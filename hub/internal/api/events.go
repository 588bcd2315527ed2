package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// EventsInput asks for a stream of events.
type EventsInput struct {
	Authorization string `header:"Authorization" hidden:"true"`
	Connection    string `query:"connection" doc:"Only this connection"`
	LastEventID   string `header:"Last-Event-ID" doc:"Go on after this event: what has changed since is told first"`
}

// Change is the data of an event. It never holds a token.
type Change struct {
	Connection string     `json:"connection"`
	Generation int64      `json:"generation"`
	Status     string     `json:"status"`
	ValidUntil *time.Time `json:"valid_until,omitempty"`
	PersonBy   *time.Time `json:"person_by,omitempty"`
	At         time.Time  `json:"at"`
}

// Bounds of a stream.
const (
	heartbeat    = 15 * time.Second
	mostPerRead  = 500
	writeTimeout = 10 * time.Second // a slower reader is cut off
)

func (a *API) registerEvents() {
	huma.Register(a.huma, huma.Operation{
		OperationID: eventsOperation, Method: http.MethodGet, Path: "/api/v1/events",
		Summary: "Stream generations and status changes (server-sent events)", Tags: []string{"Tokens"}, Security: bearer,
		Description: "An event `change` for each new generation or status of the connections that the key may pull; administrators' keys see all. " +
			"The id of an event can be sent as Last-Event-ID to go on after a break. Comments keep the stream alive.",
		Responses: map[string]*huma.Response{"200": {Description: "Events", Content: map[string]*huma.MediaType{"text/event-stream": {}}}},
		Errors:    []int{401, 403, 429, 500},
	}, a.events)
}

func (a *API) events(ctx context.Context, in *EventsInput) (*huma.StreamResponse, error) {
	key, err := a.access.Authenticate(ctx, in.Authorization, audit.From(ctx).Address)
	if err != nil {
		return nil, a.fail(err)
	}
	if !access.Has(key, access.ScopeTokenRead) && !access.Has(key, access.ScopeConnectionRead) {
		return nil, a.fail(access.ErrForbidden)
	}
	leave, err := a.hold(in.Authorization)
	if err != nil {
		return nil, a.fail(err)
	}
	a.touchKey(ctx, key.ID, time.Now())
	return &huma.StreamResponse{Body: func(c huma.Context) {
		defer leave()
		c.SetHeader("Content-Type", "text/event-stream; charset=utf-8")
		c.SetHeader("Cache-Control", "no-store")
		c.SetHeader("X-Accel-Buffering", "no")
		s := &stream{api: a, key: key, authorization: in.Authorization, only: in.Connection, out: humagin.Unwrap(c).Writer}
		s.control = http.NewResponseController(s.out)
		if last, err := strconv.ParseInt(in.LastEventID, 10, 64); err == nil {
			s.last = time.UnixMilli(last)
		} else {
			s.last = time.Now()
		}
		s.run(c.Context(), in.LastEventID != "")
	}}, nil
}

// stream is one reader of events.
type stream struct {
	api *API
	// key is read again with each heartbeat.
	key           peopledb.APIKey
	authorization string

	only    string
	out     http.ResponseWriter
	control *http.ResponseController
	last    time.Time // of the newest change that was sent
}

// run sends changes until the reader disconnects or is too slow, or its key is no longer
// valid.
func (s *stream) run(ctx context.Context, catchUp bool) {
	_ = s.control.SetReadDeadline(time.Time{}) // the request is read; the stream has no end
	changes := s.api.changes.Subscribe()
	defer changes.Close()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	if s.write(": listening\n\n") != nil || catchUp && s.since(ctx) != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.api.ending:
			return
		case <-beat.C:
			key, err := s.api.access.Authenticate(ctx, s.authorization, audit.From(ctx).Address)
			if err != nil || s.write(": still here\n\n") != nil {
				return // revoked, or the reader has gone
			}
			s.key = key
		case <-changes.Ready():
			ids, all := changes.Take()
			if all {
				if s.since(ctx) != nil {
					return
				}
				continue
			}
			if s.sendChanged(ctx, ids) != nil {
				return
			}
		}
	}
}

func (s *stream) sendChanged(ctx context.Context, ids []string) error {
	for _, id := range ids {
		if !s.sees(ctx, id) {
			continue
		}
		c, err := s.api.store.Grants.Connection(ctx, id)
		if err != nil {
			continue // deleted meanwhile
		}
		if err := s.send(c); err != nil {
			return err
		}
	}
	return nil
}

// since sends what has changed after the last event.
func (s *stream) since(ctx context.Context) error {
	for {
		changed, err := s.api.store.Grants.ChangedSince(ctx, s.last, mostPerRead)
		if err != nil {
			return err
		}
		for _, c := range changed {
			s.last = c.UpdatedAt
			if s.sees(ctx, c.ID) {
				if err := s.send(c); err != nil {
					return err
				}
			}
		}
		if len(changed) < mostPerRead {
			return nil
		}
	}
}

func (s *stream) sees(ctx context.Context, id string) bool {
	if access.MayAdminister(s.key) {
		return true
	}
	opens, err := s.api.access.Opens(ctx, s.key, id)
	return err == nil && opens
}

func (s *stream) send(c connection.Connection) error {
	if s.only != "" && c.Name != s.only {
		return nil
	}
	by, _ := c.PersonBy()
	data, err := json.Marshal(Change{
		Connection: c.Name, Generation: c.Generation, Status: string(c.StatusAt(time.Now())),
		ValidUntil: orAbsent(c.Tokens.ExpiresAt), PersonBy: orAbsent(by), At: c.UpdatedAt.UTC(),
	})
	if err != nil {
		return err
	}
	if c.UpdatedAt.After(s.last) {
		s.last = c.UpdatedAt
	}
	return s.write(fmt.Sprintf("id: %d\nevent: change\ndata: %s\n\n", c.UpdatedAt.UnixMilli(), data))
}

func (s *stream) write(text string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := s.out.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
