package definition

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/evergrant/evergrant/sdk/provider"
)

// Duration is a time span as documents write it: "90s", "60m", "24h", "180d", "5ms", or
// "never".
type Duration time.Duration

// Never is the lifetime of what does not expire.
const Never = Duration(provider.Never)

var spanRE = regexp.MustCompile(`^([0-9]{1,9})(ms|s|m|h|d)$`)

var spanUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *Duration) UnmarshalYAML(node *yaml.Node) error {
	if node.Value == "never" {
		*d = Never
		return nil
	}
	m := spanRE.FindStringSubmatch(node.Value)
	if m == nil {
		return fmt.Errorf("%q is no time span: write 90s, 60m, 24h, 180d or never", node.Value)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	*d = Duration(time.Duration(n) * spanUnits[m[2]])
	return err
}

// Span is the duration; provider.Never for Never.
func (d Duration) Span() time.Duration { return time.Duration(d) }
