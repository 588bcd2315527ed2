package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evergrant/evergrant/hub/internal/waittest"
)

const every = 5 * time.Second

var noon = time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC)

func TestWhatClocksDoIsJudged(t *testing.T) {
	for name, tt := range map[string]struct {
		hub, database time.Duration // the step before the second sample
		trip          time.Duration
		doubt         bool
		by            time.Duration
	}{
		"time passes":                      {},
		"put right a little":               {hub: -3 * time.Second, database: 3 * time.Second},
		"the hub steps forward":            {hub: 2 * time.Minute, doubt: true},
		"the hub steps back":               {hub: -2 * time.Hour, doubt: true},
		"the database steps forward":       {database: 1000 * time.Second, doubt: true, by: 1000 * time.Second},
		"the database steps back":          {database: -2 * time.Hour, doubt: true, by: -2 * time.Hour},
		"both step back together":          {hub: -2 * time.Hour, database: -2 * time.Hour, doubt: true, by: -2 * time.Hour},
		"both step forward together":       {hub: 2 * time.Hour, database: 2 * time.Hour, doubt: true, by: 2 * time.Hour},
		"they step apart":                  {hub: time.Minute, database: -time.Minute, doubt: true, by: -time.Minute},
		"the answer took long":             {database: 6 * time.Second, trip: 4 * time.Second},
		"the answer took long, and a step": {database: time.Minute, trip: 4 * time.Second, doubt: true, by: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			var j judge
			at := func(elapsed, hub, database, trip time.Duration) sample {
				return sample{elapsed: elapsed, hub: noon.Add(elapsed + hub), database: noon.Add(time.Minute + elapsed + database), trip: trip}
			}
			j.look(at(0, 0, 0, 0))
			begun, settled := j.look(at(every, tt.hub, tt.database, tt.trip))
			if begun != tt.doubt || settled || j.doubt != tt.doubt || j.by != tt.by {
				t.Fatalf("begun %t, doubt %t, by %s", begun, j.doubt, j.by)
			}
			if !tt.doubt {
				return
			}
			for elapsed := 2 * every; elapsed <= stable+every; elapsed += every {
				_, settled = j.look(at(elapsed, tt.hub, tt.database, 0))
				if want := elapsed >= stable+every; settled != want {
					t.Fatalf("settled %t after %s", settled, elapsed)
				}
			}
			j.believe()
			if begun, _ := j.look(at(stable+2*every, tt.hub, tt.database, 0)); begun || j.doubt {
				t.Error("what was believed is doubted again")
			}
		})
	}
}

func TestAnotherStepMakesADoubtLonger(t *testing.T) {
	var j judge
	step := time.Hour
	for n := range 20 {
		s := sample{elapsed: time.Duration(n) * every, hub: noon.Add(time.Duration(n) * every), database: noon.Add(time.Duration(n) * every)}
		if n >= 2 {
			s.hub = s.hub.Add(step)
		}
		if n >= 6 {
			s.hub = s.hub.Add(-step)
		}
		if _, settled := j.look(s); settled != (n >= 12) {
			t.Fatalf("sample %d: settled %t", n, settled)
		}
	}
}

// beats has a clock get signs of life for a while; the database is ahead.
func beats(t *testing.T, c *Clock, ahead, lasting time.Duration) {
	t.Helper()
	for range lasting / every {
		waittest.Let(every)
		now := time.Now()
		c.Beaten(t.Context(), now.Add(ahead), now, now)
	}
}

func TestTheDatabasesClockIsTheHubs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{})
		if c.Now() != time.Now() {
			t.Error("a clock that knows nothing is not the hub's")
		}
		beats(t, c, 2*time.Hour, 10*time.Second)
		waittest.Let(time.Minute)
		if got := time.Until(c.Now()); got != 2*time.Hour {
			t.Errorf("it is ahead by %s", got)
		}
		if _, doubt := c.Doubt(); doubt || !c.Latest().Equal(c.Now()) {
			t.Error("clocks that are apart and stay so are doubted")
		}
		if ahead, _ := c.Offset(); ahead != 2*time.Hour {
			t.Errorf("the offset is %s", ahead)
		}
	})
}

func TestADatabaseWhoseClockWentBackIsNotBelievedUntilItsDatesAreMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moved []time.Duration
		refuse := errors.New("the database is away")
		err := refuse
		c := New(Options{Move: func(_ context.Context, by time.Duration) error {
			moved = append(moved, by)
			return err
		}})
		beats(t, c, 0, time.Minute)
		beats(t, c, -2*time.Hour, every)
		d, doubt := c.Doubt()
		if !doubt || d.Database != -2*time.Hour || d.Hub != 0 {
			t.Fatalf("%t %+v", doubt, d)
		}
		if c.Latest().Before(time.Now()) {
			t.Errorf("what expired by the clock before is taken for good: it is read as %s", c.Latest())
		}
		beats(t, c, -2*time.Hour, stable)
		if _, doubt := c.Doubt(); !doubt || len(moved) == 0 || moved[0] != -2*time.Hour {
			t.Fatalf("doubt %t, moved by %v", doubt, moved)
		}
		err = nil
		beats(t, c, -2*time.Hour, every)
		if _, doubt := c.Doubt(); doubt || !c.Latest().Equal(time.Now().Add(-2*time.Hour)) {
			t.Errorf("doubt %t, latest %s", doubt, c.Latest())
		}
	})
}

// A hub that was away while a clock stepped has not seen it, and would take what it finds in
// the database for older or younger than it is.
func TestAStepWhileTheHubWasAwayIsNoticed(t *testing.T) {
	for name, tt := range map[string]struct {
		boot          string
		hub, database time.Duration
		doubt         bool
	}{
		"nothing happened":          {boot: "1"},
		"the database stepped":      {boot: "1", database: 2 * time.Hour, doubt: true},
		"the hub's clock stepped":   {boot: "1", hub: -time.Minute, doubt: true},
		"the machine was restarted": {boot: "2", database: 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				run := func(boot string, hub, database time.Duration, before *Remembered) *Clock {
					c := New(Options{
						Boot: boot, Remembered: before, Elapsed: func() time.Duration { return time.Since(begun) }, Off: func() time.Duration { return hub },
					})
					c.Beaten(t.Context(), time.Now().Add(database), time.Now(), time.Now())
					return c
				}
				noted, ok := run("1", 0, 0, nil).Remembered()
				if !ok {
					t.Fatal("nothing is remembered")
				}
				waittest.Let(10 * time.Minute)
				c := run(tt.boot, tt.hub, tt.database, &noted)
				if d, doubt := c.Doubt(); doubt != tt.doubt || doubt && (d.Hub != tt.hub || d.Database != tt.database) {
					t.Errorf("doubt %t, %+v", doubt, d)
				}
				if again, _ := c.Remembered(); tt.doubt && !again.Same(noted) {
					t.Errorf("what is doubted is remembered: %+v", again)
				}
			})
		})
	}
}
