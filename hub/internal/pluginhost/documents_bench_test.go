package pluginhost

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/pluginhost/plugintest"
	"github.com/evergrant/evergrant/sdk/providerplugin"
)

// BenchmarkDefinitionsStart measures the plugin of definitions with 150 of them: from nothing
// to ready, that is described, and what its process has in memory then.
func BenchmarkDefinitionsStart(b *testing.B) {
	const plugin, all = "declarative", 150
	dir := b.TempDir()
	if _, err := plugintest.Put(dir, plugin, "plugins/"+plugin); err != nil {
		b.Fatal(err)
	}
	h, _ := newHost(b, Options{Dir: dir, StartTimeout: time.Minute, CallTimeout: time.Minute})
	if err := h.Scan(b.Context()); err != nil {
		b.Fatal(err)
	}
	shipped, err := h.Shipped(b.Context(), plugin)
	if err != nil || len(shipped) == 0 {
		b.Fatal(err)
	}
	source := h.plugin(plugin).wanted()
	source.Documents = NewDocuments(copiesOf(shipped, all-len(shipped)))
	var took []time.Duration
	var memory int64
	for b.Loop() {
		begun := time.Now()
		in, err := h.launch(b.Context(), source, newOutput(h.log))
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
		if n := len(in.info.Descriptions); n != all || len(in.problems) > 0 {
			b.Fatalf("%d are served, problems %v", n, in.problems)
		}
		memory = max(memory, memoryOf(in.runner.process.pid))
		in.stop(0)
	}
	slices.Sort(took)
	b.ReportMetric(milliseconds(took[len(took)/2]), "p50-ms")
	b.ReportMetric(milliseconds(took[len(took)-1]), "max-ms")
	b.ReportMetric(float64(memory)/(1<<20), "MiB")
	b.ReportMetric(0, "ns/op")
}

// copiesOf are n documents like those, under names of their own.
func copiesOf(like []providerplugin.Document, n int) []providerplugin.Document {
	copies := make([]providerplugin.Document, n)
	for i := range copies {
		from := like[i%len(like)]
		name := fmt.Sprintf("%s-%d", from.Name, i)
		text := []byte(strings.Replace(string(from.Text), "\nname: "+from.Name+"\n", "\nname: "+name+"\n", 1))
		copies[i] = providerplugin.Document{Name: name, Version: from.Version, Sum: providerplugin.SumOf(text), Text: text}
	}
	slices.SortFunc(copies, func(a, b providerplugin.Document) int { return cmp.Compare(a.Name, b.Name) })
	return copies
}
