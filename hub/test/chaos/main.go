package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// stage is what the parts share.
type stage struct {
	// bin holds evergrant, evergrant-crash (with crash points) and plugins/.
	bin string
	// postgresBin holds initdb and postgres.
	postgresBin string
	// oidc is the folder of the oidc-provider server with its packages.
	oidc string
	// dir is for everything that the parts write.
	dir   string
	short bool
	out   io.Writer
	// scene chooses scenes of the part world by the beginning of their names.
	scene  string
	random randomOptions
	// reliability is the page that gets the tables; "" for none.
	reliability string
	// faketime is the library that PostgreSQL's clock is stepped with; "" leaves those
	// scenes out.
	faketime string
	// clockHub is the hub whose clock steps; it is built where a scene needs it, unless it
	// is given.
	clockHub string
}

// part is something that can be run alone.
type part struct {
	name string
	what string
	run  func(context.Context, *stage) (tally, error)
}

var parts = []part{
	{"crash", "kill hub and plugin at every step of a renewal", crashMatrix},
	{"authorization", "kill the hub at every step of an authorization that brings two grants", authorizations},
	{"race", "three hubs, one database, short lives, many callers", race},
	{"kills", "three hubs that are killed again and again while they race", kills},
	{"rolling", "three hubs that are stopped and started in turn, as for an upgrade", rolling},
	{"oidc", "the same against oidc-provider, which ends the family of a replayed token", raceOIDC},
	{"outage-postgres", "PostgreSQL stops in the middle of renewals", outagePostgres},
	{"outage-network", "connections to PostgreSQL are cut, delayed and reset", outageNetwork},
	{"outage-endpoint", "the token endpoint fails, refuses and hangs", outageEndpoint},
	{"outage-dns", "the token endpoint's name stops to resolve", outageDNS},
	{"messages", "kill hubs between the end of a grant and the messages about it", messages},
	{"outage-disk", "the disk is full when the reply arrives", outageDisk},
	{"world", "answers come late, hubs and plugins freeze, the journal and the database are not there", world},
	{"random", "troubles at moments that a seed decides on", random},
}

func main() {
	for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
		_ = os.Unsetenv(name) // everything is on loopback, under whatever name
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, out io.Writer) int {
	st := &stage{out: out}
	var only string
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.StringVar(&st.bin, "bin", "", "folder with evergrant, evergrant-crash and plugins/")
	flags.StringVar(&st.postgresBin, "postgres", "", "folder with initdb and postgres")
	flags.StringVar(&st.oidc, "oidc", "plugins/oauth2/oidctest", "folder of the oidc-provider server")
	flags.StringVar(&st.reliability, "write", "", "page that gets the tables of the crash matrix and of the scenes, for example docs/reliability.md")
	flags.StringVar(&st.scene, "scene", "", "beginning of the names of the scenes that the part world plays")
	flags.StringVar(&st.faketime, "faketime", "", "libfaketime.so.1, with which PostgreSQL's clock is stepped")
	flags.StringVar(&st.clockHub, "clock-hub", "", "hub that an earlier run has built for the scenes of stepped clocks; empty builds one, in minutes")
	flags.Uint64Var(&st.random.seed, "seed", 0, "what the part random does; 0 takes one of the time, which is printed")
	flags.DurationVar(&st.random.long, "for", 0, "how long the part random goes on")
	flags.StringVar(&st.random.database, "db", "both", "databases of the parts world and random: postgres, sqlite or both")
	drill := flags.Bool("drill", false, "play the fire drill, and nothing else")
	flags.BoolVar(&st.short, "short", false, "less of everything, in about 90 seconds")
	flags.StringVar(&only, "only", "", "parts to run, parted by commas: a name or its beginning, for example crash or outage")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	chosen, err := choose(only)
	if err == nil {
		err = st.random.check()
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return 2
	}
	if st.dir, err = os.MkdirTemp("", "evergrant-chaos-"); err == nil {
		err = os.Chmod(st.dir, 0o711) //nolint:gosec // PostgreSQL's account has to reach its folder in it
	}
	if err == nil {
		st.bin, err = filepath.Abs(st.bin)
	}
	if err != nil {
		_, _ = fmt.Fprintln(out, err)
		return 1
	}
	if *drill {
		line, failed := st.drill(ctx)
		if failed {
			st.say("drill: the hubs' logs are in %s", st.dir)
		} else {
			_ = os.RemoveAll(st.dir)
		}
		st.say("%s", line)
		if failed {
			return 1
		}
		return 0
	}
	return st.runAll(ctx, chosen)
}

func choose(only string) ([]part, error) {
	if only == "" {
		return parts, nil
	}
	chosen := slices.DeleteFunc(slices.Clone(parts), func(p part) bool {
		return !slices.ContainsFunc(strings.Split(only, ","), func(w string) bool { return strings.HasPrefix(p.name, w) })
	})
	if len(chosen) == 0 {
		return nil, fmt.Errorf("there is no part %q", only)
	}
	return chosen, nil
}

// atOnce is how many parts of a short run go side by side: most of their time
// they wait. A long run measures, so its parts are alone.
const atOnce = 4

// runAll runs every part, also after one has failed, and prints the closing
// line. What the hubs wrote is kept if something went wrong.
func (st *stage) runAll(ctx context.Context, chosen []part) int {
	var mu sync.Mutex
	var all tally
	var work sync.WaitGroup
	free := make(chan struct{}, sized(st, 1, atOnce))
	for _, p := range chosen {
		free <- struct{}{}
		work.Go(func() {
			defer func() { <-free }()
			own := *st
			var said bytes.Buffer
			if st.short {
				own.out = &said
			}
			t := own.runPart(ctx, p)
			mu.Lock()
			defer mu.Unlock()
			all.add(t)
			_, _ = said.WriteTo(st.out)
		})
	}
	work.Wait()
	failed := all.failed()
	if failed {
		st.say("chaos: %d problems; the hubs' logs are in %s", len(all.problems), st.dir)
	} else {
		_ = os.RemoveAll(st.dir)
	}
	if all.declared > 0 {
		st.say("chaos: %d grants ended that the protocol lets nobody keep, as their provider declares", all.declared)
	}
	if all.killedOut > 0 {
		st.say("chaos: %d ended because their hub was killed with the request out", all.killedOut)
	}
	st.say("chaos: %s", all.line())
	if failed {
		return 1
	}
	return 0
}

// runPart runs one part and says what came of it.
func (st *stage) runPart(ctx context.Context, p part) tally {
	begin := time.Now()
	st.say("== %s: %s", p.name, p.what)
	t, err := p.run(ctx, st)
	if skip, ok := errors.AsType[skipError](err); ok {
		st.say("== %s: SKIPPED: %v", p.name, skip)
		return t
	}
	if err != nil {
		t.problem("%s: %v", p.name, err)
	}
	for _, problem := range t.problems {
		st.say("   PROBLEM %s", problem)
	}
	st.say("== %s: %s, in %s", p.name, t.line(), time.Since(begin).Round(100*time.Millisecond))
	return t
}

// saying keeps lines whole.
var saying sync.Mutex

func (st *stage) say(format string, args ...any) {
	saying.Lock()
	defer saying.Unlock()
	_, _ = fmt.Fprintf(st.out, format+"\n", args...)
}

// sized returns a size of the long or of the short run.
func sized[T any](st *stage, long, short T) T {
	if st.short {
		return short
	}
	return long
}

// skipError says why a part cannot run on this machine.
type skipError struct{ reason string }

// Error implements error.
func (e skipError) Error() string { return e.reason }
