package store_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/seal"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/storetest"
)

// What older keys have sealed is sealed by the new one, page by page; what was written since
// stays, and without the old key everything opens.
func TestWhatOlderKeysHaveSealedIsSealedAnew(t *testing.T) {
	for _, dialect := range []string{store.SQLite, store.PostgreSQL} {
		t.Run(dialect, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			box, err := seal.Create(path)
			check(t, err)
			o := store.Options{DataDir: storetest.Folder(t), Box: box}
			if dialect == store.PostgreSQL {
				o = store.Options{URL: storetest.Postgres(t), Box: box}
			}
			s := storetest.OpenWith(t, o)
			svc := addService(t, s, "portal")
			const many = 250 // more than a page
			for n := range many {
				addGranted(t, s, svc.ID, fmt.Sprint("c", n))
			}
			before := box.KeyID()
			check(t, box.Rotate(path))
			late := addGranted(t, s, svc.ID, "late")
			n, err := s.Reseal(t.Context())
			check(t, err)
			if n < many {
				t.Errorf("%d values are sealed anew, of %d connections", n, many)
			}
			if n, err := s.Reseal(t.Context()); n != 0 || err != nil {
				t.Errorf("the second time %d, %v", n, err)
			}
			check(t, box.Retire(path, before))
			in, err := store.Inspect(t.Context(), o)
			check(t, err)
			defer func() { _ = in.Close() }()
			counts, err := in.SealedBy(t.Context())
			check(t, err)
			if counts[before] != 0 || counts[box.KeyID()] < many+1 {
				t.Errorf("sealed by %d, now %d: %v", before, box.KeyID(), counts)
			}
			if _, err := in.OpenSealed(t.Context()); err != nil {
				t.Error(err)
			}
			if c := read(t, s, late.ID); c.Tokens.RefreshToken != late.Tokens.RefreshToken {
				t.Error("another token set")
			}
		})
	}
}
