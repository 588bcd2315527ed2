package authority

import (
	"testing"
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// What the client of the last repeat did with its answer decides whether a grant could be
// kept: the first answer may have been lost on the way.
func TestTheLastRepeatWithinTheGraceIsWhatAnEndIsJudgedBy(t *testing.T) {
	f := &family{kind: provider.RotationRotatesWithGrace}
	token, begun := &refreshToken{nth: 1}, time.Unix(1_000_000, 0)
	first, second, third := &Entry{Client: "a"}, &Entry{Client: "b"}, &Entry{Client: "c"}
	for _, step := range []struct {
		by    *Entry
		after time.Duration
		want  string
	}{{first, 0, issued}, {second, 30 * time.Second, repeated}, {third, 2 * time.Minute, replayed}} {
		if got := f.judge(step.by, token, begun.Add(step.after), time.Minute); got != step.want {
			t.Errorf("after %s it is %s, not %s", step.after, got, step.want)
		}
	}
	if f.replay.first != second || f.replay.again != third {
		t.Errorf("judged by %s, ended by %s", f.replay.first.Client, f.replay.again.Client)
	}
}
