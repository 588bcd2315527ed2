package pluginhost

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/evergrant/evergrant/hub/internal/waittest"
)

func TestTokensAreRedactedAndWordsAreNot(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"Authorization: Bearer abc", "Authorization: Bearer [redacted]"},
		{"sent basic dXNlcjpwYXNz now", "sent basic [redacted] now"},
		{"got 5f4dcc3b5aa765d61d8327deb882cf99", "got [redacted]"},
		{"jwt eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln.", "jwt [redacted]"},
		{"base64 q83vEjRWeJq83vEjRWeJ+/==", "base64 [redacted]"},
		{"letters abcdefghijklmnopqrstuvwxyz", "letters [redacted]"},
		{"?access_token=short&x=1", "?access_token=[redacted]&x=1"},
		{`{"client_secret":"s3","x":1}`, `{"client_secret":"[redacted]","x":1}`},
		{`{\"refresh_token\": \"r1\"}`, `{\"refresh_token\": \"[redacted]\"}`},
		{"password = hunter2", "password = [redacted]"},
		{"github.com/evergrant/evergrant/sdk/providerplugin.(*v1Server).run", "github.com/evergrant/evergrant/sdk/providerplugin.(*v1Server).run"},
		{"/usr/local/go/src/runtime/panic.go:792 +0x132", "/usr/local/go/src/runtime/panic.go:792 +0x132"},
		{"https://oauth.bitrix24.com/oauth/token answered 400", "https://oauth.bitrix24.com/oauth/token answered 400"},
		{"token expired, code 401", "token expired, code 401"},
	} {
		if got := redact(c.in); got != c.want {
			t.Errorf("redact(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestLinesOfPluginsAreUnderstood(t *testing.T) {
	for raw, want := range map[string]line{
		`{"@level":"warn","@message":"m","@timestamp":"t","@module":"x"}`: {level: hclog.Warn, text: "m"},
		`{"@level":"loud","@message":"m","n":1}`:                          {level: hclog.Info, text: "m", fields: `{"n":1}`},
		`{"@message":"m","request_id":"3f2a-9","n":1}`:                    {level: hclog.Info, text: "m", fields: `{"n":1}`, request: "3f2a-9"},
		`{"@message":"m","request_id":"x y"}`:                             {level: hclog.Info, text: "m", fields: `{"request_id":"x y"}`},
		`{"@level":7,"@message":"m"}`:                                     {level: hclog.Info, text: "m"},
		`{"@message":7}`:                                                  {level: hclog.Info, text: `{"@message":7}`},
		`{"@level":"off","@message":"m"}`:                                 {level: hclog.Info, text: "m"},
		`[ERROR] broken`:                                                  {level: hclog.Error, text: "broken"},
		`[1,2]`:                                                           {level: hclog.Info, text: "[1,2]"},
		"panic: oh":                                                       {level: hclog.Error, text: "panic: oh"},
		"line\r":                                                          {level: hclog.Info, text: "line"},
		"a\x00b\x1bc\xffd\u2028e":                                         {level: hclog.Info, text: `a\x00b\x1bc\xffd\u2028e`},
		"привет":                                                          {level: hclog.Info, text: "привет"},
	} {
		if got := parseLine([]byte(raw), asItIs); got != want {
			t.Errorf("parseLine(%q) = %+v, want %+v", raw, got, want)
		}
	}
}

func FuzzALineOfAPluginNeverHurts(f *testing.F) {
	for _, seed := range []string{`{"@message":1}`, `{"@level":[],"@message":"m"}`, "\xff", "[WARN]", "{"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := parseLine(raw, asItIs)
		if strings.ContainsAny(l.text+l.fields, "\x00\x1b\n\r") || !isPrintable(l.text) || !isPrintable(l.fields) {
			t.Errorf("%q became %q %q", raw, l.text, l.fields)
		}
	})
}

func TestLinesBeyondTheBudgetAreCountedAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logBuffer{}
		out := newOutput(hclog.New(&hclog.LoggerOptions{Output: log}))
		w := out.writer(newTail(out))
		for range 1000 {
			_, _ = w.Write([]byte("one of many\n"))
		}
		if n := strings.Count(log.String(), "one of many"); n != lineBurst {
			t.Errorf("%d lines were logged at once", n)
		}
		waittest.Let(time.Second)
		for range 1000 {
			_, _ = w.Write([]byte("a second later\n"))
		}
		if n := strings.Count(log.String(), "a second later"); n != linesASecond {
			t.Errorf("%d lines were logged after a second", n)
		}
		waittest.Let(reportEvery)
		synctest.Wait()
		if !strings.Contains(log.String(), "dropped=1700") {
			t.Errorf("the report is missing")
		}
		out.flush()
		if n := strings.Count(log.String(), "dropped="); n != 1 {
			t.Errorf("%d reports", n)
		}
	})
}

func TestLongLinesAreCutAndTheNextOneIsWhole(t *testing.T) {
	out := newOutput(hclog.NewNullLogger())
	w := out.writer(newTail(out))
	for range 100 {
		_, _ = w.Write([]byte(strings.Repeat("ab ", 1000)))
	}
	_, _ = w.Write([]byte("\nnext"))
	w.end()
	lines := out.lines()
	if len(lines) != 2 || len(lines[0].Text) > maxLine+20 || !strings.HasSuffix(lines[0].Text, "(cut)") || lines[1].Text != "next" {
		t.Fatalf("%d lines", len(lines))
	}
}

func TestTheLastWordsAreThoseThatSayWhy(t *testing.T) {
	for name, c := range map[string]struct{ wrote, best, first string }{
		"Go":     {"hello\npanic: oh no\n\ngoroutine 1 [running]:\n" + strings.Repeat("main.go\n", 3*keptWords), "panic: oh no", "panic: oh no"},
		"Python": {"Traceback (most recent call last):\n  File \"plugin.py\", line 1\nModuleNotFoundError: No module named 'grpc'\n", "ModuleNotFoundError: No module named 'grpc'", "Traceback (most recent call last):"},
		"Node":   {"/plugin.js:2\n  throw x\n\nError: no luck\n    at main (/plugin.js:2)\n\nNode.js v20.1\n", "Error: no luck", "/plugin.js:2"},
		"flood":  {strings.Repeat("noise\n", 5000) + "the reason\n", "the reason", "noise"},
		"words":  {"first\nlast\n", "last", "first"},
		"none":   {"", "", ""},
	} {
		out := newOutput(hclog.NewNullLogger())
		last := newTail(out)
		_, _ = out.writer(last).Write([]byte(c.wrote))
		words := last.words()
		if len(words) > keptWords || last.best() != c.best || c.first != "" && words[0].Text != c.first {
			t.Errorf("%s: %q of %+v", name, last.best(), words)
		}
	}
}

func asItIs(s string) string { return s }
