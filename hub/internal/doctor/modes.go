package doctor

import (
	"fmt"
	"os"
	"path/filepath"
)

// lookAtModes reports what other users of the machine can access in the data folder. A
// readable folder is a warning, readable files with grants are a failure.
func lookAtModes(dir string) (found []Finding) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil // another check reports it
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		found = append(found, fail(fmt.Sprintf("others may write into %s (mode %04o)", dir, mode), "chmod 700 "+dir))
	} else if mode&0o055 != 0 {
		found = append(found, warn(fmt.Sprintf("others can look into %s (mode %04o)", dir, mode), "chmod 700 "+dir+", unless they have to"))
	}
	for _, pattern := range []string{"evergrant.db*", "evergrant.key", "journal", "newest*", "pulls", "installed"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are good
		for _, name := range names {
			if info, err := os.Lstat(name); err == nil && info.Mode()&os.ModeSymlink == 0 && info.Mode().Perm()&0o077 != 0 {
				found = append(found, fail(fmt.Sprintf("others can read %s (mode %04o)", name, info.Mode().Perm()), "chmod go-rwx "+name+"; the next start does it, except for the key"))
			}
		}
	}
	return found
}
