package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/evergrant/evergrant/hub/internal/crashpoint"
	"github.com/evergrant/evergrant/plugins/examples/workspace/workspacetest"
)

// authorizationSteps are where the hub is killed in an authorization: at the request with
// the code, at its reply, at the reply that names the bot's account, and at the save.
var authorizationSteps = []string{
	crashpoint.RequestWritten, crashpoint.ReplyReceived, crashpoint.ReplyReceived + ":2", crashpoint.Exchanged, crashpoint.MainWritten, crashpoint.Granted,
}

// consentCell is one authorization whose hub is killed.
type consentCell struct {
	step string
	// again is set if both connections have grants already, false if this is the first
	// authorization.
	again    bool
	postgres *postgres // nil is SQLite
}

func (c consentCell) name() string {
	name := "authorization-" + strings.ReplaceAll(c.step, ":", "-")
	if c.again {
		name += "-again"
	}
	if c.postgres != nil {
		name += "-postgres"
	}
	return name
}

// authorizations kills hubs between the code of an authorization and the grants of a bot
// and of a person that it brings. Both are there afterwards, or what was before.
func authorizations(ctx context.Context, st *stage) (t tally, err error) {
	p, err := st.startPostgres(ctx, "authorization-postgres")
	if err != nil {
		return t, err
	}
	defer func() { _ = p.stop(context.WithoutCancel(ctx)) }()
	kept := map[string]int{}
	for _, step := range sized(st, authorizationSteps, []string{crashpoint.MainWritten, crashpoint.Granted}) {
		for _, again := range sized(st, []bool{false, true}, []bool{true}) {
			for _, on := range []*postgres{nil, p} {
				c := consentCell{step, again, on}
				fate, err := st.consentKilled(ctx, c, &t)
				if err != nil {
					t.problem("%s: %v", c.name(), err)
				}
				kept[fate]++
			}
		}
	}
	st.say("   authorization: %d kills: %d with the grants of before, %d with both new ones", kept[""]+kept["before"]+kept["new"], kept["before"], kept["new"])
	return t, nil
}

// consentKilled plays a cell and judges it. It returns which grants were there after the
// kill: "before" or "new".
func (st *stage) consentKilled(ctx context.Context, c consentCell, t *tally) (fate string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*cellTimeout(st))
	defer cancel()
	emulated := workspacetest.New("ann")
	address, err := emulated.Start("127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = emulated.Close() }()
	l, err := st.workspaceLane(ctx, c, address)
	if err != nil {
		return "", err
	}
	back, err := l.killedAtCallback(ctx, c)
	if err != nil {
		return "", err
	}
	next, err := st.startHub(ctx, l.config)
	if err != nil {
		return "", err
	}
	defer next.kill()
	if err := next.serves(ctx); err != nil {
		return "", err
	}
	w := workspaceGrants{c: c, client: l.client, url: next.url, emulated: emulated, back: back}
	fate, err = w.judge(ctx)
	renewals, doubleSpent := emulated.Counts()
	t.renewals, t.doubleSpent = t.renewals+renewals, t.doubleSpent+doubleSpent
	return fate, err
}

// workspaceLane is where a cell happens.
type workspaceLane struct {
	st     *stage
	client client
	config hubConfig
}

// workspaceLane makes a hub's folder and database with the connection "sales", which is
// authorized if the cell is about another authorization.
func (st *stage) workspaceLane(ctx context.Context, c consentCell, address string) (l workspaceLane, err error) {
	dir := filepath.Join(st.dir, c.name())
	l = workspaceLane{st: st, config: hubConfig{name: c.name(), binary: st.hub(), dataDir: dir, keyFile: dir + ".key", plugins: st.plugins()}}
	if c.postgres != nil {
		database := strings.ReplaceAll(c.name(), "-", "_")
		if err := c.postgres.create(ctx, database, ""); err != nil {
			return l, err
		}
		l.config.database = c.postgres.url(database)
	}
	team := wanted{consent: redirected, service: map[string]any{
		"name": "team", "title": "Team", "provider": "workspace", "client_id": "hub", "client_secret": "secret-of-workspace", "options": map[string]any{"server": address},
	}}
	if c.again {
		team.connections = []string{"sales"}
	}
	l.client, err = st.prepare(ctx, dir, l.config.database, l.config.keyFile, team)
	return l, err
}

// killedAtCallback authorizes the connection at a hub that dies on the way, and returns the
// browser, which got no answer.
func (l workspaceLane) killedAtCallback(ctx context.Context, c consentCell) (back wayBack, err error) {
	armed := l.config
	armed.name, armed.binary, armed.env = armed.name+"-armed", filepath.Join(l.st.bin, "evergrant-crash"), []string{"EVERGRANT_TEST_CRASH=" + c.step}
	doomed, err := l.st.startHub(ctx, armed)
	if err != nil {
		return back, err
	}
	defer doomed.kill()
	if err := doomed.serves(ctx); err != nil {
		return back, err
	}
	if !c.again {
		if err := l.client.do(ctx, http.MethodPost, doomed.url+"/api/v1/connections", map[string]any{"service": "team", "name": "sales", "title": "Sales"}, nil); err != nil {
			return back, err
		}
	}
	if back, err = l.client.agree(ctx, doomed.url, redirected, "sales"); err != nil {
		return back, err
	}
	if status, _, err := back.arrive(ctx, doomed.url); err == nil {
		return back, fmt.Errorf("the callback was answered with %d", status)
	}
	return back, doomed.killed(ctx)
}

// workspaceGrants are the bot's and the person's after a kill, as another hub finds them.
type workspaceGrants struct {
	c        consentCell
	client   client
	url      string
	emulated *workspacetest.Server
	back     wayBack
}

// judge looks at what is left: both grants are of one authorization, each lives, the browser
// that comes again is told to begin anew, and a new authorization gives both.
func (w workspaceGrants) judge(ctx context.Context) (fate string, err error) {
	there, fate := int64(0), "before"
	if w.c.again {
		there++
	}
	if w.c.step == crashpoint.Granted {
		there, fate = there+1, "new"
	}
	if err := w.both(ctx, there); err != nil {
		return "", err
	}
	status, page, err := w.back.arrive(ctx, w.url)
	if err != nil {
		return "", fmt.Errorf("the browser comes again: %w", err)
	}
	if status < http.StatusBadRequest || !strings.Contains(page, "no longer waiting") {
		return "", fmt.Errorf("the browser that came again was answered with %d:\n%.2000s", status, page)
	}
	if there > 0 {
		if err := w.renewed(ctx); err != nil {
			return "", err
		}
		there++
	}
	if err := w.both(ctx, there); err != nil {
		return "", fmt.Errorf("after the browser came again: %w", err)
	}
	if _, err := w.client.consent(ctx, w.url, redirected, "sales"); err != nil {
		return "", err
	}
	if err := w.both(ctx, there+1); err != nil {
		return "", fmt.Errorf("after another authorization: %w", err)
	}
	return fate, w.renewed(ctx)
}

// both checks the generations of the two, and whose tokens they are; generation 0 is
// nothing granted yet, and no connection of the person.
func (w workspaceGrants) both(ctx context.Context, generation int64) error {
	for name, account := range map[string]string{"sales": "bot", "sales-user": "ann"} {
		v, err := w.client.view(ctx, w.url, name)
		answer, answered := errors.AsType[*statusError](err)
		none := generation == 0 && name == "sales-user"
		if none && answered && answer.status == http.StatusNotFound {
			continue
		}
		if none && err == nil {
			return fmt.Errorf("%s is there, %s, and its main connection has no grant", name, v)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if v.Generation != generation {
			return fmt.Errorf("%s is %s, want generation %d", name, v, generation)
		}
		if generation == 0 {
			continue
		}
		if err := w.pulled(ctx, name, account); err != nil {
			return err
		}
	}
	return nil
}

// pulled checks whose token a process gets.
func (w workspaceGrants) pulled(ctx context.Context, name, account string) error {
	p, err := w.client.pull(ctx, w.url, name)
	if err != nil {
		return fmt.Errorf("pull %s: %w", name, err)
	}
	if got := w.emulated.Account(p.AccessToken); got != account {
		return fmt.Errorf("the token of %s is of %q, want %q", name, got, account)
	}
	return nil
}

// renewed proves by a renewal of each that both grants live.
func (w workspaceGrants) renewed(ctx context.Context) error {
	for _, name := range []string{"sales", "sales-user"} {
		if _, err := renews(ctx, w.client, w.url, name); err != nil {
			return fmt.Errorf("renew %s: %w", name, err)
		}
	}
	return nil
}
