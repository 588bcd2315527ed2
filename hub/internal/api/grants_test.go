package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Each grant that obtains tokens is taken when a connection is added and told when it is read.
func TestEachGrantMayBeChosenAndIsTold(t *testing.T) {
	t.Parallel()
	var want []string
	for _, g := range provider.Grants() {
		if g.Obtains() {
			want = append(want, string(g))
		}
	}
	slices.Sort(want)
	for _, typ := range []reflect.Type{reflect.TypeFor[Connection](), reflect.TypeFor[ConnectionBody]()} {
		field, ok := typ.FieldByName("Grant")
		got := strings.Split(field.Tag.Get("enum"), ",")
		slices.Sort(got)
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%s.Grant is one of %q, the contract has %q", typ.Name(), got, want)
		}
	}
}
