package connection_test

import (
	"bufio"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

// transition is a cell of the table in docs/state-machine.md.
type transition struct {
	to     connection.Phase
	action string
}

type cell struct {
	from  connection.Phase
	event connection.EventKind
}

const stateMachine = "../../../docs/state-machine.md"

// section returns the lines of a section of the page.
func section(t *testing.T, title string) []string {
	t.Helper()
	file, err := os.Open(stateMachine)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var lines []string
	in := false
	for s := bufio.NewScanner(file); s.Scan(); {
		if name, ok := strings.CutPrefix(s.Text(), "## "); ok {
			in = name == title
			continue
		}
		if in {
			lines = append(lines, strings.TrimSpace(s.Text()))
		}
	}
	if len(lines) == 0 {
		t.Fatalf("%s has no section %q", stateMachine, title)
	}
	return lines
}

func cells(row string) []string {
	parts := strings.Split(strings.Trim(row, "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// tableOf reads the table of the page.
func tableOf(t *testing.T) map[cell]transition {
	t.Helper()
	table := map[cell]transition{}
	var phases []string
	for _, line := range section(t, "Table") {
		switch {
		case !strings.HasPrefix(line, "|"), strings.HasPrefix(line, "|--"):
			continue
		case phases == nil:
			phases = cells(line)[1:]
			continue
		}
		row := cells(line)
		event := connection.EventKind(strings.Trim(row[0], "`"))
		for i, text := range row[1:] {
			from := connection.Phase(strings.Trim(phases[i], "`"))
			to, action, found := strings.Cut(text, " ")
			if !found {
				to, action = string(from), text
			}
			if _, twice := table[cell{from, event}]; twice {
				t.Errorf("%s at %s is in the table twice", event, from)
			}
			table[cell{from, event}] = transition{connection.Phase(strings.Trim(to, "`")), action}
		}
	}
	return table
}

// drawingOf reads the edges of the drawing.
func drawingOf(t *testing.T) map[cell]connection.Phase {
	t.Helper()
	edges := map[cell]connection.Phase{}
	for _, line := range section(t, "Drawing") {
		from, rest, isEdge := strings.Cut(line, " --> ")
		to, events, named := strings.Cut(rest, ": ")
		if !isEdge || !named {
			continue
		}
		for event := range strings.SplitSeq(events, ", ") {
			edge := cell{connection.Phase(from), connection.EventKind(event)}
			if _, twice := edges[edge]; twice {
				t.Errorf("%s at %s is drawn twice", event, from)
			}
			edges[edge] = connection.Phase(to)
		}
	}
	return edges
}

var (
	// rotating replaces refresh tokens, keeping does not: only its sets can be
	// restored, and its lost replies are harmless.
	rotating = policy(provider.AutoRenewRefreshToken, func(p *connection.Policy) { p.Rotation.Kind = provider.RotationRotates })
	keeping  = policy(provider.AutoRenewRefreshToken, nil)
)

// inPhase brings a connection into a phase by events alone.
func inPhase(t *testing.T, phase connection.Phase, p connection.Policy) connection.Connection {
	t.Helper()
	paths := map[connection.Phase][]connection.EventKind{
		connection.PhasePending:   {},
		connection.PhaseHealthy:   {connection.EventGranted},
		connection.PhaseRetrying:  {connection.EventGranted, connection.EventTransient},
		connection.PhaseBlocked:   {connection.EventGranted, connection.EventBlocked},
		connection.PhaseUncertain: {connection.EventGranted, connection.EventOwnerAwaited},
		connection.PhaseSuspect:   {connection.EventGranted, connection.EventSuspected},
		connection.PhasePaused:    {connection.EventGranted, connection.EventTransient, connection.EventPaused},
		connection.PhaseEnded:     {connection.EventGranted, connection.EventRefused},
		connection.PhaseRevoked:   {connection.EventGranted, connection.EventRevoked},
	}
	c := connection.New(start, "id-1", "sales", "Sales", "svc-1", p)
	for _, kind := range paths[phase] {
		c = c.Apply(start, eventOf(c, kind, start))
	}
	if c.Phase() != phase {
		t.Fatalf("the connection is %s, want %s", c.Phase(), phase)
	}
	return c
}

// later is when the events under test happen: after each waiting time.
var later = start.Add(7 * time.Hour)

// eventOf makes an event of a kind that could happen to c.
func eventOf(c connection.Connection, kind connection.EventKind, now time.Time) connection.Event {
	e := connection.Event{
		Kind: kind, Sent: c.Generation, Asked: now, Token: token(10*time.Hour, "r-next"), Policy: c.Policy,
		Past: connection.PastSet{Generation: c.Generation - 1, Tokens: connection.TokenSet{AccessToken: "a-past", RefreshToken: "r-past", ObtainedAt: start, ExpiresAt: start.Add(time.Hour)}},
	}
	switch kind {
	case connection.EventTransient, connection.EventReplyLost:
		e.Failure, e.Lost = provider.Errorf(provider.Transient, "", "503"), connection.Lost{SentAt: now}
	case connection.EventBlocked:
		e.Failure = provider.Errorf(provider.Blocked, "invalid_client", "wrong secret")
	case connection.EventSuspected:
		e.Failure = provider.Errorf(provider.Internal, "flux_capacitor", "please contact us")
		e.Failure.HTTPStatus = 400
	case connection.EventTooEarly:
		e.Failure = provider.Errorf(provider.Transient, "invalid_grant", "token not expired")
		e.Failure.TooEarly = true
	case connection.EventHalfRenewed:
		e.Failure = provider.Errorf(provider.Internal, "", "no access token")
		e.Failure.RefreshToken = "r-half"
	case connection.EventRefused:
		e.Failure = provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "gone")
	case connection.EventOwnerAwaited, connection.EventDeferred:
		e.Until = now.Add(15 * time.Minute)
	case connection.EventStale:
		e.Kind, e.Sent = connection.EventRefused, c.Generation-1
		e.Failure = provider.Errorf(provider.ReauthorizationRequired, "invalid_grant", "spent")
	}
	return e
}

// actionOf tells what was done, by what can be seen of it.
func actionOf(before, after connection.Connection, now time.Time) string {
	wait := after.Due.Sub(now)
	counted := after.Failure != nil && (before.Failure == nil || after.Failure.Count == before.Failure.Count+1)
	switch {
	case reflect.DeepEqual(before, after):
		return "—"
	case after.Tokens.AccessToken == "":
		return "forget"
	case after.Generation == before.Generation+1 && after.Failure == nil && after.Due.Equal(after.NextDue(now)):
		return "set"
	case after.Generation == before.Generation+1 && after.Failure != nil && after.Tokens.AccessToken == before.Tokens.AccessToken &&
		after.Tokens.RefreshToken == "r-half" && after.Tokens.ExpiresAt.Equal(before.Tokens.ExpiresAt) && wait <= 6*time.Minute:
		return "keep"
	case !reflect.DeepEqual(before.Tokens, after.Tokens):
		return "tokens changed within a generation"
	case after.Due.IsZero():
		return "stop"
	case after.Trouble() == nil && after.Failure != nil && after.Due.After(after.Tokens.ExpiresAt):
		return "expiry"
	case counted && after.Failure.RetryAfter.Equal(after.Due):
		return "await"
	case counted && after.Failure.Uncertain && wait > 6*time.Minute && after.Tokens.ExpiresAt.Sub(after.Due) >= 30*time.Minute:
		return "hold"
	case counted && wait <= 6*time.Minute && after.Failure.Kind == provider.Transient:
		return "back off"
	case counted && wait >= 5*time.Minute && (after.Failure.Kind == provider.Blocked || after.Failure.Suspect):
		return "wait"
	case after.Failure == nil && before.Phase() != after.Phase(), after.Failure == nil && after.Due.Equal(after.NextDue(now)):
		return "go on"
	case reflect.DeepEqual(before.Failure, after.Failure) && wait >= 15*time.Minute:
		return "move"
	}
	return "something that has no name"
}

func TestTheTableOfTheStateMachineIsTheCode(t *testing.T) {
	table := tableOf(t)
	for _, from := range connection.Phases {
		for _, kind := range connection.EventKinds {
			want, ok := table[cell{from, kind}]
			if !ok {
				t.Errorf("%s at %s is not in the table", kind, from)
				continue
			}
			delete(table, cell{from, kind})
			p := rotating
			if kind == connection.EventRestored {
				p = keeping
			}
			before := inPhase(t, from, rotating)
			before.Policy = p
			e := eventOf(before, kind, later)
			if kind == connection.EventEdited { // one that makes a difference
				e.Policy.Window.Margin = time.Minute
				before.Policy, before.Due = e.Policy, before.Due.Add(-time.Minute)
				if before.State != connection.StateActive {
					before.Due = time.Time{}
				}
			}
			after := before.Apply(later, e)
			if got := (transition{after.Phase(), actionOf(before, after, later)}); got != want {
				t.Errorf("%s at %s: the code does %q → %s, the table says %q → %s", kind, from, got.action, got.to, want.action, want.to)
			}
		}
	}
	for left := range table {
		t.Errorf("the table has %s at %s, which the code does not know", left.event, left.from)
	}
}

func TestTheDrawingOfTheStateMachineIsTheTable(t *testing.T) {
	drawn := drawingOf(t)
	quiet := []string{"—", "move", "go on", "expiry"}
	for at, does := range tableOf(t) {
		to, isDrawn := drawn[at]
		mustBe := at.from != does.to || !slices.Contains(quiet, does.action)
		switch {
		case isDrawn && to != does.to:
			t.Errorf("%s leads from %s to %s, but to %s in the drawing", at.event, at.from, does.to, to)
		case mustBe && !isDrawn:
			t.Errorf("%s leads from %s to %s, but is not drawn", at.event, at.from, does.to)
		case !mustBe && isDrawn:
			t.Errorf("%s at %s is drawn, but changes neither state nor tokens", at.event, at.from)
		}
		delete(drawn, at)
	}
	for left := range drawn {
		t.Errorf("the drawing has %s at %s, which is not in the table", left.event, left.from)
	}
}

func TestStatesAndEventsAreExplained(t *testing.T) {
	states, events := strings.Join(section(t, "States"), "\n"), strings.Join(section(t, "Events"), "\n")
	for _, phase := range connection.Phases {
		if !strings.Contains(states, "| `"+string(phase)+"` |") {
			t.Errorf("the state %s is not explained", phase)
		}
	}
	for _, event := range connection.EventKinds {
		if !strings.Contains(events, "`"+string(event)+"`") {
			t.Errorf("the event %s is not explained", event)
		}
	}
}
