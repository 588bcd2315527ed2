package access

import (
	"strings"

	"github.com/evergrant/evergrant/hub/internal/randtoken"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
)

// LoginDigest is a digest of what a login is judged by: password, second factor, role,
// sign-in service, and whether the person may log in. A login that takes more than one
// step keeps it from the first to the last: if it has changed between them, what was
// shown before no longer counts.
func LoginDigest(u peopledb.User) string {
	may := "may log in"
	if !u.DisabledAt.IsZero() {
		may = "disabled"
	}
	return randtoken.Hash(strings.Join([]string{u.ID, u.PasswordHash, string(u.SecondFactor.Secret), u.Role, u.OIDCSubject, may}, "\x00"))
}
