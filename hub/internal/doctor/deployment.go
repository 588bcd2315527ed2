package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/evergrant/evergrant/hub/internal/config"
	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/auditdb"
)

// Options say what to look at.
type Options struct {
	Config config.Config
	// ClockURL is a service whose Date header is compared with our clock; "" is none.
	ClockURL string
	// HTTP sends the requests to ClockURL and the hub's public address; nil is a client
	// with a timeout of 5 seconds.
	HTTP *http.Client
}

// deployment is what checks share.
type deployment struct {
	o   Options
	box *seal.Box // nil if there is none or it cannot be read
	db  *store.Inspector
}

// Checks are those of a deployment. Call done after Run.
func Checks(o Options) (checks []Check, done func()) {
	if o.HTTP == nil {
		o.HTTP = &http.Client{Timeout: 5 * time.Second}
	}
	d := &deployment{o: o}
	done = func() {
		if d.db != nil {
			_ = d.db.Close()
		}
	}
	return []Check{
		{Name: "data_dir", Look: d.lookAtDataDir},
		{Name: "database", Look: d.lookAtDatabase},
		{Name: "key", Look: d.lookAtKey},
		{Name: "journal", Look: d.lookAtJournal},
		{Name: "newest", Look: d.lookAtNewest},
		{Name: "backup", Look: d.lookAtBackup},
		{Name: "replicas", Look: d.lookAtReplicas},
		{Name: "data", Look: d.lookAtData},
		{Name: "restore", Look: d.lookAtRestores},
		{Name: "clock", Look: d.lookAtClock},
		{Name: "plugins", Look: d.lookAtPlugins},
		{Name: "callback", Look: d.lookAtCallback},
		{Name: "ready", Look: d.lookAtReady},
		{Name: "channels", Look: d.lookAtChannels},
		{Name: "proxies", Look: d.lookAtProxies},
		{Name: "tls", Look: d.lookAtCertificate},
	}, done
}

// embedded reports whether the hub makes key and database by itself.
func (d *deployment) embedded() bool { return d.o.Config.Database.URL == "" }

// openKey reads the key as a hub would, without making one; once it is open it stays.
func (d *deployment) openKey() error {
	if d.box != nil {
		return nil
	}
	var err error
	if k := d.o.Config.Key; k.Value != "" {
		d.box, err = seal.FromKey(k.Value)
	} else {
		d.box, err = seal.Open(k.File)
	}
	return err
}

func (d *deployment) lookAtKey(ctx context.Context) []Finding {
	cfg := d.o.Config
	err := d.openKey()
	switch {
	case errors.Is(err, fs.ErrNotExist) && d.embedded() && d.db == nil:
		return []Finding{warn("there is none yet at "+cfg.Key.File, "the first start makes it; keep a copy then, apart from the database's")}
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{fail("there is no key at "+cfg.Key.File, "put the copy of your key there; without it no grant can be read. For a new database: evergrant key create "+cfg.Key.File)}
	case err != nil:
		return []Finding{fail(err.Error(), "give the hub's user alone the file, or put the copy of your key back")}
	case d.db == nil:
		return []Finding{warn("can be read, but there is no database to try it on", "")}
	}
	switch err := d.db.KeyFits(ctx); {
	case errors.Is(err, auditdb.ErrNothingSealed):
		return []Finding{ok("can be read; nothing is sealed in the database yet")}
	case errors.Is(err, auditdb.ErrOtherKey):
		return []Finding{fail("does not open what the database holds: it is another one", "put the key back that this database was used with; all hubs on it need the same")}
	case err != nil:
		return []Finding{warn("can be read, but could not be tried on the database", "mend the database first")}
	}
	return []Finding{ok("opens what the database holds")}
}

// slow is a latency that delays every renewal, which makes several queries.
const slow = 50 * time.Millisecond

func (d *deployment) lookAtDatabase(ctx context.Context) []Finding {
	_ = d.openKey() // the check of the encryption key reports its errors
	var err error
	d.db, err = store.Inspect(ctx, store.Options{URL: d.o.Config.Database.URL, DataDir: d.o.Config.DataDir, Box: d.box})
	if errors.Is(err, store.ErrNoDatabase) {
		return []Finding{warn("there is none yet", "the first start makes it")}
	}
	if err != nil {
		return []Finding{fail(err.Error(), "is it running, and does the address in database.url lead to it?")}
	}
	seen, err := d.db.Look(ctx)
	if err != nil {
		return []Finding{fail(err.Error(), "does its login own the tables?")}
	}
	hubs := ""
	if seen.Hubs >= 0 {
		hubs = fmt.Sprintf(", %d hubs connected", seen.Hubs)
	}
	found := []Finding{ok(fmt.Sprintf("%s, answers in %s%s", seen.Version, seen.Latency.Round(10*time.Microsecond), hubs))}
	if detached, err := d.db.Detached(ctx); err == nil && detached {
		found = append(found, warn("it is a detached copy: hubs on it renew and send nothing", "if it is no copy, run evergrant data attach"))
	}
	switch {
	case seen.Schema > seen.Wanted:
		found = append(found, fail(fmt.Sprintf("its tables are of version %d, made by a newer evergrant; this one knows %d", seen.Schema, seen.Wanted), "run the newer one"))
	case seen.Schema < seen.Wanted:
		found = append(found, warn(fmt.Sprintf("its tables are of version %d, this evergrant makes %d", seen.Schema, seen.Wanted), "the next start brings them up to date; take a backup before"))
	}
	if seen.Latency > slow {
		found = append(found, warn(fmt.Sprintf("it answers slowly: %s", seen.Latency.Round(time.Millisecond)), "put the hub beside its database"))
	}
	return found
}

// mostApart is how far clocks may be apart.
const mostApart = 2 * time.Second

func (d *deployment) lookAtClock(ctx context.Context) []Finding {
	var found []Finding
	if d.db != nil {
		if seen, err := d.db.Look(ctx); err == nil && seen.Dialect == store.PostgreSQL {
			found = append(found, apart("the database's", seen.Ahead))
		}
	}
	if d.o.ClockURL != "" {
		found = append(found, d.againstService(ctx))
	}
	if len(found) == 0 {
		found = append(found, ok("says "+time.Now().UTC().Format(time.RFC3339)+"; compared with nothing (--clock-url compares it with a service)"))
	}
	return found
}

// againstService compares with the Date of an answer (RFC 9110 section 6.6.1), which
// has whole seconds.
func (d *deployment) againstService(ctx context.Context) Finding {
	begun := time.Now()
	resp, err := d.get(ctx, d.o.ClockURL)
	if err != nil {
		return warn("the service to compare with does not answer", "choose another for --clock-url")
	}
	_ = resp.Body.Close()
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return warn("the service to compare with does not say the time", "choose another for --clock-url")
	}
	return apart("the service's", date.Add(time.Second/2).Sub(begun.Add(time.Since(begun)/2)))
}

func apart(whose string, ahead time.Duration) Finding {
	switch {
	case ahead > mostApart:
		return warn(fmt.Sprintf("is %s behind %s", ahead.Round(100*time.Millisecond), whose), "let this machine follow a time server (chrony, systemd-timesyncd): tokens expire by its clock")
	case ahead < -mostApart:
		return warn(fmt.Sprintf("is %s ahead of %s", (-ahead).Round(100*time.Millisecond), whose), "let this machine follow a time server (chrony, systemd-timesyncd): tokens expire by its clock")
	}
	return ok("agrees with " + whose)
}

func (d *deployment) lookAtDataDir(context.Context) []Finding {
	dir := d.o.Config.DataDir
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return []Finding{warn("there is no "+dir+" yet", "the first start makes it; it has to survive restarts")}
	}
	if err != nil || !info.IsDir() {
		return []Finding{fail(dir+" is no folder that can be read", "name another by data_dir")}
	}
	return append(lookAtDisk(dir), lookAtModes(dir)...)
}
