package connection_test

import (
	"slices"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/sdk/provider"
)

func TestAllowedAccounts(t *testing.T) {
	ann := provider.Account{ID: "X7", Name: "Ann@Example.org"}
	for _, tt := range []struct {
		stated  []string
		account provider.Account
		want    bool
	}{
		{nil, ann, true},
		{nil, provider.Account{}, true},
		{[]string{"x7"}, ann, true},
		{[]string{" ANN@example.ORG "}, ann, true},
		{[]string{"other", "@example.org"}, ann, true},
		{[]string{"@Example.org"}, provider.Account{ID: "1", Name: "ann@evil.example.org"}, false},
		{[]string{"@example.org"}, provider.Account{ID: "1", Name: "ann@example.org@evil.test"}, false},
		{[]string{"@example.org"}, provider.Account{ID: "@example.org"}, false},
		{[]string{"x"}, ann, false},
		{[]string{"x7"}, provider.Account{}, false},
	} {
		if got := connection.Allows(connection.Accounts(tt.stated), tt.account); got != tt.want {
			t.Errorf("%q allows %+v: %t", tt.stated, tt.account, got)
		}
	}
	if got := connection.Accounts([]string{"b", " ", "A", "B", "a "}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("kept as %q", got)
	}
}
