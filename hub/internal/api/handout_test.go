package api

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
)

func TestATokenThatIsHandedOutAfterItsExpiryIsCounted(t *testing.T) {
	var result string
	var late bool
	a := &API{now: time.Now, pulled: func(r string, l bool) { result, late = r, l }}
	for _, c := range []struct {
		left        time.Duration
		trouble     *connection.Failure
		ifNoneMatch string
		result      string
		late        bool
	}{
		{left: time.Second, result: "served"},
		{left: -time.Millisecond, result: "served", late: true},
		{left: -time.Hour, trouble: &connection.Failure{}, result: "served_with_trouble", late: true},
		{left: time.Hour, trouble: &connection.Failure{}, result: "served_with_trouble"},
		{left: time.Hour, ifNoneMatch: `"7"`, result: "not_modified"},
	} {
		pulled := &tokensource.Pulled{Trouble: c.trouble, Connection: connection.Connection{Generation: 7}}
		pulled.Connection.Tokens.ExpiresAt = time.Now().Add(c.left)
		if _, err := a.handOut(pulled, c.ifNoneMatch, nil); err != nil || result != c.result || late != c.late {
			t.Errorf("with %s left: %s, late %t, %v; want %s, %t", c.left, result, late, err, c.result, c.late)
		}
	}
	unending := &tokensource.Pulled{}
	if _, err := a.handOut(unending, "", nil); err != nil || late {
		t.Error("a token without a known end is not late")
	}
}
