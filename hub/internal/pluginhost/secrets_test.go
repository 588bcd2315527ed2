package pluginhost

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
)

func TestSecretsOfACallAreBlankedWhateverTheyLookLike(t *testing.T) {
	var log bytes.Buffer
	o := newOutput(hclog.New(&hclog.LoggerOptions{Output: &log}))
	for _, line := range []string{"said: summer day", "said: summer+day", "said: summer%20day", `{"@message":"said: summer day","x":"summer day"}`} {
		log.Reset()
		o.hideSecretsOf(WithSecrets(context.Background(), "summer day", "a", ""))
		o.read(strings.NewReader(line+"\n"), newTail(o))
		if got := log.String(); strings.Contains(got, "summer") || !strings.Contains(got, "said: "+redacted) {
			t.Errorf("%s was logged as %s", line, got)
		}
	}
	for _, kept := range o.lines() {
		if strings.Contains(kept.Text, "summer") {
			t.Errorf("%q was kept", kept.Text)
		}
	}
	log.Reset()
	o.read(strings.NewReader("a plain line\n"), newTail(o))
	if !strings.Contains(log.String(), "a plain line") {
		t.Errorf("a secret of one letter has changed %s", log.String())
	}
}
