package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/evergrant/evergrant/hub/test/chaos/authority"
)

// restoreFolder puts an older data folder beside a database that has gone on.
func restoreFolder(ctx context.Context, v *venue) error {
	h, err := v.start(ctx, 0, "")
	if err != nil {
		return err
	}
	if _, err = v.busy(ctx, h, shortLife, longLife); err != nil {
		return err
	}
	h.stop()
	folder := v.dataDir(0)
	older := folder + ".older"
	if err := copyData(folder, older); err != nil {
		return err
	}
	if h, err = v.start(ctx, 0, ""); err != nil {
		return err
	}
	if err := wait(ctx, behind(v.stage)); err != nil {
		return err
	}
	h.stop()
	if err := v.putBack(older, folder); err != nil {
		return err
	}
	if h, err = v.start(ctx, 0, ""); err != nil {
		return err
	}
	if h.says("data folder is a copy or outdated")+h.says("data folder is older than the database") == 0 {
		v.problem("the hub does not say that its folder is older than the database")
	}
	v.remark = fmt.Sprintf("a folder of %s ago", behind(v.stage))
	v.authority.SetAccessLife(time.Hour)
	return v.renewed(ctx, h, v.all())
}

// putBack replaces a data folder by an older one, all but the database in it.
func (v *venue) putBack(older, folder string) error {
	for _, name := range []string{"journal", "newest.db", "newest.db-wal", "newest.db-shm"} {
		from, to := filepath.Join(older, name), filepath.Join(folder, name)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		info, err := os.Stat(from)
		switch {
		case os.IsNotExist(err):
			continue
		case err != nil:
			return err
		case info.IsDir():
			err = copyData(from, to)
		default:
			err = copyFile(from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// restoreReauthorized has people authorize grants anew after a restore, at a hub that
// knows nothing of before, and then gives it back the folder that has newer token sets of
// the grants that they had before. Those must not come back.
func restoreReauthorized(ctx context.Context, v *venue) error {
	backup, _, err := v.agedBackup(ctx)
	if err != nil {
		return err
	}
	old, err := v.hideFolder()
	if err != nil {
		return err
	}
	if err := backup.restore(ctx); err != nil {
		return err
	}
	// Nothing is spent before people have come.
	v.authority.SetManner(func(authority.Request) authority.Manner {
		return authority.Manner{Refuse: http.StatusServiceUnavailable}
	})
	h, err := v.open(ctx, 0, "")
	if err != nil {
		return err
	}
	families := map[string]string{}
	for _, name := range v.all() {
		code, err := v.client.consent(ctx, h.url, redirected, name)
		if err != nil {
			return err
		}
		families[name] = authority.FamilyOf(code)
	}
	h.stop()
	v.authority.SetManner(nil)
	if err := v.putBack(old, v.dataDir(0)); err != nil {
		return err
	}
	// The run without the folder was another replica, which is waited for.
	if h, _, err = v.startCompared(ctx, 0); err != nil {
		return err
	}
	if err := v.renewed(ctx, h, v.all()); err != nil {
		return err
	}
	return v.ofFamilies(ctx, h, families)
}

// hideFolder moves all but the database out of a data folder.
func (v *venue) hideFolder() (aside string, err error) {
	folder := v.dataDir(0)
	aside = folder + ".aside"
	if err := copyData(folder, aside); err != nil {
		return aside, err
	}
	return aside, v.putBack(filepath.Join(aside, "nothing"), folder)
}

// ofFamilies checks whose tokens a hub hands out.
func (v *venue) ofFamilies(ctx context.Context, h *hubProcess, families map[string]string) error {
	for name, family := range families {
		p, err := v.client.pull(ctx, h.url, name)
		if err != nil {
			return err
		}
		if got := authority.FamilyOf(p.AccessToken); got != family {
			v.problem("%s has a token of %s, and was authorized as %s", name, got, family)
		}
	}
	v.remark = fmt.Sprintf("%d authorized anew, all of them kept", len(families))
	return nil
}
