package main

import (
	"os"
	"strings"
	"testing"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Nothing of the contract is missing, whatever the parser makes of its lines: the compiled
// contract tells what there is.
func TestEverythingInTheContractIsInTheReference(t *testing.T) {
	found := map[string]map[string]bool{}
	for _, d := range parse(read(t, source)) {
		found[d.name] = map[string]bool{}
		for _, m := range d.members {
			found[d.name][m.name] = true
		}
	}
	file := providerv1.File_evergrant_provider_v1_provider_proto
	wanted := 0
	want := func(definition, member string) {
		wanted++
		if !found[definition][member] {
			t.Errorf("%s of %s is not in the reference", member, definition)
		}
	}
	for i := range file.Messages().Len() {
		message := file.Messages().Get(i)
		for f := range message.Fields().Len() {
			want(string(message.Name()), string(message.Fields().Get(f).Name()))
		}
	}
	for i := range file.Enums().Len() {
		enum := file.Enums().Get(i)
		for v := range enum.Values().Len() {
			want(string(enum.Name()), string(enum.Values().Get(v).Name()))
		}
	}
	for i := range file.Services().Len() {
		service := file.Services().Get(i)
		for m := range service.Methods().Len() {
			want(string(service.Name()), string(service.Methods().Get(m).Name()))
		}
	}
	if wanted < 100 {
		t.Errorf("only %d things were looked for", wanted)
	}
}

func TestTheReferenceIsCurrent(t *testing.T) {
	if read(t, target) != page(parse(read(t, source))) {
		t.Errorf("%s is not what the contract says: run make generate", target)
	}
}

func TestCommentsBelongToWhatFollowsThem(t *testing.T) {
	got := page(parse("// A key.\nmessage Key {\n  // Its <name>,\n  // in two_lines.\n  string name = 1;\n\n  // Of nothing.\n\n  oneof kind {\n    bytes raw = 2 [debug_redact = true];\n  }\n  map<string, string> more = 3;\n}\n"))
	for _, line := range []string{
		"## Key\n\nA key.\n", "| `name` | 1 | string | Its &lt;name>, in two\\_lines. |\n", "| `raw` | 2 | one of `kind`: bytes |  |\n", "| `more` | 3 | map&lt;string, string> |  |\n",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("%q is not in\n%s", line, got)
		}
	}
}
