package audit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// ActPull is the act of a process that was handed a token.
const ActPull = "token.pull"

// flushEvery is how often pulls are written as audit records.
const flushEvery = 10 * time.Second

// Pull is a token that was handed to a process.
type Pull struct {
	// KeyID is the id of its API key, Connection the connection's name, Address where
	// the request came from.
	KeyID, Connection, Address string
}

// pulls of one kind in one batch.
type tally struct {
	n           int
	first, last time.Time
}

// Pulls notes every pull without slowing it down: a line in a local file at once,
// which outlives the process, and an audit record for each key, connection and
// address every few seconds, with how often. It is safe for concurrent use.
type Pulls struct {
	store *store.Store
	log   hclog.Logger
	dir   string

	mu      sync.Mutex
	file    *os.File
	tallies map[Pull]*tally // bounded by the pulls of flushEvery: each flush begins anew
}

const (
	spoolPrefix  = "pulls-"
	spoolCurrent = "pulls.open"
)

// OpenPulls opens the file in a folder of this hub's own. What a hub that died left
// there is recorded by the first flush.
func OpenPulls(st *store.Store, dir string, log hclog.Logger) (*Pulls, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for noting pulls: %w", err)
	}
	p := &Pulls{store: st, log: log, dir: dir, tallies: map[Pull]*tally{}}
	current := filepath.Join(dir, spoolCurrent)
	if _, err := os.Stat(current); err == nil {
		if err := os.Rename(current, p.spool(store.NewID())); err != nil {
			return nil, fmt.Errorf("put the pulls of the last run aside: %w", err)
		}
	}
	var err error
	p.file, err = openSpool(current)
	return p, err
}

func openSpool(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the file for noting pulls: %w", err)
	}
	return f, nil
}

func (p *Pulls) spool(batch string) string { return filepath.Join(p.dir, spoolPrefix+batch) }

// Note notes a pull.
func (p *Pulls) Note(pull Pull, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.tallies[pull]
	if t == nil {
		t = &tally{first: now}
		p.tallies[pull] = t
	}
	t.n++
	t.last = now
	line := make([]byte, 0, 160)
	line = append(line, pull.KeyID...)
	line = append(append(line, '\t'), pull.Connection...)
	line = append(append(line, '\t'), pull.Address...)
	line = strconv.AppendInt(append(line, '\t'), now.UnixMilli(), 10)
	if _, err := p.file.Write(append(line, '\n')); err != nil {
		p.log.Error("write pull record to disk failed, kept in memory", "error", err)
	}
}

// Run turns pulls into records until ctx ends, and once more then.
func (p *Pulls) Run(ctx context.Context) {
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		if err := p.Flush(context.WithoutCancel(ctx)); err != nil {
			p.log.Warn("write pull audit records failed, kept on disk", "error", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if err := p.Flush(context.WithoutCancel(ctx)); err != nil {
				p.log.Warn("pull records kept on disk for the next start", "error", err)
			}
			return
		}
	}
}

// Close closes the file. What it holds is recorded by the next start.
func (p *Pulls) Close() error { return p.file.Close() }

// Flush records what was noted, and what earlier flushes and runs have left.
func (p *Pulls) Flush(ctx context.Context) error {
	if err := p.turn(); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(p.dir, spoolPrefix+"*"))
	if err != nil || len(left) == 0 {
		return err
	}
	titles, err := p.titles(ctx)
	if err != nil {
		return err
	}
	for _, path := range left {
		batch := strings.TrimPrefix(filepath.Base(path), spoolPrefix)
		tallies, err := readSpool(path)
		if err != nil {
			return err
		}
		if err := p.record(ctx, batch, tallies, titles); err != nil {
			return err
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove the pulls that are recorded: %w", err)
		}
	}
	return nil
}

// turn puts the present file aside, if anything is in it, and begins another one.
func (p *Pulls) turn() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tallies) == 0 {
		return nil
	}
	current := filepath.Join(p.dir, spoolCurrent)
	if err := os.Rename(current, p.spool(store.NewID())); err != nil {
		return fmt.Errorf("put noted pulls aside: %w", err)
	}
	next, err := openSpool(current)
	if err != nil {
		return err
	}
	old := p.file
	p.file, p.tallies = next, map[Pull]*tally{}
	return old.Close()
}

// record writes the records of a batch, unless a run that died has done so.
func (p *Pulls) record(ctx context.Context, batch string, tallies map[Pull]*tally, titles map[string]string) error {
	if len(tallies) == 0 {
		return nil
	}
	recent, err := p.store.Audit.AuditRecords(ctx, auditdb.AuditFilter{Act: ActPull, Limit: 1000})
	if err != nil {
		return err
	}
	for _, r := range recent {
		if r.Detail["batch"] == batch {
			return nil
		}
	}
	records := make([]auditdb.AuditRecord, 0, len(tallies))
	for pull, t := range tallies {
		title := titles[pull.KeyID]
		if title == "" {
			title = pull.KeyID
		}
		records = append(records, auditdb.AuditRecord{
			At: t.last, ActorKind: KindKey, Actor: title, Address: pull.Address, Act: ActPull, ObjectKind: "connection", Object: pull.Connection,
			Detail: map[string]string{"pulls": strconv.Itoa(t.n), "since": t.first.UTC().Format(time.RFC3339), "batch": batch},
		})
	}
	return p.store.Audit.AppendAudit(ctx, records...)
}

func (p *Pulls) titles(ctx context.Context) (map[string]string, error) {
	keys, err := p.store.People.APIKeys(ctx)
	titles := make(map[string]string, len(keys))
	for _, k := range keys {
		titles[k.ID] = k.Title
	}
	return titles, err
}

// readSpool counts the lines of a file. A last one that was cut off is left out.
func readSpool(path string) (map[Pull]*tally, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read noted pulls: %w", err)
	}
	defer f.Close()
	tallies := map[Pull]*tally{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 4 {
			continue
		}
		ms, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil {
			continue
		}
		pull, at := Pull{KeyID: fields[0], Connection: fields[1], Address: fields[2]}, time.UnixMilli(ms)
		if tallies[pull] == nil {
			tallies[pull] = &tally{first: at}
		}
		tallies[pull].n++
		tallies[pull].last = at
	}
	return tallies, errors.Join(lines.Err())
}

// Waiting is the number of pulls that are noted and not recorded yet, as far as this
// run has noted them.
func (p *Pulls) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, t := range p.tallies {
		n += t.n
	}
	return n
}
